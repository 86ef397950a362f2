//! Tokens: made, shown once, listed, used, expired, revoked; roles; the switch of the API.

use aggregates::api_token::Role;
use aggregates::settings::{self, Settings, SettingsCommand};
use chrono::TimeDelta;
use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bodies::{PEOPLE, directory, grants_only};
use crate::support::{Client, TestServer, eventually, id, whole};

async fn token(server: &TestServer, body: Value) -> (Value, Client) {
    let answer = server.client.post("/api/tokens", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let client = server.client.with_secret(answer.json["secret"].as_str().unwrap());
    (answer.json, client)
}

#[tokio::test]
async fn a_token_shows_its_secret_once_and_only_its_hash_is_kept() {
    let server = TestServer::start().await;
    let created = server.client.post("/api/tokens", json!({"name": "Nightly", "expirationDate": "2027-01-01"})).await;
    assert_json_snapshot!("token_created", whole(&created));
    let secret = created.json["secret"].as_str().unwrap();
    assert_json_snapshot!("token_list", whole(&server.client.get("/api/tokens").await));
    let everything: String = sqlx::query_scalar(
        "SELECT (SELECT string_agg(e::text, '') FROM journal.events AS e) || (SELECT string_agg(t::text, '') FROM read.api_tokens AS t)",
    )
    .fetch_one(&server.server.app.pool)
    .await
    .unwrap();
    assert!(!everything.contains(secret) && !everything.contains(&secret[4..68]));
    assert!(everything.contains(&muniment::tokens::secret_sha256(secret)));
    assert_eq!(server.client.with_secret(secret).get("/api/applications").await.status, 200);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_token_may_stand_for_a_person_and_then_its_events_name_both() {
    let server = TestServer::start().await;
    let app = server.create(directory("Directory")).await;
    server.import(&app, "identities", PEOPLE).await;
    let ann =
        server.items("/api/identities").await.into_iter().find(|identity| identity["lastName"] == "Keller").unwrap();
    let (token, client) = token(&server, json!({"name": "Ann's", "identityId": id(&ann)})).await;
    assert_eq!((&token["identityId"], &token["role"]), (&ann["id"], &json!("operator")));
    let made = client.post("/api/applications", grants_only("Hers")).await.json;
    assert_eq!(made["createdBy"], "Ann's");
    let events = server.client.get(&format!("/api/events?aggregateId={}", id(&made))).await.json;
    let actor = json!({"type": "token", "id": id(&token), "name": "Ann's", "identityId": id(&ann)});
    assert_eq!(events["items"][0]["actor"], actor);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_told_and_none_is_made() {
    let server = TestServer::start().await;
    let head = server.head().await;
    for (body, field, words) in [
        (json!({}), "name", "Missing field"),
        (json!({"name": " "}), "name", "Name is required"),
        (json!({"name": "x".repeat(257)}), "name", "at most 256"),
        (json!({"name": "a\u{0}"}), "name", "NUL"),
        (json!({"name": "n", "role": "root"}), "role", "Unknown variant `root`"),
        (json!({"name": "n", "identityId": "ann"}), "identityId", "UUID"),
        (json!({"name": "n", "identityId": "018f0000-0000-7000-8000-00000000dead"}), "identityId", "not found"),
        (json!({"name": "n", "expirationDate": "2027-02-30"}), "expirationDate", "2027-02-30"),
        (json!({"name": "n", "expirationDate": "tomorrow"}), "expirationDate", "tomorrow"),
        (json!({"name": "n", "expirationDate": "2026-03-15T12:00:00Z"}), "expirationDate", "future"),
        (json!({"name": "n", "secret": "mine"}), "secret", "Unknown field"),
    ] {
        let answer = server.client.post("/api/tokens", body).await;
        let (found, message) = answer.violation();
        assert_eq!(found, field, "{message}");
        assert!(message.contains(words), "{field}: {message}");
    }
    assert_eq!(server.head().await, head);
    server.stop().await;
}

#[tokio::test]
async fn a_name_belongs_to_one_token_until_it_is_revoked() {
    let server = TestServer::start().await;
    let (first, _) = token(&server, json!({"name": "Nightly"})).await;
    let head = server.head().await;
    let taken = server.client.post("/api/tokens", json!({"name": "NIGHTLY "})).await;
    assert_eq!((taken.status, &taken.json["error"]), (409, &json!("conflict")));
    assert_eq!(server.head().await, head);
    assert_eq!(server.client.delete(&format!("/api/tokens/{}", id(&first))).await.status, 204);
    let (second, _) = token(&server, json!({"name": "Nightly"})).await;
    assert_ne!(first["id"], second["id"]);
    let listed = server.items("/api/tokens").await;
    assert_eq!(listed.iter().filter(|token| token["name"] == "Nightly").count(), 2);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_revoked_token_is_refused_on_the_next_request() {
    let server = TestServer::start().await;
    let (token, client) = token(&server, json!({"name": "Nightly"})).await;
    assert_eq!(client.get("/api/applications").await.status, 200);
    let path = format!("/api/tokens/{}", id(&token));
    let revoked = server.client.delete(&path).await;
    assert_eq!((revoked.status, revoked.text.as_str()), (204, ""));
    assert_json_snapshot!("token_revoked", whole(&client.get("/api/applications").await));
    let head = server.head().await;
    assert_eq!(client.post("/api/applications", grants_only("Late")).await.status, 401);
    assert_json_snapshot!("token_revoked_twice", whole(&server.client.delete(&path).await));
    let unknown = "018f0000-0000-7000-8000-00000000dead";
    let answer = server.client.delete(&format!("/api/tokens/{unknown}")).await;
    assert_eq!((answer.status, &answer.json["message"]), (404, &json!(format!("Token with id {unknown} not found"))));
    assert_eq!(server.client.delete("/api/tokens/Nightly").await.violation().0, "id");
    assert_eq!(server.head().await, head);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_second_server_hears_of_revocation_and_switch_by_itself() {
    let one = TestServer::start().await;
    let two = one.start_beside().await;
    // Rulings 6: on the next request, whichever server gets it.
    let answers = async |client: &Client, status: u16| {
        assert_eq!(client.get("/api/applications").await.status, status);
    };
    for round in 0..50 {
        let (token, client) = token(&one, json!({"name": format!("Round {round}")})).await;
        let at_two = two.client.with_secret(client.secret.clone().unwrap());
        answers(&at_two, 200).await;
        assert_eq!(one.client.delete(&format!("/api/tokens/{}", id(&token))).await.status, 204);
        // In the process that revoked it there is no such moment.
        assert_eq!(client.get("/api/applications").await.status, 401, "round {round}");
        answers(&at_two, 401).await;
    }
    let journal = &one.server.app.journal;
    for round in 0..5 {
        journal
            .execute::<Settings>(settings::ID, SettingsCommand::DisableApi, None, TestServer::context())
            .await
            .unwrap();
        assert_eq!(one.client.get("/api/applications").await.status, 403, "round {round}");
        answers(&two.client, 403).await;
        journal
            .execute::<Settings>(settings::ID, SettingsCommand::EnableApi, None, TestServer::context())
            .await
            .unwrap();
        assert_eq!(one.client.get("/api/applications").await.status, 200, "round {round}");
        answers(&two.client, 200).await;
    }
    two.stop().await;
    one.assert_verified().await;
    one.stop().await;
}

#[tokio::test]
async fn a_server_that_hears_nothing_is_waited_for_no_longer_than_it_trusts_its_memory() {
    let one = TestServer::start().await;
    let pool = &one.server.app.pool;
    let silent = "INSERT INTO work.listeners VALUES (gen_random_uuid(), 0, clock_timestamp() + interval '1 second')";
    sqlx::query(silent).execute(pool).await.unwrap();
    let started = std::time::Instant::now();
    token(&one, json!({"name": "Late"})).await;
    let took = started.elapsed();
    assert!((std::time::Duration::from_millis(800)..std::time::Duration::from_secs(3)).contains(&took), "{took:?}");
    let two = one.start_beside().await;
    two.client.get("/api/applications").await;
    two.stop().await;
    let started = std::time::Instant::now();
    token(&one, json!({"name": "Prompt"})).await;
    assert!(started.elapsed() < std::time::Duration::from_millis(800), "a server that has stopped is not waited for");
    one.stop().await;
}

#[tokio::test]
async fn a_token_expires_when_its_time_has_come() {
    let server = TestServer::start().await;
    let (_, client) = token(&server, json!({"name": "Nightly", "expirationDate": "2026-03-15T13:00:00Z"})).await;
    server.clock.advance(TimeDelta::seconds(3599));
    assert_eq!(client.get("/api/applications").await.status, 200);
    server.clock.advance(TimeDelta::seconds(1));
    let expired = client.get("/api/applications").await;
    assert_json_snapshot!("token_expired", whole(&expired));
    let head = server.head().await;
    assert_eq!(client.post("/api/applications", grants_only("Late")).await.status, 401);
    assert_eq!(server.head().await, head);
    // It stays in the list with its date.
    let listed = server.items("/api/tokens").await;
    assert_eq!(listed[0]["expirationDate"], "2026-03-15T13:00:00Z");
    server.stop().await;
}

#[tokio::test]
async fn the_list_says_when_a_token_was_last_used() {
    let server = TestServer::start().await;
    let (token, client) = token(&server, json!({"name": "Nightly"})).await;
    let last_used = async || {
        server.server.app.tokens.flush_usage().await.unwrap();
        let listed = server.items("/api/tokens").await;
        listed.into_iter().find(|known| known["id"] == token["id"]).unwrap()["lastUsedDate"].clone()
    };
    assert_eq!(last_used().await, Value::Null);
    let head = server.head().await;
    client.get("/api/applications").await;
    assert_eq!(last_used().await, "2026-03-15T12:00:00Z");
    server.clock.advance(TimeDelta::hours(30));
    // Refused for its role, but used.
    assert_eq!(client.post("/api/tokens", json!({"name": "More"})).await.status, 403);
    assert_eq!(last_used().await, "2026-03-16T18:00:00Z");
    assert_eq!(server.head().await, head, "a use is no event");
    server.stop().await;
}

#[tokio::test]
async fn last_used_times_are_written_without_being_asked() {
    let server = TestServer::start().await;
    let written = async || {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM work.token_usage")
            .fetch_one(&server.server.app.pool)
            .await
            .unwrap();
        (count > 0).then_some(())
    };
    server.client.get("/api/applications").await;
    eventually("the last use is written", written).await;
    server.stop().await;
}

#[tokio::test]
async fn only_a_whole_and_right_secret_opens_the_door() {
    let server = TestServer::start().await;
    let secret = server.client.secret.clone().unwrap();
    let with = async |value: &str| {
        let request =
            server.client.anonymous().request(Method::GET, "/api/applications").header("Authorization", value);
        server.client.send(request).await.status
    };
    for good in [format!("Bearer {secret}"), format!("bearer {secret}"), format!("BEARER   {secret} ")] {
        assert_eq!(with(&good).await, 200, "{good}");
    }
    let mut wrong = secret.clone().into_bytes();
    wrong[10] = if wrong[10] == b'0' { b'1' } else { b'0' };
    let wrong = String::from_utf8(wrong).unwrap();
    let other = muniment::tokens::new_secret().unwrap();
    for bad in [
        secret.clone(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Basic {secret}"),
        format!("Bearer {}", &secret[..secret.len() - 1]),
        format!("Bearer {secret}0"),
        format!("Bearer {}", secret.to_uppercase()),
        format!("Bearer {wrong}"),
        format!("Bearer {other}"),
        format!("Bearer {}", muniment::tokens::secret_sha256(&secret)),
        format!("Bearer {}", "é".repeat(38)),
    ] {
        assert_eq!(with(&bad).await, 401, "{bad}");
    }
    server.stop().await;
}

#[tokio::test]
async fn each_role_may_do_what_its_name_says_and_no_more() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    let import = server.import(&app, "grants", "user,permission\nann,read\n").await;
    // Highest first: what it is let do comes back as the status that means "you may, but this request is wrong".
    let requests: Vec<(Role, Method, String, u16)> = vec![
        (Role::Reader, Method::GET, "/api/applications".into(), 200),
        (Role::Reader, Method::GET, format!("/api/applications/{}/grants", id(&app)), 200),
        (Role::Reader, Method::GET, "/api/identities".into(), 200),
        (Role::Reader, Method::GET, format!("/api/application-imports/{}/rejects", id(&import)), 200),
        (Role::Auditor, Method::GET, "/api/events".into(), 200),
        (Role::Auditor, Method::GET, "/api/tokens".into(), 200),
        (Role::Operator, Method::POST, "/api/applications".into(), 400),
        (Role::Operator, Method::POST, "/api/application-imports/stage".into(), 400),
        (Role::Operator, Method::POST, "/api/application-imports/upload".into(), 415),
        (Role::Operator, Method::POST, "/api/application-imports/cancel".into(), 400),
        (Role::Administrator, Method::POST, "/api/tokens".into(), 400),
        (Role::Administrator, Method::DELETE, "/api/tokens/018f0000-0000-7000-8000-00000000dead".into(), 404),
    ];
    let rank = |role: Role| Role::ALL.iter().position(|known| *known == role).unwrap();
    for role in Role::ALL {
        let client = server.client_as(role.as_str(), role).await;
        for (least, method, path, status) in &requests {
            let request = client.request(method.clone(), path);
            let request = if *method == Method::POST { request.json(&json!({})) } else { request };
            let answer = client.send(request).await;
            let expected = if rank(role) >= rank(*least) { *status } else { 403 };
            assert_eq!(answer.status, expected, "{} {method} {path}: {}", role.as_str(), answer.text);
        }
    }
    let reader = server.client_as("a reader", Role::Reader).await;
    assert_json_snapshot!("role_too_small", whole(&reader.post("/api/applications", json!({})).await));
    server.stop().await;
}

#[tokio::test]
async fn while_the_api_is_off_everything_is_refused_but_what_watches_and_explains() {
    let server = TestServer::start().await;
    let head = server.head().await;
    let switch = async |command| {
        server.server.app.journal.execute::<Settings>(settings::ID, command, None, TestServer::context()).await.unwrap()
    };
    // On at first start, which is an event.
    let first = server.client.get("/api/events?limit=1").await.json;
    assert_eq!(
        (&first["items"][0]["eventType"], &first["items"][0]["actor"]["name"]),
        (&json!("ApiEnabled"), &json!("first start"))
    );
    switch(SettingsCommand::DisableApi).await;
    assert_json_snapshot!("api_off", whole(&server.client.get("/api/applications").await));
    assert_eq!(server.client.post("/api/applications", grants_only("Late")).await.status, 403);
    assert_eq!(server.client.get("/api/events").await.status, 403);
    assert_eq!(server.client.anonymous().get("/api/applications").await.status, 401);
    for open in ["/healthz", "/readyz", "/metrics", "/docs/", "/api/openapi.json"] {
        assert_eq!(server.client.anonymous().get(open).await.status, 200, "{open}");
    }
    switch(SettingsCommand::EnableApi).await;
    assert_eq!(server.client.get("/api/applications").await.status, 200);
    assert_eq!(server.head().await, head + 2);
    server.assert_verified().await;
    server.stop().await;
}
