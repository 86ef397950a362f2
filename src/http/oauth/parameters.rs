use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::{invalid_client, invalid_request};
use crate::app::SharedApp;
use crate::http::error::ApiError;
use crate::http::extract::{content_type, read};

/// A token request may have so many bytes.
const LIMIT: usize = 16 << 10;
/// Those that mean something; others are ignored (RFC 6749 §3.2).
const NAMES: [&str; 4] = ["grant_type", "client_id", "client_secret", "scope"];

/// The parameters of a token request, wherever they were sent: official clients use query, form and multipart, and some
/// two of them at once (contracts §2.5).
#[derive(Default)]
pub(super) struct Parameters(BTreeMap<&'static str, String>);

impl Parameters {
    /// Those of a request: of its query, of its `Authorization: Basic`, and of its body.
    pub(super) async fn of(request: Request, app: &SharedApp) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let mut parameters = Self::default();
        parameters.add_form(parts.uri.query().unwrap_or_default().as_bytes())?;
        if let Some((id, secret)) = basic(&parts)? {
            parameters.add("client_id", id)?;
            parameters.add("client_secret", secret)?;
        }
        let bytes = read(body, LIMIT).await?;
        match content_type(&parts).as_str() {
            _ if bytes.is_empty() => {}
            "application/x-www-form-urlencoded" => parameters.add_form(&bytes)?,
            "multipart/form-data" => parameters.add_multipart(parts, bytes, app).await?,
            other => {
                let allowed = "application/x-www-form-urlencoded or multipart/form-data";
                return Err(ApiError::unsupported_media_type(other, allowed));
            }
        }
        Ok(parameters)
    }

    /// One of them.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn add(&mut self, name: &str, value: String) -> Result<(), ApiError> {
        let Some(name) = NAMES.into_iter().find(|known| *known == name) else { return Ok(()) };
        // One without a value is as good as absent (RFC 6749 §3.2).
        if value.is_empty() {
            return Ok(());
        }
        match self.0.get(name) {
            Some(before) if *before != value => Err(invalid_request(format!("{name} is there twice and differs"))),
            _ => {
                self.0.insert(name, value);
                Ok(())
            }
        }
    }

    fn add_form(&mut self, bytes: &[u8]) -> Result<(), ApiError> {
        form_urlencoded::parse(bytes).try_for_each(|(name, value)| self.add(&name, value.into_owned()))
    }

    async fn add_multipart(&mut self, parts: Parts, bytes: Bytes, app: &SharedApp) -> Result<(), ApiError> {
        let broken = |_| invalid_request("The body is no multipart/form-data");
        let request = Request::from_parts(parts, Body::from(bytes));
        let mut multipart =
            Multipart::from_request(request, app).await.map_err(|_| invalid_request("The body has no boundary"))?;
        while let Some(field) = multipart.next_field().await.map_err(broken)? {
            let name = field.name().unwrap_or_default().to_owned();
            self.add(&name, field.text().await.map_err(broken)?)?;
        }
        Ok(())
    }
}

/// The client's id and secret of `Authorization: Basic` (RFC 6749 §2.3.1). Neither has a character that would have to be
/// encoded there.
fn basic(parts: &Parts) -> Result<Option<(String, String)>, ApiError> {
    let value = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some((scheme, credentials)) = value.split_once(' ') else { return Ok(None) };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let decoded = STANDARD.decode(credentials.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
    let (id, secret) = pair.ok_or_else(|| invalid_client("The Authorization header is no name and secret"))?;
    Ok(Some((id.to_owned(), secret.to_owned())))
}
