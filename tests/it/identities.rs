//! Identities: people across all applications, who they are matched with, and what they may do.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::bodies::{ACCOUNTS, ENTITLEMENTS, GRANTS, PEOPLE, application, directory, group, payments};
use crate::support::{TestServer, id, whole};

/// A source of people with a few fields.
fn source(name: &str) -> Value {
    application(
        name,
        &[group(
            "identities",
            &["key", "firstName", "lastName", "email", "employeeId", "title", "supervisor", "type", "status"],
        )],
    )
}

fn people(rows: &[&str]) -> String {
    format!("key,firstName,lastName,email,employeeId,title,supervisor,type,status\n{}\n", rows.join("\n"))
}

async fn all(server: &TestServer) -> Vec<Value> {
    server.items("/api/identities").await
}

/// The identity with this last name.
async fn named(server: &TestServer, name: &str) -> Value {
    all(server).await.into_iter().find(|identity| identity["lastName"] == name).unwrap()
}

#[tokio::test]
async fn identities_are_listed_by_last_and_first_name_each_like_its_detail() {
    let server = TestServer::start().await;
    let app = server.create(directory("Directory")).await;
    server.import(&app, "identities", PEOPLE).await;
    let listed = server.client.get("/api/identities").await;
    assert_json_snapshot!("identity_list", whole(&listed));
    for identity in listed.json["items"].as_array().unwrap() {
        let detail = server.client.get(&format!("/api/identities/{}", id(identity))).await;
        assert_eq!((detail.status, &detail.json), (200, identity));
    }
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn the_access_of_a_person_spans_every_application() {
    let server = TestServer::start().await;
    let people = server.create(directory("Directory")).await;
    let payments = server.create(payments("Payments")).await;
    let doors = server
        .create(application(
            "Doors",
            &[group("accounts", &["key", "email"]), group("grants", &["account", "entitlement"])],
        ))
        .await;
    server.import(&people, "identities", PEOPLE).await;
    server.import_all(&payments, &[("accounts", ACCOUNTS), ("entitlements", ENTITLEMENTS), ("grants", GRANTS)]).await;
    server
        .import_all(
            &doors,
            &[("accounts", "key,email\nd7,ann@example.com\n"), ("grants", "account,entitlement\nd7,vault\n")],
        )
        .await;
    let access = server.client.get(&format!("/api/identities/{}/access", id(&named(&server, "Keller").await))).await;
    assert_json_snapshot!("identity_access", whole(&access));
    let nothing = server.client.get(&format!("/api/identities/{}/access", id(&named(&server, "Ziegler").await))).await;
    assert_eq!((nothing.status, &nothing.json["items"], &nothing.json["totalPages"]), (200, &json!([]), &json!(0)));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn an_unknown_identity_is_not_found_and_a_malformed_id_is_a_bad_request() {
    let server = TestServer::start().await;
    let unknown = "018f0000-0000-7000-8000-00000000dead";
    for rest in ["", "/access"] {
        let answer = server.client.get(&format!("/api/identities/{unknown}{rest}")).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.json["message"], format!("Identity with id {unknown} not found"));
        assert_eq!(server.client.get(&format!("/api/identities/ann{rest}")).await.violation().0, "id");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_second_source_finds_a_person_by_employee_number_then_by_address() {
    let server = TestServer::start().await;
    let (one, two) = (server.create(source("One")).await, server.create(source("Two")).await);
    server
        .import(
            &one,
            "identities",
            &people(&["a,Ann,Keller,ann@example.com,1001,Analyst,,,", "b,Bob,Ziegler,bob@example.com,1002,,,,"]),
        )
        .await;
    let before = all(&server).await;
    let rows = [
        // The number says Ann though the address says Bob.
        "x,Anna,Keller-Frey,bob@example.com,1001,Head,,,",
        "y,Robert,Z,BOB@Example.com,,Clerk,,,Disabled",
        "z,Cyril,New,cy@example.com,1003,,,,",
    ];
    let import = server.import(&two, "identities", &people(&rows)).await;
    assert_eq!(import["metrics"]["identities"]["added"], 3);
    let after = all(&server).await;
    assert_eq!(after.len(), 3);
    for known in &before {
        let same = after.iter().find(|identity| identity["id"] == known["id"]).unwrap();
        // The application that was created first has precedence; the second fills what the first doesn't say.
        assert_eq!((&same["firstName"], &same["lastName"]), (&known["firstName"], &known["lastName"]));
    }
    assert_eq!(named(&server, "Keller").await["title"], "Analyst");
    let bob = named(&server, "Ziegler").await;
    assert_eq!((&bob["title"], &bob["status"]), (&json!("Clerk"), &json!("Disabled")));
    let linked = server.client.get("/api/events?eventType=IdentityLinked").await.json;
    let fields: Vec<&Value> =
        linked["items"].as_array().unwrap().iter().map(|event| &event["data"]["matchedBy"]).collect();
    assert_eq!(fields, ["employeeId", "email"]);
    // The same feeds again say nothing new, in whichever order.
    let head = server.head().await;
    server.import(&two, "identities", &people(&rows)).await;
    assert_eq!(server.events_after(head, &["identity"]).await, 0);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn of_two_candidates_none_is_guessed() {
    let server = TestServer::start().await;
    let (one, two) = (server.create(source("One")).await, server.create(source("Two")).await);
    server
        .import(
            &one,
            "identities",
            &people(&["a,Ann,Keller,team@example.com,1,,,,", "b,Bob,Ziegler,team@example.com,2,,,,"]),
        )
        .await;
    let head = server.head().await;
    let rows = ["x,Who,Knows,team@example.com,,,,,", "y,Twice,First,,1,,,,", "z,Twice,Second,,1,,,,"];
    let import = server.import(&two, "identities", &people(&rows)).await;
    assert_eq!(server.issues(&import).await, ["2 ambiguous_identity", "4 ambiguous_identity"]);
    let issues = server.items(&format!("/api/application-imports/{}/issues", id(&import))).await;
    assert!(issues[0]["message"].as_str().unwrap().contains("several identities"), "{issues:?}");
    assert!(issues[1]["message"].as_str().unwrap().contains("row 3"), "{issues:?}");
    assert_eq!((server.events_after(head, &["identity"]).await, all(&server).await.len()), (1, 2));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn who_left_every_source_is_removed_and_returns_as_the_same() {
    let server = TestServer::start().await;
    let (one, two) = (server.create(source("One")).await, server.create(source("Two")).await);
    let ann = "a,Ann,Keller,ann@example.com,1001,Analyst,,Vendor,";
    let others = people(&["b,Bob,Ziegler,,,,,,"]);
    server.import(&one, "identities", &people(&[ann, "b,Bob,Ziegler,,,,,,"])).await;
    server.import(&two, "identities", &people(&["x,Ann,K,,1001,,,,"])).await;
    let before = named(&server, "Keller").await;
    // One of two sources still names her; then none.
    server.import(&one, "identities", &others).await;
    let half = server.client.get(&format!("/api/identities/{}", id(&before))).await.json;
    assert_eq!((&half["status"], &half["lastName"]), (&json!("Active"), &json!("K")));
    server.import(&two, "identities", &people(&["y,Cy,New,,,,,,"])).await;
    let gone = server.client.get(&format!("/api/identities/{}", id(&before))).await.json;
    assert_eq!((&gone["status"], &gone["lastName"]), (&json!("Removed"), &json!("Keller")));
    server.import(&one, "identities", &people(&[ann, "b,Bob,Ziegler,,,,,,"])).await;
    assert_eq!(server.client.get(&format!("/api/identities/{}", id(&before))).await.json, before);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn a_supervisor_is_found_by_key_and_else_by_display_name() {
    let server = TestServer::start().await;
    let app = server.create(source("One")).await;
    let rows = [
        "chief,Rosa,Chief,,,,,,",
        "rosa chief,Not,Her,,,,,,",
        "a,By,Key,,,,chief,,",
        // A key wins over a name.
        "b,By,Both,,,,rosa chief,,",
        "c,By,Name,,,,not HER,,",
        "d,By,Nobody,,,,Who Ever,,",
        "t1,Two,Alike,,,,,,",
        "t2,Two,Alike,,,,,,",
        "e,By,Ambiguous,,,,Two Alike,,",
    ];
    server.import(&app, "identities", &people(&rows)).await;
    let mut found = Vec::new();
    for name in ["Key", "Both", "Name", "Nobody", "Ambiguous"] {
        found.push(named(&server, name).await["supervisorName"].clone());
    }
    // Who isn't found is shown as the feed writes it.
    assert_eq!(found, ["Chief, Rosa", "Her, Not", "Her, Not", "Who Ever", "Two Alike"]);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn types_are_read_in_any_spelling_and_an_unknown_one_is_unknown() {
    let server = TestServer::start().await;
    let app = server.create(source("One")).await;
    let rows = [
        "a,,A,,,,,service account,",
        "b,,B,,,,,ServiceAccount,",
        "c,,C,,,,,SERVICE-ACCOUNT,",
        "d,,D,,,,,robot,",
        "e,,E,,,,,,",
        "f,,F,,,,,vendor,",
    ];
    let import = server.import(&app, "identities", &people(&rows)).await;
    assert_eq!(import["metrics"]["rowsRejected"], 0);
    let types: Vec<Value> = all(&server).await.iter().map(|identity| identity["type"].clone()).collect();
    assert_eq!(types, ["Service Account", "Service Account", "Service Account", "Unknown", "Unknown", "Vendor"]);
    // An unknown status is no state that anybody could act on: an issue.
    let import = server.import(&app, "identities", &people(&["a,,A,,,,,,on leave"])).await;
    assert_eq!(server.issues(&import).await, ["2 unknown_status"]);
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn an_account_that_is_found_again_by_another_person_changes_hands() {
    let server = TestServer::start().await;
    let app = server.create(source("One")).await;
    let doors = server.create(application("Doors", &[group("accounts", &["key", "email"])])).await;
    server.import(&app, "identities", &people(&["a,Ann,Keller,desk@example.com,,,,,", "b,Bob,Ziegler,,,,,,"])).await;
    let accounts = "key,email\nd1,desk@example.com\n";
    server.import(&doors, "accounts", accounts).await;
    let owner =
        async || server.items(&format!("/api/applications/{}/accounts", id(&doors))).await[0]["identityId"].clone();
    assert_eq!(owner().await, named(&server, "Keller").await["id"]);
    server.import(&app, "identities", &people(&["a,Ann,Keller,,,,,,", "b,Bob,Ziegler,desk@example.com,,,,,"])).await;
    server.import(&doors, "accounts", accounts).await;
    assert_eq!(owner().await, named(&server, "Ziegler").await["id"]);
    server
        .import(
            &app,
            "identities",
            &people(&["a,Ann,Keller,desk@example.com,,,,,", "b,Bob,Ziegler,desk@example.com,,,,,"]),
        )
        .await;
    let import = server.import(&doors, "accounts", accounts).await;
    assert_eq!((owner().await, &import["metrics"]["uncorrelatedAccounts"]), (Value::Null, &json!(1)));
    server.assert_verified().await;
    server.stop().await;
}

#[tokio::test]
async fn an_identity_keeps_the_day_it_was_first_seen() {
    let server = TestServer::start().await;
    let app = server.create(source("One")).await;
    server.import(&app, "identities", &people(&["a,Ann,Keller,,,,,,"])).await;
    server.clock.advance(chrono::TimeDelta::days(400));
    server.import(&app, "identities", &people(&["a,Ann,Keller,,,Head,,,"])).await;
    let ann = named(&server, "Keller").await;
    assert_eq!((&ann["title"], &ann["firstSeenDate"]), (&json!("Head"), &json!("2026-03-15T12:00:00Z")));
    server.stop().await;
}

#[tokio::test]
async fn of_three_sources_the_one_that_is_set_first_decides() {
    let server = TestServer::start().await;
    let [hr, badges, mail] = [
        server.create(source("Staff")).await,
        server.create(source("Badges")).await,
        server.create(source("Mail")).await,
    ];
    let doors = server.create(application("Doors", &[group("accounts", &["key", "email"])])).await;
    server
        .import(&hr, "identities", &people(&["a,Ann,Keller,ann@hr,1,Analyst,,,", "b,Bob,Ziegler,bob@hr,2,,,,"]))
        .await;
    let badge = people(&["x7,Anna,Keller-Frey,ann@badge,1,,,,Disabled", "x8,Rob,Z,,2,Guard,,,"]);
    server.import(&badges, "identities", &badge).await;
    let mailbox = people(&["ann,A.,K.,ann@badge,1,Head,,,", "cy,Cy,Only,cy@mail,3,,,,"]);
    server.import(&mail, "identities", &mailbox).await;
    server.import(&doors, "accounts", "key,email\nd1,ann@hr\nd2,ann@badge\n").await;
    let ann = named(&server, "Keller").await;
    let bob = named(&server, "Ziegler").await;
    let path = |identity: &Value| format!("/api/identities/{}", id(identity));
    let seen = async |identity: &Value| {
        let now = server.client.get(&path(identity)).await.json;
        let text = |field: &str| now[field].as_str().unwrap_or("-").to_owned();
        ["firstName", "lastName", "emailAddress", "title", "status"].map(text).join(" ")
    };
    let order = async |first: &[&Value]| {
        let ids: Vec<&str> = first.iter().map(|application| id(application)).collect();
        let answer = server.client.put("/api/settings", json!({"identitySources": ids})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    };
    // By creation: who was there first.
    assert_eq!(seen(&ann).await, "Ann Keller ann@hr Analyst Disabled");
    assert_eq!(seen(&bob).await, "Bob Ziegler bob@hr Guard Active");
    // At once, field by field, for everybody of whom several speak; the others follow by creation.
    let head = server.head().await;
    order(&[&mail, &badges]).await;
    assert_eq!(server.head().await, head + 1);
    assert_eq!(seen(&ann).await, "A. K. ann@badge Head Disabled");
    assert_eq!(seen(&bob).await, "Rob Z bob@hr Guard Active");
    order(&[&badges]).await;
    assert_eq!(seen(&ann).await, "Anna Keller-Frey ann@badge Analyst Disabled");
    let cy = named(&server, "Only").await;
    assert_eq!(seen(&cy).await, "Cy Only cy@mail - Active");
    // Each setting made a version of those whom it changed, and of nobody else.
    let versions: Vec<(i64, Option<i64>)> =
        sqlx::query_as("SELECT valid_from, valid_to FROM identities WHERE valid_from > $1 ORDER BY id, valid_from")
            .bind(head)
            .fetch_all(&server.server.app.pool)
            .await
            .unwrap();
    assert_eq!(versions, [(head + 1, Some(head + 2)), (head + 2, None), (head + 1, None)]);
    // Accounts follow at their next import: Ann is no longer found by what only the staff feed says.
    let found = async || -> Vec<Value> {
        let accounts = server.items(&format!("/api/applications/{}/accounts", id(&doors))).await;
        accounts.iter().map(|account| account["identityId"].clone()).collect()
    };
    assert_eq!(found().await, [ann["id"].clone(), Value::Null]);
    server.import(&doors, "accounts", "key,email\nd1,ann@hr\nd2,ann@badge\n").await;
    assert_eq!(found().await, [Value::Null, ann["id"].clone()]);
    // The same feeds again say nothing new under the new order either.
    let head = server.head().await;
    server.import(&badges, "identities", &badge).await;
    server.import(&mail, "identities", &mailbox).await;
    assert_eq!(server.events_after(head, &["identity", "account"]).await, 0);
    server.assert_verified().await;
    server.database.clone().rebuild(|_, _| ()).await.unwrap();
    assert_eq!(seen(&ann).await, "Anna Keller-Frey ann@badge Analyst Disabled");
    server.stop().await;
}

#[tokio::test]
async fn who_leaves_the_first_source_is_seen_by_the_next_and_who_leaves_all_is_removed() {
    let server = TestServer::start().await;
    let [one, two, three] =
        [server.create(source("One")).await, server.create(source("Two")).await, server.create(source("Three")).await];
    let doors = server.create(application("Doors", &[group("accounts", &["key", "email"])])).await;
    let (cy, ann) = ("c,Cy,New,,9,,,,", |name: &str| format!("{name},{name},Keller,{name}@example.com,1,,,,"));
    let feed = async |source: &Value, name: Option<&str>| {
        let row = name.map(ann);
        let rows: Vec<&str> = row.as_deref().into_iter().chain([cy]).collect();
        let import = server.import(source, "identities", &people(&rows)).await;
        assert_eq!(import["status"], "Finished", "{import}");
    };
    feed(&one, Some("first")).await;
    feed(&two, Some("second")).await;
    feed(&three, Some("third")).await;
    let keller = named(&server, "Keller").await;
    let answer = server.client.put("/api/settings", json!({"identitySources": [id(&three), id(&one)]})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    // The desk is hers by hand alone.
    server.import(&doors, "accounts", "key,email\nd1,desk@example.com\n").await;
    let account = server.items(&format!("/api/applications/{}/accounts", id(&doors))).await[0].clone();
    let link = format!("/api/accounts/{}/identity", id(&account));
    assert_eq!(server.client.post(&link, json!({"identityId": id(&keller)})).await.status, 200);
    let seen = async || {
        let now = server.client.get(&format!("/api/identities/{}", id(&keller))).await.json;
        let hers = server.items(&format!("/api/identities/{}/access", id(&keller))).await.len();
        format!("{} {} {hers}", now["firstName"].as_str().unwrap(), now["status"].as_str().unwrap())
    };
    assert_eq!(seen().await, "third Active 1");
    feed(&three, None).await;
    assert_eq!(seen().await, "first Active 1");
    feed(&one, None).await;
    assert_eq!(seen().await, "second Active 1");
    feed(&two, None).await;
    // Remembered by the same precedence, and still the owner of what is hers by hand.
    assert_eq!(seen().await, "third Removed 1");
    server.import(&doors, "accounts", "key,email\nd1,desk@example.com\n").await;
    feed(&two, Some("second")).await;
    assert_eq!(seen().await, "second Active 1");
    server.assert_verified().await;
    server.stop().await;
}
