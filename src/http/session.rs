//! The one door: a handler that wants the server's parts asks for a [`Session`], and gets one only if the caller may.

use std::marker::PhantomData;
use std::sync::Arc;

use aggregates::api_token::Role;
use aggregates::{Actor, ActorKind};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::error::ApiError;
use super::request::RequestInfo;
use crate::app::{App, SharedApp};
use crate::journal::{Context, Idempotency, Journal};
use crate::tokens::Token;

/// What a caller must be allowed to do (rulings 2).
pub trait Access: Send + Sync + 'static {
    /// Words for the refusal.
    const NEEDS: &'static str;
    /// May this role?
    fn allows(role: Role) -> bool;
}

macro_rules! access {
    ($($(#[$meta:meta])* $name:ident: $needs:literal, $allows:expr;)*) => { $(
        $(#[$meta])*
        pub struct $name;
        impl Access for $name {
            const NEEDS: &'static str = $needs;
            fn allows(role: Role) -> bool {
                let allows: fn(Role) -> bool = $allows;
                allows(role)
            }
        }
    )* };
}

access! {
    /// Reads domain data: every role.
    Reads: "reader", |_| true;
    /// Reads events and the token list.
    Audits: "auditor", Role::audits;
    /// Changes the domain.
    Operates: "operator", Role::operates;
    /// Changes tokens and settings.
    Administers: "administrator", Role::administers;
    /// Stub
    ReadsConfiguration: "operator", |role| role.operates() || role.audits();
    /// Stub
    ManagesConfiguration: "administrator", Role::administers;
}

/// An authenticated caller who may do what `A` says, with clock, journal and tables.
pub struct Session<A: Access> {
    /// The server's parts.
    pub app: SharedApp,
    /// The caller.
    pub token: Arc<Token>,
    /// The caller's secret, as sent.
    pub secret: String,
    /// The request.
    pub request: Arc<RequestInfo>,
    /// The time of the request.
    pub now: DateTime<Utc>,
    access: PhantomData<A>,
}

impl<A: Access> Session<A> {
    /// The tables.
    pub fn pool(&self) -> &PgPool {
        &self.app.pool
    }

    /// The write path.
    pub fn journal(&self) -> &Journal {
        &self.app.journal
    }

    /// The caller as events name it.
    pub fn actor(&self) -> Actor {
        actor(&self.token)
    }

    /// The context of an append that makes something, to be answered 201; `location` is its path.
    pub fn creating(&self, location: String) -> Context {
        self.context_of(location, StatusCode::CREATED)
    }

    /// The context of an append that begins something, to be answered 202; `location` is its path.
    pub fn accepting(&self, location: String) -> Context {
        self.context_of(location, StatusCode::ACCEPTED)
    }

    /// The context of an append that changes something, to be answered 200; `location` is its path.
    pub fn context(&self, location: String) -> Context {
        self.context_of(location, StatusCode::OK)
    }

    fn context_of(&self, location: String, status: StatusCode) -> Context {
        let idempotency = self.request.idempotency_key.clone().zip(self.request.request_sha256.get().copied());
        let actor = self.actor();
        if idempotency.is_some() {
            // Set once a request: a second append of the same request carries the same actor.
            let _ = self.request.carried_out_by.set(actor.id.clone());
        }
        Context {
            actor,
            correlation_id: self.request.correlation_id(),
            causation: None,
            source_address: self.request.source.map(|address| address.to_string()),
            worker: None,
            idempotency: idempotency.map(|(key, request_sha256)| Idempotency {
                key,
                request_sha256,
                location,
                status: status.as_u16(),
            }),
        }
    }
}

fn actor(token: &Token) -> Actor {
    Actor {
        kind: ActorKind::Token,
        id: token.id.to_string(),
        name: token.name.clone(),
        identity_id: token.identity_id.map(|id| id.to_string()),
    }
}

/// Who sent the request, for extractors that run after the session's.
#[derive(Clone)]
pub(super) struct CallerId(pub(super) String);

impl<A: Access> FromRequestParts<SharedApp> for Session<A> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let request = parts.extensions.get::<Arc<RequestInfo>>().cloned();
        let Some(request) = request else {
            return Err(ApiError::internal(&"a route without the request middleware"));
        };
        let now = app.clock.now();
        let secret = bearer(parts).unwrap_or_default().to_owned();
        let verdict = app.tokens.check(&secret, now).await?;
        let token = verdict.token.ok_or_else(ApiError::unauthorized)?;
        if !verdict.api_enabled {
            return Err(ApiError::forbidden("The API is switched off in the system settings"));
        }
        if !A::allows(token.role) {
            return Err(ApiError::forbidden(format!(
                "The token {:?} has the role {}; this needs {}",
                token.name,
                token.role.as_str(),
                A::NEEDS
            )));
        }
        parts.extensions.insert(CallerId(token.id.to_string()));
        Ok(Self { app: Arc::clone(app), token, secret, request, now, access: PhantomData })
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}
