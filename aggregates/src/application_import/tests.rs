use std::collections::BTreeSet;

use cqrs_es::Aggregate;
use cqrs_es::test::TestFramework;

use super::ApplicationImportCommand as Command;
use super::ApplicationImportEvent as Event;
use super::*;
use crate::Stream;
use crate::difference::Change;

const APPLICATION: Uuid = Uuid::from_u128(7);

fn file(name: &str) -> ImportFile {
    ImportFile {
        id: Uuid::from_u128(1),
        file_group_id: Uuid::from_u128(2),
        file_group: "Accounts".to_owned(),
        name: name.to_owned(),
        sha256: "ab".repeat(32),
        size: 42,
    }
}

fn stage(import_type: ImportType, files: Vec<ImportFile>) -> Command {
    Command::Stage { application_id: APPLICATION, import_type, files, accept_removals_of: None, preview: false }
}

fn staged(files: Vec<ImportFile>) -> Event {
    Event::ImportStaged {
        application_id: APPLICATION,
        import_type: ImportType::Api,
        files,
        accept_removals_of: None,
        preview: false,
    }
}

fn claim(worker: &str, application_version: i64) -> Command {
    Command::Claim { worker: worker.to_owned(), application_version, is_identity_source: false }
}

fn claimed(worker: &str, application_version: i64) -> Event {
    Event::ImportClaimed { worker: worker.to_owned(), application_version, is_identity_source: false }
}

fn claim_of_identities(worker: &str, application_version: i64) -> Command {
    Command::Claim { worker: worker.to_owned(), application_version, is_identity_source: true }
}

fn claimed_of_identities(worker: &str, application_version: i64) -> Event {
    Event::ImportClaimed { worker: worker.to_owned(), application_version, is_identity_source: true }
}

fn kept() -> Event {
    Event::ImportFilesKept { files: vec![file("kept.csv")] }
}

fn metrics(rows_read: u64) -> Metrics {
    Metrics { rows_read, ..Default::default() }
}

fn planned() -> Event {
    Event::ImportPlanned { metrics: metrics(3) }
}

fn removals() -> Removals {
    let share = |removed, of| Share { removed, of };
    Removals {
        identities: share(0, 0),
        accounts: share(0, 0),
        grants: share(40, 100),
        limit: 30,
        difference: "ab".repeat(32),
    }
}

fn log() -> String {
    "for people".to_owned()
}

fn and(mut events: Vec<Event>, more: Vec<Event>) -> Vec<Event> {
    events.extend(more);
    events
}

/// The shortest history, by way of a worker, that leads to each status.
fn history(status: Status) -> Vec<Event> {
    let running = vec![staged(vec![]), claimed("one", 4)];
    match status {
        Status::Pending => vec![staged(vec![])],
        Status::Running => running,
        Status::Canceling => and(running, vec![Event::ImportCancelRequested {}]),
        Status::Canceled => and(running, vec![Event::ImportCancelRequested {}, Event::ImportCanceled { log: log() }]),
        Status::Failed => and(running, vec![Event::ImportFailed { log: log() }]),
        Status::Finished => {
            and(running, vec![kept(), planned(), Event::ImportFinished { metrics: metrics(3), log: None }])
        }
    }
}

/// Cancelled before any worker had it.
fn canceled_while_pending() -> Vec<Event> {
    vec![staged(vec![]), Event::ImportCancelRequested {}]
}

fn import(events: Vec<Event>) -> ApplicationImport {
    let mut import = ApplicationImport::default();
    for event in events {
        import.apply(event);
    }
    import
}

#[track_caller]
fn accepted(given: Vec<Event>, when: Command, then: Event) {
    TestFramework::<ApplicationImport>::with(()).given(given).when(when).then_expect_events(vec![then]);
}

#[track_caller]
fn refused(given: Vec<Event>, when: Command, refusal: Refusal) {
    TestFramework::<ApplicationImport>::with(()).given(given).when(when).then_expect_error(refusal);
}

