//! OAuth clients: access tokens for a secret, what they open, and how they end.

mod command_line;
mod refusals;

use aggregates::api_client::Scope;
use aggregates::api_token::Role;
use aggregates::settings::{self, Settings, SettingsCommand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use muniment::signing_keys;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::bodies::{PEOPLE, directory, grants_only};
use crate::support::{Client, TestServer, id};

/// A token request, to be given its parameters.
fn ask(server: &TestServer) -> RequestBuilder {
    server.client.anonymous().request(Method::POST, "/oauth/token")
}

/// What an access token says.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

async fn status(client: &Client) -> u16 {
    client.get("/api/applications").await.status
}

#[tokio::test]
async fn an_access_token_is_given_for_the_secret_however_it_is_sent() {
    let server = TestServer::start().await;
    let client = server.oauth_client("Deployment", Role::Operator, &[Scope::All]).await;
    let parameters = client.parameters();
    let grant = [("grant_type", "client_credentials")];
    let multipart =
        parameters.iter().fold(reqwest::multipart::Form::new(), |form, (name, value)| form.text(*name, value.clone()));
    for (way, request) in [
        ("query", ask(&server).query(&parameters)),
        ("form", ask(&server).form(&parameters)),
        ("multipart", ask(&server).multipart(multipart)),
        ("query and form", ask(&server).query(&grant).form(&parameters[1..])),
        ("the same twice", ask(&server).query(&parameters).form(&parameters)),
        ("Basic", ask(&server).basic_auth(client.id, Some(&client.secret)).form(&grant)),
        ("Basic and query", ask(&server).basic_auth(client.id, Some(&client.secret)).query(&grant)),
        ("with a scope of nothing", ask(&server).query(&[("scope", "")]).form(&parameters)),
    ] {
        let answer = server.client.send(request).await;
        assert_eq!(answer.status, 200, "{way}: {}", answer.text);
        assert_eq!(answer.headers["cache-control"], "no-store", "{way}");
        assert_eq!(
            status(&server.client.with_secret(answer.json["access_token"].as_str().unwrap())).await,
            200,
            "{way}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn the_answer_and_the_claims_are_those_that_sailpoint_s_clients_know() {
    let server = TestServer::start().await;
    let client =
        server.oauth_client("Deployment", Role::Administrator, &[Scope::ConfigRead, Scope::ConfigManage]).await;
    let mut answer = server.access_token(&client).await;
    let token = answer["access_token"].take();
    let jti = answer["jti"].clone();
    let tenant = muniment::http::oauth::TENANT_ID;
    assert_eq!(
        answer,
        json!({
            "access_token": null, "token_type": "bearer", "expires_in": 749, "scope": "sp:config:read sp:config:manage",
            "accessType": "OFFLINE", "tenant_id": tenant, "internal": false, "pod": "muniment",
            "strong_auth_supported": false, "org": "muniment", "user_id": client.id, "identity_id": null, "jti": jti,
        })
    );
    // 2026-03-15 12:00 UTC.
    assert_eq!(
        claims(token.as_str().unwrap()),
        json!({
            "iss": "muniment", "sub": client.id, "client_id": client.id, "user_name": "Deployment",
            "scope": ["sp:config:read", "sp:config:manage"], "authorities": ["ORG_ADMIN"],
            "iat": 1_773_576_000, "exp": 1_773_576_749, "jti": jti, "tenant_id": tenant, "org": "muniment",
            "pod": "muniment", "internal": false,
        })
    );
    server.stop().await;
}

#[tokio::test]
async fn a_token_has_the_scopes_that_were_asked_for_if_the_client_has_them() {
    let server = TestServer::start().await;
    let all = server.oauth_client("All", Role::Administrator, &[Scope::All]).await;
    let reads = server.oauth_client("Reads", Role::Administrator, &[Scope::ConfigRead]).await;
    let asked = async |parameters: Vec<(&'static str, String)>, scope: &str| {
        let answer = server.client.send(ask(&server).query(&[("scope", scope)]).form(&parameters)).await;
        (answer.status, answer.json)
    };
    for (scope, given) in [
        ("sp:config:read", "sp:config:read"),
        (" sp:scopes:all  sp:config:manage sp:config:manage ", "sp:config:manage sp:scopes:all"),
        ("   ", "sp:scopes:all"),
    ] {
        let (status, body) = asked(all.parameters(), scope).await;
        assert_eq!((status, &body["scope"]), (200, &json!(given)), "{body}");
    }
    for scope in ["sp:config:manage", "sp:config:read sp:scopes:all", "sp:scopes:default", "SP:CONFIG:READ"] {
        let (status, body) = asked(reads.parameters(), scope).await;
        let sentence = "The client's scopes are sp:config:read";
        assert_eq!((status, body), (400, json!({"error": "invalid_scope", "error_description": sentence})));
    }
    server.stop().await;
}

#[tokio::test]
async fn events_name_the_client_and_it_may_what_its_role_says() {
    let server = TestServer::start().await;
    let credentials = server.oauth_client("Deployment", Role::Operator, &[Scope::All]).await;
    let client = server.signed_in(&credentials).await;
    let made = client.post("/api/applications", grants_only("Its")).await;
    assert_eq!((made.status, &made.json["createdBy"]), (201, &json!("Deployment")), "{}", made.text);
    let events = server.client.get(&format!("/api/events?aggregateId={}", id(&made.json))).await.json;
    let actor = &events["items"][0]["actor"];
    assert_eq!(
        (&actor["type"], &actor["id"], &actor["name"]),
        (&json!("client"), &json!(credentials.id), &json!("Deployment"))
    );
    assert_eq!(client.post("/api/tokens", json!({"name": "n"})).await.status, 403);
    let reader = server.client_with_jwt("Reader", Role::Reader, &[Scope::All]).await;
    let refused = reader.post("/api/applications", grants_only("Not its")).await;
    let sentence = "The client \"Reader\" has the role reader; this needs operator";
    assert_eq!((refused.status, &refused.json["message"]), (403, &json!(sentence)));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_client_may_stand_for_a_person() {
    let server = TestServer::start().await;
    let people = server.create(directory("Directory")).await;
    server.import(&people, "identities", PEOPLE).await;
    let ann = server.items("/api/identities").await.remove(0);
    let app = &server.server.app;
    signing_keys::ensure(&app.pool, &app.journal, &*app.clock, TestServer::context()).await.unwrap();
    let secret = muniment::tokens::new_secret().unwrap();
    let command = aggregates::api_client::ApiClientCommand::Create {
        name: "Ann's".to_owned(),
        role: Role::Operator,
        scopes: vec![Scope::All],
        identity_id: Some(id(&ann).parse().unwrap()),
        secret_sha256: muniment::tokens::secret_sha256(&secret),
    };
    let client_id = uuid::Uuid::from_u128(0xC0FF);
    app.journal.create::<aggregates::api_client::ApiClient>(client_id, command, TestServer::context()).await.unwrap();
    let credentials = crate::support::oauth::Credentials { id: client_id, secret };
    let answer = server.access_token(&credentials).await;
    assert_eq!((&answer["user_id"], &answer["identity_id"]), (&ann["id"], &ann["id"]));
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(claims(token)["sub"], ann["id"]);
    let made = server.client.with_secret(token).post("/api/applications", grants_only("Hers")).await.json;
    let events = server.client.get(&format!("/api/events?aggregateId={}", id(&made))).await.json;
    let actor = json!({"type": "client", "id": client_id, "name": "Ann's", "identityId": ann["id"]});
    assert_eq!(events["items"][0]["actor"], actor);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_revoked_client_s_tokens_are_refused_at_once_on_every_server() {
    use aggregates::api_client::{ApiClient, ApiClientCommand};
    let one = TestServer::start().await;
    let two = one.start_beside().await;
    let credentials = one.oauth_client("Deployment", Role::Operator, &[Scope::All]).await;
    let client = one.signed_in(&credentials).await;
    let at_two = two.client.with_secret(client.secret.clone().unwrap());
    assert_eq!((status(&client).await, status(&at_two).await), (200, 200));
    let journal = &one.server.app.journal;
    journal.execute::<ApiClient>(credentials.id, ApiClientCommand::Revoke, None, TestServer::context()).await.unwrap();
    for client in [&client, &at_two] {
        let refused = client.get("/api/applications").await;
        let sentence = "JWT validation failed: JWT belongs to a client that is revoked";
        assert_eq!((refused.status, &refused.json["message"]), (401, &json!(sentence)));
    }
    for server in [&one, &two] {
        let answer = server.client.send(ask(server).form(&credentials.parameters())).await;
        assert_eq!((answer.status, &answer.json["error"]), (401, &json!("invalid_client")));
    }
    two.stop().await;
    one.assert_verified().await;
    one.stop().await;
}

#[tokio::test]
async fn another_key_ends_every_token_at_once_on_every_server() {
    let one = TestServer::start().await;
    let two = one.start_beside().await;
    let credentials = one.oauth_client("Deployment", Role::Operator, &[Scope::All]).await;
    let client = one.signed_in(&credentials).await;
    let at_two = two.client.with_secret(client.secret.clone().unwrap());
    assert_eq!((status(&client).await, status(&at_two).await), (200, 200));
    let app = &one.server.app;
    signing_keys::rotate(&app.pool, &app.journal, &*app.clock, TestServer::context()).await.unwrap();
    for client in [&client, &at_two] {
        let refused = client.get("/api/applications").await;
        let sentence = "JWT validation failed: JWT is signed with a key that is not in force";
        assert_eq!((refused.status, &refused.json["message"]), (401, &json!(sentence)));
    }
    // What either gives out now, both take.
    for (gives, takes) in [(&one, &two), (&two, &one)] {
        let secret = gives.signed_in(&credentials).await.secret.unwrap();
        assert_eq!(status(&takes.client.with_secret(secret)).await, 200);
    }
    // API tokens are none of its business.
    assert_eq!(status(&one.client).await, 200);
    two.stop().await;
    one.assert_verified().await;
    one.stop().await;
}

#[tokio::test]
async fn servers_that_start_together_agree_on_one_first_key_and_a_lost_one_is_replaced() {
    let server = TestServer::start().await;
    let app = &server.server.app;
    let head = server.head().await;
    let ensure = || signing_keys::ensure(&app.pool, &app.journal, &*app.clock, TestServer::context());
    let (one, two, three) = tokio::join!(ensure(), ensure(), ensure());
    one.and(two).and(three).unwrap();
    ensure().await.unwrap();
    assert_eq!(server.head().await, head + 1);
    let credentials = server.oauth_client("Deployment", Role::Operator, &[Scope::All]).await;
    server.signed_in(&credentials).await;
    // As after a restore that left it out.
    sqlx::query("DELETE FROM work.signing_keys").execute(&app.pool).await.unwrap();
    let before = server.head().await;
    ensure().await.unwrap();
    assert_eq!(server.head().await, before + 1);
    assert_eq!(status(&server.signed_in(&credentials).await).await, 200);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn neither_secret_nor_key_is_ever_in_the_log_or_in_a_table_to_be_read() {
    let server = TestServer::start().await;
    let credentials = server.oauth_client("Deployment", Role::Operator, &[Scope::All]).await;
    let client = server.signed_in(&credentials).await;
    client.post("/api/applications", grants_only("Its")).await;
    let everything: String = sqlx::query_scalar(
        "SELECT (SELECT string_agg(e::text, '') FROM journal.events AS e)
             || (SELECT string_agg(c::text, '') FROM read.api_clients AS c) || (SELECT string_agg(s::text, '') FROM read.settings AS s)",
    )
    .fetch_one(&server.server.app.pool)
    .await
    .unwrap();
    let key: String = sqlx::query_scalar("SELECT encode(secret, 'hex') FROM work.signing_keys")
        .fetch_one(&server.server.app.pool)
        .await
        .unwrap();
    assert!(!everything.contains(&credentials.secret[4..68]) && !everything.contains(&key));
    assert!(everything.contains(&muniment::tokens::secret_sha256(&credentials.secret)));
    server.stop().await;
}

#[tokio::test]
async fn while_the_api_is_off_no_access_token_is_given_and_none_is_taken() {
    let server = TestServer::start().await;
    let credentials = server.oauth_client("Deployment", Role::Operator, &[Scope::All]).await;
    let client = server.signed_in(&credentials).await;
    let off = SettingsCommand::DisableApi;
    server.server.app.journal.execute::<Settings>(settings::ID, off, None, TestServer::context()).await.unwrap();
    let sentence = "The API is switched off in the system settings";
    let refused = server.client.send(ask(&server).form(&credentials.parameters())).await;
    assert_eq!((refused.status, refused.json), (403, json!({"error": "forbidden", "error_description": sentence})));
    assert_eq!(server.client.anonymous().get("/oauth/info").await.status, 403);
    assert_eq!(status(&client).await, 403);
    // Who it is comes first.
    assert_eq!(server.client.send(ask(&server).form(&[("grant_type", "client_credentials")])).await.status, 401);
    server.stop().await;
}

#[tokio::test]
async fn everybody_is_told_where_tokens_are() {
    let server = TestServer::start().await;
    let anonymous = server.client.anonymous();
    let info = anonymous.get("/oauth/info").await;
    let base = format!("http://{}", server.client.address);
    let expected = |base: &str| {
        json!({
            "tenantId": muniment::http::oauth::TENANT_ID, "org": "muniment", "pod": "muniment",
            "apiEndpoint": base, "tokenEndpoint": format!("{base}/oauth/token"),
        })
    };
    assert_eq!((info.status, info.json), (200, expected(&base)));
    let proxied = anonymous.request(Method::GET, "/oauth/info").header("X-Forwarded-Proto", "https");
    let proxied = anonymous.send(proxied.header("Host", "governance.example.com")).await;
    assert_eq!(proxied.json, expected("https://governance.example.com"));
    server.stop().await;
}

#[tokio::test]
async fn the_use_of_a_client_is_remembered() {
    let server = TestServer::start().await;
    let credentials = server.oauth_client("Deployment", Role::Operator, &[Scope::All]).await;
    status(&server.signed_in(&credentials).await).await;
    server.server.app.tokens.flush_usage().await.unwrap();
    let used = muniment::work::token_usage::all(&server.server.app.pool).await.unwrap();
    assert!(used.contains_key(&credentials.id));
    server.stop().await;
}
