//! `muniment import`: files into an application, from the command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aggregates::Refusal;
use aggregates::application::FileGroup;
use aggregates::application_import::{
    ApplicationImport, ApplicationImportCommand as Command, ImportFile, ImportType, KindMetrics, Metrics, Status,
};
use anyhow::{Context as _, bail, ensure};
use clap::Args;
use projections::application_imports::ImportRow;
use projections::applications::ApplicationRow;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::Place;
use super::bar::Bar;
use super::open::{Open, context};
use crate::app::{Config, SharedApp};
use crate::clock::SystemClock;
use crate::imports::evidence::Spool;
use crate::imports::worker;
use crate::journal::CommandError;
use crate::server::assemble;

/// How often the command looks how far the import is.
const LOOK: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
pub struct Options {
    /// `FILE`, or `GROUP=FILE` with the name or content (accounts, grants, ...) of the file group that it fills; without it
    /// the file's name says so, or the application has only one group
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// The application, by name or id
    #[arg(long)]
    application: String,
    /// Plan and apply nothing
    #[arg(long)]
    preview: bool,
    /// An import that was held back by the removal limit: exactly what it would have removed may be removed
    #[arg(long, value_name = "IMPORT")]
    accept_removals_of: Option<Uuid>,
}

/// Imports; fails when the import does.
pub async fn run(place: &Place, options: Options) -> anyhow::Result<ExitCode> {
    Open::with(place, async |open| {
        open.database.require_current().await?;
        let app = assemble(&open.database, Config::default(), Arc::new(SystemClock)).await?;
        let result = import(&app, &options).await;
        app.is_stopping.store(true, Ordering::Relaxed);
        // Whatever it still does for others comes to its end, or another worker goes on with it.
        drop(app.import_places.acquire_many(worker::SIDE_BY_SIDE as u32).await);
        app.close().await;
        result
    })
    .await
}

async fn import(app: &SharedApp, options: &Options) -> anyhow::Result<ExitCode> {
    let application = find(app, &options.application).await?;
    ensure!(!application.is_archived, "the application {:?} is archived", application.name);
    let groups = &application.connector.0.file_groups;
    let mut chosen: Vec<(&FileGroup, PathBuf)> = Vec::new();
    for argument in &options.files {
        let (group, path) = choose(groups, argument)?;
        ensure!(chosen.iter().all(|(other, _)| other.id != group.id), "two files for the file group {:?}", group.name);
        chosen.push((group, path));
    }
    if let Some(missing) = groups.iter().find(|group| group.is_required && chosen.iter().all(|(c, _)| c.id != group.id))
    {
        bail!("the required file group {:?} has no file", missing.name);
    }
    let mut files = Vec::with_capacity(chosen.len());
    for (group, path) in chosen {
        files.push(keep(app, group, path).await?);
    }
    let id = app.clock.id();
    let command = Command::Stage {
        application_id: application.id,
        import_type: ImportType::Manual,
        files,
        accept_removals_of: accepted(app, application.id, options.accept_removals_of).await?,
        preview: options.preview,
    };
    let context = context(&*app.clock);
    match app.journal.create::<ApplicationImport>(id, command, context.clone()).await {
        Ok(_) => {}
        Err(CommandError::Refused(Refusal::Invalid(violations))) => {
            let reasons: Vec<String> = violations.into_iter().map(|violation| violation.message).collect();
            bail!("{}", reasons.join("; "));
        }
        Err(error) => return Err(error.into()),
    }
    // A server that runs may take it first; it doesn't matter who does.
    let working = tokio::spawn(worker::work(Arc::clone(app), worker::name(app.clock.id()), Some(application.id)));
    let ended = tokio::select! {
        ended = watch(app, id) => ended?,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            eprintln!("canceling");
            // It may have ended just now.
            let _ = app.journal.execute::<ApplicationImport>(id, Command::RequestCancel, None, context).await;
            watch(app, id).await?
        }
    };
    working.abort();
    tell(&ended);
    Ok(if ended.status == Status::Finished.as_str() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn find(app: &SharedApp, named: &str) -> anyhow::Result<ApplicationRow> {
    let found = match Uuid::try_parse(named) {
        Ok(id) => projections::applications::find(&app.pool, id).await?,
        Err(_) => projections::applications::find_named(&app.pool, named).await?,
    };
    found.with_context(|| format!("no application has the name or id {named:?}"))
}

/// The file group that an argument means, and the file's path.
fn choose<'a>(groups: &'a [FileGroup], argument: &str) -> anyhow::Result<(&'a FileGroup, PathBuf)> {
    let is = |group: &&FileGroup, word: &str| {
        group.name.eq_ignore_ascii_case(word) || group.content.as_str().eq_ignore_ascii_case(word)
    };
    if let Some((word, path)) = argument.split_once('=')
        && let Some(group) = groups.iter().find(|group| is(group, word))
    {
        return Ok((group, path.into()));
    }
    let path = Path::new(argument);
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let found = match groups {
        [only] => Some(only),
        several => several.iter().find(|group| is(group, &stem) || is(group, &file)),
    };
    let found = found.with_context(|| {
        let known: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
        format!("which file group does {argument:?} fill? Say GROUP={argument} with one of {}", known.join(", "))
    })?;
    Ok((found, path.to_owned()))
}

