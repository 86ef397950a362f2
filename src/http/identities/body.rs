//! What an identity looks like on the wire.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use projections::identities::IdentityView;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// An identity, the same in list and detail (contracts §1.5).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdentityBody {
    /// The identity.
    pub id: Uuid,
    /// Always `Identity`.
    #[schema(example = "Identity")]
    pub kind: &'static str,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Name as the feed shows it.
    pub display_name: Option<String>,
    /// E-mail address.
    pub email_address: Option<String>,
    /// Employee number.
    pub employee_id: Option<String>,
    /// Employee, Service Account, Vendor, Shared, Mailbox, Client, Temporary, Administrator, Auditor or Unknown.
    pub r#type: String,
    /// Job title.
    pub title: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// Division.
    pub division: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// Office.
    pub office: Option<String>,
    /// `Last, First`.
    #[schema(example = "Martinez, Robert")]
    pub supervisor_name: Option<String>,
    /// In the source system.
    pub created_date: Option<DateTime<Utc>>,
    /// In the source system.
    pub updated_date: Option<DateTime<Utc>>,
    /// When a feed first named it.
    pub first_seen_date: DateTime<Utc>,
    /// In the source system; null if active.
    pub inactivated_date: Option<DateTime<Utc>>,
    /// Active, Disabled or Removed.
    pub status: String,
    /// Custom attributes.
    pub attributes: BTreeMap<String, String>,
}

impl From<IdentityView> for IdentityBody {
    fn from(view: IdentityView) -> Self {
        let row = view.row;
        Self {
            id: row.id,
            kind: "Identity",
            first_name: row.first_name,
            last_name: row.last_name,
            display_name: row.display_name,
            email_address: row.email,
            employee_id: row.employee_id,
            r#type: row.r#type,
            title: row.title,
            company: row.company,
            division: row.division,
            department: row.department,
            office: row.office,
            supervisor_name: view.supervisor_name,
            created_date: row.created_date,
            updated_date: row.updated_date,
            first_seen_date: row.first_seen_at,
            inactivated_date: row.inactivated_date,
            status: row.status,
            attributes: row.attributes.0,
        }
    }
}
