//! Two at once, and the same thing twice.

use aggregates::api_token::Role;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{client_of, decision, ledger_workflow, log, path, request_of, review_with};
use crate::support::people::House;
use crate::support::reviews::{AWF, certified, complete, decide, row, rows, runs};

#[tokio::test]
async fn two_reviewers_decide_about_one_row_at_once_and_the_log_has_it_all() {
    let house = House::open().await;
    let more = json!({"reviewers": [{"email": "cleo@example.com"}, {"email": "dan@example.com"}]});
    let review = review_with(&house, more).await;
    let (as_cleo, as_dan) =
        (client_of(&house, "Cleo", Role::Operator).await, client_of(&house, "Dan", Role::Operator).await);
    let found = row(&as_cleo, &review, "ann", "book").await;
    let changes = (0..40).map(|at| {
        let (client, word) = if at % 2 == 0 { (&as_cleo, "ACCEPTED") } else { (&as_dan, "REJECTED") };
        // The notes make each of them a change.
        decide(client, &review, &found, json!({"decision": word, "notes": format!("{word} {at}")}))
    });
    for answer in join_all(changes).await {
        assert_eq!((answer.status, &answer.json), (200, &json!({})), "{}", answer.text);
    }
    let now = row(&as_cleo, &review, "ann", "book").await;
    let entries = now["action_log"]["entries"].as_array().unwrap();
    let mut notes: Vec<&str> = entries.iter().map(|entry| entry["note"].as_str().unwrap()).collect();
    assert_eq!(now["notes"], *notes.last().unwrap());
    assert!(now["notes"].as_str().unwrap().starts_with(decision(&now)), "{now:#}");
    notes.sort_unstable();
    notes.dedup();
    assert_eq!(notes.len(), 40, "{:#?}", log(&now));
    // Of the access requests that rejections opened at most the last one is open.
    let opened: Vec<&Value> =
        entries.iter().map(|entry| &entry["access_request_opened"]).filter(|id| id.is_string()).collect();
    for request in &opened {
        let is_last = now["access_request_id"] == **request;
        let status = house.request(&json!({"id": request})).await["status"].clone();
        assert_eq!(status, if is_last { "Open" } else { "Canceled" });
    }
    assert!(!opened.is_empty());
    house.close().await;
}

#[tokio::test]
async fn who_completes_while_others_decide_ends_it_for_all() {
    let house = House::open().await;
    let review = review_with(&house, json!({})).await;
    let all = rows(&house.asks, &review).await;
    let end = async {
        tokio::time::sleep(std::time::Duration::from_millis(15)).await;
        complete(&house.answers, &review).await;
    };
    let deciding = join_all((0..60).map(|at| {
        let (client, review, row) = (&house.asks, &review, &all[at % all.len()]);
        async move {
            tokio::time::sleep(std::time::Duration::from_millis(at as u64)).await;
            decide(client, review, row, json!({"decision": 2, "notes": at.to_string()})).await
        }
    }));
    let (answers, ()) = tokio::join!(deciding, end);
    let mut carried_out = 0;
    for answer in &answers {
        assert!(matches!(answer.status, 200 | 409), "{}", answer.text);
        carried_out += usize::from(answer.status == 200);
    }
    let logs: Vec<usize> = rows(&house.asks, &review)
        .await
        .iter()
        .map(|row| row["action_log"]["entries"].as_array().unwrap().len())
        .collect();
    assert_eq!(logs.iter().sum::<usize>(), carried_out);
    assert_eq!(answers.last().unwrap().status, 409);
    house.close().await;
}

#[tokio::test]
async fn a_rejection_and_its_decision_by_filter_open_one_access_request() {
    let house = House::open().await;
    let review = review_with(&house, json!({})).await;
    let found = row(&house.asks, &review, "ann", "book").await;
    let by_filter = format!("{}/results:decide", path(&review));
    let (one, many) = tokio::join!(
        decide(&house.asks, &review, &found, json!({"decision": "REJECTED"})),
        house.answers.post(&by_filter, json!({"decision": "REJECTED"})),
    );
    assert_eq!((one.status, many.status), (200, 200), "{} {}", one.text, many.text);
    for row in rows(&house.asks, &review).await {
        assert_eq!(decision(&row), "REJECTED");
        assert_eq!(house.request(&request_of(&row)).await["status"], "Open");
    }
    let requests = house.server.items("/api/access-requests").await;
    assert_eq!(requests.len(), 3, "{requests:#?}");
    house.close().await;
}

