//! Pages of rows: each row once, in either direction, and tokens that only this list gave.

use reqwest::Method;

use super::crowd::{PEOPLE, RIGHTS, crowd, numbers, page, walk};
use super::{path, review, violation};
use crate::support::people::House;
use crate::support::reviews::{certified, decided, rows};

#[tokio::test]
async fn pages_in_either_direction_show_every_row_once() {
    let house = House::open().await;
    let client = &house.asks;
    let review = certified(client, &crowd(&house).await).await;
    let all: Vec<i64> = (0..(PEOPLE * RIGHTS) as i64).collect();
    assert_eq!(numbers(&rows(client, &review).await), all);
    let (filter, is_meant) =
        ("destination.key eq \"right7\"", |row: &serde_json::Value| row["destination"]["key"] == "right7");
    let meant = numbers(&rows(client, &review).await.into_iter().filter(is_meant).collect::<Vec<_>>());
    assert_eq!(meant.len(), PEOPLE);
    for (filter, whole, sizes) in [("", &all, [49, 539, 540, 541]), (filter, &meant, [1, 29, 30, 31])] {
        for size in sizes {
            assert_eq!(numbers(&walk(client, &review, filter, size, false).await), *whole, "{filter} by {size}");
            let backwards: Vec<i64> = whole.iter().rev().copied().collect();
            assert_eq!(
                numbers(&walk(client, &review, filter, size, true).await),
                backwards,
                "{filter} by {size}, backwards"
            );
        }
    }
    assert_eq!(walk(client, &review, "source.name eq \"nobody\"", 1, true).await.len(), 0);
    // Unless said, a page has 100 rows; what is counted is all.
    let first = page(client, &review, &[]).await;
    assert_eq!(
        (numbers(first["values"].as_array().unwrap()), &first["total_result_count"]),
        (all[..100].to_vec(), &540.into())
    );
    house.close().await;
}

#[tokio::test]
async fn a_page_is_not_moved_by_what_is_decided_meanwhile() {
    let house = House::open().await;
    let client = &house.asks;
    let review = certified(client, &crowd(&house).await).await;
    let open = "decision eq \"NONE\"";
    let first = page(client, &review, &[("filter", open), ("page_size", "10")]).await;
    for row in first["values"].as_array().unwrap() {
        decided(client, &review, row, serde_json::json!({"decision": "ACCEPTED"})).await;
    }
    let token = first["next_page_token"].as_str().unwrap();
    let next = page(client, &review, &[("filter", open), ("page_size", "10"), ("page_token", token)]).await;
    assert_eq!(numbers(next["values"].as_array().unwrap()), (10..20).collect::<Vec<_>>());
    house.close().await;
}

#[tokio::test]
async fn only_tokens_that_this_list_gave_lead_on() {
    let house = House::open().await;
    let client = &house.asks;
    let (one, two) = (review(&house).await, certified(client, &crowd(&house).await).await);
    let token = async |review: &str, filter: &str| {
        let page = page(client, review, &[("filter", filter), ("page_size", "1")]).await;
        page["next_page_token"].as_str().unwrap().to_owned()
    };
    let given = token(&one, "").await;
    let mut forged = given.clone();
    forged.replace_range(7..8, "1");
    assert_ne!(forged, given);
    let (elsewhere, filtered) = (token(&two, "").await, token(&one, "source.name pr").await);
    for wrong in [
        "0",
        "1",
        "next",
        "00000001",
        "ffffffff",
        "-1",
        "+0000001",
        "0000000é",
        &"0".repeat(24),
        &"f".repeat(10_000),
        &given[..23],
        &given.to_uppercase(),
        &format!("{given} "),
        &forged,
        &elsewhere,
        &filtered,
    ] {
        // A token without letters is the same in capitals.
        if wrong == given {
            continue;
        }
        let request = client.request(Method::GET, &format!("{}/results", path(&one))).query(&[("page_token", wrong)]);
        let answer = client.send(request).await;
        let said = "It is no token that this list gave; send next_page_token with the same filter";
        assert_eq!(violation(&answer), ("page_token", said), "{wrong:?}");
    }
    // None is the first page.
    let first = page(client, &one, &[("page_token", "")]).await;
    assert_eq!(numbers(first["values"].as_array().unwrap()), [0, 1, 2]);
    house.close().await;
}

#[tokio::test]
async fn a_page_has_1_to_2000_rows() {
    let house = House::open().await;
    let client = &house.asks;
    let review = review(&house).await;
    for (field, wrong) in [
        ("page_size", "0"),
        ("page_size", "-1"),
        ("page_size", "2001"),
        ("page_size", "many"),
        ("page_size", "9223372036854775808"),
        ("paginate_direction_backwards", "yes"),
    ] {
        let answer = client.get(&format!("{}/results?{field}={wrong}", path(&review))).await;
        assert_eq!(violation(&answer).0, field, "{wrong}");
    }
    for right in ["1", "2000"] {
        assert_eq!(client.get(&format!("{}/results?page_size={right}", path(&review))).await.status, 200);
    }
    house.close().await;
}
