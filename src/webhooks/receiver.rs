//! HTTP/1.1 to one receiver. There is no client library: nothing here can follow a redirect, ask a proxy or resolve a name.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, Request, header};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use url::{Host, Position, Url};

use super::attempt::{Attempt, Outcome};
use super::outgoing::Outgoing;

/// How long an attempt may take, from resolving the name to the answer's head.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long the rest of an answer is waited for, and how much of it is read: it has nothing to say, but the next request may come after.
const REST: Duration = Duration::from_secs(1);
const REST_BYTES: usize = 4096;
/// Bytes of an answer's head.
const HEAD_BYTES: usize = 16 * 1024;

/// A receiver, and the connection to it while that lives.
pub(super) struct Receiver<'o> {
    outgoing: &'o Outgoing,
    url: Url,
    open: Option<http1::SendRequest<Full<Bytes>>>,
    /// What drives the connection; gone with the receiver, or when there is another.
    driven: JoinSet<()>,
}

impl<'o> Receiver<'o> {
    pub(super) fn new(outgoing: &'o Outgoing, url: Url) -> Self {
        Self { outgoing, url, open: None, driven: JoinSet::new() }
    }

    /// Sends a body once.
    pub(super) async fn post(&mut self, headers: HeaderMap, body: Bytes, now: DateTime<Utc>) -> Attempt {
        let Ok(answered) = tokio::time::timeout(TIMEOUT, self.exchange(headers, body)).await else {
            self.open = None;
            return Attempt::failed(format!("no answer within {} seconds", TIMEOUT.as_secs()));
        };
        let (mut sender, response) = match answered {
            Ok(answered) => answered,
            Err(attempt) => return attempt,
        };
        let (head, rest) = response.into_parts();
        let rest = Limited::new(rest, REST_BYTES).collect();
        let is_over = async { rest.await.is_ok() && sender.ready().await.is_ok() };
        if tokio::time::timeout(REST, is_over).await.is_ok_and(|is_over| is_over) {
            self.open = Some(sender);
        }
        if head.status.is_success() {
            return Attempt::delivered(head.status.as_u16());
        }
        Attempt::answered(head.status.as_u16(), retry_after(&head.headers, now))
    }

    /// What comes of not sending for this reason; where the address is one that may not be called, that is said, too.
    pub(super) async fn refused(&self, reason: &str) -> Attempt {
        let looked_up = tokio::time::timeout(TIMEOUT, self.outgoing.addresses(&self.url)).await;
        match looked_up {
            Ok(Err(Attempt { outcome: Outcome::Refused, reason: Some(also), .. })) => {
                Attempt::refused(format!("{reason}; {also}"))
            }
            _ => Attempt::refused(reason),
        }
    }

    async fn exchange(
        &mut self,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<(http1::SendRequest<Full<Bytes>>, hyper::Response<Incoming>), Attempt> {
        if let Some(mut sender) = self.open.take() {
            // A connection that the receiver closed meanwhile is no failure of its: a new one is.
            if let Ok(response) = sender.send_request(self.request(&headers, &body)?).await {
                return Ok((sender, response));
            }
        }
        let mut sender = self.connect().await?;
        match sender.send_request(self.request(&headers, &body)?).await {
            Ok(response) => Ok((sender, response)),
            Err(error) => Err(Attempt::failed(format!("the connection broke: {error}"))),
        }
    }

    fn request(&self, headers: &HeaderMap, body: &Bytes) -> Result<Request<Full<Bytes>>, Attempt> {
        let unusable =
            |reason: &dyn std::fmt::Display| Attempt::refused(format!("its httpConfig.url can't be sent: {reason}"));
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url[Position::BeforePath..Position::AfterQuery]
            .parse()
            .map_err(|error: axum::http::uri::InvalidUri| unusable(&error))?;
        *request.headers_mut() = headers.clone();
        let host = HeaderValue::from_str(&self.url[Position::BeforeHost..Position::AfterPort]);
        request.headers_mut().insert(header::HOST, host.map_err(|error| unusable(&error))?);
        Ok(request)
    }

    /// Connects to the first address that answers, of those that may be called.
    async fn connect(&mut self) -> Result<http1::SendRequest<Full<Bytes>>, Attempt> {
        let addresses = self.outgoing.addresses(&self.url).await?;
        let stream = reach(&addresses).await?;
        if self.url.scheme() == "http" {
            return self.speak(stream).await;
        }
        let name = match self.url.host() {
            Some(Host::Domain(name)) => ServerName::try_from(name.to_owned())
                .map_err(|_| Attempt::refused(format!("{name} is no name that a certificate can have")))?,
            Some(Host::Ipv4(address)) => ServerName::IpAddress(std::net::IpAddr::V4(address).into()),
            Some(Host::Ipv6(address)) => ServerName::IpAddress(std::net::IpAddr::V6(address).into()),
            None => return Err(Attempt::refused("its httpConfig.url has no host")),
        };
        match self.outgoing.tls.connect(name, stream).await {
            Ok(stream) => self.speak(stream).await,
            Err(error) => Err(Attempt::failed(format!("TLS failed: {error}"))),
        }
    }

    async fn speak(
        &mut self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Result<http1::SendRequest<Full<Bytes>>, Attempt> {
        let handshake = http1::Builder::new().max_buf_size(HEAD_BYTES).handshake(TokioIo::new(stream)).await;
        let (sender, connection) =
            handshake.map_err(|error| Attempt::failed(format!("the connection broke: {error}")))?;
        self.driven = JoinSet::new();
        self.driven.spawn(async move {
            // How it ended, the request says.
            let _ = connection.await;
        });
        Ok(sender)
    }
}

async fn reach(addresses: &[SocketAddr]) -> Result<TcpStream, Attempt> {
    let mut last = Attempt::failed("there is no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Attempt::failed(format!("can't connect to {address}: {error}")),
        }
    }
    Err(last)
}

/// `Retry-After`: seconds or a time (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    (DateTime::parse_from_rfc2822(value).ok()?.to_utc() - now).to_std().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_time() {
        let now = "2026-03-15T12:00:00Z".parse().unwrap();
        let read = |value: &'static str| {
            retry_after(&HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static(value))]), now)
        };
        assert_eq!(read("120"), Some(Duration::from_mins(2)));
        assert_eq!(read("Sun, 15 Mar 2026 12:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(read("Sun, 15 Mar 2026 11:00:00 GMT"), None);
        assert_eq!(read("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