/// Refused in each of these statuses, with the statuses in which it is possible.
#[track_caller]
fn refused_while(statuses: &[Status], when: &Command, possible: &str) {
    for status in statuses {
        let message = format!("The application import is {}; this is possible while it is {possible}", status.as_str());
        refused(history(*status), when.clone(), Refusal::Conflict(message));
    }
}

const STATUSES: [Status; 6] =
    [Status::Pending, Status::Running, Status::Canceling, Status::Canceled, Status::Failed, Status::Finished];

/// Every command: of both kinds of imports, claims by two workers who don't agree about the application.
fn commands() -> Vec<Command> {
    vec![
        stage(ImportType::Api, vec![]),
        stage(ImportType::Api, vec![file("upload.csv")]),
        claim("one", 4),
        claim_of_identities("two", 5),
        Command::KeepFiles(vec![file("kept.csv")]),
        Command::HoldRemovals(removals()),
        Command::Skip { application_id: APPLICATION, scheduled_for: chrono::DateTime::UNIX_EPOCH },
        Command::Plan(metrics(3)),
        Command::RequestCancel,
        Command::Cancel { log: log() },
        Command::Fail { log: log() },
        Command::Finish { log: None },
    ]
}

// Commands

#[test]
fn an_import_is_staged_with_uploaded_files_or_with_those_of_the_schedule() {
    for import_type in [ImportType::Scheduled, ImportType::Manual, ImportType::Api] {
        for files in [vec![], vec![file("accounts.csv")]] {
            accepted(
                vec![],
                stage(import_type, files.clone()),
                Event::ImportStaged {
                    application_id: APPLICATION,
                    import_type,
                    files,
                    accept_removals_of: None,
                    preview: false,
                },
            );
        }
    }
}

#[test]
fn an_import_is_staged_once() {
    for status in STATUSES {
        refused(
            history(status),
            stage(ImportType::Api, vec![]),
            Refusal::Conflict("The application import exists already".to_owned()),
        );
    }
}

#[test]
fn an_import_that_does_not_exist_takes_no_command_but_stage_and_skip() {
    for command in commands().into_iter().filter(|command| !matches!(variant(command), "stage" | "skip")) {
        refused(vec![], command, Refusal::NotFound("The application import doesn't exist".to_owned()));
    }
}

#[test]
fn a_worker_claims_a_pending_import_and_it_runs() {
    accepted(history(Status::Pending), claim("one", 4), claimed("one", 4));
    assert_eq!(import(history(Status::Running)).status, Status::Running);
}

#[test]
fn another_worker_resumes_by_the_rules_that_the_first_claim_fixed() {
    accepted(history(Status::Running), claim("two", 9), claimed("two", 4));
    let mut resumed = history(Status::Running);
    resumed.push(claimed("two", 4));
    accepted(resumed.clone(), claim("three", 12), claimed("three", 4));
    let state = import(resumed);
    assert_eq!((state.status, state.application_version), (Status::Running, Some(4)));
}

#[test]
fn a_worker_that_claims_an_import_being_canceled_does_not_make_it_run_again() {
    accepted(history(Status::Canceling), claim("two", 9), claimed("two", 4));
    let mut events = history(Status::Canceling);
    events.push(claimed("two", 4));
    assert_eq!(import(events.clone()).status, Status::Canceling);
    accepted(events, Command::Cancel { log: log() }, Event::ImportCanceled { log: log() });
}

#[test]
fn the_first_claim_fixes_whether_identities_are_delivered() {
    for status in [Status::Running, Status::Canceling] {
        accepted(history(status), claim_of_identities("two", 9), claimed("two", 4));
    }
    accepted(history(Status::Pending), claim_of_identities("one", 4), claimed_of_identities("one", 4));
    let of_identities = vec![staged(vec![]), claimed_of_identities("one", 4)];
    accepted(of_identities.clone(), claim("two", 9), claimed_of_identities("two", 4));
    let canceling = and(of_identities, vec![Event::ImportCancelRequested {}]);
    accepted(canceling, claim("two", 9), claimed_of_identities("two", 4));
}

#[test]
fn an_import_that_ended_is_not_claimed() {
    refused_while(&[Status::Canceled, Status::Failed, Status::Finished], &claim("two", 9), "Running or Canceling");
}

