//! Errors: one dialect, whatever went wrong, and RFC 9457 when asked for.

use insta::assert_json_snapshot;
use muniment::app::Config;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bodies::grants_only;
use crate::support::{Answer, TestServer, cluster, whole};

/// The body of contracts §1.3 and nothing else.
#[track_caller]
fn assert_dialect(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, &answer.json["error"]), (status, &json!(code)), "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/json");
    let body = answer.json.as_object().unwrap();
    assert!(body.keys().all(|key| ["error", "message", "correlationId", "errors"].contains(&key.as_str())), "{body:?}");
    let id = body["correlationId"].as_str().unwrap();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)), "{id}");
    assert_eq!(answer.headers["x-request-id"], id);
    assert!(!body["message"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_not_there_is_said_in_json() {
    let server = TestServer::start().await;
    for path in
        ["/", "/api", "/api/", "/api/nothing", "/api/applications/", "/api/identities/1/2/3", "/nothing", "/api/%ff"]
    {
        let answer = server.client.anonymous().get(path).await;
        assert_dialect(&answer, 404, "not_found");
    }
    assert_json_snapshot!("error_unknown_route", whole(&server.client.get("/api/nothing").await));
    server.stop().await;
}

#[tokio::test]
async fn a_wrong_method_names_the_right_ones() {
    let server = TestServer::start().await;
    for (method, path, allow) in [
        (Method::DELETE, "/api/applications", "GET,HEAD,POST"),
        (Method::PATCH, "/api/applications/018f0000-0000-7000-8000-00000000dead", "GET,HEAD,PUT"),
        (Method::POST, "/api/identities", "GET,HEAD"),
        (Method::PUT, "/api/application-imports/stage", "POST"),
        (Method::POST, "/healthz", "GET,HEAD"),
    ] {
        let answer = server.client.send(server.client.request(method, path)).await;
        assert_dialect(&answer, 405, "method_not_allowed");
        assert_eq!(answer.headers["allow"], allow, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_asks_for_problem_json_gets_it_everywhere() {
    let server = TestServer::start().await;
    let ask = async |method: Method, path: &str, body: Option<Value>| {
        let request =
            server.client.request(method, path).header("Accept", "application/problem+json, application/json");
        let request = if let Some(body) = body { request.json(&body) } else { request };
        server.client.send(request).await
    };
    assert_json_snapshot!(
        "problem_validation",
        whole(&ask(Method::POST, "/api/applications", Some(json!({"nmae": 1}))).await)
    );
    assert_json_snapshot!("problem_unknown_route", whole(&ask(Method::GET, "/api/nothing", None).await));
    assert_json_snapshot!("problem_wrong_method", whole(&ask(Method::DELETE, "/api/applications", None).await));
    let anonymous = server.client.anonymous();
    let request = anonymous.request(Method::GET, "/api/identities").header("Accept", "application/problem+json");
    assert_json_snapshot!("problem_unauthorized", whole(&anonymous.send(request).await));
    // Good answers stay what they are.
    assert_eq!(ask(Method::GET, "/api/applications", None).await.headers["content-type"], "application/json");
    server.stop().await;
}

#[tokio::test]
async fn who_you_are_comes_before_what_you_may_and_that_before_what_you_sent() {
    use aggregates::api_token::Role;
    let server = TestServer::start().await;
    let reader = server.client_as("reader", Role::Reader).await;
    for path in
        ["/api/applications", "/api/application-imports/stage", "/api/application-imports/upload", "/api/tokens"]
    {
        let broken = |client: &crate::support::Client| {
            client
                .request(Method::POST, path)
                .header("Content-Type", "text/plain")
                .header("Idempotency-Key", "")
                .body("{{{")
        };
        let anonymous = server.client.anonymous();
        let answer = anonymous.send(broken(&anonymous)).await;
        assert_dialect(&answer, 401, "unauthorized");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        assert_eq!(answer.json["message"], "Invalid or expired authentication token");
        assert_dialect(&reader.send(broken(&reader)).await, 403, "forbidden");
        assert_dialect(&server.client.send(broken(&server.client)).await, 415, "unsupported_media_type");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_body_is_json_and_says_so() {
    let server = TestServer::start().await;
    let head = server.head().await;
    let post = async |kind: Option<&str>, body: &str| {
        let request = server.client.request(Method::POST, "/api/applications").body(body.to_owned());
        server.client.send(if let Some(kind) = kind { request.header("Content-Type", kind) } else { request }).await
    };
    let good = grants_only("Payroll").to_string();
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", "application/problem+json"]
    {
        assert_dialect(&post(Some(kind), &good).await, 415, "unsupported_media_type");
    }
    assert_json_snapshot!("error_without_content_type", whole(&post(None, &good).await));
    for bad in [
        "",
        "{",
        "[1,",
        "nul",
        "{\"name\": \"x\",}",
        "{\"name\": 'x'}",
        "{} {}",
        "\u{feff}{}",
        "{\"a\": NaN}",
        "\"\\ud800\"",
        "{\"name\": \"\\ud800\"}",
    ] {
        let answer = post(Some("application/json"), bad).await;
        assert_dialect(&answer, 400, "validation_error");
        assert!(
            answer.violation().1.contains("JSON") || answer.violation().1.contains("expected"),
            "{bad:?}: {}",
            answer.text
        );
    }
    for bad in ["null", "7", "true", "\"text\""] {
        assert_dialect(&post(Some("application/json"), bad).await, 400, "validation_error");
    }
    assert_eq!(server.head().await, head);
    for (number, kind) in
        ["application/json", "Application/JSON; charset=utf-8", "application/json;x=y"].into_iter().enumerate()
    {
        let answer = post(Some(kind), &grants_only(&format!("App {number}")).to_string()).await;
        assert_eq!(answer.status, 201, "{kind}: {}", answer.text);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_is_not_utf8_is_refused() {
    let server = TestServer::start().await;
    let request = server.client.request(Method::POST, "/api/applications").header("Content-Type", "application/json");
    let answer = server.client.send(request.body(&b"{\"name\": \"\xFF\"}"[..])).await;
    assert_dialect(&answer, 400, "validation_error");
    server.stop().await;
}

#[tokio::test]
async fn nesting_without_end_is_refused() {
    let server = TestServer::start().await;
    let head = server.head().await;
    for (open, close) in
        [("[", "]"), ("{\"connector\":", "}"), ("{\"connector\":{\"fileGroups\":[", "]}}"), ("{\"name\":", "}")]
    {
        for depth in [130, 100_000] {
            let body = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let request =
                server.client.request(Method::POST, "/api/applications").header("Content-Type", "application/json");
            let answer = server.client.send(request.header("Idempotency-Key", "deep").body(body)).await;
            if answer.status == 413 {
                assert!(open.len() * depth > 2 << 20);
                continue;
            }
            assert_dialect(&answer, 400, "validation_error");
        }
    }
    // Deep where any JSON is taken: as far as the parser goes, and an error beyond.
    let mut columns = json!("user");
    for _ in 0..100 {
        columns = json!([columns]);
    }
    let mut body = grants_only("Payroll");
    body["connector"]["fileGroups"][0]["columns"]["account"] = columns;
    let answer = server.client.post("/api/applications", body).await;
    assert_eq!(answer.violation().0, "connector.fileGroups[0].columns.account");
    assert_eq!(server.head().await, head);
    server.stop().await;
}

#[tokio::test]
async fn a_body_of_more_than_two_mebibytes_is_too_large() {
    let server = TestServer::start().await;
    let head = server.head().await;
    let body = |length: usize| {
        let empty = json!({"description": ""}).to_string();
        json!({"description": "x".repeat(length - empty.len())}).to_string()
    };
    let post = async |path: &str, length: usize| {
        let request = server.client.request(Method::POST, path).header("Content-Type", "application/json");
        server.client.send(request.body(body(length))).await
    };
    let largest = post("/api/applications", 2 << 20).await;
    assert_dialect(&largest, 400, "validation_error");
    for path in [
        "/api/applications",
        "/api/application-imports/stage",
        "/api/applications/018f0000-0000-7000-8000-00000000dead/archive",
    ] {
        assert_dialect(&post(path, (2 << 20) + 1).await, 413, "payload_too_large");
    }
    assert_json_snapshot!("error_too_large", whole(&post("/api/applications", (2 << 20) + 1).await));
    assert_eq!(server.head().await, head);
    server.stop().await;
}

#[tokio::test]
async fn pages_are_whole_numbers_from_one() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    let import = server.import(&app, "grants", "user,permission\nann,read\n").await;
    let (app, import) = (crate::support::id(&app), crate::support::id(&import));
    let lists = [
        "/api/applications".to_owned(),
        format!("/api/applications/{app}/accounts"),
        format!("/api/applications/{app}/entitlements"),
        format!("/api/applications/{app}/grants"),
        "/api/application-imports".to_owned(),
        format!("/api/application-imports/{import}/issues"),
        "/api/identities".to_owned(),
        "/api/tokens".to_owned(),
    ];
    for list in &lists {
        for bad in ["0", "-1", "abc", "1.5", "", "99999999999999999999", "1e3", "%00", "1%20"] {
            let answer = server.client.get(&format!("{list}?page={bad}")).await;
            assert_eq!(answer.violation().0, "page", "{list}?page={bad}");
        }
        for beyond in ["2", "1000000", "9223372036854775807"] {
            let answer = server.client.get(&format!("{list}?page={beyond}")).await;
            assert_eq!(
                (answer.status, &answer.json["items"]),
                (200, &json!([])),
                "{list}?page={beyond}: {}",
                answer.text
            );
            assert_eq!(
                (&answer.json["page"], &answer.json["pageSize"]),
                (&json!(beyond.parse::<i64>().unwrap()), &json!(50))
            );
        }
        let first = server.client.get(&format!("{list}?page=1&unknown=x")).await;
        let total = first.json["totalCount"].as_i64().unwrap();
        assert_eq!(first.json["totalPages"], i64::from(total > 0), "{list}");
    }
    assert_json_snapshot!("error_page", whole(&server.client.get("/api/applications?page=0").await));
    assert_json_snapshot!("empty_page", whole(&server.client.get("/api/identities").await));
    server.stop().await;
}

#[tokio::test]
async fn too_many_requests_say_when_to_come_back() {
    let config = Config { rate_limit: 3, ..Config::default() };
    let server = TestServer::start_with(cluster::database().await, config).await;
    let answers = futures_util::future::join_all((0..20).map(|_| server.client.get("/api/applications"))).await;
    let refused: Vec<&Answer> = answers.iter().filter(|answer| answer.status != 200).collect();
    assert!(answers.len() > refused.len() && refused.len() > 5, "{} refused", refused.len());
    for answer in refused {
        assert_dialect(answer, 429, "too_many_requests");
        assert_eq!(answer.headers["retry-after"], "1");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_correlation_id_of_an_answer_is_that_of_its_events() {
    let server = TestServer::start().await;
    let made = server.client.post("/api/applications", grants_only("Payroll")).await;
    let id = made.headers["x-request-id"].to_str().unwrap();
    let events = server.client.get(&format!("/api/events?aggregateId={}", crate::support::id(&made.json))).await.json;
    assert_eq!(events["items"][0]["correlationId"], id);
    server.stop().await;
}

#[tokio::test]
async fn broken_http_is_not_a_fault_of_ours() {
    let server = TestServer::start().await;
    let head = server.head().await;
    let secret = server.client.secret.clone().unwrap();
    for request in [
        "GARBAGE\r\n\r\n".to_owned(),
        "GET /api/applications HTTP/9.9\r\n\r\n".to_owned(),
        format!(
            "POST /api/applications HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{\"name\":"
        ),
        format!(
            "POST /api/applications HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
        ),
        format!("GET /api/applications HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(1 << 20)),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "y".repeat(100_000)),
    ] {
        let answer = server.client.raw_cut(request.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert_eq!(server.client.get("/readyz").await.status, 200);
    assert_eq!(server.head().await, head);
    server.stop().await;
}
