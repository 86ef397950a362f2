//! Who a bearer token is: tokens and clients in memory, dropped as soon as any server changes them.
//!
//! A secret is `mun_` and 32 random bytes and a checksum in hex. Only its SHA-256 is stored; the one that a request's secret
//! gives is compared in constant time. Clients don't send theirs but a signed access token, which it got them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use aggregates::api_client::Scope;
use aggregates::api_token::Role;
use aggregates::{Actor, ActorKind};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::journal::{Journal, SECURITY_CHANNEL};
use crate::jwt::{InvalidJwt, SigningKey};
use crate::work::{listeners, signing_keys};

const PREFIX: &str = "mun_";
/// How often last-used times are written.
const USAGE_INTERVAL: Duration = Duration::from_secs(5);

/// A new secret: 32 bytes of the operating system's randomness with a prefix and a checksum.
pub fn new_secret() -> std::io::Result<String> {
    let body = hex(&random::<32>()?);
    Ok(format!("{PREFIX}{body}{}", checksum(&body)))
}

/// Bytes of the operating system's randomness.
pub(crate) fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(bytes)
}

/// The secret that a request makes when it is sent with an `Idempotency-Key`: the same each time, so that nothing secret
/// need be kept for the answer to a repetition. Only who knows the caller's own secret can work it out.
pub fn derived_secret(caller_secret: &str, key: &str, request_sha256: &[u8; 32]) -> String {
    let inner = digest(&format!("muniment token\0{caller_secret}\0{key}\0{}", hex(request_sha256)));
    let body = hex(&digest(&format!("{caller_secret}\0{}", hex(&inner))));
    format!("{PREFIX}{body}{}", checksum(&body))
}

/// What is stored of a secret: SHA-256, hex.
pub fn secret_sha256(secret: &str) -> String {
    hex(&digest(secret))
}

