//! Bodies of applications that several tests make, and the small feeds that fit them.

use serde_json::{Value, json};

pub const PEOPLE: &str = include_str!("../../data/people.csv");
pub const ACCOUNTS: &str = include_str!("../../data/accounts.csv");
pub const ENTITLEMENTS: &str = include_str!("../../data/entitlements.csv");
pub const GRANTS: &str = include_str!("../../data/grants.csv");

/// An application with one file group of each kind given.
pub fn application(name: &str, groups: &[Value]) -> Value {
    let is_identity_source = groups.iter().any(|group| group["content"] == "identities");
    json!({
        "name": name,
        "isIdentitySource": is_identity_source,
        "connector": {"type": "file", "fileGroups": groups}
    })
}

/// A file group whose columns are named like its fields.
pub fn group(content: &str, fields: &[&str]) -> Value {
    let columns: serde_json::Map<String, Value> =
        fields.iter().map(|field| ((*field).to_owned(), json!(field))).collect();
    json!({"name": content, "content": content, "columns": columns})
}

/// Grants only: `user,permission`.
pub fn grants_only(name: &str) -> Value {
    json!({
        "name": name,
        "connector": {"type": "file", "fileGroups": [
            {"name": "Grants", "content": "grants", "columns": {"account": "user", "entitlement": "permission"}}
        ]}
    })
}

/// People: every field of `people.csv`.
pub fn directory(name: &str) -> Value {
    json!({
        "name": name,
        "priority": "Critical",
        "isIdentitySource": true,
        "connector": {"type": "file", "fileGroups": [{
            "name": "People", "content": "identities",
            "columns": {
                "key": "id", "firstName": "first", "lastName": "last", "displayName": "name", "email": "mail",
                "employeeId": "number", "type": "kind", "title": "title", "company": "company", "division": "division",
                "department": "department", "office": "office", "supervisor": "boss", "status": "state",
                "createdDate": "hired", "updatedDate": "changed", "inactivatedDate": "left", "badge": "badge"
            }
        }]}
    })
}

/// Accounts (required), entitlements and grants (not required): every field of the three small feeds.
pub fn payments(name: &str) -> Value {
    json!({
        "name": name,
        "priority": "High",
        "description": "Where money leaves the house",
        "removalLimit": 20,
        "connector": {"type": "file", "fileGroups": [
            {"name": "Users", "content": "accounts", "columns": {
                "key": "login", "name": "full name", "email": "mail", "employeeId": "number", "isActive": "active",
                "lastLoginAt": "last login", "type": "kind", "costCentre": "cost centre"
            }},
            {"name": "Roles", "content": "entitlements", "isRequired": false, "columns": {
                "key": "code", "name": "label", "type": "kind", "description": "about", "owner": "owner",
                "isPrivileged": "power"
            }},
            {"name": "Members", "content": "grants", "isRequired": false, "format": "csv", "columns": {
                "account": "user", "entitlement": "permission", "since": "since"
            }}
        ]}
    })
}
