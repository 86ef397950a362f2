//! One import from claim to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use aggregates::application::{Application, Content, Definition, FileGroup};
use aggregates::application_import::{
    ApplicationImport, ApplicationImportCommand as Command, ImportFile, Metrics, Removals,
};
use aggregates::rule::Subject;
use smallvec::smallvec;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::configured::Configured;
use super::delivered::{Delivered, DeliveredGrants, Keyed, Pair};
use super::evidence::{BlobReader, Spool};
use super::issues::Issues;
use super::mapping::{Few, Mapping};
use super::plan::{Ahead, Plan, Planning};
use super::profiles::unnamed;
use super::reader::Rows;
use super::records::RowReader;
use super::{Fault, apply, shared};
use crate::app::SharedApp;
use crate::journal::{AppendError, CommandError, Context, Loaded};
use crate::work::progress::Progress;

/// How far a run is, and whether it shall stop; shared with whoever watches it.
#[derive(Default)]
pub struct Watch {
    /// Set when the import was cancelled or taken over.
    pub is_interrupted: AtomicBool,
    bytes_read: Arc<AtomicU64>,
    bytes_total: AtomicU64,
    rows_read: AtomicU64,
    rows_total: AtomicU64,
    applied: AtomicU64,
    to_apply: AtomicU64,
}

impl Watch {
    /// How far it is (rulings 19).
    pub fn progress(&self) -> Progress {
        let share = |part: &AtomicU64, whole: &AtomicU64, of: u64| {
            (part.load(Ordering::Relaxed) * of).checked_div(whole.load(Ordering::Relaxed)).unwrap_or(0).min(of)
        };
        let rows_total = self.rows_total.load(Ordering::Relaxed);
        let (phase, percent) = if self.to_apply.load(Ordering::Relaxed) > 0 {
            ("applying", 50 + share(&self.applied, &self.to_apply, 50))
        } else if rows_total > 0 {
            ("planning", 45)
        } else {
            ("reading", share(&self.bytes_read, &self.bytes_total, 45))
        };
        Progress {
            phase: phase.to_owned(),
            rows_read: self.rows_read.load(Ordering::Relaxed) as i64,
            rows_total: (rows_total > 0).then_some(rows_total as i64),
            percent: percent as i16,
        }
    }

    fn is_interrupted(&self) -> bool {
        self.is_interrupted.load(Ordering::Relaxed)
    }
}

/// Runs a claimed import to its end. `loaded` is the import just after the claim.
pub async fn run(
    app: &SharedApp,
    import: Uuid,
    loaded: Loaded<ApplicationImport>,
    context: Context,
    watch: Arc<Watch>,
) -> Result<(), Fault> {
    let application_id = loaded.aggregate.application_id.unwrap_or_default();
    let until = loaded.aggregate.application_version.unwrap_or(i64::MAX);
    let application =
        app.journal.load_until::<Application>(application_id, until).await.map_err(CommandError::from)?.aggregate;
    if application.is_archived {
        return Err(Fault::File("Application is archived".to_owned()));
    }
    let mut definition =
        application.definition.clone().ok_or_else(|| Fault::File("The application doesn't exist".to_owned()))?;
    let mut configured = Configured::load(&app.workers, &definition).await?;
    configured.map(application_id, &mut definition);
    configured.check(&definition)?;
    let limit = definition.removal_limit;
    let mut step = Step { app, import, loaded, context };
    if step.loaded.aggregate.files.is_empty() {
        let files = {
            let (app, definition) = (Arc::clone(app), definition.clone());
            blocking(move || keep_scheduled(&app, &application, &definition)).await?
        };
        step.take(Command::KeepFiles(files)).await?;
    }
    let is_preview = step.loaded.aggregate.is_preview;
    if is_preview && step.loaded.aggregate.planned.is_some() {
        return step.take(Command::Finish { log: Some(NOTHING_APPLIED.to_owned()) }).await;
    }
    let files = step.loaded.aggregate.files.clone();
    let plan = {
        let (app, watch) = (Arc::clone(app), Arc::clone(&watch));
        blocking(move || make_plan(&app, import, application_id, &definition, &configured, &files, &watch)).await?
    };
    if let Some(planned) = &step.loaded.aggregate.planned {
        unless_it_removes_more(planned, &plan.metrics)?;
    }
    let mut remarks = plan.remarks.clone();
    if step.loaded.aggregate.planned.is_none() {
        let metrics = plan.metrics.clone();
        let beyond = beyond(&step, limit, &plan).await?;
        if is_preview {
            crate::work::planned_events::keep(&app.workers, import, apply::planned(import, application_id, plan))
                .await?;
            step.take(Command::Plan(metrics)).await?;
            remarks.insert(0, NOTHING_APPLIED.to_owned());
            remarks.extend(beyond.map(|(removals, _)| format!("{}: it would be held back", removals.describe())));
            return step.take(Command::Finish { log: Some(remarks.join("\n")) }).await;
        }
        if let Some((removals, advice)) = beyond {
            let log = format!("{}. {advice}", removals.describe());
            crate::work::planned_events::keep(&app.workers, import, apply::planned(import, application_id, plan))
                .await?;
            if step.loaded.aggregate.held.is_none() {
                step.take(Command::HoldRemovals(removals)).await?;
            }
            return Err(Fault::File(log));
        }
        step.take(Command::Plan(metrics)).await?;
    }
    watch.to_apply.store(apply::rows(&plan) as u64, Ordering::Relaxed);
    let log = (!remarks.is_empty()).then(|| remarks.join("\n"));
    let version = step.loaded.version;
    apply::apply(&app.journal, &step.context, import, application_id, version, plan, |rows| {
        watch.applied.fetch_add(rows as u64, Ordering::Relaxed);
    })
    .await?;
    step.take(Command::Finish { log }).await
}

