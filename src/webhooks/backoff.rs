//! When to try again.

use std::time::Duration;

use uuid::Uuid;

/// After the first failure.
const FIRST: Duration = Duration::from_secs(1);
/// At most, whatever the receiver asks for.
const MOST: Duration = Duration::from_hours(1);

/// How long to wait after so many failures in a row: a second, doubled each time up to an hour, and up to a quarter more, so that
/// those who failed together don't come back together. A receiver that asks for more gets it, up to an hour.
pub(super) fn wait(failures: u32, retry_after: Option<Duration>, chance: Uuid) -> Duration {
    let doubled = FIRST.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(MOST);
    let [.., third, second, first, last] = chance.into_bytes();
    let share = f64::from(u32::from_be_bytes([third, second, first, last])) / f64::from(u32::MAX);
    doubled.mul_f64(share.mul_add(0.25, 1.0)).max(retry_after.unwrap_or_default().min(MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour_and_a_quarter() {
        let (least, most) = (Uuid::nil(), Uuid::max());
        for (failures, seconds) in [(1, 1), (2, 2), (3, 4), (12, 2048), (13, 3600), (u32::MAX, 3600)] {
            assert_eq!(wait(failures, None, least), Duration::from_secs(seconds), "{failures}");
            assert_eq!(wait(failures, None, most), Duration::from_millis(seconds * 1250), "{failures}");
        }
    }

    #[test]
    fn a_receiver_may_ask_for_more_but_not_for_days() {
        let asked = |seconds| wait(1, Some(Duration::from_secs(seconds)), Uuid::nil());
        assert_eq!(asked(0), Duration::from_secs(1));
        assert_eq!(asked(120), Duration::from_mins(2));
        assert_eq!(asked(u64::MAX), Duration::from_hours(1));
    }
}
