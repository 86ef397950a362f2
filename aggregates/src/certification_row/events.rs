use uuid::Uuid;

use super::{Applied, NotificationStatus, Standing};
use crate::access_request::Evidence;

crate::event::events! {
    /// What happens to a row. `opened` and `withdrawn` are access requests, which change in the same append.
    CertificationRowEvent {
        /// Somebody decided about it, alone or (`runId`) with all rows that a filter meant.
        CertificationRowDecided("1.0") {
            certification_id: Uuid,
            result_id: u32,
            #[serde(default, skip_serializing_if = "Standing::is_default")]
            was: Standing,
            now: Standing,
            #[serde(default, skip_serializing_if = "std::ops::Not::not")]
            is_forced: bool,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            run_id: Option<Uuid>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            opened: Option<Uuid>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            withdrawn: Option<Uuid>,
        }
        /// Automations changed it.
        CertificationRowAutomated("1.0") {
            certification_id: Uuid,
            result_id: u32,
            #[serde(default, skip_serializing_if = "Standing::is_default")]
            was: Standing,
            now: Standing,
            run_id: Uuid,
            automations: Vec<Applied>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            opened: Option<Uuid>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            withdrawn: Option<Uuid>,
        }
        /// A run's decision was reversed.
        CertificationRowUndone("1.0") {
            certification_id: Uuid,
            result_id: u32,
            was: Standing,
            now: Standing,
            run_id: Uuid,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            opened: Option<Uuid>,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            withdrawn: Option<Uuid>,
        }
        /// An import shows the rejected access gone.
        CertificationRowFixed("1.0") {
            certification_id: Uuid,
            result_id: u32,
            was: Standing,
            now: Standing,
            evidence: Evidence,
        }
        /// Others review it.
        CertificationRowReviewersAssigned("1.0") { certification_id: Uuid, result_id: u32, old: Vec<Uuid>, new: Vec<Uuid> }
        /// Somebody was told, or couldn't be.
        CertificationRowNotified("1.0") { certification_id: Uuid, result_id: u32, status: NotificationStatus }
    }
}

impl CertificationRowEvent {
    /// Which row: its certification and number.
    pub const fn row(&self) -> (Uuid, u32) {
        match self {
            Self::CertificationRowDecided { certification_id, result_id, .. }
            | Self::CertificationRowAutomated { certification_id, result_id, .. }
            | Self::CertificationRowUndone { certification_id, result_id, .. }
            | Self::CertificationRowFixed { certification_id, result_id, .. }
            | Self::CertificationRowReviewersAssigned { certification_id, result_id, .. }
            | Self::CertificationRowNotified { certification_id, result_id, .. } => (*certification_id, *result_id),
        }
    }

    /// How it stood before and stands after it; `None` when it decides nothing.
    pub const fn change(&self) -> Option<(&Standing, &Standing)> {
        match self {
            Self::CertificationRowDecided { was, now, .. }
            | Self::CertificationRowAutomated { was, now, .. }
            | Self::CertificationRowUndone { was, now, .. }
            | Self::CertificationRowFixed { was, now, .. } => Some((was, now)),
            Self::CertificationRowReviewersAssigned { .. } | Self::CertificationRowNotified { .. } => None,
        }
    }

    /// The access requests that it opens and withdraws.
    pub const fn requests(&self) -> (Option<Uuid>, Option<Uuid>) {
        match self {
            Self::CertificationRowDecided { opened, withdrawn, .. }
            | Self::CertificationRowAutomated { opened, withdrawn, .. }
            | Self::CertificationRowUndone { opened, withdrawn, .. } => (*opened, *withdrawn),
            _ => (None, None),
        }
    }
}
