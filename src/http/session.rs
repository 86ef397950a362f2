//! The one door: a handler that wants the server's parts asks for a [`Session`], and gets one only if the caller may.

use std::marker::PhantomData;
use std::sync::Arc;

use aggregates::Actor;
use aggregates::api_client::Scope;
use aggregates::api_token::Role;
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

/// What a caller must be allowed to do (rulings 2), and what its access token must be for (rulings 40).
pub trait Access: Send + Sync + 'static {
    /// Words for the refusal.
    const NEEDS: &'static str;
    /// One of these is needed; API tokens have all.
    const SCOPES: &'static [Scope];
    /// May this role?
    fn allows(role: Role) -> bool;
}

macro_rules! access {
    ($($(#[$meta:meta])* $name:ident: $needs:literal, $allows:expr, $scopes:expr;)*) => { $(
        $(#[$meta])*
        pub struct $name;
        impl Access for $name {
            const NEEDS: &'static str = $needs;
            const SCOPES: &'static [Scope] = &$scopes;
            fn allows(role: Role) -> bool {
                let allows: fn(Role) -> bool = $allows;
                allows(role)
            }
        }
    )* };
}

access! {
    /// Reads domain data: every role.
    Reads: "reader", |_| true, [Scope::All];
    /// Reads events and the token list.
    Audits: "auditor", Role::audits, [Scope::All];
    /// Changes the domain.
    Operates: "operator", Role::operates, [Scope::All];
    /// Changes tokens and settings.
    Administers: "administrator", Role::administers, [Scope::All];
    /// Exports configuration.
    ReadsConfiguration: "auditor", Role::audits, [Scope::All, Scope::ConfigRead, Scope::ConfigManage];
    /// Imports configuration.
    ManagesConfiguration: "administrator", Role::administers, [Scope::All, Scope::ConfigManage];
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
        self.token.actor()
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
            rereads: None,
            idempotency: idempotency.map(|(key, request_sha256)| Idempotency {
                key,
                request_sha256,
                location,
                status: status.as_u16(),
            }),
        }
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
        let token = verdict.token.map_err(|error| ApiError::unauthorized(error.to_string()))?;
        if !verdict.api_enabled {
            return Err(ApiError::switched_off());
        }
        permit::<A>(&token)?;
        parts.extensions.insert(CallerId(token.id.to_string()));
        Ok(Self { app: Arc::clone(app), token, secret, request, now, access: PhantomData })
    }
}

/// Both the role and the scope must allow it.
fn permit<A: Access>(token: &Token) -> Result<(), ApiError> {
    let who = format!("The {} {:?}", token.kind.as_str(), token.name);
    if !A::allows(token.role) {
        let message = format!("{who} has the role {}; this needs {}", token.role.as_str(), A::NEEDS);
        return Err(ApiError::forbidden(message));
    }
    if !token.has_any(A::SCOPES) {
        let (has, needs) = (Scope::join(&token.scopes), Scope::join(A::SCOPES).replace(' ', " or "));
        return Err(ApiError::forbidden(format!("{who} sent an access token for {has}; this needs {needs}")));
    }
    Ok(())
}

fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of reading, operating, administering, reading and managing configuration a client may.
    fn may(role: Role, scope: Scope) -> [bool; 5] {
        let token = Token::of_client(role, &[scope]);
        [
            permit::<Reads>(&token).is_ok(),
            permit::<Operates>(&token).is_ok(),
            permit::<Administers>(&token).is_ok(),
            permit::<ReadsConfiguration>(&token).is_ok(),
            permit::<ManagesConfiguration>(&token).is_ok(),
        ]
    }

    #[test]
    fn both_role_and_scope_must_allow_it() {
        assert_eq!(may(Role::Administrator, Scope::All), [true, true, true, true, true]);
        assert_eq!(may(Role::Operator, Scope::All), [true, true, false, true, false]);
        assert_eq!(may(Role::Auditor, Scope::All), [true, false, false, true, false]);
        assert_eq!(may(Role::Reader, Scope::All), [true, false, false, false, false]);
    }

    #[test]
    fn scopes_of_configuration_open_nothing_else() {
        assert_eq!(may(Role::Administrator, Scope::ConfigManage), [false, false, false, true, true]);
        assert_eq!(may(Role::Administrator, Scope::ConfigRead), [false, false, false, true, false]);
        assert_eq!(may(Role::Operator, Scope::ConfigManage), [false, false, false, true, false]);
        assert_eq!(may(Role::Reader, Scope::ConfigManage), [false; 5]);
    }

    #[test]
    fn a_refusal_says_what_is_needed() {
        let token = Token::of_client(Role::Administrator, &[Scope::ConfigRead]);
        let refusal = permit::<ManagesConfiguration>(&token).unwrap_err();
        let expected = "The client \"Deployment\" sent an access token for sp:config:read; \
                        this needs sp:scopes:all or sp:config:manage";
        assert_eq!((refusal.status, refusal.message.as_str()), (StatusCode::FORBIDDEN, expected));
    }
}
