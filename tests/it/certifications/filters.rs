//! Filters over the rows of a certification mean what they say of each row that the list shows.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::crowd::{PEOPLE, crowd, numbers, walk};
use super::decision;
use crate::support::people::House;
use crate::support::reviews::{AWF, certified, complete, decided, rows};

/// A row, and the same one in the certification before.
type Pair<'r> = (&'r Value, Option<&'r Value>);
type Meant = (&'static str, fn(&Pair<'_>) -> bool);

fn text<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    value.pointer(path).and_then(Value::as_str)
}

/// Case doesn't matter.
fn is(value: &Value, path: &str, word: &str) -> bool {
    text(value, path).is_some_and(|found| found.to_lowercase() == word)
}

const FILTERS: [Meant; 33] = [
    ("", |_| true),
    ("source.name eq \"ä3\"", |(row, _)| is(row, "/source/name", "ä3")),
    ("source.key ew \"7\"", |(row, _)| text(row, "/source/key").unwrap().ends_with('7')),
    ("source.is_active eq false", |(row, _)| row["source"]["is_active"] == false),
    ("source.is_active ne \"true\"", |(row, _)| row["source"]["is_active"] != true),
    ("source.type pr", |(row, _)| text(row, "/source/type").is_some()),
    ("source.type ne \"SERVICE\"", |(row, _)| !is(row, "/source/type", "service")),
    ("not (source.type eq \"service\")", |(row, _)| !is(row, "/source/type", "service")),
    ("source.last_login_at ge \"2026-02-15\"", |(row, _)| {
        text(row, "/source/last_login_at").is_some_and(|at| at >= "2026-02-15T")
    }),
    ("not (source.last_login_at pr)", |(row, _)| text(row, "/source/last_login_at").is_none()),
    ("source.attributes.costCentre eq \"4711\"", |(row, _)| is(row, "/source/attributes/costCentre", "4711")),
    ("source.attributes.costCentre lt 4711", |(row, _)| is(row, "/source/attributes/costCentre", "0815")),
    (r#"source.attributes."COSTCENTRE" eq "x\"y""#, |(row, _)| is(row, "/source/attributes/costCentre", "x\"y")),
    ("source.attributes.none pr", |_| false),
    ("source.identity.department eq \"SALES\"", |(row, _)| is(row, "/source/identity/department", "sales")),
    ("source.identity.department sw \"Stra\"", |(row, _)| is(row, "/source/identity/department", "straße")),
    ("source.identity[department eq \"it\" and first_name co \"1\"]", |(row, _)| {
        is(row, "/source/identity/department", "it") && text(row, "/source/identity/first_name").unwrap().contains('1')
    }),
    ("destination.name co \"READ\"", |(row, _)| {
        text(row, "/destination/name").unwrap().to_lowercase().contains("read")
    }),
    // Signs that mean something to LIKE.
    ("destination.description co \"% of_1\"", |(row, _)| {
        text(row, "/destination/description").unwrap().contains("% of_1")
    }),
    ("destination.is_privileged eq true", |(row, _)| row["destination"]["is_privileged"] == true),
    ("not (destination.is_privileged pr)", |(row, _)| row["destination"].get("is_privileged").is_none()),
    ("grant.attributes.since eq \"2020\"", |(row, _)| is(row, "/grant/attributes/since", "2020")),
    ("grant.granted_at le \"2026-03-15T12:00:00Z\"", |_| true),
    ("decision eq \"ACCEPTED\"", |(row, _)| decision(row) == "ACCEPTED"),
    ("decision ne \"RESULT_DECISION_NONE\"", |(row, _)| decision(row) != "NONE"),
    ("notes co \"ÄR\"", |(row, _)| text(row, "/notes").unwrap().to_lowercase().contains("är")),
    ("not (notes pr)", |(row, _)| row["notes"] == ""),
    ("signed_off_state eq \"SIGNED_OFF\"", |(row, _)| row["signed_off_state"] == "SIGNED_OFF"),
    ("previous.decision eq \"REJECTED\"", |(_, before)| before.is_some_and(|before| decision(before) == "REJECTED")),
    ("previous.signed_off_state eq \"NOT_SIGNED_OFF\"", |(_, before)| {
        before.is_some_and(|before| before["signed_off_state"] == "NOT_SIGNED_OFF")
    }),
    ("previous.notes pr and decision eq \"NONE\"", |(row, before)| {
        before.is_some_and(|before| before["notes"] != "") && decision(row) == "NONE"
    }),
    // In a filter of a list a row without a predecessor is one of which it isn't so.
    ("previous.decision ne \"ACCEPTED\"", |(_, before)| !before.is_some_and(|before| decision(before) == "ACCEPTED")),
    ("(source.is_active eq false OR decision eq \"REJECTED\") AND destination.key eq \"RIGHT1\"", |(row, _)| {
        (row["source"]["is_active"] == false || decision(row) == "REJECTED") && row["destination"]["key"] == "right1"
    }),
];

/// Decides about some rows, in ways that follow from their numbers.
async fn decide_some(house: &House, review: &str, step: usize) {
    for (at, row) in rows(&house.answers, review).await.iter().enumerate().step_by(step) {
        let decision = ["ACCEPTED", "REJECTED", "NONE"][at % 3];
        let notes = ["", "Ja, klÄr das", "no"][at % 5 % 3];
        let state = ["NOT_SIGNED_OFF", "SIGNED_OFF"][at % 2];
        decided(&house.answers, review, row, json!({"decision": decision, "notes": notes, "signed_off_state": state}))
            .await;
    }
}

#[tokio::test]
async fn a_filter_finds_the_rows_of_which_it_is_true() {
    let house = House::open().await;
    let client = &house.answers;
    let made = crowd(&house).await;
    // The first one leaves out a right, of which the second has rows without a predecessor.
    let path = format!("{AWF}/workflows/{made}");
    let mut workflow = client.get(&path).await.json["value"].clone();
    workflow["filter"] = json!("destination.key ne \"right3\"");
    assert_eq!(client.put(&path, workflow.clone()).await.status, 200);
    let before = certified(client, &made).await;
    decide_some(&house, &before, 7).await;
    complete(client, &before).await;
    workflow["filter"] = json!("");
    assert_eq!(client.put(&path, workflow).await.status, 200);
    let review = certified(client, &made).await;
    decide_some(&house, &review, 5).await;
    let all = rows(client, &review).await;
    let old = rows(client, &before).await;
    let known: BTreeMap<i64, &Value> = numbers(&old).into_iter().zip(&old).collect();
    let pairs: Vec<Pair<'_>> = all
        .iter()
        .map(|row| (row, row["previous_result_id"].as_i64().and_then(|number| known.get(&number).copied())))
        .collect();
    assert_eq!(pairs.iter().filter(|(_, before)| before.is_none()).count(), PEOPLE);
    for (filter, is_meant) in FILTERS {
        let meant: Vec<i64> =
            pairs.iter().filter(|pair| is_meant(pair)).map(|(row, _)| row["result_id"].as_i64().unwrap()).collect();
        assert_eq!(numbers(&walk(client, &review, filter, 2000, false).await), meant, "{filter}");
    }
    house.close().await;
}
