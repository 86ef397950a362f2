use serde::Serialize;
use serde_json::Value;

/// A place at which two documents differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldChange {
    /// Where: a JSON pointer (RFC 6901).
    pub path: String,
    /// What was there; `None` = nothing.
    pub before: Option<Value>,
    /// What is there; `None` = nothing.
    pub after: Option<Value>,
}

/// Where two documents differ, in order of the paths' names: as deep as both are objects, or arrays of one length.
pub fn differences(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare(&mut String::new(), Some(before), Some(after), &mut found);
    found
}

fn compare(path: &mut String, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<FieldChange>) {
    let length = path.len();
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for name in names {
                *path += "/";
                *path += &name.replace('~', "~0").replace('/', "~1");
                compare(path, before.get(name), after.get(name), found);
                path.truncate(length);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) if before.len() == after.len() => {
            for (at, (before, after)) in before.iter().zip(after).enumerate() {
                path.push('/');
                *path += &at.to_string();
                compare(path, Some(before), Some(after), found);
                path.truncate(length);
            }
        }
        (before, after) => {
            found.push(FieldChange { path: path.clone(), before: before.cloned(), after: after.cloned() });
        }
    }
}