/// What a preview's log begins with.
const NOTHING_APPLIED: &str = "A preview: nothing was applied";

/// Whoever takes an import up plans it again, by the transforms, rules, profiles and schema that there are then. What was applied
/// meanwhile is removed no more; what is removed in addition nobody held against the limit.
fn unless_it_removes_more(planned: &Metrics, now: &Metrics) -> Result<(), Fault> {
    let kinds = |all: &Metrics| [all.identities, all.accounts, all.entitlements, all.grants];
    if kinds(planned).iter().zip(kinds(now)).all(|(planned, now)| now.removed <= planned.removed) {
        return Ok(());
    }
    let reason = "It would remove more than was planned: a transform, rule, profile or schema changed meanwhile";
    Err(Fault::File(format!("{reason}; import again")))
}

/// What the plan would remove beyond the application's limit and nobody accepted (rulings 18), and what can be done about it.
async fn beyond(step: &Step<'_>, limit: u8, plan: &Plan) -> Result<Option<(Removals, String)>, Fault> {
    let Some(removals) = Removals::beyond(limit, &plan.metrics, || plan.removals_sha256()) else { return Ok(None) };
    let accepted = match step.loaded.aggregate.accepts_removals_of {
        Some(held) => {
            let held = step.app.journal.load::<ApplicationImport>(held).await.map_err(CommandError::from)?;
            held.aggregate.held.map(|held| held.difference)
        }
        None => None,
    };
    if accepted.as_ref() == Some(&removals.difference) {
        return Ok(None);
    }
    let advice = match accepted {
        Some(_) => "What was accepted is not what this import would remove".to_owned(),
        None => format!("To let exactly this through, import again with acceptRemovalsOf {}", step.import),
    };
    Ok(Some((removals, advice)))
}

/// The import's own stream, appended to only while nobody else does: any other event on it ends this run.
struct Step<'a> {
    app: &'a SharedApp,
    import: Uuid,
    loaded: Loaded<ApplicationImport>,
    context: Context,
}

impl Step<'_> {
    async fn take(&mut self, command: Command) -> Result<(), Fault> {
        let version = self.loaded.version;
        let executed = self
            .app
            .journal
            .execute::<ApplicationImport>(self.import, command, Some(version), self.context.clone())
            .await;
        match executed {
            Ok(_) => {}
            Err(CommandError::Append(AppendError::Conflict { .. })) => return Err(Fault::Interrupted),
            Err(error) => return Err(error.into()),
        }
        self.loaded = self.app.journal.load(self.import).await.map_err(CommandError::from)?;
        if self.loaded.version == version + 1 { Ok(()) } else { Err(Fault::Interrupted) }
    }
}

/// Runs what blocks (files, CSV, comparisons) where blocking is allowed.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Fault::File(format!("The import stopped unexpectedly: {error}"))),
    }
}

