//! Cron expressions and timezones of import schedules.

use std::str::FromStr;

use aggregates::Violation;
use aggregates::application::ImportSchedule;
use croner::parser::{CronParser, Seconds};

/// What is wrong with cron or timezone; the rest is the aggregate's to check.
pub fn violations(schedule: &ImportSchedule) -> Vec<Violation> {
    let mut found = Vec::new();
    if let Err(error) = CronParser::builder().seconds(Seconds::Disallowed).build().parse(&schedule.cron) {
        let message = format!("{:?} is no cron expression of five fields (0 2 * * *): {error}", schedule.cron);
        found.push(Violation::new("cron", message));
    }
    if chrono_tz::Tz::from_str(&schedule.timezone).is_err() {
        let message = format!("{:?} is no IANA timezone (Europe/Zurich)", schedule.timezone);
        found.push(Violation::new("timezone", message));
    }
    found
}
