use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is to be done (contracts §1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of the API")]
pub enum Action {
    Add,
    Change,
    Remove,
    Suspend,
    Restore,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Add, Self::Change, Self::Remove, Self::Suspend, Self::Restore];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "Add",
            Self::Change => "Change",
            Self::Remove => "Remove",
            Self::Suspend => "Suspend",
            Self::Restore => "Restore",
        }
    }

    /// The grants it names must be there before.
    pub const fn takes(self) -> bool {
        matches!(self, Self::Change | Self::Remove | Self::Suspend)
    }
}

/// How far carrying it out has come (rulings 26).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the words of the API")]
pub enum Provisioning {
    #[default]
    NotStarted,
    Provisioning,
    Provisioned,
    Failed,
    Verified,
}

impl Provisioning {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "NotStarted",
            Self::Provisioning => "Provisioning",
            Self::Provisioned => "Provisioned",
            Self::Failed => "Failed",
            Self::Verified => "Verified",
        }
    }
}

/// What a request is about: an entitlement, of one account or, when it is to be added, of any account of the person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Privilege {
    /// Of this account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<Uuid>,
    /// The entitlement; `None` = the account itself, which holds none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entitlement_id: Option<Uuid>,
    /// Native key of the entitlement, or of the account.
    pub key: String,
    /// Its name at the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of so many people with the same department and title, how many hold it: why it is suggested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peers: Option<Peers>,
}

/// How usual an entitlement is among people with the same department and title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Peers {
    /// Who hold it.
    pub holding: i64,
    /// All of them.
    pub of: i64,
}

/// The import that shows how it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The import.
    pub application_import_id: Uuid,
    /// Its number.
    pub number: i64,
    /// Where in the log it finished.
    pub position: i64,
}

/// A row of a certification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewItem {
    /// Of which certification.
    pub certification_id: Uuid,
    /// Its number in it.
    pub result_id: u32,
}
