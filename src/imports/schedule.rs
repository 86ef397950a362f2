//! Schedules: what is wrong with one, and when it fires.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use aggregates::application::ImportSchedule;
use aggregates::application_import::{ApplicationImport, ApplicationImportCommand as Command, ImportType};
use aggregates::{Actor, Violation, ids};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds};
use uuid::Uuid;

use crate::app::SharedApp;
use crate::journal::{AppendError, CommandError, Context};

/// How often the clock is looked at; a tick is a minute.
const LOOK: Duration = Duration::from_secs(1);
/// An older tick that was missed is not made up for.
const OLDEST: TimeDelta = TimeDelta::hours(24);

fn parse(cron: &str) -> Result<Cron, String> {
    CronParser::builder().seconds(Seconds::Disallowed).build().parse(cron).map_err(|error| error.to_string())
}

/// What is wrong with cron or timezone; the rest is the aggregate's to check.
pub fn violations(schedule: &ImportSchedule) -> Vec<Violation> {
    let mut found = Vec::new();
    match parse(&schedule.cron) {
        Err(error) => {
            let message = format!("{:?} is no cron expression of five fields (0 2 * * *): {error}", schedule.cron);
            found.push(Violation::new("cron", message));
        }
        Ok(cron) if cron.find_next_occurrence(&DateTime::UNIX_EPOCH, false).is_err() => {
            found.push(Violation::new("cron", format!("{:?} never fires", schedule.cron)));
        }
        Ok(_) => {}
    }
    if Tz::from_str(&schedule.timezone).is_err() {
        let message = format!("{:?} is no IANA timezone (Europe/Zurich)", schedule.timezone);
        found.push(Violation::new("timezone", message));
    }
    found
}

/// The latest tick after `since` and not after `now`: of several that were missed only this one counts.
///
/// A wall clock time that a zone skips fires when the gap ends; one that comes twice fires once (unless the expression is of
/// every hour or minute), as Vixie cron does it.
pub fn due(schedule: &ImportSchedule, since: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let zone = Tz::from_str(&schedule.timezone).ok()?;
    let cron = parse(&schedule.cron).ok()?;
    let since = since.max(now - OLDEST).with_timezone(&zone);
    let ticks = cron.iter_after(since).map(|tick| tick.with_timezone(&Utc));
    ticks.take_while(|tick| *tick <= now).last()
}

/// Stages imports when their schedules say so, for ever. Any number of servers may do it: the import's id follows from
/// application and tick, so the second finds it there.
pub async fn fire(app: SharedApp) {
    let mut handled: HashMap<Uuid, DateTime<Utc>> = HashMap::new();
    loop {
        match projections::applications::scheduled(&app.workers).await {
            Ok(applications) => {
                for application in applications {
                    let since = handled
                        .get(&application.id)
                        .map_or(application.import_schedule_set_at, |at| application.import_schedule_set_at.max(*at));
                    let Some(tick) = due(&application.import_schedule.0, since, app.clock.now()) else { continue };
                    match stage(&app, application.id, tick).await {
                        Ok(()) => drop(handled.insert(application.id, tick)),
                        Err(error) => tracing::warn!(%error, application = %application.id, "a scheduled import waits"),
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "schedules can't be read"),
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn stage(app: &SharedApp, application_id: Uuid, tick: DateTime<Utc>) -> Result<(), CommandError> {
    let id = ids::native(application_id, "scheduled-import", &tick.to_rfc3339());
    let context = || Context::of(Actor::system("import schedule"), app.clock.id().simple().to_string());
    let command = Command::Stage {
        application_id,
        import_type: ImportType::Scheduled,
        files: Vec::new(),
        accept_removals_of: None,
        preview: false,
    };
    let mut outcome = app.journal.create::<ApplicationImport>(id, command, context()).await;
    if let Err(CommandError::Append(AppendError::ClaimTaken { .. })) = &outcome {
        // One is Pending: it will read the same files.
        let command = Command::Skip { application_id, scheduled_for: tick };
        outcome = app.journal.create::<ApplicationImport>(id, command, context()).await;
    }
    match outcome {
        Ok(_) => {
            app.imports_bell.notify_one();
            Ok(())
        }
        // This tick was seen to, by this server before it was started again or by another.
        Err(CommandError::Append(AppendError::Conflict { .. })) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(cron: &str, timezone: &str) -> ImportSchedule {
        ImportSchedule { cron: cron.to_owned(), timezone: timezone.to_owned(), is_enabled: true, files: Vec::new() }
    }

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
    }

    /// Every tick between two times, looked for minute by minute as a server does.
    fn ticks(cron: &str, zone: &str, from: &str, until: &str) -> Vec<String> {
        let schedule = schedule(cron, zone);
        let (mut since, until) = (at(from), at(until));
        let (mut now, mut found) = (since, Vec::new());
        while now <= until {
            if let Some(tick) = due(&schedule, since, now) {
                found.push(tick.format("%dT%H:%M").to_string());
                since = tick;
            }
            now += TimeDelta::minutes(1);
        }
        found
    }

    #[test]
    fn a_cron_that_never_fires_and_a_zone_that_is_none_are_told() {
        let fields = |cron, zone| -> Vec<String> {
            violations(&schedule(cron, zone)).into_iter().map(|violation| violation.field).collect()
        };
        assert_eq!(fields("0 0 30 2 *", "UTC"), ["cron"]);
        assert_eq!(fields("0 0 29 2 *", "UTC"), Vec::<String>::new());
        assert_eq!(fields("* * * *", "Mars/Phobos"), ["cron", "timezone"]);
    }

    #[test]
    fn a_time_that_the_zone_skips_fires_once_when_the_gap_ends() {
        let found = ticks("30 2 * * *", "Europe/Zurich", "2026-03-28T00:00:00Z", "2026-03-30T12:00:00Z");
        assert_eq!(found, ["28T01:30", "29T01:00", "30T00:30"]);
    }

    #[test]
    fn a_time_that_comes_twice_fires_once() {
        let found = ticks("30 2 * * *", "Europe/Zurich", "2026-10-24T00:00:00Z", "2026-10-26T12:00:00Z");
        assert_eq!(found, ["24T00:30", "25T00:30", "26T01:30"]);
    }

    #[test]
    fn of_missed_ticks_only_the_latest_counts_and_only_for_a_day() {
        let hourly = schedule("0 * * * *", "UTC");
        let since = at("2026-03-01T00:30:00Z");
        assert_eq!(due(&hourly, since, at("2026-03-01T05:10:00Z")), Some(at("2026-03-01T05:00:00Z")));
        assert_eq!(due(&hourly, since, at("2026-03-01T00:59:59Z")), None);
        let yearly = schedule("0 0 1 3 *", "UTC");
        let since = at("2026-02-01T00:00:00Z");
        assert_eq!(due(&yearly, since, at("2026-03-01T23:59:00Z")), Some(at("2026-03-01T00:00:00Z")));
        assert_eq!(due(&yearly, since, at("2026-03-02T00:01:00Z")), None);
    }
}
