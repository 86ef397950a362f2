//! Connections to the database that are cut while an import is at work.

use std::time::Duration;

use super::house::{Chance, House, Left, many, send};
use crate::support::cluster;
use crate::support::process::{Place, wait_until};
use crate::support::proxy::{Fault, Proxy};

#[tokio::test]
async fn an_import_whose_connections_are_cut_ends_like_one_whose_arent() {
    let expected = Left::undisturbed().await;
    let options = cluster::options().await;
    let proxy = Proxy::before(&options);
    let place = Place::of(&proxy.through(options.clone()));
    let (mut house, server) = House::open_at(options, place).await;
    house.slow_down().await;
    let import = send(&house.client(&server), &many()).await;
    // One transaction after the other, at each of its moments; a COMMIT whose answer is lost among them.
    house.amid(&import, 1).await;
    proxy.breaks([Fault::BeforeCommit, Fault::AfterCommit, Fault::AfterBegin, Fault::AtBegin, Fault::AfterCommit]);
    wait_until("all of them broke", async || proxy.left() == 0).await;
    // All connections at once, amid an append, and again at moments by chance while it goes on from there.
    let is_appending = "SELECT EXISTS (SELECT FROM pg_stat_activity
                                       WHERE datname = current_database() AND wait_event = 'PgSleep')";
    wait_until("a slice is appended", async || {
        sqlx::query_scalar(is_appending).fetch_one(&mut house.connection).await.unwrap()
    })
    .await;
    let mut chance = Chance::new();
    for _ in 0..3 {
        let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        // Just after a cut there may be none for a moment.
        wait_until("there is something to cut", async || {
            sqlx::query_scalar::<_, i64>(cut).fetch_one(&mut house.connection).await.unwrap() > 0
        })
        .await;
        house.expire_leases().await;
        tokio::time::sleep(Duration::from_millis(chance.below(800))).await;
    }
    house.speed_up().await;
    wait_until("the import ends", async || {
        let events = house.job_events(&import).await;
        matches!(events.last().unwrap().1.as_str(), "ConfigJobFailed" | "ConfigJobCompleted")
    })
    .await;
    let left = house.left(&server, &import).await;
    left.assert_is(&expected);
    assert!(server.terminate().await.0);
}