/// Four bytes that tell a mistyped secret from a wrong one without asking anybody.
fn checksum(body: &str) -> String {
    hex(&digest(body)[..4])
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// A token or a client that isn't revoked: who may call.
#[derive(Debug, Clone)]
pub struct Token {
    /// A token or a client.
    pub kind: ActorKind,
    /// Its id.
    pub id: Uuid,
    /// Its name now.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// What it may be used for, of what the role allows. API tokens have all scopes.
    pub scopes: Vec<Scope>,
    /// Whom it stands for.
    pub identity_id: Option<Uuid>,
    /// From then on it is refused.
    pub expires_at: Option<DateTime<Utc>>,
    secret_sha256: [u8; 32],
}

impl Token {
    /// The caller as events name it.
    pub fn actor(&self) -> Actor {
        Actor {
            kind: self.kind,
            id: self.id.to_string(),
            name: self.name.clone(),
            identity_id: self.identity_id.map(|id| id.to_string()),
        }
    }

    /// Has it one of these scopes?
    pub fn has_any(&self, scopes: &[Scope]) -> bool {
        self.scopes.iter().any(|scope| scopes.contains(scope))
    }
}

/// Why a bearer token isn't anybody's.
#[derive(Debug, thiserror::Error)]
pub enum InvalidToken {
    /// There is none, or it is no secret of a token that is in force.
    #[error("Invalid or expired authentication token")]
    Secret,
    /// An access token that isn't valid (contracts §2.3 has the words).
    #[error("JWT validation failed: {0}")]
    Jwt(#[from] InvalidJwt),
}

struct Snapshot {
    by_hash: HashMap<[u8; 8], Vec<Arc<Token>>>,
    clients: HashMap<Uuid, Arc<Token>>,
    signing_key: Option<Arc<SigningKey>>,
    api_enabled: bool,
    /// Of the journal, before it was read.
    security_changes: u64,
}

/// The tokens, the clients, the key that signs, and the API switch.
pub struct TokenDirectory {
    pool: PgPool,
    journal: Journal,
    snapshot: RwLock<Option<Arc<Snapshot>>>,
    /// This process among those that remember.
    id: Uuid,
    /// Until then we hear what other processes change, or they wait for us. `None`, or later: nothing is remembered.
    leased_until: RwLock<Option<Instant>>,
    /// Raised whenever the snapshot is dropped: what was read before that isn't kept.
    epoch: AtomicU64,
    used: Mutex<HashMap<Uuid, DateTime<Utc>>>,
    /// Held by who reads for the snapshot: all who find it missing wait for one query.
    reading: tokio::sync::Mutex<()>,
}

/// What the directory says of a request.
pub struct Verdict {
    /// Who sends it, if the secret is a token's that hasn't expired, or an access token that is valid.
    pub token: Result<Arc<Token>, InvalidToken>,
    /// Are requests answered?
    pub api_enabled: bool,
}

/// What the directory says of a client that asks for an access token.
pub struct ClientVerdict {
    /// The client, if the secret is its.
    pub client: Option<Arc<Token>>,
    /// The key in force; `None` = the server hasn't been started with `serve` yet.
    pub signing_key: Option<Arc<SigningKey>>,
    /// Are requests answered?
    pub api_enabled: bool,
}

impl TokenDirectory {
    /// An empty directory; it reads the database when first asked.
    pub fn new(pool: PgPool, journal: Journal, id: Uuid) -> Self {
        Self {
            pool,
            journal,
            id,
            snapshot: RwLock::new(None),
            leased_until: RwLock::new(None),
            epoch: AtomicU64::new(0),
            used: Mutex::new(HashMap::new()),
            reading: tokio::sync::Mutex::new(()),
        }
    }

    /// Looks a secret up, or reads an access token, and remembers that its token or client was used.
    pub async fn check(&self, secret: &str, now: DateTime<Utc>) -> sqlx::Result<Verdict> {
        let snapshot = self.current().await?;
        let token = if is_jwt(secret) {
            of_jwt(&snapshot, secret, now).map_err(InvalidToken::from)
        } else {
            let token = find(&snapshot, secret).filter(|token| token.expires_at.is_none_or(|at| at > now));
            token.ok_or(InvalidToken::Secret)
        };
        if let Ok(token) = &token {
            self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(token.id, now);
        }
        Ok(Verdict { token, api_enabled: snapshot.api_enabled })
    }

    /// Looks a client up that asks for an access token, and what that is signed with.
    pub async fn check_client(&self, id: Option<Uuid>, secret: &str) -> sqlx::Result<ClientVerdict> {
        let snapshot = self.current().await?;
        let client = id.and_then(|id| snapshot.clients.get(&id));
        let client = client.filter(|client| client.secret_sha256.ct_eq(&digest(secret)).into()).cloned();
        Ok(ClientVerdict { client, signing_key: snapshot.signing_key.clone(), api_enabled: snapshot.api_enabled })
    }

    /// Are requests answered?
    pub async fn is_api_enabled(&self) -> sqlx::Result<bool> {
        Ok(self.current().await?.api_enabled)
    }

    async fn current(&self) -> sqlx::Result<Arc<Snapshot>> {
        if !self.is_leased() {
            return self.read().await;
        }
        if let Some(kept) = self.kept() {
            return Ok(kept);
        }
        let _reading = self.reading.lock().await;
        match self.kept() {
            Some(kept) => Ok(kept),
            None => self.read().await,
        }
    }

    /// The snapshot, unless this process has changed tokens or settings since.
    fn kept(&self) -> Option<Arc<Snapshot>> {
        let changes = self.journal.security_changes();
        let kept = self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone();
        kept.filter(|kept| kept.security_changes == changes)
    }

    async fn read(&self) -> sqlx::Result<Arc<Snapshot>> {
        let security_changes = self.journal.security_changes();
        let epoch = self.epoch.load(Ordering::Acquire);
        let mut by_hash: HashMap<[u8; 8], Vec<Arc<Token>>> = HashMap::new();
        for row in projections::api_tokens::usable(&self.pool).await? {
            let (Ok(role), Some(secret_sha256)) = (row.role.parse(), unhex(&row.secret_sha256)) else { continue };
            let token = Token {
                kind: ActorKind::Token,
                id: row.id,
                name: row.name,
                role,
                scopes: vec![Scope::All],
                identity_id: row.identity_id,
                expires_at: row.expires_at,
                secret_sha256,
            };
            by_hash.entry(bucket(&token.secret_sha256)).or_default().push(Arc::new(token));
        }
        let clients = self.read_clients().await?;
        let signing_key = self.read_signing_key().await?.map(Arc::new);
        let api_enabled = projections::settings::api_enabled(&self.pool).await?.unwrap_or(false);
        let snapshot = Arc::new(Snapshot { by_hash, clients, signing_key, api_enabled, security_changes });
        let mut kept = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        if self.epoch.load(Ordering::Acquire) == epoch {
            *kept = Some(Arc::clone(&snapshot));
        }
        Ok(snapshot)
    }

    async fn read_clients(&self) -> sqlx::Result<HashMap<Uuid, Arc<Token>>> {
        let mut clients = HashMap::new();
        for row in projections::api_clients::usable(&self.pool).await? {
            let (Ok(role), Some(secret_sha256)) = (row.role.parse(), unhex(&row.secret_sha256)) else { continue };
            let client = Token {
                kind: ActorKind::Client,
                id: row.id,
                name: row.name,
                role,
                scopes: row.scopes.iter().filter_map(|scope| scope.parse().ok()).collect(),
                identity_id: row.identity_id,
                expires_at: None,
                secret_sha256,
            };
            clients.insert(client.id, Arc::new(client));
        }
        Ok(clients)
    }

    /// The key in force.
    async fn read_signing_key(&self) -> sqlx::Result<Option<SigningKey>> {
        let Some(id) = projections::settings::signing_key_id(&self.pool).await? else { return Ok(None) };
        let secret = signing_keys::find(&self.pool, id).await?;
        Ok(secret.and_then(|secret| Some(SigningKey::new(id, secret.try_into().ok()?))))
    }

    fn forget(&self) {
        let mut kept = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        self.epoch.fetch_add(1, Ordering::Release);
        *kept = None;
    }

    /// Listens for changes that other processes make, for ever. While it can't, every request asks the database.
    pub async fn listen(&self) {
        loop {
            if let Err(error) = self.listen_once().await {
                tracing::warn!(%error, "not listening for token changes; every request asks the database");
            }
            self.lease(None);
            self.forget();
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn listen_once(&self) -> sqlx::Result<()> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(SECURITY_CHANNEL).await?;
        // Others need not wait for what this process remembered under an earlier lease: it is forgotten with it.
        listeners::leave(&self.pool, self.id).await?;
        // Before anything is heard: what is heard is noted in the lease, and others would wait for a note that got lost.
        self.renew().await?;
        tokio::select! {
            ended = self.hear(listener) => ended,
            ended = self.keep() => ended,
        }
    }

    async fn hear(&self, mut listener: PgListener) -> sqlx::Result<()> {
        // `None`: the connection broke and something may have been missed.
        while let Some(notification) = listener.try_recv().await? {
            self.forget();
            let position = notification.payload().parse().unwrap_or(0);
            listeners::heard(&self.pool, self.id, position).await?;
        }
        Ok(())
    }

    async fn keep(&self) -> sqlx::Result<()> {
        loop {
            tokio::time::sleep(listeners::LEASE / 3).await;
            self.renew().await?;
        }
    }

    async fn renew(&self) -> sqlx::Result<()> {
        let started = Instant::now();
        listeners::renew(&self.pool, self.id).await?;
        if !self.is_leased() {
            // Nobody waited for this process meanwhile.
            self.forget();
        }
        self.lease(Some(started + listeners::LEASE));
        Ok(())
    }

    fn is_leased(&self) -> bool {
        let until = *self.leased_until.read().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn lease(&self, until: Option<Instant>) {
        *self.leased_until.write().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// Remembers nothing more; nobody waits for this process.
    pub async fn leave(&self) -> sqlx::Result<()> {
        self.lease(None);
        listeners::leave(&self.pool, self.id).await
    }

    /// Writes last-used times every few seconds, for ever.
    pub async fn write_usage(&self) {
        let mut interval = tokio::time::interval(USAGE_INTERVAL);
        loop {
            interval.tick().await;
            if let Err(error) = self.flush_usage().await {
                tracing::warn!(%error, "last-used times were not written");
            }
        }
    }

    /// Writes the last-used times that aren't written yet.
    pub async fn flush_usage(&self) -> sqlx::Result<()> {
        let used = std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner));
        if used.is_empty() {
            return Ok(());
        }
        let (ids, times): (Vec<Uuid>, Vec<DateTime<Utc>>) = used.into_iter().unzip();
        crate::work::token_usage::write(&self.pool, &ids, &times).await
    }
}

fn bucket(secret_sha256: &[u8; 32]) -> [u8; 8] {
    let mut bucket = [0; 8];
    bucket.copy_from_slice(&secret_sha256[..8]);
    bucket
}

fn unhex(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// A JSON Web Token has two dots, a secret of ours none.
fn is_jwt(secret: &str) -> bool {
    secret.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// The client of an access token, with the scopes that this token has.
fn of_jwt(snapshot: &Snapshot, jwt: &str, now: DateTime<Utc>) -> Result<Arc<Token>, InvalidJwt> {
    let key = snapshot.signing_key.as_ref().ok_or(InvalidJwt::Key)?;
    let claims = key.verify(jwt, now)?;
    let client = snapshot.clients.get(&claims.client_id).ok_or(InvalidJwt::Revoked)?;
    Ok(Arc::new(Token { scopes: claims.scope, ..Token::clone(client) }))
}

fn find(snapshot: &Snapshot, secret: &str) -> Option<Arc<Token>> {
    let body = secret.strip_prefix(PREFIX)?;
    let (body, check) = body.split_at_checked(64)?;
    if checksum(body) != check {
        return None;
    }
    let hash = digest(secret);
    // The bucket is found by a part of the hash, which tells nothing of the secret; the whole is compared in constant time.
    let candidates = snapshot.by_hash.get(&bucket(&hash))?;
    candidates.iter().find(|token| token.secret_sha256.ct_eq(&hash).into()).cloned()
}

#[cfg(test)]
impl Token {
    /// A client's caller, for tests of what it may.
    pub(crate) fn of_client(role: Role, scopes: &[Scope]) -> Self {
        Self {
            kind: ActorKind::Client,
            id: Uuid::nil(),
            name: "Deployment".to_owned(),
            role,
            scopes: scopes.to_vec(),
            identity_id: None,
            expires_at: None,
            secret_sha256: [0; 32],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_a_prefix_and_a_checksum() {
        let secret = new_secret().unwrap();
        assert!(secret.starts_with("mun_"));
        assert_eq!(secret.len(), 4 + 64 + 8);
        assert_ne!(secret, new_secret().unwrap());
    }
}
