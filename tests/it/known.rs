//! What a server remembers of applications never leads to an answer that the log doesn't bear out: two servers on one
//! database, of which each knows only what it did itself.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bodies::{application, grants_only, group};
use crate::support::{Answer, TestServer, file_group, id};

fn path(application: &Value) -> String {
    format!("/api/applications/{}", id(application))
}

async fn rename(server: &TestServer, application: &Value, name: &str) -> String {
    let answer = server.client.put(&path(application), grants_only(name)).await;
    assert_eq!((answer.status, &answer.json["name"]), (200, &json!(name)), "{}", answer.text);
    answer.headers["etag"].to_str().unwrap().to_owned()
}

async fn rename_if(server: &TestServer, application: &Value, etag: &str, name: &str) -> Answer {
    let request = server.client.request(Method::PUT, &path(application)).header("If-Match", etag);
    server.client.send(request.json(&grants_only(name))).await
}

#[tokio::test]
async fn changes_of_two_servers_follow_one_another_and_none_is_lost() {
    let one = TestServer::start().await;
    let two = one.start_beside().await;
    let made = one.create(grants_only("Payroll")).await;
    for round in 0..4 {
        assert_eq!(rename(&one, &made, &format!("One {round}")).await, format!("\"{}\"", 2 + 3 * round));
        assert_eq!(rename(&one, &made, &format!("Own {round}")).await, format!("\"{}\"", 3 + 3 * round));
        assert_eq!(rename(&two, &made, &format!("Two {round}")).await, format!("\"{}\"", 4 + 3 * round));
        // The name that was given up last is free, and the one before it, too.
        let free = one.create(grants_only(&format!("One {round}"))).await;
        let taken = one.client.put(&path(&free), grants_only(&format!("Two {round}"))).await;
        assert_eq!(taken.status, 409, "{}", taken.text);
    }
    one.assert_verified().await;
    two.stop().await;
    one.stop().await;
}

#[tokio::test]
async fn what_would_change_nothing_is_changed_when_another_server_changed_it() {
    let one = TestServer::start().await;
    let two = one.start_beside().await;
    let made = one.create(grants_only("Payroll")).await;
    assert_eq!(rename(&one, &made, "Wages").await, "\"2\"");
    assert_eq!(rename(&one, &made, "Wages").await, "\"2\"");
    assert_eq!(rename(&two, &made, "Salaries").await, "\"3\"");
    assert_eq!(rename(&one, &made, "Wages").await, "\"4\"");
    one.assert_verified().await;
    two.stop().await;
    one.stop().await;
}

#[tokio::test]
async fn an_etag_of_another_server_is_demanded_of_the_log() {
    let one = TestServer::start().await;
    let two = one.start_beside().await;
    let made = one.create(grants_only("Payroll")).await;
    let old = rename(&one, &made, "Wages").await;
    let new = rename(&two, &made, "Salaries").await;
    let stale = rename_if(&one, &made, &old, "Lost").await;
    assert_eq!(stale.status, 412, "{}", stale.text);
    assert!(stale.json["message"].as_str().unwrap().ends_with("the current ETag is \"3\""), "{}", stale.text);
    assert_eq!(rename_if(&one, &made, &new, "Pay").await.status, 200);
    two.stop().await;
    one.stop().await;
}

#[tokio::test]
async fn a_refusal_is_the_logs_and_not_the_memorys() {
    let one = TestServer::start().await;
    let two = one.start_beside().await;
    let made = one.create(grants_only("Payroll")).await;
    rename(&one, &made, "Wages").await;
    // The other server adds a group of files, for which this one then takes a schedule.
    let groups = [group("grants", &["account", "entitlement"]), group("accounts", &["key", "userName"])];
    let grown = two.client.put(&path(&made), application("Wages", &groups)).await;
    assert_eq!(grown.status, 200, "{}", grown.text);
    assert_eq!(file_group(&grown.json, "grants"), file_group(&made, "grants"));
    one.share("users.csv", "x");
    let set = one.schedule(&grown.json, &[("accounts", "users.csv"), ("grants", "users.csv")]).await;
    assert_eq!(set.status, 200, "{}", set.text);
    // A definition made from an old one would give the group another id.
    rename(&two, &made, "Grants alone").await;
    let again = two.client.put(&path(&made), application("Wages", &groups)).await;
    let from_old = one.client.put(&path(&made), application("Pay", &groups)).await;
    assert_eq!(from_old.status, 200, "{}", from_old.text);
    assert_eq!(file_group(&from_old.json, "accounts"), file_group(&again.json, "accounts"));
    // What the other server archived takes no change here.
    let archived = two.client.send(two.client.request(Method::POST, &format!("{}/archive", path(&made)))).await;
    assert_eq!(archived.status, 200, "{}", archived.text);
    for _ in 0..2 {
        let refused = one.client.put(&path(&made), grants_only("Too late")).await;
        assert_eq!((refused.status, &refused.json["message"]), (409, &json!("Application is archived")));
    }
    one.assert_verified().await;
    two.stop().await;
    one.stop().await;
}
