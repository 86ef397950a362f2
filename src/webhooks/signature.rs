//! Signatures of Standard Webhooks: HMAC-SHA256 over id, time and body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Before a key in base64; else the text's bytes are the key.
const PREFIX: &str = "whsec_";

/// What signs.
pub(super) struct Key(Hmac<Sha256>);

impl Key {
    /// The key that a secret is.
    ///
    /// # Errors
    /// Why it is none; never with the secret itself.
    pub(super) fn read(secret: &str) -> Result<Self, String> {
        let key = match secret.strip_prefix(PREFIX) {
            None => Some(secret.as_bytes().to_vec()),
            Some(encoded) => STANDARD.decode(encoded).ok().filter(|key| !key.is_empty()),
        };
        let mac = key.and_then(|key| Hmac::new_from_slice(&key).ok());
        mac.map(Self)
            .ok_or_else(|| format!("its httpConfig.signingSecret begins with {PREFIX}, and what follows is no base64"))
    }

    /// The value of `webhook-signature`. `timestamp`: seconds since 1970.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        // The vector of its reference libraries.
        let key = Key::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_that_is_no_key_is_refused_without_being_told() {
        for wrong in ["whsec_", "whsec_not base64"] {
            let reason = Key::read(wrong).err().unwrap();
            assert!(reason.ends_with("no base64") && !reason.contains("not base64"), "{reason}");
        }
        // Without the prefix the text's bytes are the key (RFC 4231, case 2).
        let key = Key::read("Jefe").unwrap();
        let mut mac = key.0.clone();
        mac.update(b"what do ya want for nothing?");
        assert_eq!(mac.finalize().into_bytes()[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    }
}
