//! Uploads: parts, group names, limits, and bodies that end too early.

use insta::assert_json_snapshot;
use muniment::app::Config;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::support::bodies::{ACCOUNTS, GRANTS, grants_only, payments};
use crate::support::{Answer, TestServer, cluster, file_group, id, whole};

const UPLOAD: &str = "/api/application-imports/upload";
const UNKNOWN: &str = "018f0000-0000-7000-8000-00000000dead";

type Parts = Vec<(String, String, Vec<u8>)>;

fn part(name: &str, bytes: &str) -> (String, String, Vec<u8>) {
    (name.to_owned(), "feed.csv".to_owned(), bytes.into())
}

/// Nothing was staged and no bytes were kept.
async fn assert_nothing_happened(server: &TestServer, head: i64) {
    assert_eq!(server.head().await, head);
    let blobs: i64 =
        sqlx::query_scalar("SELECT count(*) FROM evidence.blobs").fetch_one(&server.server.app.pool).await.unwrap();
    assert_eq!(blobs, 0);
}

async fn send(server: &TestServer, path: &str, form: Form) -> Answer {
    server.client.send(server.client.request(Method::POST, path).multipart(form)).await
}

#[tokio::test]
async fn what_is_wrong_with_the_parts_is_told_part_by_part() {
    let server = TestServer::start().await;
    let app = server.create(payments("Payments")).await;
    let head = server.head().await;
    let (accounts, grants) = (file_group(&app, "accounts"), file_group(&app, "grants"));
    let cases: [(&str, Parts); 7] = [
        ("no_part", vec![]),
        ("unknown_group", vec![part(&accounts, ACCOUNTS), part(UNKNOWN, "x")]),
        ("name_is_no_guid", vec![part(&accounts, ACCOUNTS), part("accounts", "x")]),
        ("same_group_twice", vec![part(&accounts, ACCOUNTS), part(&accounts, ACCOUNTS)]),
        ("empty_part", vec![part(&accounts, "")]),
        ("required_group_missing", vec![part(&grants, GRANTS)]),
        ("everything_at_once", vec![part("", "x"), part(UNKNOWN, "x"), part(&grants, "")]),
    ];
    for (name, parts) in cases {
        let answer = server.client.upload(id(&app), parts).await;
        assert_json_snapshot!(format!("upload_{name}"), whole(&answer));
        assert_eq!(answer.status, 400);
    }
    assert_nothing_happened(&server, head).await;
    server.stop().await;
}

#[tokio::test]
async fn the_application_is_named_by_a_form_field_or_a_query_parameter() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    let head = server.head().await;
    let file = || Form::new().part(file_group(&app, "grants"), Part::bytes(GRANTS.as_bytes()).file_name("g.csv"));
    for (path, form, words) in [
        (UPLOAD.to_owned(), file(), "Application ID is required"),
        (UPLOAD.to_owned(), file().text("applicationId", "seven"), "not a GUID"),
        (UPLOAD.to_owned(), file().text("applicationId", UNKNOWN), "not found"),
        (format!("{UPLOAD}?applicationId={UNKNOWN}"), file(), "not found"),
        (format!("{UPLOAD}?applicationId={}", id(&app)), file().text("applicationId", UNKNOWN), "differ"),
    ] {
        let answer = send(&server, &path, form).await;
        let (field, message) = answer.violation();
        assert_eq!(field, "applicationId");
        assert!(message.contains(words), "{message}");
    }
    assert_nothing_happened(&server, head).await;
    for (path, form) in [
        (format!("{UPLOAD}?applicationId={}", id(&app)), file()),
        (UPLOAD.to_owned(), file().text("applicationId", id(&app).to_owned())),
        (format!("{UPLOAD}?applicationId={}", id(&app)), file().text("applicationId", id(&app).to_owned())),
    ] {
        let answer = send(&server, &path, form).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        assert_eq!(server.ended(&answer.json).await["status"], "Finished");
    }
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn group_names_are_guids_in_any_spelling() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    let group = file_group(&app, "grants");
    for name in [group.to_uppercase(), group.replace('-', "")] {
        let answer = server.client.upload(id(&app), vec![part(&name, GRANTS)]).await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.text);
        assert_eq!(answer.json["files"][0]["fileGroupId"], group);
        server.ended(&answer.json).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn an_upload_is_multipart_and_nothing_else() {
    let server = TestServer::start().await;
    let head = server.head().await;
    for kind in ["application/json", "text/csv", "application/x-www-form-urlencoded", "multipart/mixed; boundary=x"] {
        let request = server.client.request(Method::POST, UPLOAD).header("Content-Type", kind).body("{}");
        let answer = server.client.send(request).await;
        assert_eq!((answer.status, &answer.json["error"]), (415, &json!("unsupported_media_type")));
        assert!(answer.json["message"].as_str().unwrap().contains("multipart/form-data"), "{}", answer.text);
    }
    let none = server.client.send(server.client.request(Method::POST, UPLOAD)).await;
    assert_json_snapshot!("upload_without_content_type", whole(&none));
    for kind in ["multipart/form-data", "multipart/form-data; boundary="] {
        let request = server.client.request(Method::POST, UPLOAD).header("Content-Type", kind).body("x");
        let answer = server.client.send(request).await;
        assert_eq!(
            (answer.status, &answer.json["error"]),
            (400, &json!("validation_error")),
            "{kind}: {}",
            answer.text
        );
    }
    assert_nothing_happened(&server, head).await;
    server.stop().await;
}

