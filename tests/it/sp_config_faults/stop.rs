//! Servers that are stopped while an import is at work.

use std::time::{Duration, Instant};

use super::house::{House, Left, many, send};
use crate::support::process::{Serving, wait_until};

#[tokio::test]
async fn a_server_that_stops_gives_the_import_back_and_the_next_one_goes_on_at_once() {
    let expected = Left::undisturbed().await;
    let (mut house, server) = House::open().await;
    house.slow_down().await;
    let import = send(&house.client(&server), &many()).await;
    house.amid(&import, 200).await;
    assert!(server.terminate().await.0);
    let leases: i64 =
        sqlx::query_scalar("SELECT count(*) FROM work.leases").fetch_one(&mut house.connection).await.unwrap();
    assert_eq!(leases, 0, "a server that stops lets go of its jobs");
    assert!(house.caused(&import).await.len() < 1500, "it was too fast to be interrupted");
    let server = Serving::start(&house.place).await;
    let listens = Instant::now();
    wait_until("the next one has it", async || house.claims(&import).await == 2).await;
    assert!(listens.elapsed() < Duration::from_secs(5), "{:?}", listens.elapsed());
    // And beside one that runs already.
    let other = Serving::start(&house.place).await;
    let so_far = house.caused(&import).await.len();
    house.amid(&import, so_far + 200).await;
    assert!(server.terminate().await.0);
    let stopped = Instant::now();
    wait_until("the other one has it", async || house.claims(&import).await == 3).await;
    assert!(stopped.elapsed() < Duration::from_secs(5), "{:?}", stopped.elapsed());
    house.speed_up().await;
    let left = house.left(&other, &import).await;
    left.assert_is(&expected);
    assert!(other.terminate().await.0);
}
