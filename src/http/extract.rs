//! Bodies, queries and path ids, with errors in our own dialect (axum's are plain text).

use std::sync::Arc;

use aggregates::Violation;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header;
use axum::http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::error::{ApiError, Replay};
use super::request::RequestInfo;
use super::session::CallerId;
use crate::app::SharedApp;
use crate::work::idempotency::Known;

/// JSON bodies may have so many bytes (rulings 4).
const JSON_LIMIT: usize = 2 << 20;

/// A JSON body. Unknown fields, wrong types and syntax errors are 400 naming the field.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequest<SharedApp> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, ApiError> {
        let (parts, value, canonical) = json(request).await?;
        if let Some((key, canonical)) = canonical {
            replay(&parts, app, &key, &canonical).await?;
        }
        Ok(Self(value))
    }
}

/// A JSON body whose handler answers a repeated request itself, because the answer holds a secret that isn't kept.
pub struct SecretJson<T> {
    /// The body.
    pub value: T,
    /// The request's key and what is known of its first time.
    pub key: Option<(String, Option<Known>)>,
}

impl<T: DeserializeOwned + Send> FromRequest<SharedApp> for SecretJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, ApiError> {
        let (parts, value, canonical) = json(request).await?;
        let key = match canonical {
            Some((key, canonical)) => {
                let known = recognise(&parts, app, &key, &canonical).await?;
                Some((key, known))
            }
            None => None,
        };
        Ok(Self { value, key })
    }
}

/// Reads a JSON body; with an `Idempotency-Key`, gives that and the canonical bytes.
async fn json<T: DeserializeOwned>(request: Request) -> Result<(Parts, T, Option<(String, Vec<u8>)>), ApiError> {
    let (parts, body) = request.into_parts();
    let kind = content_type(&parts);
    if kind != "application/json" {
        return Err(ApiError::unsupported_media_type(&kind, "application/json"));
    }
    let bytes = read(body, JSON_LIMIT).await?;
    let value = decode(&bytes)?;
    let canonical = idempotency_key(&parts)?.map(|key| {
        // Canonical: keys sorted, no blanks, which serde_json's Value does.
        let canonical: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        (key, canonical.to_string().into_bytes())
    });
    Ok((parts, value, canonical))
}

/// A JSON body that may be left out.
pub struct OptionalJson<T>(pub T);

impl<T: DeserializeOwned + Default + Send> FromRequest<SharedApp> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = read(body, JSON_LIMIT).await?;
        if bytes.is_empty() {
            if let Some(key) = idempotency_key(&parts)? {
                replay(&parts, app, &key, b"").await?;
            }
            return Ok(Self(T::default()));
        }
        let request = Request::from_parts(parts, Body::from(bytes));
        Ok(Self(Json::from_request(request, app).await?.0))
    }
}

/// A request that needs no body. One that is sent is read and ignored, so that clients may send `{}`.
pub struct NoBody;

impl FromRequest<SharedApp> for NoBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        read(body, JSON_LIMIT).await?;
        if let Some(key) = idempotency_key(&parts)? {
            replay(&parts, app, &key, b"").await?;
        }
        Ok(Self)
    }
}

pub(super) fn content_type(parts: &Parts) -> String {
    let value = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

pub(super) async fn read(body: Body, limit: usize) -> Result<bytes::Bytes, ApiError> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {
            Err(ApiError::too_large(format!("The body is larger than {limit} bytes")))
        }
        Err(error) => Err(ApiError::field("", format!("The body could not be read: {error}"))),
    }
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // A body without fault needs nobody to follow its path.
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        violation(&path, error.inner())
    })?;
    deserializer.end().map_err(|error| violation(".", &error))?;
    Ok(value)
}

/// Turns serde's sentence into a field and a message: `unknown field` and `missing field` name the field in the text.
fn violation(path: &str, error: &serde_json::Error) -> ApiError {
    let path = if path == "." || path == "?" { "" } else { path };
    let text = error.to_string();
    let sentence = text.rfind(" at line ").map_or(text.as_str(), |at| &text[..at]);
    let named = ["unknown field `", "missing field `"].into_iter().find_map(|start| {
        let name = sentence.strip_prefix(start)?.split('`').next()?;
        // serde_path_to_error's path ends with the unknown field itself, but not with a missing one.
        let parent = path.strip_suffix(name).map_or(path, |parent| parent.trim_end_matches('.'));
        Some(if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") })
    });
    let message = if error.is_syntax() || error.is_eof() {
        format!("The body is not JSON: {text}")
    } else {
        let mut letters = sentence.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    ApiError::field(&named.unwrap_or_else(|| path.to_owned()), message)
}

fn idempotency_key(parts: &Parts) -> Result<Option<String>, ApiError> {
    let Some(key) = parts.headers.get("idempotency-key") else { return Ok(None) };
    match key.to_str() {
        Ok(key) if !key.trim().is_empty() && key.len() <= 255 => Ok(Some(key.to_owned())),
        _ => Err(ApiError::field("Idempotency-Key", "The header has 1 to 255 visible ASCII characters")),
    }
}

/// Remembers what the request is, and ends it with the first answer when its key was used before.
pub(super) async fn replay(parts: &Parts, app: &SharedApp, key: &str, canonical_body: &[u8]) -> Result<(), ApiError> {
    let Some(known) = recognise(parts, app, key, canonical_body).await? else { return Ok(()) };
    let replay = Replay { status: known.status.unsigned_abs(), body: known.body, location: known.location };
    Err(ApiError { replay: Some(Box::new(replay)), ..ApiError::conflict("carried out before") })
}

/// Remembers what the request is; gives what is known of it when its key was used before.
async fn recognise(
    parts: &Parts,
    app: &SharedApp,
    key: &str,
    canonical_body: &[u8],
) -> Result<Option<Known>, ApiError> {
    let (Some(request), Some(CallerId(actor))) =
        (parts.extensions.get::<Arc<RequestInfo>>(), parts.extensions.get::<CallerId>())
    else {
        return Err(ApiError::internal(&"a body extractor before the session's"));
    };
    let mut hash = Sha256::new();
    hash.update(request.method.as_str());
    hash.update([0]);
    hash.update(parts.uri.path_and_query().map_or(request.path.as_str(), |uri| uri.as_str()));
    hash.update([0]);
    hash.update(canonical_body);
    let hash: [u8; 32] = hash.finalize().into();
    let _ = request.request_sha256.set(hash);
    match crate::work::idempotency::find(&app.pool, actor, key, app.clock.now()).await? {
        Some(known) if known.request_sha256 != hash => Err(ApiError::key_reused()),
        known => Ok(known),
    }
}

/// The id in a path; malformed is 400 on field `id` (rulings 5).
pub struct Id(pub Uuid);

impl FromRequestParts<SharedApp> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, app)
            .await
            .map_err(|error| ApiError::field("id", error.body_text()))?;
        id("id", &text).map(Self)
    }
}