#[tokio::test]
async fn an_upload_that_is_cut_in_the_middle_leaves_nothing_behind() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    let head = server.head().await;
    let group = file_group(&app, "grants");
    let body = format!(
        "--cut\r\nContent-Disposition: form-data; name=\"applicationId\"\r\n\r\n{}\r\n\
         --cut\r\nContent-Disposition: form-data; name=\"{group}\"; filename=\"g.csv\"\r\n\r\n{GRANTS}\r\n--cut--\r\n",
        id(&app)
    );
    let secret = server.client.secret.clone().unwrap();
    let request = |framing: &str, body: &str| {
        format!(
            "POST {UPLOAD} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n\
             Content-Type: multipart/form-data; boundary=cut\r\nConnection: close\r\n{framing}\r\n\r\n{body}"
        )
    };
    let whole_length = format!("Content-Length: {}", body.len());
    for cut in [0, 1, 30, body.find(GRANTS).unwrap(), body.find("batch").unwrap(), body.len() - 4] {
        // The connection ends early.
        let answer = server.client.raw_cut(request(&whole_length, &body[..cut]).as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "cut at {cut}: {answer}");
        // The body ends early.
        let answer = server.client.raw(request(&format!("Content-Length: {cut}"), &body[..cut]).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "ends at {cut}: {answer}");
        assert!(answer.contains("validation_error"), "ends at {cut}: {answer}");
        // A chunk ends early.
        let chunk = format!("{:x}\r\n{}", body.len(), &body[..cut]);
        let answer = server.client.raw_cut(request("Transfer-Encoding: chunked", &chunk).as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "chunk cut at {cut}: {answer}");
    }
    assert_nothing_happened(&server, head).await;
    // The same request, whole.
    let answer = server.client.raw(request(&whole_length, &body).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let import = server.client.get("/api/application-imports").await.json["items"][0].clone();
    assert_eq!(server.ended(&import).await["status"], "Finished");
    server.assert_verified().await;
    server.stop().await;
}

