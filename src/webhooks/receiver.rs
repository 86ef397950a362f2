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
/// How long an address is waited for at least.
const LEAST_SHARE: Duration = Duration::from_secs(1);
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
        let mut request = self.request(headers, body)?;
        if let Some(mut sender) = self.open.take() {
            match sender.try_send_request(request).await {
                Ok(response) => return Ok((sender, response)),
                // The receiver closed the connection before anything was sent: it gets a new one. Else it may have the message.
                Err(mut error) => request = error.take_message().ok_or_else(|| broke(error.error()))?,
            }
        }
        let mut sender = self.connect().await?;
        let response = sender.send_request(request).await.map_err(|error| broke(&error))?;
        Ok((sender, response))
    }

    fn request(&self, headers: HeaderMap, body: Bytes) -> Result<Request<Full<Bytes>>, Attempt> {
        let unusable =
            |reason: &dyn std::fmt::Display| Attempt::refused(format!("its httpConfig.url can't be sent: {reason}"));
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url[Position::BeforePath..Position::AfterQuery]
            .parse()
            .map_err(|error: axum::http::uri::InvalidUri| unusable(&error))?;
        *request.headers_mut() = headers;
        let host = HeaderValue::from_str(&self.url[Position::BeforeHost..Position::AfterPort]);
        request.headers_mut().insert(header::HOST, host.map_err(|error| unusable(&error))?);
        Ok(request)
    }

    /// Connects to the first address that answers, of those that may be called.
    async fn connect(&mut self) -> Result<http1::SendRequest<Full<Bytes>>, Attempt> {
        let addresses = self.outgoing.addresses(&self.url).await?;
        let stream = reach(&addresses, TIMEOUT).await?;
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
            Err(error) => {
                tracing::debug!(%error, host = self.url.host_str(), "TLS failed");
                Err(Attempt::failed(format!("TLS failed: {}", why_tls_failed(&error))))
            }
        }
    }

    async fn speak(
        &mut self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Result<http1::SendRequest<Full<Bytes>>, Attempt> {
        let handshake = http1::Builder::new().max_buf_size(HEAD_BYTES).handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|error| broke(&error))?;
        self.driven = JoinSet::new();
        self.driven.spawn(async move {
            // How it ended, the request says.
            let _ = connection.await;
        });
        Ok(sender)
    }
}

/// What hyper says of it has nothing in it that the receiver wrote.
fn broke(error: &hyper::Error) -> Attempt {
    Attempt::failed(format!("the connection broke: {error}"))
}

/// Connects to one of the addresses. Each has its share of the time, so that one that says nothing doesn't hide the others.
async fn reach(addresses: &[SocketAddr], time: Duration) -> Result<TcpStream, Attempt> {
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let share = (time / count).max(LEAST_SHARE);
    let mut last = Attempt::failed("there is no address");
    for address in addresses {
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = Attempt::failed(format!("can't connect to {address}: {error}")),
            Err(_) => last = Attempt::failed(format!("can't connect to {address}: no answer")),
        }
    }
    Err(last)
}

/// Why TLS failed, in words of ours: those of a certificate are the receiver's, and go only where debugging is asked for.
fn why_tls_failed(error: &std::io::Error) -> &'static str {
    use rustls::CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
        UnknownIssuer,
    };
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => match why {
            UnknownIssuer => "nobody who is trusted issued the certificate; --webhook-ca would trust others",
            NotValidForName | NotValidForNameContext { .. } => "the certificate is for another name",
            Expired | ExpiredContext { .. } => "the certificate has expired",
            NotValidYet | NotValidYetContext { .. } => "the certificate isn't valid yet",
            _ => "the certificate can't be used",
        },
        _ => "the handshake broke off",
    }
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

    #[tokio::test]
    async fn an_address_that_says_nothing_doesnt_hide_the_others() {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let full = socket.listen(1).unwrap();
        let silent = full.local_addr().unwrap();
        // Nobody accepts: who doesn't fit into its queue hears nothing.
        let mut queue = Vec::new();
        while let Ok(waiting) = tokio::time::timeout(Duration::from_millis(500), TcpStream::connect(silent)).await {
            queue.push(waiting.unwrap());
        }
        let open = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let answers = open.local_addr().unwrap();
        let time = Duration::from_secs(2);
        let reached = tokio::time::timeout(time, reach(&[silent, answers], time)).await.unwrap().unwrap();
        assert_eq!(reached.peer_addr().unwrap(), answers);
        let failed = reach(&[silent], Duration::ZERO).await.unwrap_err();
        assert_eq!(failed.reason.unwrap(), format!("can't connect to {silent}: no answer"));
    }

    #[test]
    fn why_tls_failed_is_said_in_words_of_ours() {
        use rustls::CertificateError::{BadSignature, Expired, NotValidForNameContext, UnknownIssuer};
        let other = NotValidForNameContext {
            expected: ServerName::try_from("a.example").unwrap(),
            presented: vec!["s3cret".to_owned()],
        };
        for (why, expected) in [
            (UnknownIssuer, "nobody who is trusted issued the certificate; --webhook-ca would trust others"),
            (other, "the certificate is for another name"),
            (Expired, "the certificate has expired"),
            (BadSignature, "the certificate can't be used"),
        ] {
            let error = std::io::Error::new(std::io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(why));
            assert_eq!(why_tls_failed(&error), expected);
        }
        assert_eq!(why_tls_failed(&std::io::ErrorKind::UnexpectedEof.into()), "the handshake broke off");
    }
}
