//! Who may be called, and whom TLS trusts.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::address::{Network, judge};
use super::attempt::Attempt;

/// The rules of outgoing connections, from the command line.
pub struct Outgoing {
    allowed: Vec<Network>,
    pub(super) tls: TlsConnector,
}

impl Outgoing {
    /// `authorities`: a PEM file of certificates that are trusted beside Mozilla's, which the program brings along.
    ///
    /// # Errors
    /// The file can't be read, or holds no certificate.
    pub fn new(allowed: Vec<Network>, authorities: Option<&Path>) -> anyhow::Result<Self> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(path) = authorities {
            let unusable = || format!("can't use {} as --webhook-ca", path.display());
            let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<_, _>>)
                .with_context(unusable)?;
            anyhow::ensure!(!certificates.is_empty(), "{}: it holds no certificate", unusable());
            for certificate in certificates {
                roots.add(certificate).with_context(unusable)?;
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { allowed, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// The addresses of a URL's host, all of which may be called. Whoever connects takes one of these and asks nobody again: a name
    /// may mean something else a moment later.
    ///
    /// # Errors
    /// The name means nothing, or an address that may not be called.
    pub(super) async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, Attempt> {
        let port = url.port_or_known_default().unwrap_or(443);
        let addresses: Vec<SocketAddr> = match url.host() {
            Some(Host::Ipv4(address)) => vec![(address, port).into()],
            Some(Host::Ipv6(address)) => vec![(address, port).into()],
            Some(Host::Domain(name)) => match tokio::net::lookup_host((name, port)).await {
                Ok(found) => found.collect(),
                Err(error) => return Err(Attempt::failed(format!("{name} has no address: {error}"))),
            },
            None => Vec::new(),
        };
        let host = url.host_str().unwrap_or_default();
        if addresses.is_empty() {
            return Err(Attempt::failed(format!("{host} has no address")));
        }
        for address in addresses.iter().map(SocketAddr::ip) {
            let is_configured = judge(address, &self.allowed).map_err(|what| {
                Attempt::refused(format!("{host} is {address}, which is {what}; --webhook-allow would allow it"))
            })?;
            if url.scheme() != "https" && !is_configured {
                let reason =
                    format!("{host} is {address}, outside the networks of --webhook-allow: only https goes there");
                return Err(Attempt::refused(reason));
            }
        }
        Ok(addresses)
    }
}