#[test]
fn an_import_canceled_while_pending_is_not_claimed() {
    let canceling = canceled_while_pending();
    let canceled = and(canceling.clone(), vec![Event::ImportCanceled { log: log() }]);
    let failed = vec![staged(vec![]), Event::ImportFailed { log: log() }];
    for (given, status) in [(canceling, "Canceling"), (canceled, "Canceled"), (failed, "Failed")] {
        let message = format!("The application import is {status}; this is possible while it is Pending");
        refused(given, claim("one", 4), Refusal::Conflict(message));
    }
}

#[test]
fn a_running_import_keeps_the_files_it_read() {
    accepted(
        history(Status::Running),
        Command::KeepFiles(vec![file("a.csv")]),
        Event::ImportFilesKept { files: vec![file("a.csv")] },
    );
    let mut events = history(Status::Running);
    events.push(Event::ImportFilesKept { files: vec![file("a.csv")] });
    let state = import(events);
    assert_eq!(state.files, [file("a.csv")]);
    assert!(state.from_schedule, "they are the schedule's files still");
    assert_eq!(import(vec![staged(vec![file("up.csv")])]).files, [file("up.csv")]);
}

#[test]
fn files_are_kept_and_a_plan_is_made_only_while_it_runs() {
    let not_running = [Status::Pending, Status::Canceling, Status::Canceled, Status::Failed, Status::Finished];
    refused_while(&not_running, &Command::KeepFiles(vec![]), "Running");
    refused_while(&not_running, &Command::Plan(metrics(3)), "Running");
}

#[test]
fn the_files_that_an_import_reads_are_kept_once() {
    let kept_already = Refusal::Conflict("The import's files are kept already".to_owned());
    let scheduled = and(history(Status::Running), vec![kept()]);
    let resumed = and(scheduled.clone(), vec![claimed("two", 4)]);
    let uploaded = vec![staged(vec![file("upload.csv")]), claimed("one", 4)];
    for given in [scheduled, resumed, uploaded] {
        refused(given, Command::KeepFiles(vec![file("other.csv")]), kept_already.clone());
    }
}

#[test]
fn a_running_import_is_planned_from_the_files_kept_or_uploaded() {
    accepted(and(history(Status::Running), vec![kept()]), Command::Plan(metrics(3)), planned());
    let uploaded = vec![staged(vec![file("upload.csv")]), claimed("one", 4)];
    accepted(uploaded, Command::Plan(metrics(3)), planned());
}

#[test]
fn an_import_is_not_planned_before_its_files_are_kept() {
    refused(
        history(Status::Running),
        Command::Plan(metrics(3)),
        Refusal::Conflict("An import is planned after its files were kept".to_owned()),
    );
}

#[test]
fn the_first_plan_stands_even_when_another_worker_goes_on() {
    let planned_already = Refusal::Conflict("The import is planned already".to_owned());
    let once = and(history(Status::Running), vec![kept(), planned()]);
    refused(once.clone(), Command::Plan(metrics(3)), planned_already.clone());
    let resumed = and(once, vec![claimed("two", 4)]);
    refused(resumed.clone(), Command::Plan(metrics(1)), planned_already);
    accepted(resumed, Command::Finish { log: None }, Event::ImportFinished { metrics: metrics(3), log: None });
}

#[test]
fn a_pending_or_running_import_can_be_canceled() {
    for status in [Status::Pending, Status::Running] {
        accepted(history(status), Command::RequestCancel, Event::ImportCancelRequested {});
    }
}

#[test]
fn cancel_is_asked_for_once_and_never_after_the_end() {
    refused_while(
        &[Status::Canceling, Status::Canceled, Status::Failed, Status::Finished],
        &Command::RequestCancel,
        "Pending or Running",
    );
}

#[test]
fn an_import_is_canceled_only_when_somebody_asked_for_it() {
    accepted(history(Status::Canceling), Command::Cancel { log: log() }, Event::ImportCanceled { log: log() });
    refused_while(
        &[Status::Pending, Status::Running, Status::Canceled, Status::Failed, Status::Finished],
        &Command::Cancel { log: log() },
        "Canceling",
    );
}

