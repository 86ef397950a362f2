//! An import that shows a rejected grant gone marks the row FIXED.

use aggregates::access_request::{Evidence, ReviewItem};
use aggregates::certification_row::CertificationRowCommand as Command;
use aggregates::party::Party;
use projections::certifications::{find, states};

use super::ReviewError;
use super::decide::{Decided, setting};
use crate::app::SharedApp;
use crate::journal::{Append, CommandError, Context};

/// What an import's evidence changes about the row for whose rejection an access request was made; `None` when nothing, since the
/// grace period is over or somebody has decided otherwise.
///
/// # Errors
/// The tables can't be read.
pub async fn fixed(
    app: &SharedApp,
    item: ReviewItem,
    evidence: &Evidence,
    context: &Context,
) -> Result<Option<Append>, ReviewError> {
    let Some(certification) = find(&app.pool, item.certification_id).await? else { return Ok(None) };
    let range = (item.result_id, item.result_id + 1);
    let Some(state) = states(&app.pool, &certification, range, None).await?.into_iter().next() else { return Ok(None) };
    let setting = setting(&certification, &state, app.clock.now());
    let command = Command::Fix { setting, evidence: evidence.clone() };
    let events = state.row.decide(command).map_err(CommandError::from)?;
    if events.is_empty() {
        return Ok(None);
    }
    let mut decided = Decided::new(&certification);
    decided.add(&state, events);
    decided.append(app, &Party::from(&context.actor), context).await.map(Some)
}
