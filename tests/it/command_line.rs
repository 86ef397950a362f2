//! The command line, as processes, with and without a running server.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::support::bodies::{ACCOUNTS, GRANTS, grants_only, payments};
use crate::support::process::{Folder, Place, Serving, run, succeed};
use crate::support::{Client, cluster};

const ADMINISTRATOR: [&str; 4] = ["--name", "tester", "--role", "administrator"];

/// Commands that look and rebuild; each must succeed whether a server runs or not.
async fn look_around(place: &Place) {
    let verified = succeed(&["verify"], place, &[]).await;
    assert!(verified.ends_with("every leaf hash is right"), "{verified}");
    let rebuilt = succeed(&["projections", "rebuild"], place, &[]).await;
    assert!(rebuilt.starts_with("rebuilt at position "), "{rebuilt}");
    let verified = succeed(&["projections", "verify"], place, &["--batch", "3"]).await;
    assert!(verified.starts_with("no difference: "), "{verified}");
    let events = succeed(&["psql"], place, &["-At", "-c", "SELECT count(*) > 0 FROM events"]).await;
    assert_eq!(events, "t");
    let failed = run(&["psql"], place, &["-c", "SELECT wrong"]).await;
    assert!(!failed.success && failed.errors.contains("wrong"), "{failed:?}");
    assert_eq!(succeed(&["migrate"], place, &[]).await, "the database is at this program's version");
}

#[tokio::test]
async fn the_token_comes_first_and_then_the_server() {
    let folder = Folder::new();
    let place = folder.place();
    let secret = succeed(&["token", "create"], &place, &ADMINISTRATOR).await;
    assert!(secret.starts_with("mun_") && secret.lines().count() == 1, "{secret}");
    assert!(folder.postmaster().is_none(), "the last user stops PostgreSQL");
    look_around(&place).await;

    let server = Serving::start(&place).await;
    let client = server.client(&secret);
    assert_eq!(client.post("/api/applications", grants_only("Payroll")).await.status, 201);
    look_around(&place).await;
    let taken = run(&["token", "create"], &place, &ADMINISTRATOR).await;
    assert!(!taken.success && taken.errors.contains("another token has the name"), "{taken:?}");

    let second = run(&["serve", "--listen", "127.0.0.1:0"], &place, &[]).await;
    assert!(!second.success && second.errors.contains(&format!("in use by process {}", server.pid())), "{second:?}");
    assert_eq!(client.get("/api/applications").await.json["totalCount"], 1, "the first server is unharmed");

    let (ended_well, lines) = server.terminate().await;
    assert!(ended_well);
    assert_eq!(lines.len(), 1, "no administrator's token, since there was one: {lines:?}");
    assert!(folder.postmaster().is_none());
    look_around(&place).await;
}

/// The server answers so within a second: what another process does reaches it by a notification.
async fn soon(client: &Client, status: u16) {
    let asked = Instant::now();
    while client.get("/api/applications").await.status != status {
        assert!(asked.elapsed() < Duration::from_secs(1), "not {status} after {:?}", asked.elapsed());
    }
}

#[tokio::test]
async fn the_first_start_prints_a_token_and_no_later_one_does() {
    let folder = Folder::new();
    let place = folder.place();
    let server = Serving::start(&place).await;
    let administrator = server.first_token().await;
    let client = server.client(&administrator);
    assert_eq!(client.get("/api/tokens").await.status, 200);

    // What the command line does, the server hears from PostgreSQL at once.
    let secret = succeed(&["token", "create"], &place, &ADMINISTRATOR).await;
    let other = server.client(&secret);
    soon(&other, 200).await;
    let list = succeed(&["token", "list"], &place, &[]).await;
    assert!(list.contains("tester") && list.contains("first administrator") && !list.contains(&secret), "{list}");
    assert_eq!(succeed(&["token", "revoke", "tester"], &place, &[]).await, "tester is revoked");
    soon(&other, 401).await;
    let again = run(&["token", "revoke", "tester"], &place, &[]).await;
    assert!(!again.success && again.errors.contains("no token"), "{again:?}");

    assert_eq!(succeed(&["api", "disable"], &place, &[]).await, "the API is off");
    soon(&client, 403).await;
    let refused = client.get("/api/applications").await;
    assert_eq!((refused.status, &refused.json["error"]), (403, &json!("forbidden")), "{}", refused.text);
    assert_eq!(client.post("/api/applications", grants_only("Payroll")).await.status, 403);
    for path in ["/healthz", "/readyz", "/metrics", "/api/openapi.json"] {
        assert_eq!(client.anonymous().get(path).await.status, 200, "{path}");
    }
    assert_eq!(succeed(&["api", "disable"], &place, &[]).await, "the API is off, as it was");
    assert_eq!(succeed(&["api", "enable"], &place, &[]).await, "the API is on");
    soon(&client, 200).await;
    // The switch and the key of the first start, two tokens, a revocation, off and on: asking for what is so is no event.
    assert_eq!(succeed(&["psql"], &place, &["-At", "-c", "SELECT count(*) FROM events"]).await, "7");

    let (ended_well, lines) = server.terminate().await;
    assert!(ended_well && lines.iter().filter(|line| line.contains("token")).count() == 1, "{lines:?}");
    let server = Serving::start(&place).await;
    assert_eq!(server.client(&administrator).get("/api/applications").await.status, 200);
    let (_, lines) = server.terminate().await;
    assert_eq!(lines.len(), 1, "{lines:?}");
}