#[test]
fn an_import_canceled_while_pending_needs_no_worker_to_end() {
    accepted(canceled_while_pending(), Command::Cancel { log: log() }, Event::ImportCanceled { log: log() });
    let state = import(and(canceled_while_pending(), vec![Event::ImportCanceled { log: log() }]));
    assert_eq!((state.status, state.application_version), (Status::Canceled, None));
    assert!(state.claims().is_empty());
}

#[test]
fn a_pending_or_running_import_can_fail() {
    for status in [Status::Pending, Status::Running] {
        accepted(history(status), Command::Fail { log: log() }, Event::ImportFailed { log: log() });
    }
    refused_while(
        &[Status::Canceling, Status::Canceled, Status::Failed, Status::Finished],
        &Command::Fail { log: log() },
        "Pending or Running",
    );
}

#[test]
fn an_import_finishes_with_the_metrics_of_its_plan() {
    let events = and(history(Status::Running), vec![kept(), planned()]);
    for log in [None, Some(log())] {
        accepted(
            events.clone(),
            Command::Finish { log: log.clone() },
            Event::ImportFinished { metrics: metrics(3), log },
        );
    }
}

#[test]
fn an_import_does_not_finish_before_it_was_planned() {
    for given in [history(Status::Running), and(history(Status::Running), vec![kept()])] {
        refused(
            given,
            Command::Finish { log: None },
            Refusal::Conflict("An import finishes after it was planned".to_owned()),
        );
    }
}

#[test]
fn an_import_finishes_only_while_it_runs() {
    let canceling = and(history(Status::Running), vec![kept(), planned(), Event::ImportCancelRequested {}]);
    refused(
        canceling,
        Command::Finish { log: None },
        Refusal::Conflict("The application import is Canceling; this is possible while it is Running".to_owned()),
    );
    refused_while(
        &[Status::Pending, Status::Canceling, Status::Canceled, Status::Failed, Status::Finished],
        &Command::Finish { log: None },
        "Running",
    );
}

// Claims

#[test]
fn an_import_from_the_schedule_claims_the_place_of_the_pending_one_then_of_the_running_one() {
    let pending = ["pending-import:00000000-0000-0000-0000-000000000007"];
    let running = ["running-import:00000000-0000-0000-0000-000000000007"];
    assert_eq!(pending_claim(APPLICATION), pending[0]);
    assert_eq!(running_claim(APPLICATION), running[0]);
    assert!(ApplicationImport::default().claims().is_empty());
    assert_eq!(import(history(Status::Pending)).claims(), pending);
    assert_eq!(import(history(Status::Running)).claims(), running);
    assert_eq!(import(history(Status::Canceling)).claims(), running);
}

#[test]
fn an_import_that_ended_lets_the_next_one_run() {
    for status in [Status::Canceled, Status::Failed, Status::Finished] {
        assert!(import(history(status)).claims().is_empty(), "{status:?}");
    }
    let failed_while_pending = vec![staged(vec![]), Event::ImportFailed { log: log() }];
    assert!(import(failed_while_pending).claims().is_empty());
}

#[test]
fn uploads_wait_in_any_number_but_run_one_at_a_time() {
    let upload = staged(vec![file("accounts.csv")]);
    assert!(import(vec![upload.clone()]).claims().is_empty());
    assert_eq!(import(vec![upload, claimed("one", 4)]).claims(), [running_claim(APPLICATION)]);
}

#[test]
fn a_resumed_or_planned_import_keeps_its_place() {
    let mut events = history(Status::Running);
    for event in [claimed("two", 4), kept(), planned()] {
        events.push(event);
        assert_eq!(import(events.clone()).claims(), [running_claim(APPLICATION)]);
    }
}

#[test]
fn an_import_canceled_while_pending_holds_nothing() {
    assert!(import(canceled_while_pending()).claims().is_empty());
}

