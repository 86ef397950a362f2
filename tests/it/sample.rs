//! `muniment sample`: what it says and writes as a program, and that a server takes what it wrote.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::process::Folder;
use crate::support::{TestServer, file_group, id};

const SMALL: [&str; 10] =
    ["--people", "120", "--applications", "2", "--accounts", "200", "--entitlements", "120", "--grants", "1500"];

/// Success, standard output, standard error.
async fn sample(folder: &Path, arguments: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muniment"));
    let output = command.arg("sample").arg(folder).args(arguments).current_dir("/").output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

async fn write(folder: &Path, arguments: &[&str]) -> String {
    let (success, output, errors) = sample(folder, arguments).await;
    assert!(success && errors.is_empty(), "{errors}");
    output
}

#[tokio::test]
async fn it_says_what_it_wrote_and_needs_no_database() {
    let folder = Folder::new();
    let base = folder.path().join("new/base");
    let said = write(&base, &SMALL).await;
    let place = base.display();
    assert_eq!(said, format!("120 identities\n200 accounts\n120 entitlements\n1500 grants\nare in {place} as csv\n"));
    for file in ["application.json", "identities.csv", "core-banking/application.json", "payments/grants.csv"] {
        assert!(base.join(file).is_file(), "{file}");
    }
    let json = folder.path().join("json");
    let said = write(&json, &[&SMALL[..], &["--only", "grants", "--change", "2", "--format", "json"]].concat()).await;
    let place = json.display();
    assert_eq!(said, format!("1500 grants (15 added, 0 changed, 15 removed)\nare in {place} as json\n"));
    assert!(json.join("payments/grants.json").is_file() && !json.join("payments/accounts.json").exists());
}

#[tokio::test]
async fn a_folder_that_holds_something_is_written_into_by_force_alone() {
    let folder = Folder::new();
    std::fs::write(folder.path().join("mine.txt"), "mine").unwrap();
    let (success, output, errors) = sample(folder.path(), &SMALL).await;
    assert!(!success && output.is_empty());
    let place = folder.path().display();
    let what = "name an empty or new folder, or write into this one with --force";
    assert_eq!(errors, format!("muniment: {place} holds mine.txt already; {what}\n"));
    write(folder.path(), &[&SMALL[..], &["--force"]].concat()).await;
    assert_eq!(std::fs::read_to_string(folder.path().join("mine.txt")).unwrap(), "mine");
    assert!(folder.path().join("identities.csv").is_file());
    let file = folder.path().join("mine.txt");
    let (success, _, errors) = sample(&file, &SMALL).await;
    assert!(!success && errors.contains("mine.txt"), "{errors}");
}

#[tokio::test]
async fn what_cannot_be_is_told_with_what_can() {
    let folder = Folder::new();
    let target = folder.path().join("new");
    for (arguments, expected) in [
        (&["--people", "0"][..], "0 is not in 1..=10000000"),
        (&["--people", "-1"], "unexpected argument '-1'"),
        (&["--applications", "1001"], "1001 is not in 1..=1000"),
        (&["--change", "100.5"], "100.5 is no percentage; 0 to 100 are allowed"),
        (&["--change", "NaN"], "NaN is no percentage; 0 to 100 are allowed"),
        (&["--format", "xml"], "xml is no format; csv, xlsx, json and ndjson are allowed"),
        (&["--entitlements", "4"], "--entitlements 4: 5 applications have at least one each, so 5 or more are allowed"),
        (
            &["--applications", "1", "--accounts", "10", "--entitlements", "5", "--grants", "51"],
            "--grants 51: 10 accounts × 5 entitlements in 1 applications have room for 50 at most",
        ),
        (
            &[
                "--applications",
                "1",
                "--accounts",
                "9999",
                "--grants",
                "1048576",
                "--entitlements",
                "200",
                "--format",
                "xlsx",
            ],
            "--format xlsx: one file would have 1048576 grants; a sheet holds 1048575 at most",
        ),
    ] {
        let (success, output, errors) = sample(&target, arguments).await;
        assert!(!success && output.is_empty() && errors.contains(expected), "{arguments:?}: {errors}");
        assert!(!target.exists(), "{arguments:?}");
    }
}

/// The folders of a sample with the files beside each `application.json`, people first.
fn folders(base: &Path) -> Vec<std::path::PathBuf> {
    vec![base.to_owned(), base.join("core-banking"), base.join("payments")]
}

/// Uploads the files of a folder; the finished import.
async fn import(server: &TestServer, application: &Value, folder: &Path) -> Value {
    let groups = application["connector"]["fileGroups"].as_array().unwrap();
    let parts = groups.iter().map(|group| {
        let content = group["content"].as_str().unwrap();
        let file = format!("{content}.csv");
        let bytes = std::fs::read(folder.join(&file)).unwrap();
        (file_group(application, content), file, bytes)
    });
    let answer = server.client.upload(id(application), parts.collect()).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let import = server.ended(&answer.json).await;
    assert_eq!(import["status"], "Finished", "{import}");
    assert_eq!(server.issues(&import).await, Vec::<String>::new());
    import["metrics"].clone()
}

/// Adds the counts of an import to those before.
fn add(sums: &mut BTreeMap<String, [u64; 3]>, metrics: &Value) {
    for content in ["identities", "accounts", "entitlements", "grants"] {
        let sum = sums.entry(content.to_owned()).or_default();
        for (sum, word) in sum.iter_mut().zip(["added", "changed", "removed"]) {
            *sum += metrics[content][word].as_u64().unwrap_or_default();
        }
    }
}

#[tokio::test]
async fn a_server_takes_a_sample_and_its_change_without_an_issue() {
    let folder = Folder::new();
    let (base, later) = (folder.path().join("base"), folder.path().join("later"));
    write(&base, &SMALL).await;
    let said = write(&later, &[&SMALL[..], &["--change", "8"]].concat()).await;

    let server = TestServer::start().await;
    let mut applications = Vec::new();
    let mut sums = BTreeMap::new();
    for folder in folders(&base) {
        let body = std::fs::read(folder.join("application.json")).unwrap();
        let application = server.create(serde_json::from_slice(&body).unwrap()).await;
        let metrics = import(&server, &application, &folder).await;
        assert_eq!((&metrics["rowsRejected"], &metrics["duplicates"]), (&json!(0), &json!(0)), "{metrics}");
        add(&mut sums, &metrics);
        applications.push(application);
    }
    let expected = [("accounts", 200), ("entitlements", 120), ("grants", 1500), ("identities", 120)];
    assert_eq!(sums, expected.map(|(content, added)| (content.to_owned(), [added, 0, 0])).into());
    for (application, alone) in applications[1..].iter().zip([4, 2]) {
        let accounts = server.items(&format!("/api/applications/{}/accounts?correlated=false", id(application))).await;
        assert_eq!(accounts.len(), alone, "orphans and service accounts");
    }

    let mut sums = BTreeMap::new();
    for (application, folder) in applications.iter().zip(folders(&later)) {
        add(&mut sums, &import(&server, application, &folder).await);
    }
    for (content, [added, changed, removed]) in &sums {
        let line = format!(" {content} ({added} added, {changed} changed, {removed} removed)\n");
        assert!(said.contains(&line), "{line}{said}");
    }
    server.assert_verified_in(&[1000]).await;
    server.stop().await;
}
