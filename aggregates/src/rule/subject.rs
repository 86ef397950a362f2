//! What rules are about, and which fields they can name.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::account::{AccountRecord, Attributes, comparable};
use crate::application::{Content, fields};
use crate::entitlement::EntitlementRecord;
use crate::filter::{Catalogue, Kind, fold};
use crate::identity::{IdentityRecord, IdentityStatus};

/// A field as rules name it: one with a meaning ([`fields`]), or [`CUSTOM`].
pub(super) type Field = &'static str;

/// Beneath it are custom attributes: `attributes.costCentre`.
pub(super) const CUSTOM: Field = "attributes";

/// A field with, of a custom attribute, its folded name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    pub(super) field: Field,
    /// Empty of fields with a meaning.
    pub(super) custom: String,
}

impl Place {
    /// The field with a meaning that it is; `None` = a custom attribute.
    pub fn known(&self) -> Option<&'static str> {
        (self.field != CUSTOM).then_some(self.field)
    }

    /// Is it the custom attribute of this name, whatever the case?
    pub fn is_custom(&self, name: &str) -> bool {
        self.field == CUSTOM && is_folded(name, &self.custom)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.field == CUSTOM { write!(f, "{CUSTOM}.{}", self.custom) } else { f.write_str(self.field) }
    }
}

/// Something that a rule is held against.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'s> {
    /// A person, under one of the keys that sources call them by.
    Identity {
        /// The key.
        key: &'s str,
        /// Who it is.
        record: &'s IdentityRecord,
        /// In place of the record's: a known person may be Removed.
        status: Option<&'s str>,
    },
    /// A log-in.
    Account {
        /// The native key.
        key: &'s str,
        /// What the feed says.
        record: &'s AccountRecord,
    },
    /// What may be granted.
    Entitlement {
        /// The native key.
        key: &'s str,
        /// What the feed says.
        record: &'s EntitlementRecord,
    },
    /// Who may do what.
    Grant {
        /// Key of the account.
        account: &'s str,
        /// Key of the entitlement.
        entitlement: &'s str,
        /// Custom attributes.
        attributes: &'s Attributes,
    },
}

/// A value as a record has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Raw<'r> {
    Text(&'r str),
    Boolean(bool),
    Time(DateTime<Utc>),
}

/// The fields of a content's rows.
pub(super) fn catalogue(content: Content) -> Catalogue<Field> {
    of_fields(fields::known(content).iter().copied())
}

/// The fields of any row.
pub(super) fn every_catalogue() -> Catalogue<Field> {
    of_fields(CONTENTS.into_iter().flat_map(fields::known).copied())
}

/// What rows of files are.
pub(super) const CONTENTS: [Content; 4] =
    [Content::Identities, Content::Accounts, Content::Entitlements, Content::Grants];

fn of_fields(names: impl Iterator<Item = Field>) -> Catalogue<Field> {
    let mut known: Vec<Field> = Vec::new();
    for name in names {
        if !known.contains(&name) {
            known.push(name);
        }
    }
    let all = known.into_iter().fold(Catalogue::new(), |all, name| all.attribute(name, kind(name), name));
    all.open(CUSTOM, CUSTOM)
}

fn kind(field: Field) -> Kind {
    match field {
        "isActive" | "isPrivileged" => Kind::Boolean,
        "lastLoginAt" | "createdDate" | "updatedDate" | "inactivatedDate" => Kind::Time,
        _ => Kind::Text,
    }
}