#[test]
fn an_import_of_identities_runs_alone_among_all_applications_until_its_worker_lets_go() {
    assert_eq!(IDENTITIES_CLAIM, "running-import-of-identities");
    let both = [running_claim(APPLICATION), IDENTITIES_CLAIM.to_owned()];
    let running = vec![staged(vec![]), claimed_of_identities("one", 4)];
    let planned = and(running.clone(), vec![kept(), planned()]);
    let canceling = and(planned.clone(), vec![Event::ImportCancelRequested {}]);
    let resumed = and(canceling.clone(), vec![claimed_of_identities("two", 4)]);
    for events in [running.clone(), planned.clone(), canceling.clone(), resumed] {
        assert_eq!(import(events).claims(), both);
    }
    for ended in [
        and(canceling, vec![Event::ImportCanceled { log: log() }]),
        and(running, vec![Event::ImportFailed { log: log() }]),
        and(planned, vec![Event::ImportFinished { metrics: metrics(3), log: None }]),
    ] {
        assert!(import(ended).claims().is_empty());
    }
}

// The state diagram

fn variant(command: &Command) -> &'static str {
    match command {
        Command::Stage { .. } => "stage",
        Command::Claim { .. } => "claim",
        Command::KeepFiles(_) => "keep files",
        Command::Plan(_) => "plan",
        Command::HoldRemovals(_) => "hold removals",
        Command::Skip { .. } => "skip",
        Command::RequestCancel => "request cancel",
        Command::Cancel { .. } => "cancel",
        Command::Fail { .. } => "fail",
        Command::Finish { .. } => "finish",
    }
}

/// What the rules look at, remembered from the commands and not from the events.
#[derive(Clone, Default)]
struct Past {
    status: Option<Status>,
    is_uploaded: bool,
    /// What the first claim said: the application's version, and whether it delivers identities.
    first_claim: Option<(i64, bool)>,
    has_files: bool,
    is_planned: bool,
    is_held: bool,
    is_skipped: bool,
}

impl Past {
    /// The diagram, written a second time: what is so after a command, `None` = refused.
    fn after(&self, command: &Command) -> Option<Self> {
        let had_worker = self.first_claim.is_some();
        let status = match (self.status, variant(command)) {
            (None, "stage") if !self.is_skipped => Status::Pending,
            (None, "skip") if !self.is_skipped => return Some(Self { is_skipped: true, ..self.clone() }),
            (Some(Status::Running), "hold removals") if self.has_files && !self.is_planned && !self.is_held => {
                Status::Running
            }
            (Some(Status::Pending | Status::Running), "claim") => Status::Running,
            (Some(Status::Running), "keep files") if !self.has_files => Status::Running,
            (Some(Status::Running), "plan") if self.has_files && !self.is_planned => Status::Running,
            (Some(Status::Pending | Status::Running), "request cancel") => Status::Canceling,
            (Some(Status::Canceling), "claim") if had_worker => Status::Canceling,
            (Some(Status::Canceling), "cancel") => Status::Canceled,
            (Some(Status::Pending | Status::Running), "fail") => Status::Failed,
            (Some(Status::Running), "finish") if self.is_planned => Status::Finished,
            _ => return None,
        };
        let mut after = Self { status: Some(status), ..self.clone() };
        match command {
            Command::Stage { files, .. } => {
                after.is_uploaded = !files.is_empty();
                after.has_files = after.is_uploaded;
            }
            Command::Claim { application_version, is_identity_source, .. } => {
                after.first_claim = self.first_claim.or(Some((*application_version, *is_identity_source)));
            }
            Command::KeepFiles(_) => after.has_files = true,
            Command::Plan(_) => after.is_planned = true,
            Command::HoldRemovals(_) => after.is_held = true,
            _ => {}
        }
        Some(after)
    }

    /// The name of this place in the diagram; Canceling is two, for only a worker's import waits for a worker.
    fn place(&self) -> &'static str {
        match self.status {
            None if self.is_skipped => "Skipped",
            None => "nowhere",
            Some(Status::Canceling) if self.first_claim.is_none() => "Canceling, no worker",
            Some(status) => status.as_str(),
        }
    }

    fn claims(&self) -> Vec<String> {
        match (self.status, self.first_claim) {
            (Some(Status::Pending), _) if !self.is_uploaded => vec![pending_claim(APPLICATION)],
            (Some(Status::Running | Status::Canceling), Some((_, true))) => {
                vec![running_claim(APPLICATION), IDENTITIES_CLAIM.to_owned()]
            }
            (Some(Status::Running | Status::Canceling), Some((_, false))) => vec![running_claim(APPLICATION)],
            _ => vec![],
        }
    }
}

