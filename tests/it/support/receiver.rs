//! A receiver of webhooks: a real HTTP server on loopback that keeps what it gets.

use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::process::Command;

use super::configuration::object;
use super::eventually;

/// What a receiver answers.
#[derive(Debug, Clone)]
pub enum Reply {
    Status(u16),
    /// 503 with `Retry-After`.
    After(&'static str),
    /// 302 to there.
    Elsewhere(String),
    /// Nothing, for ever.
    Silence,
    /// So many bytes.
    Long(usize),
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The event's place in the log.
    pub fn position(&self) -> i64 {
        self.json()["data"]["position"].as_i64().unwrap()
    }

    /// Is it signed with this secret, as Standard Webhooks says?
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let signed = (self.header("webhook-id"), self.header("webhook-timestamp"), &*self.body);
        verify(secret, signed, self.header("webhook-signature"))
    }
}

/// What a receiver does to verify a signature: written here anew, and held to the reference vector by a test.
pub fn verify(secret: &str, (id, timestamp, body): (&str, &str, &[u8]), header: &str) -> bool {
    let key = match secret.split_once('_') {
        Some(("whsec", encoded)) => STANDARD.decode(encoded).unwrap(),
        _ => secret.as_bytes().to_vec(),
    };
    header.split(' ').any(|signature| {
        let Some(("v1", signature)) = signature.split_once(',') else { return false };
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac.verify_slice(&STANDARD.decode(signature).unwrap()).is_ok()
    })
}

#[derive(Default)]
struct Inner {
    received: Mutex<Vec<Received>>,
    replies: Mutex<VecDeque<Reply>>,
}

pub struct Receiver {
    pub address: SocketAddr,
    inner: Arc<Inner>,
    handle: Handle<SocketAddr>,
}

impl Receiver {
    pub fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap())
    }

    pub fn start_at(address: SocketAddr) -> Self {
        Self::serve(address, None)
    }

    pub async fn start_tls(certificate: &Certificate) -> Self {
        let tls = RustlsConfig::from_pem_file(&certificate.certificate, &certificate.key).await.unwrap();
        Self::serve("127.0.0.1:0".parse().unwrap(), Some(tls))
    }

    fn serve(address: SocketAddr, tls: Option<RustlsConfig>) -> Self {
        let (inner, handle) = (Arc::<Inner>::default(), Handle::new());
        let service = Router::new().fallback(receive).with_state(Arc::clone(&inner)).into_make_service();
        let socket = std::net::TcpListener::bind(address).unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        let served = handle.clone();
        tokio::spawn(async move {
            match tls {
                None => axum_server::from_tcp(socket).unwrap().handle(served).serve(service).await.unwrap(),
                Some(tls) => {
                    axum_server::from_tcp_rustls(socket, tls).unwrap().handle(served).serve(service).await.unwrap();
                }
            }
        });
        Self { address, inner, handle }
    }

    /// What it answers next; after that 204.
    pub fn reply(&self, reply: Reply) {
        self.inner.replies.lock().unwrap().push_back(reply);
    }

    pub fn received(&self) -> Vec<Received> {
        self.inner.received.lock().unwrap().clone()
    }

    /// Waits until it got so many requests.
    pub async fn has(&self, count: usize) -> Vec<Received> {
        eventually(&format!("{count} webhooks arrive"), async || {
            let received = self.received();
            (received.len() >= count).then_some(received)
        })
        .await
    }

    /// Waits until it got so many different messages.
    pub async fn has_messages(&self, count: usize) -> Vec<Received> {
        eventually(&format!("{count} messages arrive"), async || {
            let received = self.received();
            let ids: HashSet<&str> = received.iter().map(|request| request.header("webhook-id")).collect();
            (ids.len() >= count).then(|| received.clone())
        })
        .await
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

async fn receive(State(inner): State<Arc<Inner>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    inner.received.lock().unwrap().push(Received { path: uri.to_string(), headers, body });
    let reply = inner.replies.lock().unwrap().pop_front().unwrap_or(Reply::Status(204));
    match reply {
        Reply::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::After(value) => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, value)]).into_response(),
        Reply::Elsewhere(url) => (StatusCode::FOUND, [(header::LOCATION, url)]).into_response(),
        Reply::Silence => std::future::pending().await,
        Reply::Long(bytes) => vec![b'x'; bytes].into_response(),
    }
}

/// A certificate of its own authority, for `localhost`.
pub struct Certificate {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Certificate {
    pub async fn new(folder: &Path) -> Self {
        let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .await
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { certificate, key }
    }
}

/// A subscription to our own events, signed with a secret.
pub fn webhook(id: &str, url: &str, secret: &str, event_types: &[&str]) -> Value {
    let http =
        json!({"url": url, "httpAuthenticationType": "NO_AUTH", "httpDispatchMode": "ASYNC", "signingSecret": secret});
    let body = json!({"name": format!("hook {id}"), "type": "HTTP", "enabled": true, "triggerId": "muniment:events",
                      "eventTypes": event_types, "httpConfig": http});
    object("TRIGGER_SUBSCRIPTION", id, &format!("hook {id}"), body)
}
