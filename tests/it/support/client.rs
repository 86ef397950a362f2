//! A real HTTP client.

use std::net::SocketAddr;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Speaks to one server with one token.
#[derive(Clone)]
pub struct Client {
    inner: reqwest::Client,
    base: String,
    pub address: SocketAddr,
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

impl Answer {
    /// The field of the only violation, and its message; fails unless this is a 400 with one.
    #[track_caller]
    pub fn violation(&self) -> (&str, &str) {
        assert_eq!((self.status, &self.json["error"]), (400, &serde_json::json!("validation_error")), "{}", self.text);
        let errors = self.json["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{}", self.text);
        (errors[0]["field"].as_str().unwrap(), errors[0]["message"].as_str().unwrap())
    }
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self { inner: reqwest::Client::new(), base: format!("http://{address}"), address, secret: None }
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

    /// A JSON request with an `Idempotency-Key`.
    pub async fn post_keyed(&self, path: &str, key: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).header("Idempotency-Key", key).json(&body)).await
    }

    /// Sends the very bytes over a connection of its own and reads all that comes back until the server closes it.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = tokio::net::TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        received(&mut stream).await
    }

    /// Sends the very bytes, hangs up, and reads what comes back nevertheless.
    pub async fn raw_cut(&self, bytes: &[u8]) -> String {
        let mut stream = tokio::net::TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        received(&mut stream).await
    }

    /// Uploads parts (name, file name, bytes) for an application.
    pub async fn upload(&self, application: &str, parts: Vec<(String, String, Vec<u8>)>) -> Answer {
        self.upload_to("/api/application-imports/upload", application, parts).await
    }

    /// As [`Client::upload`], with a query.
    pub async fn upload_to(&self, path: &str, application: &str, parts: Vec<(String, String, Vec<u8>)>) -> Answer {
        let mut form = reqwest::multipart::Form::new().text("applicationId", application.to_owned());
        for (name, file, bytes) in parts {
            form = form.part(name, reqwest::multipart::Part::bytes(bytes).file_name(file));
        }
        self.send(self.request(Method::POST, path).multipart(form)).await
    }
}

async fn received(stream: &mut tokio::net::TcpStream) -> String {
    let mut answer = Vec::new();
    // The server may close with unread bytes on their way: what it had said until then is the answer.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}