/// Keeps a file's bytes as evidence.
async fn keep(app: &SharedApp, group: &FileGroup, path: PathBuf) -> anyhow::Result<ImportFile> {
    let (spool_dir, pool, handle) = (app.config.spool_dir.clone(), app.pool.clone(), Handle::current());
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let kept = tokio::task::spawn_blocking(move || -> anyhow::Result<_> {
        let mut file = std::fs::File::open(&path).with_context(|| format!("can't read {}", path.display()))?;
        let mut spool = Spool::new(&spool_dir)?;
        std::io::copy(&mut file, &mut spool).with_context(|| format!("can't read {}", path.display()))?;
        ensure!(spool.size() > 0, "{} is empty", path.display());
        Ok(spool.keep(&pool, &handle)?)
    });
    let blob = kept.await??;
    Ok(ImportFile {
        id: app.clock.id(),
        file_group_id: group.id,
        file_group: group.name.clone(),
        name,
        sha256: blob.sha256,
        size: blob.size,
    })
}

async fn accepted(app: &SharedApp, application: Uuid, named: Option<Uuid>) -> anyhow::Result<Option<Uuid>> {
    let Some(id) = named else { return Ok(None) };
    let import = app.journal.load::<ApplicationImport>(id).await?.aggregate;
    import.check_held(application).map_err(|reason| anyhow::anyhow!("import {id}: {reason}"))?;
    Ok(named)
}

/// Waits for the end and shows how far it is.
async fn watch(app: &SharedApp, id: Uuid) -> anyhow::Result<ImportRow> {
    let bar = Bar::new("importing");
    loop {
        let row = projections::application_imports::find(&app.pool, id).await?.context("the import is gone")?;
        if [Status::Finished, Status::Failed, Status::Canceled].iter().any(|status| status.as_str() == row.status) {
            bar.done();
            return Ok(row);
        }
        if let Some(progress) = crate::work::progress::find(&app.pool, id).await? {
            bar.tell(&format!("{}, {} rows read", progress.phase, progress.rows_read));
            bar.at(i64::from(progress.percent), 100);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn tell(import: &ImportRow) {
    println!("import {} ({}): {}", import.number, import.id, import.status);
    let metrics: Option<&Metrics> = import.metrics.as_ref().map(|metrics| &metrics.0);
    if let Some(metrics) = metrics {
        println!(
            "{} rows read, {} rejected, {} repeated; {} accounts uncorrelated",
            metrics.rows_read, metrics.rows_rejected, metrics.duplicates, metrics.uncorrelated_accounts
        );
        let kinds = [
            ("identities", &metrics.identities),
            ("accounts", &metrics.accounts),
            ("entitlements", &metrics.entitlements),
            ("grants", &metrics.grants),
        ];
        for (kind, KindMetrics { added, changed, removed, unchanged }) in kinds {
            if added + changed + removed + unchanged > 0 {
                println!("{kind}: {added} added, {changed} changed, {removed} removed, {unchanged} unchanged");
            }
        }
    }
    if let Some(log) = &import.log {
        println!("{log}");
    }
}
