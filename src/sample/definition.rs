//! Bodies for `POST /api/applications` that fit the files.

use aggregates::application::{Content, Format, fields};
use serde_json::{Map, Value, json};

use super::accounts;
use super::words::{APPLICATIONS, COMPANY};

/// An application's name and the first letters of its entitlements' keys.
pub fn name(application: u32) -> (String, String) {
    let place = application as usize;
    let (name, initials) = APPLICATIONS[place % APPLICATIONS.len()];
    match place / APPLICATIONS.len() {
        0 => (name.to_owned(), initials.to_owned()),
        series => (format!("{name} {}", series + 1), format!("{initials}{}", series + 1)),
    }
}

/// The folder of an application's files.
pub fn folder(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

/// The application whose people are the identities.
pub fn people(format: Format) -> Value {
    json!({
        "name": format!("{COMPANY} People"),
        "priority": "Critical",
        "description": "Who works here; made up by muniment sample",
        "isIdentitySource": true,
        "connector": {"type": "file", "fileGroups": [group("People", Content::Identities, format, fields::IDENTITIES)]},
    })
}

/// An application that delivers these.
pub fn application(name: &str, number: u32, format: Format, delivered: &[Content]) -> Value {
    let priority = ["Critical", "High", "Moderate", "Low"][number as usize % 4];
    let groups = delivered.iter().map(|content| match content {
        Content::Identities => group("People", *content, format, fields::IDENTITIES),
        Content::Accounts => group("Accounts", *content, format, &accounts::header(number)),
        Content::Entitlements => group("Entitlements", *content, format, fields::ENTITLEMENTS),
        Content::Grants => group("Grants", *content, format, fields::GRANTS),
    });
    json!({
        "name": name,
        "priority": priority,
        "description": format!("{name} of {COMPANY}; made up by muniment sample"),
        "connector": {"type": "file", "fileGroups": groups.collect::<Vec<_>>()},
    })
}

/// A file whose columns are named like the fields.
fn group(name: &str, content: Content, format: Format, columns: &[&str]) -> Value {
    let columns: Map<String, Value> = columns.iter().map(|field| ((*field).to_owned(), json!(field))).collect();
    json!({"name": name, "content": content, "format": format.as_str(), "columns": columns})
}
