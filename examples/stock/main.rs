//! The baseline of `scripts/bench commands`: stock `postgres_cqrs` with a `GenericQuery` view, behind the routes of the real server.
//!
//! Where the two can't be equal, this one has the easier life: no uniqueness of names, no rate limit, no request log, no global order
//! of events, no leaf hashes; its view is written after the commit and is lost in a crash.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::{StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use axum::serve::ListenerExt as _;
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use clap::Parser;
use cqrs_es::AggregateError;
use cqrs_es::persist::{GenericQuery, ViewRepository as _};
use postgres_es::{PostgresCqrs, PostgresViewRepository, postgres_cqrs};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use subtle::ConstantTimeEq as _;
use uuid::{NoContext, Timestamp, Uuid};

use application::{Application, Body, Command, Connector, Priority, Refusal};

mod application;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Serve applications from stock postgres-es, as the baseline of `scripts/bench commands`.
#[derive(Parser)]
struct Args {
    #[arg(long)]
    listen: SocketAddr,
    /// An empty database.
    #[arg(long, env = "DATABASE_URL")]
    database_url: String,
    /// The one bearer token that is let in.
    #[arg(long, env = "TOKEN", hide_env_values = true)]
    token: String,
    /// Size of the pool; of 4, 8, 16, 32 and 64 the default did best at 256 callers on two cores.
    #[arg(long, default_value_t = 16)]
    connections: u32,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let options: PgConnectOptions = args.database_url.parse().context("DATABASE_URL")?;
    let pool = PgPoolOptions::new()
        .min_connections(args.connections)
        .max_connections(args.connections)
        .test_before_acquire(false) // a round trip that the real server saves too
        .connect_with(options.disable_statement_logging())
        .await?;
    sqlx::raw_sql(TABLES).execute(&pool).await?;

    let views = Arc::new(Views::new("application_view", pool.clone()));
    let mut query = GenericQuery::new(views.clone());
    query.use_error_handler(Box::new(|error| eprintln!("view not updated: {error}")));
    let server = Arc::new(Server {
        applications: postgres_cqrs(pool, vec![Box::new(query)], ()),
        views,
        token_digest: Sha256::digest(&args.token).into(),
        token_id: new_id(),
    });
    let router = Router::new()
        .route("/api/applications", post(create))
        .route("/api/applications/{id}", put(change))
        .with_state(server);
    let listener = tokio::net::TcpListener::bind(args.listen).await?.tap_io(|stream| _ = stream.set_nodelay(true));
    axum::serve(listener, router).await?;
    Ok(())
}

/// postgres-es's own `db/init.sql`, with the view under its name.
const TABLES: &str = "
    CREATE TABLE events
    (
        aggregate_type text                         NOT NULL,
        aggregate_id   text                         NOT NULL,
        sequence       bigint CHECK (sequence >= 0) NOT NULL,
        event_type     text                         NOT NULL,
        event_version  text                         NOT NULL,
        payload        json                         NOT NULL,
        metadata       json                         NOT NULL,
        PRIMARY KEY (aggregate_type, aggregate_id, sequence)
    );
    CREATE TABLE application_view
    (
        view_id text                        NOT NULL,
        version bigint CHECK (version >= 0) NOT NULL,
        payload json                        NOT NULL,
        PRIMARY KEY (view_id)
    )";

type Views = PostgresViewRepository<Application, Application>;

struct Server {
    applications: PostgresCqrs<Application>,
    views: Arc<Views>,
    token_digest: [u8; 32],
    token_id: Uuid,
}

async fn create(State(server): State<Arc<Server>>, actor: Actor, Json(body): Json<Body>) -> Result<Response, Refusal> {
    let id = new_id();
    server.execute(id, Command::Create { id, body, at: now() }, &actor).await?;
    server.rendered(StatusCode::CREATED, id).await
}

async fn change(
    State(server): State<Arc<Server>>,
    actor: Actor,
    Path(id): Path<Uuid>,
    Json(body): Json<Body>,
) -> Result<Response, Refusal> {
    server.execute(id, Command::Change { body, at: now() }, &actor).await?;
    server.rendered(StatusCode::OK, id).await
}

impl Server {
    async fn execute(&self, id: Uuid, command: Command, actor: &Actor) -> Result<(), Refusal> {
        let metadata = HashMap::from([
            ("actorType".to_owned(), "token".to_owned()),
            ("actorId".to_owned(), actor.id.to_string()),
            ("actorName".to_owned(), actor.name.to_owned()),
            ("correlationId".to_owned(), actor.correlation_id.simple().to_string()),
            ("sourceAddress".to_owned(), "127.0.0.1".to_owned()),
            ("recordedAt".to_owned(), now().to_rfc3339()),
        ]);
        let id = id.to_string();
        self.applications.execute_with_metadata(&id, command, metadata).await.map_err(|error| match error {
            AggregateError::UserError(refusal) => refusal,
            AggregateError::AggregateConflict => Refusal::Conflict,
            other => Refusal::Failed(other.to_string()),
        })
    }

    /// The answer is read from the view, once, as a client would read it back.
    async fn rendered(&self, status: StatusCode, id: Uuid) -> Result<Response, Refusal> {
        let view = self.views.load(&id.to_string()).await.map_err(|error| Refusal::Failed(error.to_string()))?;
        let application = view.ok_or_else(|| Refusal::Failed("the view has no such application".to_owned()))?;
        let body = Rendered {
            id: application.id,
            kind: "Application",
            name: &application.name,
            priority: application.priority,
            is_archived: application.is_archived,
            last_updated: application.last_updated,
            connector: &application.connector,
            import_schedule: None,
            last_import: None,
        };
        Ok((status, Json(body)).into_response())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rendered<'a> {
    id: Uuid,
    kind: &'static str,
    name: &'a str,
    priority: Priority,
    is_archived: bool,
    last_updated: DateTime<Utc>,
    connector: &'a Connector,
    import_schedule: Option<()>,
    last_import: Option<()>,
}

/// Who calls: a request without it reaches no handler.
struct Actor {
    id: Uuid,
    name: &'static str,
    correlation_id: Uuid,
}

impl FromRequestParts<Arc<Server>> for Actor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Refusal> {
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Refusal::Unauthorized)?;
        if !bool::from(Sha256::digest(token).ct_eq(&server.token_digest)) {
            return Err(Refusal::Unauthorized);
        }
        Ok(Self { id: server.token_id, name: "bench", correlation_id: new_id() })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error) = match &self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Invalid { .. } => (StatusCode::BAD_REQUEST, "validation_error"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::Conflict => (StatusCode::CONFLICT, "conflict"),
            Self::Failed(_) => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
        };
        let mut body =
            json!({ "error": error, "message": self.to_string(), "correlationId": new_id().simple().to_string() });
        if let Self::Invalid { field, message } = self {
            body["errors"] = json!([{ "field": field, "message": message }]);
        }
        (status, Json(body)).into_response()
    }
}

/// The clock and the ids come from here and nowhere else, as in the real server they come from its state.
fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

fn new_id() -> Uuid {
    Uuid::new_v7(Timestamp::now(NoContext))
}
