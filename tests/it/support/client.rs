//! A real HTTP client.

use std::net::SocketAddr;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// Speaks to one server with one token.
#[derive(Clone)]
pub struct Client {
    inner: reqwest::Client,
    base: String,
    pub secret: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// `Null` when the body isn't JSON.
    pub json: Value,
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self { inner: reqwest::Client::new(), base: format!("http://{address}"), secret: None }
    }

    pub fn with_secret(&self, secret: impl Into<String>) -> Self {
        Self { secret: Some(secret.into()), ..self.clone() }
    }

    pub fn anonymous(&self) -> Self {
        Self { secret: None, ..self.clone() }
    }

    /// A request with the token, to be given headers and a body.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.inner.request(method, format!("{}{path}", self.base));
        match &self.secret {
            Some(secret) => request.bearer_auth(secret),
            None => request,
        }
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Answer { status, headers, text, json }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Uploads parts (name, file name, bytes) for an application.
    pub async fn upload(&self, application: &str, parts: Vec<(String, String, Vec<u8>)>) -> Answer {
        let mut form = reqwest::multipart::Form::new().text("applicationId", application.to_owned());
        for (name, file, bytes) in parts {
            form = form.part(name, reqwest::multipart::Part::bytes(bytes).file_name(file));
        }
        self.send(self.request(Method::POST, "/api/application-imports/upload").multipart(form)).await
    }
}
