//! A vault with a few hundred grants, of every kind that filters tell apart.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::support::bodies::application;
use crate::support::people::{House, STAFF};
use crate::support::reviews::{AWF, workflow};
use crate::support::{Client, id};

pub const PEOPLE: usize = 30;
pub const RIGHTS: usize = 18;

/// Thirty people more, who hold eighteen rights each in a new vault: 540 rows of a workflow, whose id this is. A block has 500.
pub async fn crowd(house: &House) -> String {
    let (mut staff, mut accounts) = (STAFF.to_owned(), "login,name,mail,active,seen,kind,centre\n".to_owned());
    let mut grants = "login,right,since\n".to_owned();
    for person in 0..PEOPLE {
        let department = ["Sales", "sales", "Straße", "IT"][person % 4];
        writeln!(staff, "p{person},First{person},Last{person},p{person}@example.com,Clerk,{department},e3").unwrap();
        let active = ["yes", "no", ""][person % 3];
        let seen = if person % 5 == 0 { String::new() } else { format!("2026-02-{:02}", person % 28 + 1) };
        let (kind, centre) = (["Person", "service", ""][person % 3], ["4711", "0815", "", "x\"y"][person % 4]);
        let centre = centre.replace('"', "\"\"");
        writeln!(accounts, "login{person},Ä{person},p{person}@example.com,{active},{seen},{kind},\"{centre}\"")
            .unwrap();
        for right in 0..RIGHTS {
            let since = ["2020", "", "1e9"][(person + right) % 3];
            writeln!(grants, "login{person},right{right},{since}").unwrap();
        }
    }
    let mut rights = "right,label,kind,about,owner,power\n".to_owned();
    for right in 0..RIGHTS {
        let (label, power) = (["Read", "read all", "", "İstanbul"][right % 4], ["yes", "no", ""][right % 3]);
        writeln!(rights, "right{right},{label},role,100% of_{right},bob@example.com,{power}").unwrap();
    }
    house.staff(&staff).await;
    let group =
        |name: &str, content: &str, columns: Value| json!({"name": name, "content": content, "columns": columns});
    let groups = [
        group(
            "Users",
            "accounts",
            json!({"key": "login", "name": "name", "email": "mail", "isActive": "active",
            "lastLoginAt": "seen", "type": "kind", "costCentre": "centre"}),
        ),
        group(
            "Roles",
            "entitlements",
            json!({"key": "right", "name": "label", "type": "kind", "description": "about",
            "owner": "owner", "isPrivileged": "power"}),
        ),
        group("Members", "grants", json!({"account": "login", "entitlement": "right", "since": "since"})),
    ];
    let vault = house.server.create(application("Vault", &groups)).await;
    let files = [("accounts", accounts.as_str()), ("entitlements", &rights), ("grants", &grants)];
    let import = house.server.import_all(&vault, &files).await;
    assert_eq!(import["status"], "Finished", "{import:#}");
    workflow(&house.answers, json!({"name": "Vault", "application_ids": [id(&vault)]})).await
}

/// A page of rows; fails unless there is one.
pub async fn page(client: &Client, review: &str, query: &[(&str, &str)]) -> Value {
    let path = format!("{AWF}/certifications/{review}/results");
    let answer = client.send(client.request(reqwest::Method::GET, &path).query(query)).await;
    assert_eq!(answer.status, 200, "{query:?}: {}", answer.text);
    answer.json
}

/// Every row that a filter means, page by page in this direction, in the order in which they came.
pub async fn walk(client: &Client, review: &str, filter: &str, size: usize, backwards: bool) -> Vec<Value> {
    let (size, mut token, mut found) = (size.to_string(), String::new(), Vec::new());
    let backwards = backwards.to_string();
    loop {
        let query = [
            ("filter", filter),
            ("page_size", &size),
            ("page_token", &token),
            ("paginate_direction_backwards", &backwards),
        ];
        let page = page(client, review, &query).await;
        let mut rows = page["values"].as_array().unwrap().clone();
        assert!(rows.is_sorted_by_key(|row| row["result_id"].as_i64()), "{page:#}");
        if backwards == "true" {
            rows.reverse();
        }
        found.extend(rows);
        page["next_page_token"].as_str().unwrap().clone_into(&mut token);
        assert_eq!(page["has_more"], json!(!token.is_empty()));
        if token.is_empty() {
            return found;
        }
    }
}

/// The numbers of rows.
pub fn numbers(rows: &[Value]) -> Vec<i64> {
    rows.iter().map(|row| row["result_id"].as_i64().unwrap()).collect()
}
