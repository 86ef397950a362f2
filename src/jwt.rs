//! Access tokens of OAuth clients: JSON Web Tokens (RFC 7519), signed with HMAC-SHA256 (RFC 7515, RFC 7518 §3.2).
//!
//! They are read by nobody but us, so there is one algorithm and one key in force, and whatever is signed otherwise is refused.

#[cfg(test)]
mod tests;

use aggregates::api_client::Scope;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

/// The one algorithm.
const ALGORITHM: &str = "HS256";
/// By so many seconds the clock of the server that issued a token may be ahead of ours.
const CLOCK_SKEW: i64 = 60;

/// What an access token says (contracts §2.4). Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// Whom it stands for: the client's identity, else the client.
    pub sub: String,
    /// The client.
    pub client_id: Uuid,
    /// The client's name when it was issued.
    pub user_name: String,
    /// What it may be used for.
    pub scope: Vec<Scope>,
    /// `ORG_ADMIN` for administrators.
    pub authorities: Vec<String>,
    /// From then on it is refused.
    pub exp: i64,
    /// When it was issued; before that it is refused.
    pub iat: i64,
    /// Names this token.
    pub jti: Uuid,
    /// The tenant, of which there is one.
    pub tenant_id: String,
    /// The tenant's name.
    pub org: String,
    /// Where the tenant is.
    pub pod: String,
    /// Was it issued to a part of the server itself? Never.
    pub internal: bool,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJwt {
    /// Not three parts, not base64url, not JSON, or not our claims.
    #[error("JWT is malformed")]
    Malformed,
    /// `alg` is another one, or none.
    #[error("JWT is not signed with HS256")]
    Algorithm,
    /// `kid` isn't the key in force.
    #[error("JWT is signed with a key that is not in force")]
    Key,
    /// Something was changed, or another key signed it.
    #[error("JWT signature is wrong")]
    Signature,
    /// Its time is over.
    #[error("JWT is expired")]
    Expired,
    /// It says that it will be issued later.
    #[error("JWT is not valid yet")]
    NotYetValid,
    /// Its client was revoked.
    #[error("JWT belongs to a client that is revoked")]
    Revoked,
}

/// A key that signs and verifies. It has no `Debug`, so that no log can show it.
pub struct SigningKey {
    /// Names it: the `kid` of what it signs.
    pub id: Uuid,
    secret: [u8; 64],
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    /// Absent in what others signed.
    #[serde(default)]
    kid: Option<Uuid>,
    #[serde(default)]
    typ: Option<String>,
}

impl SigningKey {
    /// A key of these bytes; as long as a block of SHA-256, so that HMAC takes it as it is.
    pub fn new(id: Uuid, secret: [u8; 64]) -> Self {
        Self { id, secret }
    }

    /// A signed token.
    pub fn sign(&self, claims: &Claims) -> Result<String, serde_json::Error> {
        let header = Header { alg: ALGORITHM.to_owned(), kid: Some(self.id), typ: Some("JWT".to_owned()) };
        let header = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header)?);
        let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims)?);
        let signed = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(self.mac(&signed).finalize().into_bytes());
        Ok(format!("{signed}.{signature}"))
    }

    /// What a token says, if this key signed it and its time is now.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, InvalidJwt> {
        let (signed, signature) = token.rsplit_once('.').ok_or(InvalidJwt::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(InvalidJwt::Malformed)?;
        let header: Header = decoded(header)?;
        // What the token says of its algorithm chooses nothing: there is one.
        if header.alg != ALGORITHM {
            return Err(InvalidJwt::Algorithm);
        }
        if header.kid != Some(self.id) {
            return Err(InvalidJwt::Key);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| InvalidJwt::Malformed)?;
        // In constant time.
        self.mac(signed).verify_slice(&signature).map_err(|_| InvalidJwt::Signature)?;
        let claims: Claims = decoded(claims)?;
        if claims.exp <= now.timestamp() {
            return Err(InvalidJwt::Expired);
        }
        if claims.iat > now.timestamp() + CLOCK_SKEW {
            return Err(InvalidJwt::NotYetValid);
        }
        Ok(claims)
    }

    fn mac(&self, signed: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new((&self.secret).into());
        mac.update(signed.as_bytes());
        mac
    }
}

fn decoded<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, InvalidJwt> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| InvalidJwt::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| InvalidJwt::Malformed)
}