/// Reads the schedule's files from the shared directories and keeps their bytes.
fn keep_scheduled(
    app: &SharedApp,
    application: &Application,
    definition: &Definition,
) -> Result<Vec<ImportFile>, Fault> {
    let schedule = application
        .schedule
        .as_ref()
        .ok_or_else(|| Fault::File("The application has no import schedule".to_owned()))?;
    let mut kept = Vec::new();
    for scheduled in &schedule.files {
        let Some(group) = definition.connector.file_groups.iter().find(|group| group.id == scheduled.file_group_id)
        else {
            return Err(Fault::File(format!(
                "{} belongs to a file group that the connector no longer has",
                scheduled.path
            )));
        };
        let file = match shared::open(&app.config.shared_dirs, &scheduled.path) {
            Ok(file) => file,
            // What isn't required and isn't there isn't delivered.
            Err(_) if !group.is_required => continue,
            Err(reason) => return Err(Fault::File(reason)),
        };
        kept.push(keep(app, group, &scheduled.path, &file)?);
    }
    if kept.is_empty() {
        return Err(Fault::File("None of the scheduled files is there".to_owned()));
    }
    Ok(kept)
}

/// Keeps a file's bytes, unless somebody still writes it.
fn keep(app: &SharedApp, group: &FileGroup, path: &str, mut file: &std::fs::File) -> Result<ImportFile, Fault> {
    let before = file.metadata()?;
    let quiet = app.config.quiet_period;
    // A time to come is a clock that differs: then the file may be as young as any.
    if before.modified()?.elapsed().unwrap_or_default() < quiet {
        std::thread::sleep(quiet);
    }
    let mut spool = Spool::new(&app.config.spool_dir)?;
    std::io::copy(&mut file, &mut spool)?;
    let after = file.metadata()?;
    if before.len() != after.len() || before.modified()? != after.modified()? || after.len() != spool.size() {
        return Err(Fault::File(format!("{path} is still being written; stage again when it is complete")));
    }
    if spool.size() == 0 {
        return Err(Fault::File(format!("{path} is empty")));
    }
    let blob = spool.keep(&app.workers, &Handle::current())?;
    Ok(ImportFile {
        id: app.clock.id(),
        file_group_id: group.id,
        file_group: group.name.clone(),
        name: path.to_owned(),
        sha256: blob.sha256,
        size: blob.size,
    })
}

fn make_plan(
    app: &SharedApp,
    import: Uuid,
    application: Uuid,
    definition: &Definition,
    configured: &Configured,
    files: &[ImportFile],
    watch: &Watch,
) -> Result<Plan, Fault> {
    let handle = Handle::current();
    handle.block_on(crate::work::issues::clear(&app.workers, import))?;
    watch.bytes_total.store(files.iter().map(|file| file.size).sum(), Ordering::Relaxed);
    let mut issues = Issues::new(app.workers.clone(), handle.clone(), import);
    let ahead = Ahead::start(&handle, app.workers.clone(), application);
    let mut delivered = Delivered { application, ..Delivered::default() };
    for file in files {
        let Some(group) = definition.connector.file_groups.iter().find(|group| group.id == file.file_group_id) else {
            return Err(Fault::File(format!("{} belongs to a file group that the connector no longer has", file.name)));
        };
        let bytes = BlobReader::new(app.workers.clone(), handle.clone(), &file.sha256, file.size);
        read_file(&mut delivered, group, file, bytes, configured, &mut issues, watch)?;
    }
    watch.rows_total.store(delivered.rows_read, Ordering::Relaxed);
    let planning = Planning {
        import,
        application,
        definition,
        correlation: configured.rules.of_correlation(&definition.correlation())?,
        pool: &app.workers,
        handle: &handle,
        clock: &app.clock,
        is_interrupted: &|| watch.is_interrupted(),
    };
    let plan = planning.plan(delivered, ahead, &mut issues);
    // What was found up to a fault is worth reading, too.
    issues.flush()?;
    plan
}