#[tokio::test]
async fn the_openapi_document_needs_no_database() {
    let output = Command::new(env!("CARGO_BIN_EXE_muniment")).arg("openapi").current_dir("/").output().await.unwrap();
    assert!(output.status.success());
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(document["paths"].as_object().unwrap().len() > 15);
}

#[tokio::test]
async fn with_a_certificate_it_speaks_https() {
    let folder = Folder::new();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-keyout", key, "-out", certificate])
        .output()
        .await
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let place = Place::of(&cluster::options().await);
    let server = Serving::start_with(&place, &["--tls-cert", certificate, "--tls-key", key]).await;
    assert_eq!(server.scheme, "https");
    let mut client = Command::new("openssl")
        .args(["s_client", "-quiet", "-verify_return_error", "-servername", "localhost", "-CAfile", certificate])
        .args(["-connect", &server.address.to_string()])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut input = client.stdin.take().unwrap();
    input.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(20), client.wait_with_output()).await.unwrap();
    let answer = String::from_utf8(answer.unwrap().stdout).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok\n"), "{answer}");
    drop(input);
    assert!(server.terminate().await.0);
    let wrong =
        run(&["serve", "--listen", "127.0.0.1:0"], &place, &["--tls-cert", key, "--tls-key", certificate]).await;
    assert!(!wrong.success && wrong.errors.contains("can't use"), "{wrong:?}");
}

#[tokio::test]
async fn files_are_imported_with_and_without_a_server() {
    let folder = Folder::new();
    let place = folder.place();
    let secret = succeed(&["token", "create"], &place, &ADMINISTRATOR).await;
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let first = write("grants.csv", GRANTS);
    let second = write("later.csv", "user,permission,since\nakeller,pay.read,2024-01-01\n");
    let accounts = write("accounts.csv", ACCOUNTS);
    let import = async |arguments: &[&str]| run(&["import"], &place, arguments).await;

    let server = Serving::start(&place).await;
    let client = server.client(&secret);
    assert_eq!(client.post("/api/applications", payments("Payments")).await.status, 201);
    let done = import(&["--application", "PAYMENTS", &first, &accounts]).await;
    assert!(done.success, "{done:?}");
    assert!(done.output.contains("grants: 4 added, 0 changed, 0 removed, 0 unchanged"), "{done:?}");
    let imports = client.get("/api/application-imports").await.json;
    assert_eq!((&imports["items"][0]["type"], &imports["items"][0]["status"]), (&json!("Manual"), &json!("Finished")));
    let staged = client.get("/api/events?eventType=ImportStaged").await.json;
    assert_eq!(staged["items"][0]["actor"]["type"], "cli");
    assert!(server.terminate().await.0);

    let preview = import(&["--preview", "--application", "payments", &format!("grants={second}"), &accounts]).await;
    assert!(preview.success && preview.output.contains("nothing was applied"), "{preview:?}");
    let held = import(&["--application", "payments", &format!("Grants={second}"), &accounts]).await;
    assert!(held.success && held.output.contains("3 removed"), "{held:?}");

    for (arguments, words) in [
        (vec!["--application", "nobody", &first], "no application has the name"),
        (vec!["--application", "payments", &second], "which file group does"),
        (vec!["--application", "payments", &first], "the required file group"),
        (vec!["--application", "payments", &first, &first, &accounts], "two files for the file group"),
        (vec!["--application", "payments", "/nowhere/grants.csv", &accounts], "can't read /nowhere/grants.csv"),
    ] {
        let refused = import(&arguments).await;
        assert!(!refused.success && refused.errors.contains(words), "{arguments:?} {refused:?}");
    }
    let broken = write("broken.csv", "no,such,columns\n1,2,3\n");
    let failed = import(&["--application", "payments", &format!("grants={broken}"), &accounts]).await;
    assert!(
        !failed.success && failed.output.contains("Failed") && failed.output.contains("has no column"),
        "{failed:?}"
    );
    let verified = succeed(&["projections", "verify"], &place, &[]).await;
    assert!(verified.starts_with("no difference: "), "{verified}");
    assert!(folder.postmaster().is_none(), "the last user stops PostgreSQL");
}
