//! Ten thousand events by fifty callers, a third of them sent again: exactly ten thousand, numbered without a gap.

use std::sync::Arc;

use serde_json::json;

use crate::support::TestServer;

const EVENTS: usize = 10_000;
const CALLERS: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_events_and_their_repetitions_are_ten_thousand() {
    let server = TestServer::start().await;
    let client = Arc::new(server.client.clone());
    let callers = (0..CALLERS).map(|caller| {
        let client = Arc::clone(&client);
        tokio::spawn(async move {
            for number in (caller..EVENTS).step_by(CALLERS) {
                let identity = json!({"firstName": "Person", "lastName": number.to_string(), "email": format!("{number}@example.com")});
                let body = json!({"identity": identity, "effectiveDate": "2026-03-15"});
                let key = format!("joiner {number}");
                // Most answers come; the client that lost one asks again.
                let times = if number % 3 == 0 { 2 } else { 1 };
                let mut ids = Vec::new();
                for _ in 0..times {
                    let answer = client.post_keyed("/api/personnel-events/onboard", &key, body.clone()).await;
                    assert_eq!(answer.status, 201, "{}", answer.text);
                    ids.push(answer.json["id"].clone());
                }
                ids.dedup();
                assert_eq!(ids.len(), 1, "a repetition is the same event");
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    let pool = &server.server.app.pool;
    let (count, most, streams): (i64, i64, i64) = sqlx::query_as(
        "SELECT count(*), max(number), (SELECT count(*) FROM journal.events WHERE event_type = 'PersonnelEventRequested')
         FROM personnel_events",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!((count, most, streams), (EVENTS as i64, EVENTS as i64, EVENTS as i64));
    let listed = server.client.get("/api/personnel-events?page=200").await.json;
    assert_eq!((&listed["totalCount"], listed["items"].as_array().unwrap().len()), (&json!(EVENTS), 50));
    server.assert_verified_in(&[5000]).await;
    server.stop().await;
}
