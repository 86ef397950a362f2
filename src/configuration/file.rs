//! Files that are made and kept.

use aggregates::config_job::Artifact;
use tokio::runtime::Handle;

use crate::app::SharedApp;
use crate::imports::Fault;
use crate::imports::evidence::Spool;

/// A new file, still without a name.
pub(super) fn spool(app: &SharedApp) -> std::io::Result<Spool> {
    Spool::new(&app.config.spool_dir)
}

/// Keeps a file among the evidence.
pub(super) async fn keep(app: &SharedApp, file: Spool) -> Result<Artifact, Fault> {
    let (pool, handle) = (app.pool.clone(), Handle::current());
    let kept = tokio::task::spawn_blocking(move || file.keep(&pool, &handle));
    let blob = kept.await.map_err(std::io::Error::other)??;
    Ok(Artifact { sha256: blob.sha256, size: blob.size })
}