/// A gibibyte would take this test minutes and show nothing that a quarter of one doesn't: more than any buffer on the way.
#[tokio::test]
async fn a_large_upload_that_is_cut_at_its_end_leaves_nothing_behind() {
    const SIZE: usize = 256 << 20;
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    let head = server.head().await;
    let group = file_group(&app, "grants");
    let row = "somebody,something\n".repeat(1 << 12);
    let start = format!(
        "--cut\r\nContent-Disposition: form-data; name=\"{group}\"; filename=\"g.csv\"\r\n\r\nuser,permission\n"
    );
    let path = format!("{UPLOAD}?applicationId={}", id(&app));
    let chunks = std::iter::once(start)
        .chain(std::iter::repeat_n(row.clone(), SIZE / row.len()))
        .map(|text| Ok(bytes::Bytes::from(text)))
        .chain([Err(std::io::Error::other("the line went dead"))]);
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    let request = server.client.request(Method::POST, &path);
    let cut = request.header("Content-Type", "multipart/form-data; boundary=cut").body(body).send().await;
    assert!(cut.is_err() || cut.unwrap().status() == 400);
    assert_nothing_happened(&server, head).await;
    server.stop().await;
}

#[tokio::test]
async fn an_upload_over_the_limit_is_too_large_and_one_beneath_it_is_not() {
    let config = Config { upload_limit: 1000, ..Config::default() };
    let server = TestServer::start_with(cluster::database().await, config).await;
    let app = server.create(grants_only("Payroll")).await;
    let head = server.head().await;
    let feed =
        |rows: usize| (0..rows).fold("user,permission\n".to_owned(), |all, row| format!("{all}user{row:04},read\n"));
    let answer = server.client.upload(id(&app), vec![part(&file_group(&app, "grants"), &feed(100))]).await;
    assert_json_snapshot!("upload_too_large", whole(&answer));
    assert_nothing_happened(&server, head).await;
    let answer = server.client.upload(id(&app), vec![part(&file_group(&app, "grants"), &feed(50))]).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(server.ended(&answer.json).await["metrics"]["grants"]["added"], 50);
    server.stop().await;
}

#[tokio::test]
async fn the_bytes_are_evidence_kept_once_under_their_hash() {
    use sha2::{Digest, Sha256};
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    // Several parts.
    let feed = (0..150_000).fold(String::from("user,permission,note\n"), |all, row| {
        all + if row == 0 { "ann,read,x\n" } else { "ann,read,xxxxxx\n" }
    });
    for _ in 0..2 {
        server.import(&app, "grants", &feed).await;
    }
    let (parts, distinct): (i64, i64) = sqlx::query_as("SELECT count(*), count(DISTINCT sha256) FROM evidence.blobs")
        .fetch_one(&server.server.app.pool)
        .await
        .unwrap();
    assert_eq!((parts, distinct), (feed.len().div_ceil(1 << 18) as i64, 1));
    let kept: Vec<Vec<u8>> = sqlx::query_scalar("SELECT bytes FROM evidence.blobs WHERE sha256 = $1 ORDER BY part")
        .bind(Sha256::digest(&feed).as_slice())
        .fetch_all(&server.server.app.pool)
        .await
        .unwrap();
    assert!(kept.concat() == feed.as_bytes());
    let events = server.client.get("/api/events?eventType=ImportStaged").await.json;
    let hash = muniment::tokens::hex(&Sha256::digest(&feed));
    for event in events["items"].as_array().unwrap() {
        assert_eq!(event["data"]["files"][0]["sha256"], hash);
        assert_eq!(event["data"]["files"][0]["size"], feed.len());
    }
    server.stop().await;
}

#[tokio::test]
async fn file_names_are_shown_as_they_were_sent_and_lead_nowhere() {
    let server = TestServer::start().await;
    let app = server.create(grants_only("Payroll")).await;
    for name in ["../../etc/passwd", "C:/feeds/g h.csv", "月次.csv", "ü\u{301}'<b>.csv", ""] {
        let parts = vec![(file_group(&app, "grants"), name.to_owned(), GRANTS.into())];
        let answer = server.client.upload(id(&app), parts).await;
        assert_eq!((answer.status, &answer.json["files"][0]["name"]), (201, &json!(name)), "{}", answer.text);
        assert_eq!(server.ended(&answer.json).await["status"], "Finished");
    }
    let import: Value = server.client.get("/api/application-imports").await.json["items"][0].clone();
    assert_eq!(server.detail(&import).await["files"].as_array().unwrap().len(), 1);
    server.stop().await;
}
