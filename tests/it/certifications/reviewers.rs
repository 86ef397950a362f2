//! Who decides: a row's reviewers and administrators, nobody about their own access (rulings 1, 38).

use aggregates::api_token::Role;
use serde_json::{Value, json};

use super::{NOBODY, client_of, decision, ledger_workflow, log, path, refusal, review_with, violation, violations};
use crate::support::bodies::{application, group};
use crate::support::id;
use crate::support::people::House;
use crate::support::reviews::{AWF, certify, decide, decided, row, workflow};

/// Names of a row's reviewers.
fn reviewers(row: &Value) -> Vec<&str> {
    row["reviewers"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn supervisors_and_owners_review_and_where_there_is_nobody_the_fallback_does() {
    let house = House::open().await;
    let groups = [
        group("accounts", &["key", "email"]),
        group("entitlements", &["key", "owner"]),
        group("grants", &["account", "entitlement"]),
    ];
    let mut body = application("Vault", &groups);
    body["responders"] = json!([house.person("Dan").await]);
    let vault = house.server.create(body).await;
    let accounts = "key,email\nann,ann@example.com\ncleo,cleo@example.com\ndan,dan@example.com\n";
    let entitlements = "key,owner\nopen,BOB@example.com\nclose,\nsell,gone@example.com\n";
    let grants = "account,entitlement\nann,open\nann,close\ncleo,open\ncleo,sell\ndan,close\n";
    let files = [("accounts", accounts), ("entitlements", entitlements), ("grants", grants)];
    assert_eq!(house.server.import_all(&vault, &files).await["status"], "Finished");
    let body =
        json!({"name": "Vault", "application_ids": [id(&vault)], "fallback_reviewers": [{"email": "bob@example.com"}]});
    let made = workflow(&house.answers, body).await;
    let assigned = async |assignment: Value| {
        let review = certify(&house.answers, json!({"workflow_id": made, "reviewer_assignment": assignment})).await;
        let mut found = Vec::new();
        for (source, destination) in
            [("ann", "open"), ("ann", "close"), ("cleo", "open"), ("cleo", "sell"), ("dan", "close")]
        {
            let row = row(&house.answers, &review, source, destination).await;
            found.push(reviewers(&row).join(" + "));
        }
        found
    };
    let fallback = json!([{"email": "ann@example.com"}]);
    // Cleo has no supervisor; what the workflow says of reviewers counts only where the certification says nothing.
    let managers = assigned(json!({"users_manager": true, "fallback_reviewers": fallback})).await;
    assert_eq!(managers, ["Cleo Carter", "Cleo Carter", "Ann Archer", "Ann Archer", "Cleo Carter"]);
    // Who owns an entitlement, else the application's responders; Dan doesn't review his own access.
    let owners = assigned(json!({"resource_managers": true, "fallback_reviewers": fallback})).await;
    assert_eq!(owners, ["Bob Baker", "Dan Dyer", "Bob Baker", "Dan Dyer", "Ann Archer"]);
    // Everybody who is named, each once, in this order.
    let named = json!([{"email": "cleo@example.com"}, {"email": "dan@example.com"}]);
    let all = assigned(json!({"users_manager": true, "resource_managers": true, "reviewers": named})).await;
    assert_eq!(
        all,
        [
            "Cleo Carter + Dan Dyer + Bob Baker",
            "Cleo Carter + Dan Dyer",
            "Dan Dyer + Bob Baker",
            "Dan Dyer",
            "Cleo Carter"
        ]
    );
    // A fallback reviewer doesn't review their own access either.
    assert_eq!(
        assigned(json!({"fallback_reviewers": fallback})).await,
        ["", "", "Ann Archer", "Ann Archer", "Ann Archer"]
    );
    // Said nothing: the workflow's.
    let review = certify(&house.answers, json!({"workflow_id": made})).await;
    assert_eq!(reviewers(&row(&house.answers, &review, "ann", "open").await), ["Bob Baker"]);
    house.close().await;
}

#[tokio::test]
async fn a_rows_reviewers_and_administrators_decide_and_nobody_else_does() {
    let house = House::open().await;
    let more = json!({"reviewers": [{"email": "cleo@example.com"}]});
    let review = review_with(&house, more).await;
    let found = row(&house.asks, &review, "ann", "book").await;
    let head = house.server.head().await;
    let as_dan = client_of(&house, "Dan", Role::Operator).await;
    let accept = json!({"decision": "ACCEPTED"});
    for stranger in [&as_dan, &house.asks] {
        let answer = decide(stranger, &review, &found, accept.clone()).await;
        assert_eq!(refusal(&answer), "Only the row's reviewers and administrators decide about it");
    }
    for role in [Role::Reader, Role::Auditor] {
        let client = house.server.client_as(role.as_str(), role).await;
        assert_eq!(client.get(&format!("{}/results", path(&review))).await.status, 200);
        let refused = [
            decide(&client, &review, &found, accept.clone()).await,
            client.post(&format!("{}/results:decide", path(&review)), accept.clone()).await,
            client.post(&format!("{}:complete", path(&review)), json!({})).await,
            client.post(&format!("{AWF}/certifications"), json!({"workflow_id": NOBODY})).await,
        ];
        for answer in refused {
            assert_eq!((answer.status, &answer.json["code"]), (403, &json!("PermissionDenied")), "{}", answer.text);
        }
    }
    assert_eq!(house.server.events_after(head, &["certification_row", "certification", "automation_run"]).await, 0);
    decided(&client_of(&house, "Cleo", Role::Operator).await, &review, &found, accept).await;
    decided(&house.answers, &review, &found, json!({"decision": "REJECTED"})).await;
    let found = row(&house.asks, &review, "ann", "book").await;
    assert_eq!(log(&found), ["DECISION ACCEPTED", "DECISION REJECTED"]);
    let by: Vec<&Value> =
        found["action_log"]["entries"].as_array().unwrap().iter().map(|entry| &entry["user"]["name"]).collect();
    assert_eq!(by, [&json!("token of Cleo"), &json!("Security")]);
    house.close().await;
}

#[tokio::test]
async fn nobody_decides_about_their_own_access() {
    let house = House::open().await;
    let more =
        json!({"reviewers": [{"email": "ann@example.com"}], "fallback_reviewers": [{"email": "cleo@example.com"}]});
    let review = review_with(&house, more).await;
    let (own, other) = (row(&house.asks, &review, "ann", "book").await, row(&house.asks, &review, "bob", "read").await);
    assert_eq!((reviewers(&own), reviewers(&other)), (vec!["Cleo Carter"], vec!["Ann Archer"]));
    // Nor does an administrator, nor by force, nor when somebody names them.
    let as_ann = client_of(&house, "Ann", Role::Administrator).await;
    let named = json!({"reviewers": [{"email": "ann@example.com"}]});
    decided(&house.answers, &review, &own, named).await;
    let accept = json!({"decision": "ACCEPTED"});
    for answer in [
        decide(&as_ann, &review, &own, accept.clone()).await,
        super::force(&as_ann, &review, &own, accept.clone()).await,
        decide(&as_ann, &review, &own, json!({"reviewers": [{"email": "bob@example.com"}]})).await,
    ] {
        assert_eq!(refusal(&answer), "Nobody decides about their own access");
    }
    decided(&as_ann, &review, &other, accept).await;
    house.close().await;
}

#[tokio::test]
async fn a_workflow_can_let_people_decide_about_their_own_access() {
    let house = House::open().await;
    let more = json!({"reviewers": [{"email": "ann@example.com"}], "fallback_reviewers": [{"email": "cleo@example.com"}],
                      "allow_self_review": true});
    let review = review_with(&house, more).await;
    let own = row(&house.asks, &review, "ann", "book").await;
    assert_eq!(reviewers(&own), ["Ann Archer"]);
    let as_ann = client_of(&house, "Ann", Role::Operator).await;
    decided(&as_ann, &review, &own, json!({"decision": "ACCEPTED"})).await;
    assert_eq!(decision(&row(&house.asks, &review, "ann", "book").await), "ACCEPTED");
    house.close().await;
}

#[tokio::test]
async fn reviewers_hand_a_row_on() {
    let house = House::open().await;
    let review = review_with(&house, json!({"reviewers": [{"email": "cleo@example.com"}]})).await;
    let (as_cleo, as_dan) =
        (client_of(&house, "Cleo", Role::Operator).await, client_of(&house, "Dan", Role::Operator).await);
    let found = row(&as_cleo, &review, "ann", "book").await;
    let dan = house.person("Dan").await;
    decided(&as_cleo, &review, &found, json!({"reviewers": [{"id": dan}], "notes": "Dan knows"})).await;
    let handed = row(&as_cleo, &review, "ann", "book").await;
    assert_eq!(
        (reviewers(&handed), log(&handed)),
        (vec!["Dan Dyer"], vec!["NOTE_ADDED  Dan knows".to_owned(), "REVIEWER_ASSIGNED".to_owned()])
    );
    let detail = &handed["action_log"]["entries"][1]["reviewer_detail"];
    assert_eq!(
        (&detail["old_reviewers"][0]["name"], &detail["new_reviewers"][0]["name"]),
        (&json!("Cleo Carter"), &json!("Dan Dyer"))
    );
    // The same again is nothing new; none named leaves who is.
    let head = house.server.head().await;
    decided(&as_dan, &review, &found, json!({"reviewers": [{"email": "DAN@example.com"}, {"id": dan}]})).await;
    decided(&as_dan, &review, &found, json!({"reviewers": []})).await;
    assert_eq!(house.server.head().await, head);
    assert_eq!(decide(&as_cleo, &review, &found, json!({"decision": "ACCEPTED"})).await.status, 409);
    decided(&as_dan, &review, &found, json!({"decision": "ACCEPTED"})).await;
    let other = row(&as_cleo, &review, "bob", "read").await;
    assert_eq!(decide(&as_dan, &review, &other, json!({"decision": "ACCEPTED"})).await.status, 409, "only that row");
    house.close().await;
}

#[tokio::test]
async fn only_people_who_are_here_review() {
    let house = House::open().await;
    let ann = house.person("Ann").await;
    let made = ledger_workflow(&house, json!({})).await;
    let review = certify(&house.answers, json!({"workflow_id": made})).await;
    let found = row(&house.answers, &review, "bob", "read").await;
    let left =
        crate::support::people::STAFF.lines().filter(|line| !line.starts_with("e1")).collect::<Vec<_>>().join("\n");
    house.staff(&left).await;
    let head = house.server.head().await;
    let cleo = house.person("Cleo").await;
    for (users, field) in [
        (json!([{"id": cleo}, {"id": cleo}, {"id": ann}]), "value.reviewers[2]"),
        (json!([{"id": NOBODY}]), "value.reviewers[0]"),
        (json!([{"id": "cleo"}]), "value.reviewers[0].id"),
        (json!([{"email": "ann@example.com"}]), "value.reviewers[0].email"),
        (json!([{}]), "value.reviewers[0]"),
        (json!(vec![json!({"id": NOBODY}); 101]), "value.reviewers"),
    ] {
        let answer = decide(&house.answers, &review, &found, json!({"reviewers": users})).await;
        assert_eq!(violation(&answer).0, field);
    }
    let assignment = json!({"reviewers": [{"id": ann}], "fallback_reviewers": [{"id": cleo}, {"id": ann}]});
    let body = json!({"workflow_id": made, "reviewer_assignment": assignment});
    let answer = house.answers.post(&format!("{AWF}/certifications"), body).await;
    let fields: Vec<&str> = violations(&answer).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["reviewer_assignment.reviewers[0]", "reviewer_assignment.fallback_reviewers[1]"]);
    assert_eq!(house.server.head().await, head);
    house.close().await;
}
