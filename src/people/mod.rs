//! What personnel events do: access requests and changes of identities, and what imports prove of them.
//!
//! Each step is one append and can be taken by any server, again and again: whoever comes second finds nothing to do.

pub mod evidence;
pub mod plan;
pub mod settle;
pub mod start;
pub mod worker;

use aggregates::Actor;
use aggregates::party::Party;
use uuid::Uuid;

use crate::app::SharedApp;
use crate::journal::Context;

/// Who makes things happen when nobody asks for them now.
const TIMER: &str = "personnel events";

/// The context of what happens by itself.
fn by_itself(app: &SharedApp, causation: Option<i64>) -> (Context, Party) {
    let actor = Actor::system(TIMER);
    let party = Party::from(&actor);
    (Context { causation, ..Context::of(actor, app.clock.id().simple().to_string()) }, party)
}

/// The context of what follows from a request at once: the same actor and correlation, but no answer of its own.
pub fn following(context: &Context) -> Context {
    Context { idempotency: None, ..context.clone() }
}

/// Identities that can't answer any more, or that nobody knows.
///
/// # Errors
/// The tables can't be read.
pub async fn departed(app: &SharedApp, responders: &[Uuid]) -> sqlx::Result<Vec<Uuid>> {
    if responders.is_empty() {
        return Ok(Vec::new());
    }
    let known = projections::identities::find_all(&app.pool, responders).await?;
    let is_here = |id: &&Uuid| known.get(*id).is_some_and(|view| view.row.status == "Active");
    Ok(responders.iter().filter(|id| !is_here(id)).copied().collect())
}
