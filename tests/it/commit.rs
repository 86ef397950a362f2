//! A connection that breaks around COMMIT: every caller gets one answer, and it is true.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use muniment::journal::{AppendError, Expected};

use crate::support::journal::{Log, more, new, stream};
use crate::support::process::wait_until;
use crate::support::proxy::Fault;

#[tokio::test]
async fn a_connection_lost_before_commit_is_tried_again() {
    let (log, proxy) = Log::through_proxy().await;
    for (number, fault) in [Fault::AtBegin, Fault::AfterBegin, Fault::BeforeCommit].into_iter().enumerate() {
        proxy.breaks([fault]);
        let position = number as i64 + 1;
        let appended = log.append(more(1, Expected::Any, &format!("{fault:?}"))).await.unwrap();
        assert_eq!((appended.first, proxy.left()), (position, 0), "{fault:?}");
        assert_eq!(log.version(&stream(1)).await, position, "{fault:?}");
    }
    assert_eq!(log.assert_sound().await, 3);
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_answered_once() {
    let (log, proxy) = Log::through_proxy().await;
    proxy.breaks([Fault::AfterCommit]);
    // Expected version `Any`: a second try would be stored as well.
    let answers = join_all((0..5).map(|_| log.append(more(1, Expected::Any, "")))).await;
    let mut positions: Vec<i64> = answers.into_iter().map(|answer| answer.unwrap().first).collect();
    positions.sort_unstable();
    assert_eq!(positions, [1, 2, 3, 4, 5]);
    assert_eq!(proxy.left(), 0);
    assert_eq!(log.assert_sound().await, 5);
}

#[tokio::test]
async fn whatever_breaks_and_however_often_each_event_is_there_once() {
    use Fault::{AfterBegin, AfterCommit, AtBegin, BeforeCommit};
    let (log, proxy) = Log::through_proxy().await;
    let faults = [AfterCommit, BeforeCommit, AfterCommit, AtBegin, BeforeCommit, BeforeCommit, AfterBegin, AfterCommit];
    proxy.breaks(faults);
    for number in 1..=20 {
        let (person, bulk) = tokio::join!(log.append(new(number)), log.journal.append_bulk(new(1000 + number)));
        person.unwrap();
        bulk.unwrap();
    }
    assert_eq!(proxy.left(), 0);
    assert_eq!(log.assert_sound().await, 40);
}

#[tokio::test]
async fn a_commit_whose_fate_cannot_be_known_is_not_promised() {
    let (log, proxy) = Log::through_proxy().await;
    log.append(new(1)).await.unwrap();
    proxy.breaks([Fault::WithheldCommit]);
    let started = Instant::now();
    let error = log.append(new(2)).await.unwrap_err();
    assert!(matches!(&error, AppendError::Unavailable(reason) if reason.contains("fate")), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(log.length().await, 1);
    proxy.release();
    wait_until("the late commit is there", async || log.length().await == 2).await;
    assert!(matches!(log.append(new(2)).await, Err(AppendError::Conflict { found: 1, .. })));
    log.append(new(3)).await.unwrap();
    assert_eq!(log.assert_sound().await, 3);
}
