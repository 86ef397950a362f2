//! Secrets: they sign and open doors, and are nowhere but where they are kept.

use serde_json::{Value, json};

use super::{SECRET, attempted, attempts, make, names, open, shown, subscribe};
use crate::support::configuration::file;
use crate::support::receiver::{Receiver, webhook};
use crate::support::{TestServer, eventually};

/// How many rows of all tables but that of secrets, and files, hold one of these texts.
async fn told(server: &TestServer, texts: &[&str]) -> Vec<String> {
    let pool = &server.server.app.pool;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
         WHERE schemaname IN ('read', 'journal', 'work', 'evidence') AND tablename <> 'config_secrets' ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(tables.contains(&"work.webhook_deliveries".to_owned()) && tables.len() > 30, "{tables:?}");
    let mut found = Vec::new();
    for table in tables {
        let row = if table == "evidence.blobs" { "encode(t.bytes, 'escape')" } else { "t::text" };
        for text in texts {
            let sql = format!("SELECT count(*) FROM {table} AS t WHERE {row} LIKE '%' || $1 || '%'");
            let count: i64 = sqlx::query_scalar(&sql).bind(text).fetch_one(pool).await.unwrap();
            found.extend((count > 0).then(|| format!("{table}: {text}")));
        }
    }
    found
}

#[tokio::test]
async fn a_redacted_import_keeps_the_secrets_and_a_new_one_is_used_at_once() {
    let (server, receiver) = (open().await, Receiver::start());
    let with = |signing: &str, password: &str| {
        let mut hook = webhook("1", &receiver.url(), signing, &["ApplicationCreated"]);
        hook["object"]["httpConfig"]["httpAuthenticationType"] = json!("BASIC_AUTH");
        hook["object"]["httpConfig"]["basicAuthConfig"] = json!({"userName": "ann", "password": password});
        hook
    };
    subscribe(&server, &[with("s3cret-one", "pa55-one")]).await;
    make(&server, &["A"]).await;
    receiver.has(1).await;
    let exported = server.export_config(json!({"includeTypes": ["TRIGGER_SUBSCRIPTION"]})).await;
    assert_eq!(exported["objects"], json!([with("********", "********")]));
    let mut changed = exported["objects"][0].clone();
    changed["object"]["description"] = json!("Tells the ledger");
    subscribe(&server, &[changed]).await;
    make(&server, &["B"]).await;
    receiver.has(2).await;
    let mut again = with("s3cret-two", "********");
    again["object"]["description"] = json!("Tells the ledger");
    let head = server.head().await;
    subscribe(&server, &[again]).await;
    assert_eq!(server.events_after(head, &["config_object"]).await, 0, "only a secret is another");
    make(&server, &["C"]).await;
    let received = receiver.has(3).await;
    assert_eq!(names(&received), ["A", "B", "C"]);
    let signed: Vec<bool> = received.iter().map(|request| request.is_signed_with("s3cret-one")).collect();
    assert_eq!(signed, [true, true, false]);
    assert!(received[2].is_signed_with("s3cret-two"));
    // ann:pa55-one
    assert!(received.iter().all(|request| request.header("authorization") == "Basic YW5uOnBhNTUtb25l"));
    let told = told(&server, &["s3cret", "pa55", "YW5uOnBhNTUtb25l"]).await;
    assert_eq!(told, Vec::<String>::new());
    server.stop().await;
}

#[tokio::test]
async fn what_isnt_known_here_is_said_and_what_comes_later_is_used_at_once() {
    let (server, receiver) = (open().await, Receiver::start());
    let with = |signing: &str, token: &str| {
        let mut hook = webhook("1", &receiver.url(), signing, &["ApplicationCreated"]);
        hook["object"]["httpConfig"]["httpAuthenticationType"] = json!("BEARER_TOKEN");
        hook["object"]["httpConfig"]["bearerTokenAuthConfig"] = json!({"bearerToken": token});
        hook
    };
    // As a file of another server, or after a restore without secrets.
    subscribe(&server, &[with("********", "********")]).await;
    let expected = "its httpConfig.signingSecret isn't known here; import it again, with its value";
    assert_eq!(shown(&server, "1").await["problem"], expected);
    make(&server, &["A"]).await;
    let refused = attempted(&server, "1", 1).await;
    assert_eq!((&refused[0]["outcome"], &refused[0]["reason"]), (&json!("refused"), &json!(expected)));
    assert_eq!(receiver.received().len(), 0);
    // The clock stands still, so only the change makes another attempt.
    subscribe(&server, &[with("whsec_not base64", "t0ken\r\nX-Injected: 1")]).await;
    let refused = attempted(&server, "1", 2).await;
    let reason = refused[0]["reason"].as_str().unwrap();
    assert!(reason.ends_with("what follows is no base64"), "{reason}");
    subscribe(&server, &[with("s3cret", "********")]).await;
    let refused = attempted(&server, "1", 3).await;
    assert_eq!(refused[0]["reason"], "its bearer token has characters that no header may have");
    subscribe(&server, &[with("********", "t0ken")]).await;
    let received = receiver.has(1).await;
    assert_eq!(received[0].header("authorization"), "Bearer t0ken");
    assert!(received[0].is_signed_with("s3cret"));
    assert_eq!(told(&server, &["s3cret", "t0ken", "not base64"]).await, Vec::<String>::new());
    let delivered = attempted(&server, "1", 4).await;
    assert_eq!((&delivered[0]["outcome"], &delivered[0]["reason"]), (&json!("delivered"), &Value::Null));
    let webhook = shown(&server, "1").await;
    assert_eq!((&webhook["reason"], &webhook["problem"]), (&Value::Null, &Value::Null));
    server.stop().await;
}

