//! What a subscription's secrets are for: signing, and being known to the receiver.

use std::collections::HashMap;

use aggregates::webhook::{Authentication, BEARER_TOKEN, PASSWORD, SIGNING_SECRET, Subscription, place};
use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::signature::Key;

/// Never logged: there is no `Debug`.
pub(super) struct Credentials {
    /// Signs.
    pub(super) key: Key,
    /// The value of `Authorization`.
    pub(super) authorization: Option<HeaderValue>,
}

impl Credentials {
    /// Of the secrets that are known, by their places.
    ///
    /// # Errors
    /// One is missing or can't be used; without it nothing is sent.
    pub(super) fn read(subscription: &Subscription, secrets: &HashMap<String, String>) -> Result<Self, String> {
        subscription.is_signed()?;
        let secret = |pointer: &str| {
            let unknown = || format!("its {} isn't known here; import it again, with its value", place(pointer));
            secrets.get(pointer).ok_or_else(unknown)
        };
        let key = Key::read(secret(SIGNING_SECRET)?)?;
        let authorization = match &subscription.authentication {
            Authentication::None => None,
            Authentication::Basic { user_name } => {
                let pair = STANDARD.encode(format!("{user_name}:{}", secret(PASSWORD)?));
                Some(format!("Basic {pair}"))
            }
            Authentication::Bearer => Some(format!("Bearer {}", secret(BEARER_TOKEN)?)),
        };
        let authorization = authorization.map(|value| {
            let mut value = HeaderValue::try_from(value)
                .map_err(|_| "its bearer token has characters that no header may have".to_owned())?;
            value.set_sensitive(true);
            Ok::<_, String>(value)
        });
        Ok(Self { key, authorization: authorization.transpose()? })
    }
}