#[tokio::test]
async fn a_certification_that_is_asked_for_twice_is_made_once() {
    let house = House::open().await;
    let made = ledger_workflow(&house, json!({})).await;
    let (path, body) = (format!("{AWF}/certifications"), json!({"workflow_id": made}));
    let first = house.asks.post_keyed(&path, "quarterly", body.clone()).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let again = house.asks.post_keyed(&path, "quarterly", body.clone()).await;
    assert_eq!((again.status, &again.text), (200, &first.text));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = house.asks.post_keyed(&path, "quarterly", json!({"workflow_id": made, "name": "Other"})).await;
    assert_eq!((other.status, &other.json["code"]), (422, &json!("FailedPrecondition")), "{}", other.text);
    // At once, too: one comes first, the others get its answer, what it made, or the advice to ask again.
    let ask = || house.answers.post_keyed(&path, "at once", body.clone());
    for answer in join_all((0..10).map(|_| ask())).await {
        assert!(matches!(answer.status, 200 | 409), "{}", answer.text);
    }
    assert_eq!(ask().await.headers["idempotent-replayed"], "true");
    let list = house.asks.get(&format!("{path}?workflow_id={made}")).await.json;
    assert_eq!(list["total_result_count"], 2, "{list:#}");
    house.close().await;
}

#[tokio::test]
async fn a_decision_by_filter_that_is_asked_for_twice_is_one_run() {
    let house = House::open().await;
    let review = certified(&house.answers, &ledger_workflow(&house, json!({})).await).await;
    let path = format!("{}/results:decide", path(&review));
    let body = json!({"decision": "REJECTED"});
    let first = house.asks.post_keyed(&path, "all", body.clone()).await;
    assert_eq!((first.status, &first.json["changed"]), (200, &json!(3)), "{}", first.text);
    let head = house.server.head().await;
    let again = house.asks.post_keyed(&path, "all", body.clone()).await;
    assert_eq!((again.status, &again.text, house.server.head().await), (200, &first.text, head));
    let other = house.asks.post_keyed(&path, "all", json!({"decision": "ACCEPTED"})).await;
    assert_eq!(other.status, 422, "{}", other.text);
    let ask = || house.answers.post_keyed(&path, "at once", json!({"decision": "ACCEPTED"}));
    for answer in join_all((0..10).map(|_| ask())).await {
        assert!(matches!(answer.status, 200 | 409), "{}", answer.text);
    }
    assert_eq!(ask().await.json["changed"], 3);
    assert_eq!(runs(&house.asks, &review).await.len(), 2);
    house.close().await;
}

#[tokio::test]
async fn of_many_who_saw_a_row_untouched_one_decides() {
    let house = House::open().await;
    let review = review_with(&house, json!({})).await;
    let found = row(&house.asks, &review, "ann", "book").await;
    let results = format!("{}/results", path(&review));
    let puts = (0..10).map(|at| {
        let body = json!({"value": {"result_id": found["result_id"], "decision": 2, "notes": at.to_string()}});
        house.asks.send(house.asks.request(Method::PUT, &results).header("If-Match", "\"0\"").json(&body))
    });
    let mut statuses: Vec<u16> = join_all(puts).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[412; 9][..]));
    assert_eq!(log(&row(&house.asks, &review, "ann", "book").await).len(), 1);
    house.close().await;
}

#[tokio::test]
async fn what_is_forced_or_completed_twice_with_one_key_is_done_once() {
    let house = House::open().await;
    let review = review_with(&house, json!({})).await;
    let found = row(&house.asks, &review, "ann", "book").await;
    let force = format!("{}/results:force_update", path(&review));
    let reject = json!({"value": {"result_id": found["result_id"], "decision": "REJECTED"}});
    assert_eq!(house.answers.post_keyed(&force, "reject", reject.clone()).await.status, 200);
    let accept = json!({"decision": "ACCEPTED"});
    assert_eq!(decide(&house.asks, &review, &found, accept).await.status, 200);
    // Sent again because its answer was lost, it isn't done again.
    let again = house.answers.post_keyed(&force, "reject", reject).await;
    assert_eq!((again.status, &again.json), (200, &json!({})), "{}", again.text);
    assert_eq!(decision(&row(&house.asks, &review, "ann", "book").await), "ACCEPTED");
    for _ in 0..2 {
        let answer = house.answers.post_keyed(&format!("{}:complete", path(&review)), "complete", json!({})).await;
        assert_eq!((answer.status, &answer.json), (200, &json!({})), "{}", answer.text);
    }
    house.close().await;
}

#[tokio::test]
async fn several_servers_search_several_certifications_and_each_row_is_recorded_once() {
    let house = House::open().await;
    let beside = house.server.start_beside().await;
    let made = ledger_workflow(&house, json!({})).await;
    let all = join_all((0..8).map(|_| certified(&house.answers, &made))).await;
    for review in &all {
        assert_eq!(rows(&house.answers, review).await.len(), 3);
    }
    let claims = house.server.client.get("/api/events?eventType=CertificationSearchCompleted&limit=100").await.json;
    assert_eq!(claims["items"].as_array().unwrap().len(), 8);
    beside.stop().await;
    house.close().await;
}