#[tokio::test]
async fn nothing_goes_to_a_new_url_before_its_import_has_brought_its_secrets() {
    let (server, before, after, witness) = (open().await, Receiver::start(), Receiver::start(), Receiver::start());
    let to =
        |id: &str, receiver: &Receiver, secret: &str| webhook(id, &receiver.url(), secret, &["ApplicationCreated"]);
    subscribe(&server, &[to("1", &before, "s3cret-one"), to("2", &witness, SECRET)]).await;
    make(&server, &["A"]).await;
    attempted(&server, "1", 1).await;
    // While this row is held, the import can't take the new secret, though it has imported the object.
    let mut held = server.server.app.pool.begin().await.unwrap();
    let locked = sqlx::query("SELECT FROM work.config_secrets WHERE owner_id = $1::uuid FOR UPDATE")
        .bind(shown(&server, "1").await["id"].as_str())
        .execute(&mut *held)
        .await
        .unwrap();
    assert_eq!(locked.rows_affected(), 1);
    let changed = file(&[to("1", &after, "s3cret-two")]);
    let started = server.send_config("/sp-config/import", changed.to_string(), None).await;
    assert_eq!(started.status, 202, "{}", started.text);
    eventually("the new URL is kept", async || (shown(&server, "1").await["url"] == after.url()).then_some(())).await;
    for (name, count) in [("B", 2), ("C", 3)] {
        make(&server, &[name]).await;
        witness.has(count).await;
    }
    let webhook = shown(&server, "1").await;
    assert_eq!((&webhook["pending"]["eventType"], &webhook["failures"]), (&json!("ApplicationCreated"), &json!(0)));
    assert_eq!((attempts(&server, "1").await.len(), after.received().len()), (1, 0));
    held.rollback().await.unwrap();
    let job = server.config_job("import", started.json["jobId"].as_str().unwrap()).await;
    assert_eq!(job["status"], "COMPLETE");
    let received = after.has(2).await;
    assert_eq!(names(&received), ["B", "C"]);
    assert!(received.iter().all(|request| request.is_signed_with("s3cret-two")));
    server.stop().await;
    assert_eq!(before.received().len(), 1);
}

#[tokio::test]
async fn nothing_leaves_unsigned() {
    let (server, receiver) = (open().await, Receiver::start());
    let mut hook = webhook("1", &receiver.url(), "s3cret", &["ApplicationCreated"]);
    subscribe(&server, std::slice::from_ref(&hook)).await;
    make(&server, &["A"]).await;
    receiver.has(1).await;
    // The secret is still known, but the document asks for none.
    hook["object"]["httpConfig"].as_object_mut().unwrap().remove("signingSecret");
    let results = subscribe(&server, &[hook]).await;
    let infos = &results["results"]["TRIGGER_SUBSCRIPTION"]["infos"];
    let text = "TRIGGER_SUBSCRIPTION \"hook 1\" is kept, but not executed here: it has no httpConfig.signingSecret, and nothing is sent unsigned";
    assert_eq!((&infos[0]["key"], &infos[0]["text"]), (&json!("NOT_EXECUTABLE"), &json!(text)));
    make(&server, &["B"]).await;
    let refused = attempted(&server, "1", 2).await;
    assert_eq!((&refused[0]["outcome"], &refused[0]["status"]), (&json!("refused"), &Value::Null));
    assert_eq!(
        shown(&server, "1").await["problem"],
        "it has no httpConfig.signingSecret, and nothing is sent unsigned"
    );
    server.stop().await;
    assert_eq!(receiver.received().len(), 1);
}
