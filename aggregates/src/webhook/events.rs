//! Which events a subscription asks for.

use std::collections::BTreeSet;

use serde_json::Value;

use super::text;
use crate::{DomainEvent, api_client, api_token, config_object};

/// The trigger of subscriptions that name our events themselves, in `eventTypes`.
pub const NATIVE: &str = "muniment:events";

/// SailPoint's triggers that have a counterpart here, each with the events that are it. Triggers whose events would only be
/// something like it are left out: an `AccountCorrelated` is without effect while a link by hand holds, an `IdentityRemoved` is one
/// source's word.
pub(super) const TRIGGERS: [(&str, &[&str]); 12] = [
    ("idn:access-request-dynamic-approver", &["AccessRequested"]),
    ("idn:access-request-post-approval", &["AccessRequestApproved"]),
    ("idn:access-request-pre-approval", &["AccessRequested"]),
    ("idn:account-aggregation-completed", &["ImportFinished", "ImportFailed", "ImportCanceled"]),
    ("idn:campaign-ended", &["CertificationCompleted", "CertificationExpired"]),
    ("idn:campaign-generated", &["CertificationSearchCompleted"]),
    ("idn:identity-attributes-changed", &["IdentityChanged", "IdentityTransitioned", "IdentityTransitionEnded"]),
    ("idn:identity-created", &["IdentityAdded", "IdentityOnboarded"]),
    ("idn:post-provisioning", &["AccessRequestProvisioned", "AccessRequestFailed"]),
    ("idn:source-created", &["ApplicationCreated"]),
    // An application is never deleted: archived, it is in no export any more.
    ("idn:source-deleted", &["ApplicationArchived"]),
    ("idn:source-updated", &["ApplicationUpdated", "ImportScheduleSet"]),
];

/// Does an event stay here whoever asks? Those of credentials do, and documents of configuration: what nobody recognised as a secret
/// may be in them.
pub fn never_leaves(aggregate_type: &str, event_type: &str) -> bool {
    [api_client::TYPE, api_token::TYPE, config_object::TYPE].contains(&aggregate_type)
        || event_type == "SigningKeyRotated"
}

/// The types of events that `triggerId` and `eventTypes` mean.
pub(super) fn asked_for(object: &Value) -> Result<BTreeSet<&'static str>, String> {
    let trigger = text(object, "triggerId")?.ok_or("triggerId is missing")?;
    if trigger == NATIVE {
        return named(&object["eventTypes"]);
    }
    if let Some((_, types)) = TRIGGERS.iter().find(|(known, _)| *known == trigger) {
        return Ok(types.iter().copied().collect());
    }
    let known: Vec<&str> = TRIGGERS.iter().map(|(known, _)| *known).collect();
    Err(format!("its triggerId is {trigger:?}; known: {NATIVE}, {}", known.join(", ")))
}

fn named(names: &Value) -> Result<BTreeSet<&'static str>, String> {
    let Some(names) = names.as_array().filter(|names| !names.is_empty()) else {
        return Err(format!("its triggerId is {NATIVE}, so eventTypes must be a list of event types"));
    };
    let all = DomainEvent::types();
    let mut found = BTreeSet::new();
    for name in names {
        let known = all.iter().find(|(_, event_type, _)| name.as_str() == Some(*event_type));
        let Some((aggregate_type, event_type, _)) = known else {
            return Err(format!("eventTypes names {name}, which is no event type (docs/EVENTS.md)"));
        };
        if never_leaves(aggregate_type, event_type) {
            return Err(format!("eventTypes names {name}, which never leaves this system"));
        }
        found.insert(*event_type);
    }
    Ok(found)
}
