//! What is no access token, what an access token doesn't open, and token requests that are wrong.

use chrono::TimeDelta;

use super::*;

/// A token with another header and these claims, and the signature of another.
fn forged(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

#[tokio::test]
async fn what_is_wrong_with_a_token_request_is_told_by_the_words_of_oauth() {
    let server = TestServer::start().await;
    let client = server.oauth_client("Deployment", Role::Operator, &[Scope::All]).await;
    let with = |name: &str, value: Option<&str>| -> Vec<(String, String)> {
        let parameters = client.parameters().into_iter().map(|(name, value)| (name.to_owned(), value));
        let others = parameters.filter(|(known, _)| known != name);
        others.chain(value.map(|value| (name.to_owned(), value.to_owned()))).collect()
    };
    let right = client.parameters();
    let another = muniment::tokens::new_secret().unwrap();
    let json = ask(&server).json(&json!({"grant_type": "client_credentials"}));
    let cases = [
        ("no grant", ask(&server).form(&with("grant_type", None)), 400, "invalid_request"),
        ("nothing at all", ask(&server), 400, "invalid_request"),
        ("another grant", ask(&server).form(&with("grant_type", Some("password"))), 400, "unsupported_grant_type"),
        ("no id", ask(&server).form(&with("client_id", None)), 401, "invalid_client"),
        ("no secret", ask(&server).form(&with("client_secret", Some(""))), 401, "invalid_client"),
        (
            "no such id",
            ask(&server).form(&with("client_id", Some("018f0000-0000-7000-8000-00000000dead"))),
            401,
            "invalid_client",
        ),
        ("an id that is none", ask(&server).form(&with("client_id", Some("ann\u{0}"))), 401, "invalid_client"),
        ("another secret", ask(&server).form(&with("client_secret", Some(&another))), 401, "invalid_client"),
        (
            "Basic that is none",
            ask(&server).header("Authorization", "Basic ???").form(&right[..1]),
            401,
            "invalid_client",
        ),
        ("Basic for another", ask(&server).basic_auth("ann", Some("x")).form(&right), 400, "invalid_request"),
        ("twice", ask(&server).query(&[("client_id", "ann")]).form(&right), 400, "invalid_request"),
        ("JSON", json, 415, "unsupported_media_type"),
        (
            "multipart without a boundary",
            ask(&server).header("Content-Type", "multipart/form-data").body("--x"),
            400,
            "invalid_request",
        ),
        (
            "multipart that is cut",
            ask(&server).header("Content-Type", "multipart/form-data; boundary=x").body("--x\r\n"),
            400,
            "invalid_request",
        ),
        ("too much", ask(&server).form(&with("scope", Some(&"x".repeat(17 << 10)))), 413, "payload_too_large"),
    ];
    let head = server.head().await;
    for (way, request, status, error) in cases {
        let answer = server.client.send(request).await;
        assert_eq!((answer.status, &answer.json["error"]), (status, &json!(error)), "{way}: {}", answer.text);
        assert!(answer.json["error_description"].as_str().unwrap().len() > 10, "{way}: {}", answer.text);
        if status == 401 {
            assert_eq!(answer.headers["www-authenticate"], "Basic realm=\"oauth\"", "{way}");
        }
        assert!(!answer.text.contains(&client.secret), "{way}");
    }
    assert_eq!(server.head().await, head);
    let answer = server.client.anonymous().get("/oauth/token").await;
    assert_eq!((answer.status, &answer.json["error"]), (405, &json!("method_not_allowed")));
    let request = ask(&server).header("Accept", "application/problem+json");
    let answer = server.client.send(request).await;
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    server.stop().await;
}

#[tokio::test]
async fn a_token_opens_the_door_from_its_time_until_its_time_is_over() {
    let server = TestServer::start().await;
    let client = server.client_with_jwt("Deployment", Role::Operator, &[Scope::All]).await;
    let refused = async |sentence: &str| {
        let answer = client.get("/api/applications").await;
        assert_eq!(
            (answer.status, &answer.json["message"]),
            (401, &json!(format!("JWT validation failed: {sentence}")))
        );
    };
    server.clock.advance(TimeDelta::seconds(748));
    assert_eq!(status(&client).await, 200);
    server.clock.advance(TimeDelta::seconds(1));
    refused("JWT is expired").await;
    server.clock.advance(TimeDelta::seconds(-749 - 61));
    refused("JWT is not valid yet").await;
    // Clocks of servers differ a little.
    server.clock.advance(TimeDelta::seconds(1));
    assert_eq!(status(&client).await, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_token_that_was_forged_opens_nothing() {
    let server = TestServer::start().await;
    let credentials = server.oauth_client("Deployment", Role::Operator, &[Scope::All]).await;
    let token = server.signed_in(&credentials).await.secret.unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0]).unwrap()).unwrap();
    assert_eq!((&header["alg"], &header["typ"]), (&json!("HS256"), &json!("JWT")));
    let said = claims(&token);
    let (mut none, mut another, mut longer) = (header.clone(), header.clone(), said.clone());
    none["alg"] = json!("none");
    another["kid"] = json!("018f0000-0000-7000-8000-00000000dead");
    longer["exp"] = json!(i64::MAX);
    let stranger = muniment::jwt::SigningKey::new(header["kid"].as_str().unwrap().parse().unwrap(), [1; 64]);
    let by_a_stranger = stranger.sign(&serde_json::from_value(said.clone()).unwrap()).unwrap();
    for (forgery, sentence) in [
        (forged(&none, &said, ""), "JWT is not signed with HS256"),
        (forged(&none, &said, parts[2]), "JWT is not signed with HS256"),
        (forged(&another, &said, parts[2]), "JWT is signed with a key that is not in force"),
        (forged(&header, &longer, parts[2]), "JWT signature is wrong"),
        (by_a_stranger, "JWT signature is wrong"),
        (format!("{}.{}.", parts[0], parts[1]), "JWT signature is wrong"),
        ("a.b.c".to_owned(), "JWT is malformed"),
        ("..".to_owned(), "JWT is malformed"),
    ] {
        let answer = server.client.with_secret(&forgery).get("/api/applications").await;
        let expected = json!(format!("JWT validation failed: {sentence}"));
        assert_eq!((answer.status, &answer.json["message"]), (401, &expected), "{forgery}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    // Neither does the client's secret.
    assert_eq!(status(&server.client.with_secret(&credentials.secret)).await, 401);
    assert_eq!(status(&server.client.with_secret(&token)).await, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_token_for_configuration_opens_nothing_else() {
    let server = TestServer::start().await;
    let scopes = [Scope::ConfigRead, Scope::ConfigManage];
    let client = server.client_with_jwt("Deployment", Role::Administrator, &scopes).await;
    let document = serde_json::to_value(muniment::http::document()).unwrap();
    let head = server.head().await;
    let mut tried = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/api/") || path.starts_with("/api/config-imports/") {
            continue;
        }
        let path = path.replace("{id}", "018f0000-0000-7000-8000-00000000dead").replace("{stage}", "approval");
        for method in methods.as_object().unwrap().keys() {
            let answer = client.send(client.request(method.to_uppercase().parse().unwrap(), &path)).await;
            let sentence = "The client \"Deployment\" sent an access token for sp:config:read sp:config:manage; \
                            this needs sp:scopes:all";
            assert_eq!((answer.status, &answer.json["message"]), (403, &json!(sentence)), "{method} {path}");
            tried += 1;
        }
    }
    assert!(tried > 80, "{tried}");
    assert_eq!(server.head().await, head);
    server.stop().await;
}

#[tokio::test]
async fn a_secret_that_an_access_token_was_shown_is_not_made_up_for_another() {
    let server = TestServer::start().await;
    let credentials = server.oauth_client("Deployment", Role::Administrator, &[Scope::All]).await;
    let (one, two) = (server.signed_in(&credentials).await, server.signed_in(&credentials).await);
    let body = json!({"name": "Nightly"});
    let made = one.post_keyed("/api/tokens", "k", body.clone()).await;
    let again = one.post_keyed("/api/tokens", "k", body.clone()).await;
    assert_eq!((made.status, &made.json["secret"]), (201, &again.json["secret"]));
    let by_another = two.post_keyed("/api/tokens", "k", body).await;
    assert_eq!((by_another.status, &by_another.json["error"]), (409, &json!("conflict")), "{}", by_another.text);
    server.stop().await;
}

#[tokio::test]
async fn errors_under_sailpoint_s_paths_are_sailpoint_s() {
    let server = TestServer::start().await;
    for path in ["/sp-config/nothing", "/beta/sp-config/nothing", "/v2025/sp-config/nothing", "/sp-config/v1/nothing"] {
        let answer = server.client.get(path).await;
        let expected = json!({
            "detailCode": "404 Not found",
            "trackingId": answer.headers["x-request-id"].to_str().unwrap(),
            "messages": [{
                "locale": "en-US", "localeOrigin": "DEFAULT", "text": format!("There is nothing at {path}; see /docs"),
            }],
            "causes": [],
        });
        assert_eq!((answer.status, answer.json), (404, expected));
        let request = server.client.request(Method::GET, path).header("Accept", "application/problem+json");
        assert_eq!(server.client.send(request).await.headers["content-type"], "application/problem+json");
    }
    server.stop().await;
}
