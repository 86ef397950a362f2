//! The stock event store of postgres-es reads our log, and the stock framework of cqrs-es runs on our journal.

use std::collections::HashMap;

use aggregates::account::Account;
use aggregates::api_token::ApiToken;
use aggregates::application::{Application, ApplicationCommand};
use aggregates::application_import::{ApplicationImport, Status};
use aggregates::entitlement::Entitlement;
use aggregates::identity::Identity;
use aggregates::settings::Settings;
use aggregates::{DomainEvent, Refusal, Stream};
use cqrs_es::persist::PersistedEventStore;
use cqrs_es::{AggregateContext, AggregateError, CqrsFramework, EventStore};
use postgres_es::PostgresEventRepository;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::TestServer;
use crate::support::journal::{Log, definition};

fn application() -> Value {
    json!({
        "name": "Payroll", "isIdentitySource": true,
        "connector": {"type": "file", "fileGroups": [
            {"name": "People", "content": "identities", "columns": {"key": "id", "displayName": "name", "email": "mail"}},
            {"name": "Accounts", "content": "accounts", "columns": {"key": "login", "email": "mail"}},
            {"name": "Grants", "content": "grants", "columns": {"account": "login", "entitlement": "right", "scope": "scope"}},
        ]}
    })
}

/// Every stream of a type, read by stock postgres-es, is what our table holds and what our journal loads.
async fn same<A: Stream>(server: &TestServer) -> usize {
    let pool: &PgPool = &server.server.app.pool;
    let stock = PersistedEventStore::<_, A>::new_event_store(PostgresEventRepository::new(pool.clone()));
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT aggregate_id FROM journal.events WHERE aggregate_type = $1 ORDER BY 1")
            .bind(A::TYPE)
            .fetch_all(pool)
            .await
            .unwrap();
    for id in &ids {
        let rows: Vec<(i64, Value, Value)> = sqlx::query_as(
            "SELECT sequence, payload, metadata FROM journal.events
             WHERE aggregate_type = $1 AND aggregate_id = $2 ORDER BY sequence",
        )
        .bind(A::TYPE)
        .bind(id)
        .fetch_all(pool)
        .await
        .unwrap();
        let events = stock.load_events(id).await.unwrap();
        assert_eq!(events.len(), rows.len());
        for (event, (sequence, payload, metadata)) in events.into_iter().zip(rows) {
            assert_eq!((event.aggregate_id.as_str(), event.sequence as i64), (id.as_str(), sequence));
            assert_eq!(serde_json::to_value(&event.metadata).unwrap(), metadata);
            let event: DomainEvent = event.payload.into();
            assert_eq!(serde_json::from_str::<Value>(&event.payload().unwrap()).unwrap(), payload);
        }
        let mut loaded = stock.load_aggregate(id).await.unwrap();
        let ours = server.server.app.journal.load::<A>(id).await.unwrap();
        assert_eq!(
            serde_json::to_value(&*loaded.aggregate()).unwrap(),
            serde_json::to_value(&ours.aggregate).unwrap(),
            "{} {id}",
            A::TYPE
        );
    }
    ids.len()
}

#[tokio::test]
async fn stock_postgres_es_reads_our_log() {
    let server = TestServer::start().await;
    let application = server.client.post("/api/applications", application()).await.json;
    let people = "id,name,mail\n1,Ann,ann@x\n2,Bob,bob@x\n";
    let accounts = "login,mail\nann,ann@x\nbob,bob@x\n";
    for grants in ["login,right,scope\nann,read,all\nbob,read,\n", "login,right,scope\nann,read,own\nann,write,\n"] {
        let files = [("identities", people), ("accounts", accounts), ("grants", grants)];
        let import = server.import_all(&application, &files).await;
        assert_eq!(import["status"], "Finished", "{import}");
    }
    let streams = [
        same::<Application>(&server).await,
        same::<ApplicationImport>(&server).await,
        same::<Identity>(&server).await,
        same::<Account>(&server).await,
        same::<Entitlement>(&server).await,
        same::<ApiToken>(&server).await,
        same::<Settings>(&server).await,
    ];
    assert_eq!(streams, [1, 2, 2, 2, 2, 1, 1]);
    let types: i64 = sqlx::query_scalar("SELECT count(DISTINCT aggregate_type) FROM journal.events")
        .fetch_one(&server.server.app.pool)
        .await
        .unwrap();
    assert_eq!(types, 7, "an aggregate type that this test doesn't read");
    let stock = PostgresEventRepository::new(server.server.app.pool.clone());
    let stock = PersistedEventStore::<_, ApplicationImport>::new_event_store(stock);
    let import: String = sqlx::query_scalar("SELECT id::text FROM application_imports WHERE number = 2")
        .fetch_one(&server.server.app.pool)
        .await
        .unwrap();
    assert_eq!(stock.load_aggregate(&import).await.unwrap().aggregate().status, Status::Finished);
    server.stop().await;
}

#[tokio::test]
async fn the_stock_framework_runs_on_our_journal() {
    let log = Log::open().await;
    let framework = CqrsFramework::<Application, _>::new(log.journal.clone(), Vec::new(), ());
    let mut groups = definition("Payroll");
    groups.connector.file_groups = serde_json::from_value(json!([{
        "id": Uuid::from_u128(7), "name": "Grants", "content": "grants", "isRequired": true, "format": "csv",
        "columns": {"account": "user", "entitlement": "permission"}
    }]))
    .unwrap();
    let id = Uuid::from_u128(1).to_string();
    framework.execute(&id, ApplicationCommand::Create(groups.clone())).await.unwrap();
    let metadata = HashMap::from(
        [("actorType", "token"), ("actorId", "t-1"), ("actorName", "robot"), ("correlationId", "c-1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    framework.execute_with_metadata(&id, ApplicationCommand::Archive, metadata).await.unwrap();
    let refused = framework.execute(&id, ApplicationCommand::Archive).await.unwrap_err();
    assert!(matches!(refused, AggregateError::UserError(Refusal::Conflict(_))), "{refused}");
    // Names are claimed on this way, too.
    let taken =
        framework.execute(&Uuid::from_u128(2).to_string(), ApplicationCommand::Create(groups)).await.unwrap_err();
    assert!(taken.to_string().contains("taken"), "{taken}");
    let actors: Vec<(String, String)> = sqlx::query_as(
        "SELECT metadata ->> 'actorType', metadata ->> 'actorName' FROM journal.events ORDER BY position",
    )
    .fetch_all(&log.pool)
    .await
    .unwrap();
    let expected = [("system", "cqrs-es"), ("token", "robot")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(actors, expected);
    assert_eq!(log.assert_sound().await, 2);
}
