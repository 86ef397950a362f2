//! Accounts: whose they are, why, and what somebody says of it by hand.

use aggregates::account::{Account, AccountEvent, FoundBy};
use insta::assert_json_snapshot;
use muniment::journal::{Append, Expected, StreamId};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::bodies::{application, group};
use crate::support::{TestServer, id, whole};

const PEOPLE: &str = "key,firstName,lastName,email\na,Ann,Keller,ann@example.com\nb,Bob,Ziegler,bob@example.com\n";
const DOORS: &str = "key,name,email\nd1,Front desk,bob@example.com\nd2,Night watch,\n";

/// Two people, and an application with an account that a rule finds (d1 is Bob's) and one that none finds (d2).
struct Doors {
    server: TestServer,
    people: Value,
    application: Value,
    ann: String,
    bob: String,
}

impl Doors {
    async fn open() -> Self {
        let server = TestServer::start().await;
        let fields = ["key", "firstName", "lastName", "email"];
        let people = server.create(application("People", &[group("identities", &fields)])).await;
        let mut grants = group("grants", &["account", "entitlement"]);
        grants["isRequired"] = json!(false);
        let groups = [group("accounts", &["key", "name", "email"]), grants];
        let application = server.create(application("Doors", &groups)).await;
        server.import(&people, "identities", PEOPLE).await;
        let grants = "account,entitlement\nd1,hall\nd1,vault\nd2,hall\n";
        server.import_all(&application, &[("accounts", DOORS), ("grants", grants)]).await;
        let identities = server.items("/api/identities").await;
        let [ann, bob] = [0, 1].map(|at: usize| id(&identities[at]).to_owned());
        Self { server, people, application, ann, bob }
    }

    /// The path of an account.
    async fn path(&self, key: &str) -> String {
        let accounts = self.server.items(&format!("/api/applications/{}/accounts", id(&self.application))).await;
        format!("/api/accounts/{}", id(accounts.iter().find(|account| account["key"] == key).unwrap()))
    }