impl<'s> Subject<'s> {
    /// What it says in a place; a custom attribute by its folded name.
    pub(super) fn raw(self, place: &Place) -> Option<Raw<'s>> {
        let Place { field, custom } = place;
        match self {
            Self::Identity { key, record, status } => of_identity(field, custom, key, record, status),
            Self::Account { key, record } => of_account(field, custom, key, record),
            Self::Entitlement { key, record } => of_entitlement(field, custom, key, record),
            Self::Grant { account, entitlement, attributes } => match *field {
                "account" => Some(Raw::Text(account)),
                "entitlement" => Some(Raw::Text(entitlement)),
                CUSTOM => of_custom(attributes, custom),
                _ => None,
            },
        }
    }

    /// The text that it says in a place, in the form in which texts are compared; `None` when it says none, or an empty one.
    pub fn folded(self, place: &Place) -> Option<String> {
        match self.raw(place)? {
            Raw::Text(text) => Some(comparable(text)).filter(|text| !text.is_empty()),
            Raw::Boolean(_) | Raw::Time(_) => None,
        }
    }
}

fn text(value: Option<&String>) -> Option<Raw<'_>> {
    value.map(|text| Raw::Text(text))
}

fn of_identity<'s>(
    field: Field,
    custom: &str,
    key: &'s str,
    record: &'s IdentityRecord,
    status: Option<&'s str>,
) -> Option<Raw<'s>> {
    match field {
        "key" => Some(Raw::Text(key)),
        "firstName" => text(record.first_name.as_ref()),
        "lastName" => text(record.last_name.as_ref()),
        "displayName" => text(record.display_name.as_ref()),
        "email" => text(record.email.as_ref()),
        "employeeId" => text(record.employee_id.as_ref()),
        "type" => record.r#type.map(|kind| Raw::Text(kind.as_str())),
        "title" => text(record.title.as_ref()),
        "company" => text(record.company.as_ref()),
        "division" => text(record.division.as_ref()),
        "department" => text(record.department.as_ref()),
        "office" => text(record.office.as_ref()),
        "supervisor" => text(record.supervisor.as_ref()),
        "status" => status.or(record.status.map(IdentityStatus::as_str)).map(Raw::Text),
        "createdDate" => record.created_date.map(Raw::Time),
        "updatedDate" => record.updated_date.map(Raw::Time),
        "inactivatedDate" => record.inactivated_date.map(Raw::Time),
        CUSTOM => of_custom(&record.attributes, custom),
        _ => None,
    }
}

fn of_account<'s>(field: Field, custom: &str, key: &'s str, record: &'s AccountRecord) -> Option<Raw<'s>> {
    match field {
        "key" => Some(Raw::Text(key)),
        "name" => text(record.name.as_ref()),
        "identity" => text(record.identity.as_ref()),
        "email" => text(record.email.as_ref()),
        "employeeId" => text(record.employee_id.as_ref()),
        "isActive" => record.is_active.map(Raw::Boolean),
        "lastLoginAt" => record.last_login_at.map(Raw::Time),
        "type" => text(record.r#type.as_ref()),
        CUSTOM => of_custom(&record.attributes, custom),
        _ => None,
    }
}

fn of_entitlement<'s>(field: Field, custom: &str, key: &'s str, record: &'s EntitlementRecord) -> Option<Raw<'s>> {
    match field {
        "key" => Some(Raw::Text(key)),
        "name" => text(record.name.as_ref()),
        "type" => text(record.r#type.as_ref()),
        "description" => text(record.description.as_ref()),
        "owner" => text(record.owner.as_ref()),
        "isPrivileged" => record.is_privileged.map(Raw::Boolean),
        CUSTOM => of_custom(&record.attributes, custom),
        _ => None,
    }
}

/// Of several whose names differ in case alone the last one that has a value counts.
fn of_custom<'s>(attributes: &'s BTreeMap<String, String>, folded: &str) -> Option<Raw<'s>> {
    let (_, value) = attributes.iter().rev().find(|(name, _)| is_folded(name, folded))?;
    Some(Raw::Text(value))
}

/// Is a name, folded, this one? Most names are ASCII, and then nothing is allocated.
fn is_folded(name: &str, folded: &str) -> bool {
    if name.is_ascii() { name.eq_ignore_ascii_case(folded) } else { fold(name) == folded }
}
