//! Webhooks: what a `TRIGGER_SUBSCRIPTION` asks for. Its shape is that of SailPoint's trigger subscriptions; what is signed and sent
//! is that of Standard Webhooks.

mod asked;
mod events;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::Value;
use url::Url;

pub use asked::Asked;
pub use events::{NATIVE, never_leaves};

use crate::config_object::REDACTED;

/// What a subscription asks for, and can be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Is it switched on?
    pub is_enabled: bool,
    /// Where events go: `http` or `https`, with a host and without a user.
    pub url: Url,
    /// Types of events.
    pub event_types: BTreeSet<&'static str>,
    /// How the receiver knows us, beside the signature.
    pub authentication: Authentication,
    /// Does its document have a signing secret? The secret itself is never in a document.
    pub has_signing_secret: bool,
}

/// What is sent as `Authorization`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// Nothing.
    None,
    /// A name, with the password that is kept at [`PASSWORD`].
    Basic {
        /// The name.
        user_name: String,
    },
    /// The token that is kept at [`BEARER_TOKEN`].
    Bearer,
}

/// Where in an entry the secret lies that signs.
pub const SIGNING_SECRET: &str = "/object/httpConfig/signingSecret";
/// Where in an entry the password of `BASIC_AUTH` lies.
pub const PASSWORD: &str = "/object/httpConfig/basicAuthConfig/password";
/// Where in an entry the token of `BEARER_TOKEN` lies.
pub const BEARER_TOKEN: &str = "/object/httpConfig/bearerTokenAuthConfig/bearerToken";

impl Subscription {
    /// Reads an entry of a file, whose secrets are taken out.
    ///
    /// # Errors
    /// Why nothing can be delivered as it asks for, in words.
    pub fn read(entry: &Value) -> Result<Self, String> {
        let object = &entry["object"];
        match object["type"].as_str() {
            Some("HTTP") => {}
            Some(other) => return Err(format!("its type is {other:?}; only HTTP is delivered")),
            None => return Err("it has no type; HTTP is delivered".to_owned()),
        }
        let is_enabled = match &object["enabled"] {
            Value::Null => true,
            Value::Bool(enabled) => *enabled,
            other => return Err(format!("enabled is {other}; true or false is expected")),
        };
        // To deliver what a filter leaves out would be more than was asked for.
        if let Some(filter) = text(object, "filter")? {
            return Err(format!("it has the filter {filter:?}; filters aren't evaluated"));
        }
        let event_types = events::asked_for(object)?;
        let http = &object["httpConfig"];
        let authentication = authentication(http, entry)?;
        let url = url(text(http, "url")?.ok_or("httpConfig.url is missing")?)?;
        Ok(Self { is_enabled, url, event_types, authentication, has_signing_secret: is_there(entry, SIGNING_SECRET) })
    }

    /// Why nothing would be sent though all else is right: nothing leaves unsigned.
    ///
    /// # Errors
    /// It has no signing secret.
    pub fn is_signed(&self) -> Result<(), String> {
        if self.has_signing_secret {
            Ok(())
        } else {
            Err("it has no httpConfig.signingSecret, and nothing is sent unsigned".to_owned())
        }
    }
}

fn authentication(http: &Value, entry: &Value) -> Result<Authentication, String> {
    let there = |pointer: &str| {
        if is_there(entry, pointer) { Ok(()) } else { Err(format!("{} is missing", place(pointer))) }
    };
    match text(http, "httpAuthenticationType")? {
        None | Some("NO_AUTH") => Ok(Authentication::None),
        Some("BASIC_AUTH") => {
            there(PASSWORD)?;
            let user_name = text(&http["basicAuthConfig"], "userName")?.unwrap_or_default();
            if user_name.contains(':') {
                return Err("httpConfig.basicAuthConfig.userName has a colon, which BASIC_AUTH can't send".to_owned());
            }
            Ok(Authentication::Basic { user_name: user_name.to_owned() })
        }
        Some("BEARER_TOKEN") => there(BEARER_TOKEN).map(|()| Authentication::Bearer),
        Some(other) => Err(format!(
            "httpConfig.httpAuthenticationType is {other:?}; NO_AUTH, BASIC_AUTH and BEARER_TOKEN are known"
        )),
    }
}

/// A place in an entry, as people call it: `httpConfig.signingSecret`.
pub fn place(pointer: &str) -> String {
    pointer.trim_start_matches("/object/").replace('/', ".")
}

/// Only a secret that was taken out is one: what stands there otherwise was empty, or no text.
fn is_there(entry: &Value, pointer: &str) -> bool {
    entry.pointer(pointer).and_then(Value::as_str) == Some(REDACTED)
}

/// The text of that name; `None` if it is absent, null or empty.
fn text<'v>(object: &'v Value, name: &str) -> Result<Option<&'v str>, String> {
    match &object[name] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.as_str()).filter(|text| !text.trim().is_empty())),
        other => Err(format!("{name} is {other}; a text is expected")),
    }
}

/// An address that can be called. It isn't repeated in errors: it may hold secrets.
fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("httpConfig.url is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("httpConfig.url begins with {}:; https is expected", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("httpConfig.url names a user; BASIC_AUTH has a place for that".to_owned());
    }
    Ok(url)
}