    async fn assign(&self, path: &str, identity: &str, comment: Option<&str>) -> Value {
        let body = json!({"identityId": identity, "comment": comment});
        let answer = self.server.client.post(&format!("{path}/identity"), body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json
    }

    async fn import(&self, accounts: &str) -> Value {
        let import = self.server.import(&self.application, "accounts", accounts).await;
        assert_eq!(import["status"], "Finished", "{import}");
        import
    }

    async fn close(self) {
        self.server.assert_verified().await;
        self.server.stop().await;
    }
}

#[tokio::test]
async fn an_account_says_whose_it_is_and_by_which_rule() {
    let doors = Doors::open().await;
    let client = &doors.server.client;
    let found = client.get(&doors.path("d1").await).await;
    assert_json_snapshot!("account_by_rule", whole(&found));
    let nobodys = client.get(&doors.path("d2").await).await;
    assert_eq!((nobodys.status, &nobodys.json["grants"]), (200, &json!(1)));
    assert_eq!((&nobodys.json["identity"], &nobodys.json["correlation"]), (&Value::Null, &Value::Null));
    // What the list says of it is part of the detail.
    let listed = doors.server.items(&format!("/api/applications/{}/accounts", id(&doors.application))).await;
    for (name, value) in listed[0].as_object().unwrap() {
        assert_eq!(&found.json[name], value, "{name}");
    }
    let unknown = "018f0000-0000-7000-8000-00000000dead";
    assert_eq!(client.get(&format!("/api/accounts/{unknown}")).await.status, 404);
    assert_eq!(client.get("/api/accounts/d1").await.violation().0, "id");
    doors.close().await;
}

#[tokio::test]
async fn a_person_named_by_hand_holds_against_rules_and_imports() {
    let doors = Doors::open().await;
    let client = &doors.server.client;
    let path = doors.path("d1").await;
    let head = doors.server.head().await;
    let body = json!({"identityId": doors.ann, "comment": " Ann answers for the desk "});
    let assigned = client.post(&format!("{path}/identity"), body.clone()).await;
    assert_json_snapshot!("account_by_hand", whole(&assigned));
    let read = client.get(&path).await;
    assert_eq!((&read.json, &read.headers["etag"]), (&assigned.json, &assigned.headers["etag"]));
    // The same link again.
    let again = client.post(&format!("{path}/identity"), body).await;
    assert_eq!((again.status, &again.json), (200, &assigned.json));
    assert_eq!(doors.server.events_after(head, &["account"]).await, 1);
    // The same feed again, and one by which the rule would find somebody else than before.
    let import = doors.import(DOORS).await;
    assert_eq!(import["metrics"]["uncorrelatedAccounts"], 1);
    assert_eq!(doors.server.events_after(head, &["account"]).await, 1);
    doors.import(&DOORS.replace("bob@example.com", "nobody@example.com")).await;
    let changed = client.get(&path).await.json;
    assert_eq!(
        (&changed["email"], &changed["correlation"]),
        (&json!("nobody@example.com"), &assigned.json["correlation"])
    );
    assert_eq!(changed["identityId"], doors.ann);
    // It counts as hers wherever accounts are looked at.
    let access = doors.server.items(&format!("/api/identities/{}/access", doors.ann)).await;
    assert_eq!((access.len(), &access[0]["account"]["correlatedBy"]), (1, &json!("manual")));
    let correlated = format!("/api/applications/{}/accounts?correlated=", id(&doors.application));
    let ours = doors.assign(&doors.path("d2").await, &doors.bob, None).await;
    assert_eq!((&ours["identityId"], &ours["correlation"]["comment"]), (&json!(doors.bob), &Value::Null));
    assert_eq!(doors.server.items(&format!("{correlated}true")).await.len(), 2);
    assert_eq!(doors.server.items(&format!("{correlated}false")).await.len(), 0);
    assert_eq!(doors.import(DOORS).await["metrics"]["uncorrelatedAccounts"], 0);
    doors.close().await;
}

#[tokio::test]
async fn a_released_account_belongs_at_once_to_whom_the_rules_find() {
    let doors = Doors::open().await;
    let client = &doors.server.client;
    for (key, owner, correlation) in [
        (
            "d1",
            json!(doors.bob),
            json!({"kind": "rule", "accountField": "email", "identityField": "email", "value": "bob@example.com"}),
        ),
        ("d2", Value::Null, Value::Null),
    ] {
        let path = doors.path(key).await;
        doors.assign(&path, &doors.ann, None).await;
        let released = client.delete(&format!("{path}/identity")).await;
        assert_eq!((released.status, &released.json["identityId"]), (200, &owner), "{}", released.text);
        assert_eq!(released.json["correlation"], correlation);
        let read = client.get(&path).await;
        assert_eq!((&read.json, &read.headers["etag"]), (&released.json, &released.headers["etag"]));
        // The rules' own link is nobody's to take away.
        let again = client.delete(&format!("{path}/identity")).await;
        assert_eq!((again.status, &again.json["error"]), (409, &json!("conflict")));
    }
    // What an import of the same feed would have found.
    let head = doors.server.head().await;
    assert_eq!(doors.import(DOORS).await["metrics"]["uncorrelatedAccounts"], 1);
    assert_eq!(doors.server.events_after(head, &["account"]).await, 0);
    doors.close().await;
}

#[tokio::test]
async fn an_account_that_returns_is_still_whose_it_was_by_hand() {
    let doors = Doors::open().await;
    let client = &doors.server.client;
    let path = doors.path("d1").await;
    let before = doors.assign(&path, &doors.ann, Some("Hers")).await;
    doors.import("key,name,email\nd2,Night watch,\n").await;
    let gone = client.get(&path).await.json;
    assert_eq!((&gone["identityId"], &gone["grants"]), (&json!(doors.ann), &json!(0)));
    assert!(gone["validTo"].is_string(), "{gone}");
    // What was removed is a fact of the past.
    let body = json!({"identityId": doors.bob});
    assert_eq!(client.post(&format!("{path}/identity"), body).await.status, 409);
    assert_eq!(client.delete(&format!("{path}/identity")).await.status, 409);
    doors.import(DOORS).await;
    let back = client.get(&path).await.json;
    assert_eq!((&back["identity"], &back["correlation"]), (&before["identity"], &before["correlation"]));
    assert_eq!((&back["firstSeenDate"], &back["validTo"]), (&before["firstSeenDate"], &Value::Null));
    doors.close().await;
}

#[tokio::test]
async fn an_account_is_given_only_to_somebody_who_is_there() {
    let doors = Doors::open().await;
    let client = &doors.server.client;
    let path = format!("{}/identity", doors.path("d1").await);
    let unknown = "018f0000-0000-7000-8000-00000000dead";
    let head = doors.server.head().await;
    let answer = client.post(&path, json!({"identityId": unknown})).await;
    assert_eq!(answer.violation(), ("identityId", format!("Identity with id {unknown} not found").as_str()));
    assert_eq!(client.post(&path, json!({"comment": "whose?"})).await.violation().0, "identityId");
    let long = json!({"identityId": doors.ann, "comment": "x".repeat(4001)});
    assert_eq!(client.post(&path, long).await.violation().0, "comment");
    let nowhere = format!("/api/accounts/{unknown}/identity");
    let answer = client.post(&nowhere, json!({"identityId": doors.ann})).await;
    assert_eq!((answer.status, &answer.json["message"]), (404, &json!(format!("Account with id {unknown} not found"))));
    assert_eq!(client.delete(&nowhere).await.status, 404);
    assert_eq!(doors.server.events_after(head, &["account"]).await, 0);
    // Ann leaves; whose account is hers by hand stays hers, and is seen to be a leaver's.
    doors.assign(path.trim_end_matches("/identity"), &doors.ann, None).await;
    doors
        .server
        .import(&doors.people, "identities", "key,firstName,lastName,email\nb,Bob,Ziegler,bob@example.com\n")
        .await;
    let answer = client.post(&path, json!({"identityId": doors.ann, "comment": "hers"})).await;
    assert_eq!(answer.violation().0, "identityId");
    assert_eq!(doors.import(DOORS).await["metrics"]["uncorrelatedAccounts"], 1);
    let left = client.get(path.trim_end_matches("/identity")).await.json;
    assert_eq!((&left["identity"]["status"], &left["correlation"]["kind"]), (&json!("Removed"), &json!("manual")));
    doors.close().await;
}

#[tokio::test]
async fn a_link_is_made_on_the_version_that_was_seen() {
    let doors = Doors::open().await;
    let client = &doors.server.client;
    let path = doors.path("d1").await;
    let send = async |method: Method, etag: &str, key: Option<&str>| {
        let mut request = client.request(method.clone(), &format!("{path}/identity")).header("If-Match", etag);
        if method == Method::POST {
            request = request.json(&json!({"identityId": doors.ann}));
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        client.send(request).await
    };
    let seen = client.get(&path).await.headers["etag"].to_str().unwrap().to_owned();
    let first = send(Method::POST, &seen, Some("k")).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let replayed = send(Method::POST, &seen, Some("k")).await;
    assert_eq!((replayed.status, &replayed.json), (200, &first.json));
    for method in [Method::POST, Method::DELETE] {
        let answer = send(method, &seen, None).await;
        assert_eq!((answer.status, &answer.json["error"]), (412, &json!("precondition_failed")));
    }
    let now = first.headers["etag"].to_str().unwrap();
    assert_eq!(send(Method::DELETE, now, None).await.status, 200);
    doors.close().await;
}

#[tokio::test]
async fn what_an_import_found_before_somebody_said_otherwise_does_not_count() {
    let doors = Doors::open().await;
    let path = doors.path("d2").await;
    let assigned = doors.assign(&path, &doors.ann, None).await;
    // An import that was planned before, and comes to append only now.
    let late = AccountEvent::AccountCorrelated {
        import: Uuid::nil(),
        identity_id: doors.bob.parse().unwrap(),
        by: FoundBy::Fields { account_field: "email".to_owned(), identity_field: "email".to_owned() },
    };
    let stream = StreamId::of::<Account>(id(&assigned));
    let append = Append::one(stream, Expected::Any, vec![late.into()], TestServer::context());
    doors.server.server.app.journal.append_bulk(append).await.unwrap();
    assert_eq!(doors.server.client.get(&path).await.json, assigned);
    let released = doors.server.client.delete(&format!("{path}/identity")).await.json;
    assert_eq!(released["identityId"], Value::Null);
    doors.close().await;
}
