use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::correlation_rule::NAME_LIMIT;
use super::{Column, CorrelationRule, Dialect};
use crate::violation::{Violation, check_length, check_text};

/// What an application is and how its feeds are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Definition {
    /// Unique among applications, whatever the case; at most 256 characters.
    pub name: String,
    /// How important it is.
    pub priority: Priority,
    /// At most 4,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its people are identities.
    pub is_identity_source: bool,
    /// Percent of people or grants that one import may remove (rulings 18).
    pub removal_limit: u8,
    /// Where the data comes from.
    pub connector: Connector,
    /// How the identities are found to whom accounts belong, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<Vec<CorrelationRule>>,
    /// Identities who answer requests for its access; the default responders when there are none (rulings 25).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responders: Vec<Uuid>,
}

/// Priority (contracts §1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Priority {
    /// Not set.
    #[default]
    None,
    /// Low.
    Low,
    /// Moderate.
    Moderate,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Priority {
    /// The priority of this word.
    pub fn read(word: &str) -> Option<Self> {
        [Self::None, Self::Low, Self::Moderate, Self::High, Self::Critical]
            .into_iter()
            .find(|known| known.as_str() == word)
    }

    /// The API's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Low => "Low",
            Self::Moderate => "Moderate",
            Self::High => "High",
            Self::Critical => "Critical",
        }
    }
}

/// How data reaches us.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connector {
    /// Files, or nothing that works here.
    pub r#type: ConnectorType,
    /// What files it reads.
    pub file_groups: Vec<FileGroup>,
}

/// The kinds of connectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectorType {
    /// Reads files.
    File,
    /// Another system's, kept with a SOURCE that was imported (contracts §2): nothing here can read it.
    External,
}

/// One file that a connector reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileGroup {
    /// Names the part of an upload.
    pub id: Uuid,
    /// Shown to people.
    pub name: String,
    /// What its rows are.
    pub content: Content,
    /// An import without it is refused.
    pub is_required: bool,
    /// How its bytes are read.
    pub format: Format,
    /// How its text is written.
    #[serde(flatten)]
    pub dialect: Dialect,
    /// Which column fills which field.
    pub columns: BTreeMap<String, Column>,
    /// Names of validation rules that each row must satisfy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
}

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// People.
    Identities,
    /// What may be granted.
    Entitlements,
    /// Log-ins.
    Accounts,
    /// Who may do what.
    Grants,
}

impl Content {
    /// The word of the API and of `metrics`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identities => "identities",
            Self::Entitlements => "entitlements",
            Self::Accounts => "accounts",
            Self::Grants => "grants",
        }
    }
}

/// How bytes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma and double quotes (RFC 4180) or another dialect, with a header row.
    Csv,
    /// A sheet of an Office Open XML workbook, with a header row.
    Xlsx,
    /// One array of objects.
    Json,
    /// Objects, one a line.
    Ndjson,
}

impl Format {
    /// The API's word, which is also a file's usual extension.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
        }
    }
}

/// The fields that have a meaning; any other name is a custom attribute. The first of each list are required.
pub mod fields {
    use super::Content;

    /// Of identities; `key` is required.
    pub const IDENTITIES: &[&str] = &[
        "key",
        "firstName",
        "lastName",
        "displayName",
        "email",
        "employeeId",
        "type",
        "title",
        "company",
        "division",
        "department",
        "office",
        "supervisor",
        "status",
        "createdDate",
        "updatedDate",
        "inactivatedDate",
    ];
    /// Of accounts; `key` is required.
    pub const ACCOUNTS: &[&str] =
        &["key", "name", "identity", "email", "employeeId", "isActive", "lastLoginAt", "type"];
    /// Of entitlements; `key` is required.
    pub const ENTITLEMENTS: &[&str] = &["key", "name", "type", "description", "owner", "isPrivileged"];
    /// Of grants; both are required.
    pub const GRANTS: &[&str] = &["account", "entitlement"];

    /// The fields without which a row can't be told from another.
    pub const fn required(content: Content) -> &'static [&'static str] {
        match content {
            Content::Identities | Content::Accounts | Content::Entitlements => &["key"],
            Content::Grants => GRANTS,
        }
    }

    /// The fields with a meaning.
    pub const fn known(content: Content) -> &'static [&'static str] {
        match content {
            Content::Identities => IDENTITIES,
            Content::Accounts => ACCOUNTS,
            Content::Entitlements => ENTITLEMENTS,
            Content::Grants => GRANTS,
        }
    }
}