fn read_file(
    delivered: &mut Delivered,
    group: &FileGroup,
    file: &ImportFile,
    bytes: BlobReader,
    configured: &Configured,
    issues: &mut Issues,
    watch: &Watch,
) -> Result<(), Fault> {
    let mut rows = Rows::open(bytes, &file.name, group, &configured.named, &watch.bytes_read)?;
    let mut mapping = Mapping::new(group, &configured.named, &rows.header, &file.name)?;
    let rules = configured.rules.of_rows(group)?;
    let schema = configured.schema.as_ref();
    let before = delivered.rows_read;
    /// Reads every row of a file into what it delivers: its keys, then its record, which the rules are held against. Of some rows
    /// of a batch both may be known at once.
    macro_rules! read_rows {
        ($into:expr, $at_once:expr, $keys:expr, $record:expr, |$key:ident, $row:ident| $subject:expr) => {
            while let Some(batch) = rows.batch()? {
                watch.rows_read.store(delivered.rows_read, Ordering::Relaxed);
                if watch.is_interrupted() {
                    return Err(Fault::Interrupted);
                }
                let mut at_once = $at_once(batch).into_iter();
                for (row, values) in batch.rows() {
                    delivered.rows_read += 1;
                    if let Some((keys, record)) = at_once.next().flatten() {
                        $into.add_all(keys, record, row, issues)?;
                        continue;
                    }
                    let mut reader = RowReader::new(mapping.fields(&values));
                    let keys = $keys(&mut reader);
                    let record = $record(&mut reader);
                    let mut problems = reader.problems();
                    if let Some(keys) = keys.as_ref().filter(|_| problems.is_empty()) {
                        let $row = &record;
                        let broken = rules.broken(&keys.iter().map(|$key| $subject));
                        problems = broken.problems;
                        for remark in broken.remarks {
                            $into.listing.remark(row, remark, issues)?;
                        }
                    }
                    match keys {
                        Some(keys) if problems.is_empty() => $into.add_all(keys, record, row, issues)?,
                        keys => $into.reject(keys, row, problems, issues)?,
                    }
                }
            }
        };
    }
    match group.content {
        Content::Identities => {
            delivered.remarks.extend(configured.remarks.iter().cloned());
            delivered.remarks.extend(schema.and_then(|schema| unnamed(group, schema, &file.name)));
            let mut identities = Keyed::new(group.id, &file.name);
            read_rows!(
                identities,
                |_| Vec::<Option<_>>::new(),
                |row: &mut RowReader| row.keys("key"),
                |row: &mut RowReader| row.identity(schema),
                |key, record| Subject::Identity { key, record, status: None }
            );
            delivered.duplicates += identities.finish(issues)?;
            delivered.identities = Some(identities);
        }
        Content::Accounts => {
            let mut accounts = Keyed::new(group.id, &file.name);
            read_rows!(
                accounts,
                |_| Vec::<Option<_>>::new(),
                |row: &mut RowReader| row.keys("key"),
                |row: &mut RowReader| row.account(),
                |key, record| Subject::Account { key, record }
            );
            delivered.duplicates += accounts.finish(issues)?;
            delivered.accounts = Some(accounts);
        }
        Content::Entitlements => {
            let mut entitlements = Keyed::new(group.id, &file.name);
            read_rows!(
                entitlements,
                |_| Vec::<Option<_>>::new(),
                |row: &mut RowReader| row.keys("key"),
                |row: &mut RowReader| row.entitlement(),
                |key, record| Subject::Entitlement { key, record }
            );
            delivered.duplicates += entitlements.finish(issues)?;
            delivered.entitlements = Some(entitlements);
        }
        Content::Grants => {
            let mut grants = DeliveredGrants::new(group.id, &file.name, file.size);
            let plain = mapping.plain(["account", "entitlement"]).filter(|_| rules.is_empty());
            read_rows!(
                grants.said,
                |batch| {
                    let pairs = plain.map(|plain| grants.pairs(batch, plain)).unwrap_or_default();
                    pairs.into_iter().map(|pair| Some((smallvec![pair?], 0)))
                },
                |row: &mut RowReader| {
                    let accounts = row.numbers("account", &mut grants.accounts);
                    let entitlements = row.numbers("entitlement", &mut grants.entitlements);
                    let (accounts, entitlements) = (accounts?, entitlements?);
                    let pair = |account| entitlements.iter().map(move |entitlement| (account, *entitlement));
                    Some(accounts.into_iter().flat_map(pair).collect::<Few<Pair>>())
                },
                |row: &mut RowReader| grants.attributes.number(row.grant()),
                |pair, number| Subject::Grant {
                    account: grants.accounts.text(pair.0),
                    entitlement: grants.entitlements.text(pair.1),
                    attributes: &grants.attributes.sets[*number as usize],
                }
            );
            delivered.duplicates += grants.finish(delivered.application, issues)?;
            delivered.grants = Some(grants);
        }
    }
    watch.rows_read.store(delivered.rows_read, Ordering::Relaxed);
    delivered.remarks.extend(rows.remarks());
    delivered.remarks.append(&mut mapping.remarks);
    delivered.remarks.extend(rules.remarks(group));
    if delivered.rows_read == before {
        return Err(Fault::File(format!("{} has a header and no rows", file.name)));
    }
    Ok(())
}
