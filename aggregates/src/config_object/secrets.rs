use serde_json::Value;

/// Stands where a secret is. On import it keeps the secret that is known.
pub const REDACTED: &str = "********";

/// A secret and where it was: a JSON pointer (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Where.
    pub pointer: String,
    /// The secret.
    pub value: String,
}

/// Words that names of secrets end with, whatever their case (`bearerToken`, `client_secret`, `privateKeyPassword`).
const ENDINGS: [&str; 9] =
    ["password", "passwd", "secret", "token", "privatekey", "private_key", "passphrase", "apikey", "api_key"];

/// Takes the secrets out of a document: texts, neither empty nor taken out already, whose names say that they are secret.
pub fn redact(document: &mut Value) -> Vec<Secret> {
    let mut found = Vec::new();
    take(document, &mut String::new(), &mut found);
    found
}

fn take(value: &mut Value, pointer: &mut String, found: &mut Vec<Secret>) {
    let length = pointer.len();
    match value {
        Value::Object(entries) => {
            for (name, value) in entries {
                *pointer += "/";
                *pointer += &name.replace('~', "~0").replace('/', "~1");
                let folded = name.to_ascii_lowercase();
                let is_secret = ENDINGS.iter().any(|ending| folded.ends_with(ending));
                match value {
                    Value::String(text) if is_secret && !text.is_empty() && text != REDACTED => {
                        let value = std::mem::replace(text, REDACTED.to_owned());
                        found.push(Secret { pointer: pointer.clone(), value });
                    }
                    other => take(other, pointer, found),
                }
                pointer.truncate(length);
            }
        }
        Value::Array(values) => {
            for (at, value) in values.iter_mut().enumerate() {
                pointer.push('/');
                *pointer += &at.to_string();
                take(value, pointer, found);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}
