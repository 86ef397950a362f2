//! What an account looks like on the wire.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use projections::accounts::{AccountRow, Correlation};
use projections::identities::IdentityRow;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::applications::body::ApplicationSummary;
use crate::http::events::ActorBody;

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountBody {
    /// The account.
    pub id: Uuid,
    /// Always `Account`.
    pub kind: &'static str,
    /// Native key.
    pub key: String,
    /// Name in the feed.
    pub name: Option<String>,
    /// E-mail address in the feed.
    pub email: Option<String>,
    /// Employee number in the feed.
    pub employee_id: Option<String>,
    /// Can it be used? null = the feed doesn't say.
    pub is_active: Option<bool>,
    /// Last log-in, as the feed says.
    pub last_login_at: Option<DateTime<Utc>>,
    /// Type in the feed.
    pub r#type: Option<String>,
    /// Custom attributes.
    pub attributes: BTreeMap<String, String>,
    /// The identity it belongs to; null = uncorrelated.
    pub identity_id: Option<Uuid>,
    /// Why: `account field = identity field`, `rule` and its name, or `manual`.
    pub correlated_by: Option<String>,
    /// When a feed first named it.
    pub first_seen_date: DateTime<Utc>,
}

impl From<AccountRow> for AccountBody {
    fn from(row: AccountRow) -> Self {
        Self {
            id: row.id,
            kind: "Account",
            key: row.key,
            name: row.name,
            email: row.email,
            employee_id: row.employee_id,
            is_active: row.is_active,
            last_login_at: row.last_login_at,
            r#type: row.r#type,
            attributes: row.attributes.0,
            identity_id: row.identity_id,
            correlated_by: row.correlation.map(|correlation| match *correlation.0 {
                Correlation::Rule { account_field, identity_field } => format!("{account_field} = {identity_field}"),
                Correlation::NamedRule { rule } => format!("rule {rule}"),
                Correlation::Manual { .. } => "manual".to_owned(),
            }),
            first_seen_date: row.first_seen_at,
        }
    }
}

/// An account with all that explains it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountDetailBody {
    /// The account's fields.
    #[serde(flatten)]
    pub account: AccountBody,
    /// Where it is.
    pub application: ApplicationSummary,
    /// Whose it is; null = uncorrelated.
    pub identity: Option<IdentitySummary>,
    /// Why it is theirs; null = uncorrelated.
    pub correlation: Option<CorrelationBody>,
    /// How many grants it holds now.
    pub grants: i64,
    /// Since when it is as shown here.
    pub valid_from: DateTime<Utc>,
    /// When it was removed; null = it is there.
    pub valid_to: Option<DateTime<Utc>>,
}

impl AccountDetailBody {
    /// The account with what was looked up for it.
    pub fn of(
        row: AccountRow,
        application: ApplicationSummary,
        identity: Option<IdentityRow>,
        grants: i64,
    ) -> AccountDetailBody {
        let correlation = row.correlation.clone().map(|correlation| CorrelationBody::of(*correlation.0, &row));
        Self {
            application,
            identity: identity.map(IdentitySummary::from),
            correlation,
            grants,
            valid_from: row.validity.valid_from_at,
            valid_to: row.validity.valid_to_at,
            account: row.into(),
        }
    }
}

/// An identity inside something else.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdentitySummary {
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
    /// Active, Disabled or Removed.
    pub status: String,
}

impl From<IdentityRow> for IdentitySummary {
    fn from(row: IdentityRow) -> Self {
        Self {
            id: row.id,
            kind: "Identity",
            first_name: row.first_name,
            last_name: row.last_name,
            display_name: row.display_name,
            email_address: row.email,
            status: row.status,
        }
    }
}

/// Why an account belongs to its identity.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CorrelationBody {
    /// Fields that the application's correlation names are equal.
    Rule {
        /// The account's field.
        account_field: String,
        /// The identity's field that was equal.
        identity_field: String,
        /// What the account says there now.
        value: Option<String>,
    },
    /// A correlation rule with a name found it.
    NamedRule {
        /// Its name then.
        rule: String,
    },
    /// Somebody said so.
    Manual {
        /// Who.
        by: ActorBody,
        /// When.
        at: DateTime<Utc>,
        /// Why.
        comment: Option<String>,
    },
}

impl CorrelationBody {
    fn of(correlation: Correlation, row: &AccountRow) -> Self {
        match correlation {
            Correlation::Rule { account_field, identity_field } => {
                let record = row.clone().record();
                let value = aggregates::account::field(&row.key, &record, &account_field).map(str::to_owned);
                Self::Rule { account_field, identity_field, value }
            }
            Correlation::NamedRule { rule } => Self::NamedRule { rule },
            Correlation::Manual { by, at, comment } => Self::Manual { by: by.into(), at, comment },
        }
    }
}
