use serde::{Deserialize, Serialize};

/// The types of objects that can be exported and imported: the seed's six, and `CONNECTOR_RULE` (rulings 43).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the contract's names")]
pub enum ObjectType {
    ConnectorRule,
    IdentityObjectConfig,
    IdentityProfile,
    Rule,
    Source,
    Transform,
    TriggerSubscription,
}

impl ObjectType {
    /// All, in the order of their names, in which files list them.
    pub const ALL: [Self; 7] = [
        Self::ConnectorRule,
        Self::IdentityObjectConfig,
        Self::IdentityProfile,
        Self::Rule,
        Self::Source,
        Self::Transform,
        Self::TriggerSubscription,
    ];

    /// The other types of SailPoint's tenants, of which there are no objects here (contracts §2.2).
    pub const ELSEWHERE: [&str; 18] = [
        "ACCESS_PROFILE",
        "ACCESS_REQUEST_CONFIG",
        "ATTR_SYNC_SOURCE_CONFIG",
        "AUTH_ORG",
        "CAMPAIGN_FILTER",
        "FORM_DEFINITION",
        "GOVERNANCE_GROUP",
        "LIFECYCLE_STATE",
        "NOTIFICATION_TEMPLATE",
        "PASSWORD_POLICY",
        "PASSWORD_SYNC_GROUP",
        "PUBLIC_IDENTITIES_CONFIG",
        "ROLE",
        "SEGMENT",
        "SERVICE_DESK_INTEGRATION",
        "SOD_POLICY",
        "TAG",
        "WORKFLOW",
    ];

    /// The contract's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectorRule => "CONNECTOR_RULE",
            Self::IdentityObjectConfig => "IDENTITY_OBJECT_CONFIG",
            Self::IdentityProfile => "IDENTITY_PROFILE",
            Self::Rule => "RULE",
            Self::Source => "SOURCE",
            Self::Transform => "TRANSFORM",
            Self::TriggerSubscription => "TRIGGER_SUBSCRIPTION",
        }
    }

    /// There is one object of it at most.
    pub const fn is_one_per_tenant(self) -> bool {
        matches!(self, Self::IdentityObjectConfig)
    }

    /// The type of this name.
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What to say of a name that is no type.
    pub fn unknown(name: &str) -> String {
        format!(
            "{name:?} is no type of objects that can be imported; known: {}",
            Self::ALL.map(Self::as_str).join(", ")
        )
    }
}
