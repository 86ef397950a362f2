//! What came of an attempt to deliver.

use std::time::Duration;

/// Characters of a reason that are kept.
const REASON: usize = 500;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The receiver said 2xx.
    Delivered,
    /// It didn't, or couldn't be reached.
    Failed,
    /// We don't send this there.
    Refused,
}

impl Outcome {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }
}

/// An attempt. No reason holds a secret or what the receiver wrote, which may repeat one.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) outcome: Outcome,
    /// What the receiver answered, if it did.
    pub(super) status: Option<u16>,
    /// Why it wasn't delivered.
    pub(super) reason: Option<String>,
    /// How long the receiver wants to be left alone.
    pub(super) retry_after: Option<Duration>,
}

impl Attempt {
    pub(super) const fn delivered(status: u16) -> Self {
        Self { outcome: Outcome::Delivered, status: Some(status), reason: None, retry_after: None }
    }

    pub(super) fn answered(status: u16, retry_after: Option<Duration>) -> Self {
        let reason = if (300..400).contains(&status) {
            format!("the receiver answered {status}; no redirect is followed")
        } else {
            format!("the receiver answered {status}")
        };
        Self { outcome: Outcome::Failed, status: Some(status), reason: Some(reason), retry_after }
    }

    pub(super) fn failed(reason: impl AsRef<str>) -> Self {
        Self::without_answer(Outcome::Failed, reason.as_ref())
    }

    pub(super) fn refused(reason: impl AsRef<str>) -> Self {
        Self::without_answer(Outcome::Refused, reason.as_ref())
    }

    fn without_answer(outcome: Outcome, reason: &str) -> Self {
        let reason = reason.chars().take(REASON).collect();
        Self { outcome, status: None, reason: Some(reason), retry_after: None }
    }
}