/// The id and the number in a path: of a certification and of its row.
pub struct IdAndNumber(pub Uuid, pub u32);

impl FromRequestParts<SharedApp> for IdAndNumber {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, ApiError> {
        let Path((first, second)) = Path::<(String, String)>::from_request_parts(parts, app)
            .await
            .map_err(|error| ApiError::field("id", error.body_text()))?;
        let number = second.parse().map_err(|_| {
            ApiError::field("result_id", format!("{second:?} is not a whole number from 0 to {}", u32::MAX))
        })?;
        Ok(Self(id("id", &first)?, number))
    }
}

/// The id and the verb of a path's last segment: `{id}:complete`, which axum's router can't take apart (design §5).
pub struct IdAndVerb(pub Uuid, pub String);

impl FromRequestParts<SharedApp> for IdAndVerb {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, app)
            .await
            .map_err(|error| ApiError::field("id", error.body_text()))?;
        let (text, verb) = text.split_once(':').unwrap_or((&text, ""));
        Ok(Self(id("id", text)?, verb.to_owned()))
    }
}

impl IdAndVerb {
    /// The id, if the verb is this one.
    ///
    /// # Errors
    /// 404: no such operation.
    pub fn of(self, verb: &str) -> Result<Uuid, ApiError> {
        if self.1 == verb {
            return Ok(self.0);
        }
        let message = format!("There is no operation {:?} here; there is :{verb}", self.1);
        Err(ApiError::new(axum::http::StatusCode::NOT_FOUND, "not_found", message))
    }
}

/// Reads an id; malformed is 400 on `field`.
pub fn id(field: &str, text: &str) -> Result<Uuid, ApiError> {
    Uuid::try_parse(text).map_err(|_| ApiError::field(field, format!("{text:?} is not a GUID")))
}

/// The query string, field by field. Unknown parameters are ignored: proxies and clients add their own.
pub struct Query(Vec<(String, String)>);

impl FromRequestParts<SharedApp> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, ApiError> {
        let axum::extract::Query(pairs) = axum::extract::Query::<Vec<(String, String)>>::from_request_parts(parts, app)
            .await
            .map_err(|error| ApiError::field("query", error.body_text()))?;
        if let Some((name, _)) = pairs.iter().find(|(_, value)| value.contains('\0')) {
            return Err(ApiError::field(name, "A NUL character is not allowed"));
        }
        Ok(Self(pairs))
    }
}

impl Query {
    /// A parameter's text; empty is absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// A whole number of at least `least`.
    pub fn number(&self, name: &str, least: i64, most: i64) -> Result<Option<i64>, ApiError> {
        let Some((_, text)) = self.0.iter().find(|(known, _)| known == name) else { return Ok(None) };
        match text.parse::<i64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ if most == i64::MAX => {
                Err(ApiError::field(name, format!("{text:?} is not a whole number of at least {least}")))
            }
            _ => Err(ApiError::field(name, format!("{text:?} is not a whole number from {least} to {most}"))),
        }
    }

    /// `page`, 1 when absent (contracts §1.2, rulings 5).
    pub fn page(&self) -> Result<i64, ApiError> {
        Ok(self.number("page", 1, i64::MAX)?.unwrap_or(1))
    }

    /// An id.
    pub fn id(&self, name: &str) -> Result<Option<Uuid>, ApiError> {
        self.text(name).map(|text| id(name, text)).transpose()
    }

    /// A yes or no.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(ApiError::field(name, format!("{other:?} is neither true nor false"))),
        }
    }

    /// A time.
    pub fn time(&self, name: &str) -> Result<Option<chrono::DateTime<chrono::Utc>>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match aggregates::values::time(text) {
            Some(time) => Ok(Some(time)),
            None => Err(ApiError::validation(vec![Violation::new(
                name,
                format!("{text:?} is not {}", aggregates::values::TIME_ALLOWED),
            )])),
        }
    }
}
