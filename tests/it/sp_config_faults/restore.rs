//! An import that is put back the moment it ends.

use std::time::{Duration, Instant};

use serde_json::json;

use super::house::{House, ended, export, many, same, send};

/// Whoever asks while it is at work is refused, and whoever is not refused puts all of it back.
#[tokio::test]
async fn a_restore_that_races_with_the_end_puts_everything_back() {
    let (mut house, server) = House::open().await;
    let client = house.client(&server);
    let import = send(&client, &many()).await;
    let path = format!("/api/config-imports/{import}/restore");
    let deadline = Instant::now() + Duration::from_mins(1);
    let callers = (0..6).map(async |_| {
        let (mut refused, mut restored) = (0, 0);
        loop {
            assert!(Instant::now() < deadline, "nobody could put it back within a minute");
            let answer = client.post(&path, json!({})).await;
            match answer.status {
                200 => restored += 1,
                409 if answer.text.contains("it can be restored when it has ended") => {
                    refused += 1;
                    continue;
                }
                // Another was faster.
                409 => assert!(answer.text.contains("restored") || answer.text.contains("version"), "{}", answer.text),
                other => panic!("{other} {}", answer.text),
            }
            return (refused, restored);
        }
    });
    let answers = futures_util::future::join_all(callers).await;
    assert_eq!(ended(&client, "import", &import).await["status"], "FAILED", "some can't be imported");
    assert!(answers.iter().map(|(refused, _)| refused).sum::<u32>() > 0, "no race");
    assert_eq!(answers.iter().map(|(_, restored)| restored).sum::<u32>(), 1);
    same("what was put back", &export(&client).await, &house.found);
    house.assert_secrets_are_nowhere_else().await;
    house.assert_sound().await;
    assert!(server.terminate().await.0);
}
