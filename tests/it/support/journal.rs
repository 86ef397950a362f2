//! A journal without a server around it, and cheap appends for it.

use std::future::Future;
use std::sync::Arc;

use aggregates::application::Application;
use aggregates::application::{ApplicationEvent, Connector, ConnectorType, Definition, Priority};
use aggregates::entitlement::{Entitlement, EntitlementEvent, EntitlementRecord};
use aggregates::{Actor, ActorKind, DomainEvent};
use muniment::database::Database;
use muniment::journal::{Append, AppendError, Appended, Context, Expected, Idempotency, Journal, StreamId, check};
use sqlx::PgPool;
use uuid::Uuid;

use super::clock::TestClock;
use super::{cluster, hold::Hold, proxy::Proxy};

/// A journal on a database.
pub struct Log {
    pub database: Database,
    pub pool: PgPool,
    pub journal: Journal,
    pub clock: Arc<TestClock>,
}

impl Log {
    /// On a fresh database.
    pub async fn open() -> Self {
        Self::on(cluster::database().await)
    }

    /// On this database.
    pub fn on(database: Database) -> Self {
        let options = database.application();
        Self::start(database, options)
    }

    /// On a fresh database that the writer reaches through a proxy.
    pub async fn through_proxy() -> (Self, Proxy) {
        let database = cluster::database().await;
        let proxy = Proxy::before(&database.application());
        let options = proxy.through(database.application());
        (Self::start(database, options), proxy)
    }

    fn start(database: Database, options: sqlx::postgres::PgConnectOptions) -> Self {
        let clock = TestClock::new();
        let pool = database.pool(4);
        let (journal, _writer) = Journal::start(pool.clone(), options, clock.clone());
        Self { database, pool, journal, clock }
    }

    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.journal.append(append).await
    }

    /// Takes the append lock, as another process would, and holds it.
    pub async fn hold(&self) -> Hold {
        Hold::take(self.database.connect_owner().await.unwrap(), "journal.append_lock", "EXCLUSIVE").await
    }

    /// Does something while the append lock is held elsewhere, so that all that it appends at once is one batch. Leaves one
    /// event of its own.
    pub async fn in_one_batch<T>(&self, work: impl Future<Output = T>) -> T {
        let mut held = self.hold().await;
        let pilot = self.append(more(u128::MAX, Expected::Any, "pilot"));
        let (pilot, done) = tokio::join!(pilot, async {
            held.wanted().await;
            tokio::join!(work, held.release()).0
        });
        pilot.unwrap();
        done
    }

    /// Events of a stream.
    pub async fn version(&self, stream: &StreamId) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM journal.events WHERE aggregate_type = $1 AND aggregate_id = $2")
            .bind(stream.aggregate_type)
            .bind(&stream.aggregate_id)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// Events in the log.
    pub async fn length(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM journal.events").fetch_one(&self.pool).await.unwrap()
    }

    /// The log is dense and every hash right, and no table differs from it; the number of its events.
    pub async fn assert_sound(&self) -> i64 {
        assert_sound(&self.database).await
    }
}

/// As [`Log::assert_sound`].
pub async fn assert_sound(database: &Database) -> i64 {
    let pool = database.pool(1);
    let check = check::check(&pool, |_, _| ()).await.unwrap();
    pool.close().await;
    assert_eq!(check.faults, Vec::<String>::new());
    let mut connection = database.connect_owner().await.unwrap();
    let found = projections::verify::verify(&mut connection, 100, |_, _| ()).await.unwrap();
    assert_eq!(found.differences, []);
    check.events
}

/// Somebody with a token.
pub fn actor() -> Actor {
    let id = Uuid::from_u128(0xAC).to_string();
    Actor { kind: ActorKind::Token, id, name: "tester".to_owned(), identity_id: None }
}

pub fn context() -> Context {
    Context::of(actor(), "c".repeat(32))
}

/// The context of a request with an `Idempotency-Key`.
pub fn keyed(key: &str, request: u8) -> Context {
    let idempotency =
        Idempotency { key: key.to_owned(), request_sha256: [request; 32], location: "/there".to_owned(), status: 201 };
    Context { idempotency: Some(idempotency), ..context() }
}

/// A stream by number.
pub fn stream(number: u128) -> StreamId {
    StreamId::of::<Entitlement>(&Uuid::from_u128(number))
}

/// An event for such a stream.
pub fn added(text: &str) -> DomainEvent {
    let record = EntitlementRecord { description: Some(text.to_owned()), ..Default::default() };
    let (import, application_id) = (Uuid::nil(), Uuid::nil());
    EntitlementEvent::EntitlementAdded { import, application_id, key: text.to_owned(), record }.into()
}

/// The first event of a stream.
pub fn new(number: u128) -> Append {
    Append::one(stream(number), Expected::New, vec![added("")], context())
}

/// One more event of a stream.
pub fn more(number: u128, expected: Expected, text: &str) -> Append {
    Append::one(stream(number), expected, vec![added(text)], context())
}

/// A new application, which claims its name.
pub fn application(number: u128, name: &str) -> Append {
    let stream = StreamId::of::<Application>(&Uuid::from_u128(number));
    let event = ApplicationEvent::ApplicationCreated { definition: definition(name) };
    let claim = format!("application-name:{}", aggregates::values::folded(name));
    Append { take: vec![(claim, stream.clone())], ..Append::one(stream, Expected::New, vec![event.into()], context()) }
}

/// An application of nothing.
pub fn definition(name: &str) -> Definition {
    Definition {
        name: name.to_owned(),
        priority: Priority::None,
        description: None,
        is_identity_source: false,
        removal_limit: 30,
        connector: Connector { r#type: ConnectorType::File, file_groups: Vec::new() },
        correlation: None,
        responders: Vec::new(),
    }
}
