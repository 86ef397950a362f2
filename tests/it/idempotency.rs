//! `Idempotency-Key`: the same request twice happens once and is answered alike.

use chrono::TimeDelta;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::support::bodies::{GRANTS, grants_only};
use crate::support::{Answer, TestServer, file_group, id};

#[tokio::test]
async fn the_same_request_again_gets_the_same_answer_and_makes_nothing() {
    let server = TestServer::start().await;
    let body = grants_only("Payroll");
    let first = server.client.post_keyed("/api/applications", "k1", body.clone()).await;
    assert_eq!(first.status, 201, "{}", first.text);
    let head = server.head().await;
    let again = server.client.post_keyed("/api/applications", "k1", body.clone()).await;
    assert_eq!((again.status, &again.text), (201, &first.text));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(again.headers["content-type"], "application/json");
    // Blanks and the order of keys are no difference.
    let spaced = server.client.request(Method::POST, "/api/applications").header("Idempotency-Key", "k1");
    let mut pretty = serde_json::to_string_pretty(&body).unwrap();
    pretty = pretty.replacen("\"name\": \"Payroll\"", "  \"name\"  :  \"Payroll\"", 1);
    let again = server.client.send(spaced.header("Content-Type", "application/json").body(pretty)).await;
    assert_eq!((again.status, &again.text), (201, &first.text));
    assert_eq!(server.head().await, head);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_key_stands_for_one_request_of_one_token() {
    let server = TestServer::start().await;
    let first = server.client.post_keyed("/api/applications", "k1", grants_only("Payroll")).await;
    let head = server.head().await;
    let other_body = server.client.post_keyed("/api/applications", "k1", grants_only("Wages")).await;
    insta::assert_json_snapshot!("idempotency_key_reused", crate::support::whole(&other_body));
    let other_path =
        server.client.post_keyed(&format!("/api/applications/{}/archive", id(&first.json)), "k1", json!({})).await;
    assert_eq!(other_path.status, 422);
    assert_eq!(server.head().await, head);
    let other_token = server.client_as("other", aggregates::api_token::Role::Operator).await;
    let theirs = other_token.post_keyed("/api/applications", "k1", grants_only("Wages")).await;
    assert_eq!(theirs.status, 201, "{}", theirs.text);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_refused_request_stores_nothing_so_its_key_can_be_used_again() {
    let server = TestServer::start().await;
    server.create(grants_only("Payroll")).await;
    let refused = server.client.post_keyed("/api/applications", "k1", grants_only("Payroll")).await;
    assert_eq!(refused.status, 409);
    let invalid = server.client.post_keyed("/api/applications", "k1", json!({})).await;
    assert_eq!(invalid.status, 400);
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM work.idempotency").fetch_one(&server.server.app.pool).await.unwrap();
    assert_eq!(kept, 0);
    let made = server.client.post_keyed("/api/applications", "k1", grants_only("Wages")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    server.stop().await;
}

#[tokio::test]
async fn many_at_once_with_one_key_make_one_thing() {
    let server = TestServer::start().await;
    let head = server.head().await;
    let posts = (0..30).map(|_| server.client.post_keyed("/api/applications", "k1", grants_only("Payroll")));
    let answers: Vec<Answer> = futures_util::future::join_all(posts).await;
    assert_eq!(server.head().await, head + 1);
    let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert!(!made.is_empty());
    for answer in &answers {
        // The same answer; or what was made, when the answer isn't written yet; or: it is being carried out, ask again.
        match answer.status {
            201 => assert_eq!(answer.text, made[0].text),
            200 => assert_eq!(answer.json, made[0].json),
            409 => assert_eq!(answer.headers["retry-after"], "1", "{}", answer.text),
            other => panic!("{other}: {}", answer.text),
        }
    }
    let again = server.client.post_keyed("/api/applications", "k1", grants_only("Payroll")).await;
    assert_eq!((again.status, &again.text), (201, &made[0].text));
    assert_eq!(server.client.get("/api/applications").await.json["totalCount"], 1);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn an_answer_that_was_never_given_is_what_the_request_made() {
    let server = TestServer::start().await;
    let first = server.client.post_keyed("/api/applications", "k1", grants_only("Payroll")).await;
    // As if the server had died between the append and the answer.
    let mut owner = server.database.connect_owner().await.unwrap();
    sqlx::query("UPDATE work.idempotency SET body = NULL").execute(&mut owner).await.unwrap();
    let again = server.client.post_keyed("/api/applications", "k1", grants_only("Payroll")).await;
    assert_eq!((again.status, &again.json), (201, &first.json));
    server.stop().await;
}

#[tokio::test]
async fn after_a_day_a_key_is_forgotten() {
    let server = TestServer::start().await;
    server.client.post_keyed("/api/applications", "k1", grants_only("Payroll")).await;
    server.clock.advance(TimeDelta::hours(24));
    assert_eq!(server.client.post_keyed("/api/applications", "k1", grants_only("Wages")).await.status, 422);
    server.clock.advance(TimeDelta::seconds(1));
    let answer = server.client.post_keyed("/api/applications", "k1", grants_only("Wages")).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    server.stop().await;
}

#[tokio::test]
async fn stage_cancel_and_archive_take_keys() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    server.share("g.csv", GRANTS);
    server.schedule(&app, &[("grants", "g.csv")]).await;
    let mut hold = server.hold("work.leases").await;
    let requests = |import: &str| {
        [
            ("/api/application-imports/cancel".to_owned(), json!({"applicationImportId": import})),
            (format!("/api/applications/{}/archive", id(&app)), json!({})),
        ]
    };
    let stage = async || {
        server.client.post_keyed("/api/application-imports/stage", "s", json!({"applicationId": id(&app)})).await
    };
    let staged = stage().await;
    assert_eq!(staged.status, 201);
    // Without the key it would be 409: one is Pending.
    let again = stage().await;
    assert_eq!((again.status, &again.text), (201, &staged.text));
    // A worker that finds it Canceling ends it without a lease.
    hold.wanted().await;
    for (path, body) in requests(id(&staged.json)) {
        let first = server.client.post_keyed(&path, &path, body.clone()).await;
        assert_eq!(first.status, 200, "{path}: {}", first.text);
        let head = server.head().await;
        let again = server.client.post_keyed(&path, &path, body).await;
        assert_eq!((again.status, &again.text), (200, &first.text), "{path}");
        assert_eq!(server.head().await, head);
    }
    hold.release().await;
    server.ended(&staged.json).await;
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn an_upload_is_the_same_by_its_part_names_and_bytes() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    let upload = async |bytes: &str| {
        let part = Part::bytes(bytes.as_bytes().to_vec()).file_name("g.csv");
        let form = Form::new().text("applicationId", id(&app).to_owned()).part(file_group(&app, "grants"), part);
        let request =
            server.client.request(Method::POST, "/api/application-imports/upload").header("Idempotency-Key", "u");
        // Each form has a boundary of its own.
        server.client.send(request.multipart(form)).await
    };
    let first = upload(GRANTS).await;
    assert_eq!(first.status, 201, "{}", first.text);
    server.ended(&first.json).await;
    let again = upload(GRANTS).await;
    assert_eq!((again.status, &again.text), (201, &first.text));
    assert_eq!(upload("user,permission\nann,all\n").await.status, 422);
    assert_eq!(server.client.get("/api/application-imports").await.json["totalCount"], 1);
    server.stop().await;
}

#[tokio::test]
async fn a_key_is_one_to_255_visible_characters() {
    let server = TestServer::start().await;
    let head = server.head().await;
    for bad in ["", " ", &"k".repeat(256)] {
        let answer = server.client.post_keyed("/api/applications", bad, grants_only("Payroll")).await;
        assert_eq!(answer.violation().0, "Idempotency-Key");
    }
    let request = server.client.request(Method::POST, "/api/applications").header("Idempotency-Key", &b"k\xFF"[..]);
    assert_eq!(server.client.send(request.json(&grants_only("Payroll"))).await.violation().0, "Idempotency-Key");
    assert_eq!(server.head().await, head);
    let longest = server.client.post_keyed("/api/applications", &"k".repeat(255), grants_only("Payroll")).await;
    assert_eq!(longest.status, 201, "{}", longest.text);
    server.stop().await;
}

#[tokio::test]
async fn a_tokens_secret_is_answered_again_and_never_kept() {
    let server = TestServer::start().await;
    let body = json!({"name": "Nightly"});
    let made = server.client.post_keyed("/api/tokens", "k1", body.clone()).await;
    assert_eq!(made.status, 201);
    let again = server.client.post_keyed("/api/tokens", "k1", body).await;
    assert_eq!((again.status, &again.json), (201, &made.json));
    let other = server.client.post_keyed("/api/tokens", "k1", json!({"name": "Weekly"})).await;
    assert_eq!(other.status, 422, "{}", other.text);
    let second = server.client.post_keyed("/api/tokens", "k2", json!({"name": "Weekly"})).await;
    assert_ne!(second.json["secret"], made.json["secret"]);
    let nightly = server.client.with_secret(made.json["secret"].as_str().unwrap().to_owned());
    assert_eq!(nightly.get("/api/applications").await.status, 200);

    let kept: Vec<Option<String>> =
        sqlx::query_scalar("SELECT body FROM work.idempotency").fetch_all(&server.server.app.pool).await.unwrap();
    assert_eq!(kept, [None, None]);
    server.stop().await;
}
