use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::certification_row::{Attribute, Folded};

type Attributes = BTreeMap<String, String>;

/// An account as it was, with its person: what a row's `source` shows, in the API's own names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The account.
    pub id: Uuid,
    /// As the feed has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// The name, else the key.
    pub name: String,
    /// Native key.
    pub key: String,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Its employee number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_id: Option<String>,
    /// The application.
    pub datasource_id: Uuid,
    /// The application's name.
    pub datasource_name: String,
    /// Not switched off; an account of which the feed doesn't say it is active.
    pub is_active: bool,
    /// Used last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_login_at: Option<DateTime<Utc>>,
    /// Custom attributes.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// Whose it is.
    pub identity: SourceIdentity,
}

/// A person as they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "named as in identities")]
pub struct SourceIdentity {
    pub id: Uuid,
    pub r#type: String,
    pub status: String,
    pub is_active: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub division: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervisor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervisor_id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_date: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_date: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inactivated_date: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// An entitlement as it was: what a row's `destination` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The entitlement.
    pub id: Uuid,
    /// As the feed has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// The name, else the key.
    pub name: String,
    /// Native key.
    pub key: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whose it is, as the feed has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The application.
    pub datasource_id: Uuid,
    /// The application's name.
    pub datasource_name: String,
    /// It is known to its application.
    pub is_active: bool,
    /// As the feed has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_privileged: Option<bool>,
    /// Custom attributes.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// A grant, by the numbers of its account and entitlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Number of the account.
    pub source: u32,
    /// Number of the entitlement.
    pub destination: u32,
    /// When it was first seen.
    pub granted_at: DateTime<Utc>,
    /// Custom attributes.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// The same row in the certification before (rulings 34).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<u32>,
    /// Nothing about it but times has changed since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_unchanged: bool,
    /// Place of its reviewers in the block.
    pub reviewers: u32,
}

impl Source {
    /// What filters see.
    pub fn folded(&self) -> Folded {
        use Attribute as A;
        let person = &self.identity;
        Folded::default()
            .text(A::SourceId, Some(&self.id.to_string()))
            .text(A::SourceType, self.r#type.as_deref())
            .text(A::SourceName, Some(&self.name))
            .text(A::SourceKey, Some(&self.key))
            .text(A::SourceEmail, self.email.as_deref())
            .text(A::SourceEmployeeId, self.employee_id.as_deref())
            .text(A::SourceDatasourceId, Some(&self.datasource_id.to_string()))
            .text(A::SourceDatasourceName, Some(&self.datasource_name))
            .boolean(A::SourceIsActive, Some(self.is_active))
            .time(A::SourceLastLoginAt, self.last_login_at)
            .custom(A::SourceAttributes, &self.attributes)
            .text(A::IdentityId, Some(&person.id.to_string()))
            .text(A::IdentityType, Some(&person.r#type))
            .text(A::IdentityStatus, Some(&person.status))
            .boolean(A::IdentityIsActive, Some(person.is_active))
            .text(A::IdentityFirstName, person.first_name.as_deref())
            .text(A::IdentityLastName, person.last_name.as_deref())
            .text(A::IdentityDisplayName, person.display_name.as_deref())
            .text(A::IdentityEmail, person.email.as_deref())
            .text(A::IdentityEmployeeId, person.employee_id.as_deref())
            .text(A::IdentityTitle, person.title.as_deref())
            .text(A::IdentityCompany, person.company.as_deref())
            .text(A::IdentityDivision, person.division.as_deref())
            .text(A::IdentityDepartment, person.department.as_deref())
            .text(A::IdentityOffice, person.office.as_deref())
            .text(A::IdentitySupervisor, person.supervisor.as_deref())
            .text(A::IdentitySupervisorId, person.supervisor_id.map(|id| id.to_string()).as_deref())
            .time(A::IdentityCreatedDate, person.created_date)
            .time(A::IdentityUpdatedDate, person.updated_date)
            .time(A::IdentityInactivatedDate, person.inactivated_date)
            .custom(A::IdentityAttributes, &person.attributes)
    }

    /// Of everything but times: what decides whether a row is unchanged (rulings 34). An application's name is none of the account's
    /// attributes.
    pub fn digest(&self) -> [u8; 32] {
        let mut timeless = Self { datasource_name: String::new(), ..self.clone() };
        timeless.last_login_at = None;
        timeless.identity.created_date = None;
        timeless.identity.updated_date = None;
        timeless.identity.inactivated_date = None;
        digest(&timeless)
    }
}

impl Destination {
    /// What filters see.
    pub fn folded(&self) -> Folded {
        use Attribute as A;
        Folded::default()
            .text(A::DestinationId, Some(&self.id.to_string()))
            .text(A::DestinationType, self.r#type.as_deref())
            .text(A::DestinationName, Some(&self.name))
            .text(A::DestinationKey, Some(&self.key))
            .text(A::DestinationDescription, self.description.as_deref())
            .text(A::DestinationOwner, self.owner.as_deref())
            .text(A::DestinationDatasourceId, Some(&self.datasource_id.to_string()))
            .text(A::DestinationDatasourceName, Some(&self.datasource_name))
            .boolean(A::DestinationIsActive, Some(self.is_active))
            .boolean(A::DestinationIsPrivileged, self.is_privileged)
            .custom(A::DestinationAttributes, &self.attributes)
    }

    /// Of everything: it has no times.
    pub fn digest(&self) -> [u8; 32] {
        digest(&Self { datasource_name: String::new(), ..self.clone() })
    }
}

impl Row {
    /// What filters see of the grant itself.
    pub fn folded(&self) -> Folded {
        Folded::default()
            .time(Attribute::GrantGrantedAt, Some(self.granted_at))
            .custom(Attribute::GrantAttributes, &self.attributes)
    }
}

fn digest(value: &impl Serialize) -> [u8; 32] {
    // Maps are in order of their names, so the bytes follow from the value.
    Sha256::digest(serde_json::to_vec(value).unwrap_or_default()).into()
}