impl Definition {
    /// The correlation in force: the one given; else `identity` → `key` when a feed maps `identity`, then `employeeId`,
    /// then `email`.
    pub fn correlation(&self) -> Vec<CorrelationRule> {
        if let Some(rules) = &self.correlation {
            return rules.clone();
        }
        let mut rules =
            vec![CorrelationRule::fields("employeeId", "employeeId"), CorrelationRule::fields("email", "email")];
        if self.group_of(Content::Accounts).any(|group| group.columns.contains_key("identity")) {
            rules.insert(0, CorrelationRule::fields("identity", "key"));
        }
        rules
    }

    /// The file groups that deliver this content.
    pub fn group_of(&self, content: Content) -> impl Iterator<Item = &FileGroup> {
        self.connector.file_groups.iter().filter(move |group| group.content == content)
    }

    /// Does any file group deliver this content?
    pub fn delivers(&self, content: Content) -> bool {
        self.group_of(content).next().is_some()
    }

    /// What is wrong with it.
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        check_text(&mut found, "name", "Name", &self.name, 256);
        if let Some(description) = &self.description {
            check_length(&mut found, "description", "Description", description, 4000);
        }
        if self.removal_limit > 100 {
            found.push(Violation::new(
                "removalLimit",
                format!("{} is no percentage; 0 to 100 are allowed", self.removal_limit),
            ));
        }
        self.check_groups(&mut found);
        for (index, rule) in self.correlation.iter().flatten().enumerate() {
            rule.check(&mut found, &format!("correlation[{index}]"));
        }
        found
    }

    fn check_groups(&self, found: &mut Vec<Violation>) {
        let groups = &self.connector.file_groups;
        if self.connector.r#type == ConnectorType::External {
            if !groups.is_empty() {
                found.push(Violation::new("connector.fileGroups", "An external connector reads no files"));
            }
            return;
        }
        if groups.is_empty() {
            found.push(Violation::new("connector.fileGroups", "At least one file group is required"));
        }
        if groups.len() > 50 {
            found.push(Violation::new(
                "connector.fileGroups",
                format!("{} file groups; at most 50 are allowed", groups.len()),
            ));
        }
        for (index, group) in groups.iter().enumerate() {
            let at = format!("connector.fileGroups[{index}]");
            check_text(found, &format!("{at}.name"), "Name", &group.name, 256);
            if groups[..index].iter().any(|other| other.id == group.id) {
                found.push(Violation::new(format!("{at}.id"), format!("The id {} is used twice", group.id)));
            }
            if groups[..index].iter().any(|other| other.content == group.content) {
                found.push(Violation::new(
                    format!("{at}.content"),
                    format!("Another file group delivers {} already", group.content.as_str()),
                ));
            }
            if group.content == Content::Identities && !self.is_identity_source {
                found.push(Violation::new(
                    format!("{at}.content"),
                    "Only an application with isIdentitySource true delivers identities",
                ));
            }
            found.extend(group.dialect.violations(&at, group.format));
            check_columns(found, &at, group);
            check_rules(found, &format!("{at}.rules"), &group.rules);
        }
        if self.is_identity_source && !groups.is_empty() && !self.delivers(Content::Identities) {
            found.push(Violation::new(
                "isIdentitySource",
                "An identity source needs a file group whose content is identities",
            ));
        }
    }
}

fn check_columns(found: &mut Vec<Violation>, at: &str, group: &FileGroup) {
    for field in fields::required(group.content) {
        if !group.columns.contains_key(*field) {
            found.push(Violation::new(format!("{at}.columns.{field}"), format!("{field} needs a column")));
        }
    }
    if group.columns.len() > 1000 {
        found.push(Violation::new(
            format!("{at}.columns"),
            format!("{} fields; at most 1000 are allowed", group.columns.len()),
        ));
    }
    for (field, column) in &group.columns {
        let path = format!("{at}.columns.{field}");
        check_length(found, &path, "Field name", field, 128);
        if field.trim().is_empty() {
            found.push(Violation::new(&path, "A field needs a name"));
        }
        column.check(found, &path, fields::required(group.content).contains(&field.as_str()));
    }
}

/// Whether there are such rules, and ones that fit, is seen when they are needed: both may change.
fn check_rules(found: &mut Vec<Violation>, at: &str, rules: &[String]) {
    if rules.len() > 20 {
        found.push(Violation::new(at, format!("{} rules; at most 20 are allowed", rules.len())));
    }
    for (index, rule) in rules.iter().enumerate() {
        check_text(found, &format!("{at}[{index}]"), "Rule name", rule, NAME_LIMIT);
        if rules[..index].contains(rule) {
            found.push(Violation::new(format!("{at}[{index}]"), format!("The rule {rule:?} is named twice")));
        }
    }
}