/// From, by which command, to.
type Move = (&'static str, &'static str, &'static str);

/// Takes every sequence of up to `depth` more commands from here, and notes the moves.
fn explore(import: &ApplicationImport, past: &Past, depth: usize, moves: &mut BTreeSet<Move>) -> usize {
    if depth == 0 {
        return 0;
    }
    let mut examined = 0;
    for command in commands() {
        examined += 1;
        let (from, name) = (past.place(), variant(&command));
        let expected = past.after(&command);
        let Ok(event) = import.decide(command) else {
            assert!(expected.is_none(), "{name} was refused while {from}");
            continue;
        };
        let Some(expected) = expected else { panic!("{name} was accepted while {from}") };
        let mut after = import.clone();
        after.apply(event);
        assert_eq!((after.is_skipped, after.held.is_some()), (expected.is_skipped, expected.is_held), "{name}");
        moves.insert((from, name, expected.place()));
        if expected.is_skipped {
            examined += explore(&after, &expected, depth - 1, moves);
            continue;
        }
        assert_eq!(Some(after.status), expected.status, "{name} while {from}");
        assert!(past.status.is_none_or(|status| !status.is_terminal()), "{name} after the end");
        assert_eq!(after.application_id, Some(APPLICATION));
        assert_eq!(
            after.application_version.map(|version| (version, after.is_identity_source)),
            expected.first_claim,
            "{name} while {from}: the first claim decides by which rules an import reads"
        );
        assert_eq!(!after.files.is_empty(), expected.has_files, "{name} while {from}");
        assert_eq!(after.planned.is_some(), expected.is_planned, "{name} while {from}");
        assert_eq!(after.claims(), expected.claims(), "{name} while {from}");
        examined += explore(&after, &expected, depth - 1, moves);
    }
    examined
}

#[test]
fn no_sequence_of_commands_leaves_the_state_diagram() {
    let mut moves = BTreeSet::new();
    let examined = explore(&ApplicationImport::default(), &Past::default(), 8, &mut moves);
    assert!(examined > 10_000, "only {examined} commands were tried");
    let diagram = BTreeSet::from([
        ("nowhere", "stage", "Pending"),
        ("nowhere", "skip", "Skipped"),
        ("Running", "hold removals", "Running"),
        ("Pending", "claim", "Running"),
        ("Pending", "request cancel", "Canceling, no worker"),
        ("Pending", "fail", "Failed"),
        ("Running", "claim", "Running"),
        ("Running", "keep files", "Running"),
        ("Running", "plan", "Running"),
        ("Running", "request cancel", "Canceling"),
        ("Running", "fail", "Failed"),
        ("Running", "finish", "Finished"),
        ("Canceling", "claim", "Canceling"),
        ("Canceling", "cancel", "Canceled"),
        ("Canceling, no worker", "cancel", "Canceled"),
    ]);
    assert_eq!(moves, diagram);
}

#[test]
fn only_canceled_failed_and_finished_are_ends() {
    let ends: Vec<Status> = STATUSES.into_iter().filter(|status| status.is_terminal()).collect();
    assert_eq!(ends, [Status::Canceled, Status::Failed, Status::Finished]);
    for status in ends {
        for command in commands() {
            assert!(import(history(status)).decide(command).is_err(), "{status:?}");
        }
    }
}

#[test]
fn the_words_of_status_and_type_are_those_of_the_api() {
    let words = STATUSES.map(Status::as_str);
    assert_eq!(words, ["Pending", "Running", "Canceling", "Canceled", "Failed", "Finished"]);
    for status in STATUSES {
        assert_eq!(import(history(status)).status, status);
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    for (import_type, word) in
        [(ImportType::Scheduled, "Scheduled"), (ImportType::Manual, "Manual"), (ImportType::Api, "API")]
    {
        assert_eq!(import_type.as_str(), word);
        assert_eq!(serde_json::to_value(import_type).unwrap(), word);
    }
}

// Metrics

#[test]
fn every_change_counts_once_and_who_returns_counts_as_added() {
    let mut counted = KindMetrics::default();
    for change in [
        Some(Change::Added),
        Some(Change::Returned),
        Some(Change::Changed),
        Some(Change::Removed),
        Some(Change::Removed),
        Some(Change::Removed),
        None,
        None,
        None,
        None,
    ] {
        counted.count(change);
    }
    assert_eq!(counted, KindMetrics { added: 2, changed: 1, removed: 3, unchanged: 4 });
}

fn kind(added: u64, changed: u64, removed: u64, unchanged: u64) -> KindMetrics {
    KindMetrics { added, changed, removed, unchanged }
}

/// The percentage as `metrics` shows it.
#[track_caller]
fn change_percent(mut metrics: Metrics, expected: &str) {
    metrics.sum_up();
    assert_eq!(serde_json::to_string(&metrics.change_percent).unwrap(), expected);
}

#[test]
fn the_change_is_a_percentage_over_all_kinds_with_two_decimals() {
    change_percent(Metrics::default(), "0.0");
    let all_four = Metrics {
        identities: kind(1, 0, 0, 9),
        accounts: kind(0, 1, 0, 9),
        entitlements: kind(0, 0, 1, 9),
        grants: kind(1, 1, 1, 7),
        ..Default::default()
    };
    change_percent(all_four, "15.0");
    let of_accounts = |accounts| Metrics { accounts, ..Default::default() };
    change_percent(of_accounts(kind(0, 0, 0, 5)), "0.0");
    change_percent(of_accounts(kind(5, 0, 0, 0)), "100.0");
    change_percent(of_accounts(kind(1, 0, 0, 2)), "33.33");
    change_percent(of_accounts(kind(0, 2, 0, 1)), "66.67");
    change_percent(of_accounts(kind(0, 0, 1, 99_999)), "0.0");
}

#[test]
fn rows_and_what_a_previous_sum_said_do_not_count_in_the_change() {
    let metrics = Metrics {
        rows_read: 100,
        rows_rejected: 10,
        duplicates: 5,
        uncorrelated_accounts: 3,
        change_percent: 99.0,
        grants: kind(1, 0, 0, 3),
        ..Default::default()
    };
    change_percent(metrics, "25.0");
}

// Removals

#[test]
fn removals_beyond_the_limit_are_those_of_people_or_grants_not_of_few() {
    let removals = |identities, grants, limit| {
        let metrics = Metrics { identities, grants, accounts: kind(90, 0, 0, 100), ..Metrics::default() };
        Removals::beyond(limit, &metrics, || "digest".to_owned())
    };
    let none = KindMetrics::default();
    assert_eq!(removals(kind(500, 70, 30, 0), none, 30), None, "30 of 100 is the limit itself");
    let held = removals(none, kind(900, 0, 31, 69), 30).unwrap();
    assert_eq!((held.grants, held.identities), (Share { removed: 31, of: 100 }, Share { removed: 0, of: 0 }));
    assert_eq!(held.describe(), "The import would remove 31 of 100 grants (31.0 %); the application's limit is 30 %");
    let leavers = Metrics { accounts: kind(0, 0, 31, 69), ..Metrics::default() };
    let held = Removals::beyond(30, &leavers, String::new).unwrap();
    assert_eq!(held.describe(), "The import would remove 31 of 100 accounts (31.0 %); the application's limit is 30 %");
    assert_eq!(removals(kind(0, 0, 19, 0), kind(0, 0, 19, 0), 0), None, "fewer than 20 have no limit");
    let all = removals(kind(0, 0, 20, 0), kind(0, 0, 1, 1999), 0).unwrap();
    assert_eq!(
        all.describe(),
        "The import would remove 20 of 20 identities (100.0 %) and 1 of 2000 grants (0.1 %); the application's limit is 0 %"
    );
    assert_eq!(removals(kind(0, 0, 20, 0), kind(0, 0, 2000, 0), 100), None);
}
