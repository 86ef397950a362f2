//! What a server is made of. Handlers reach it only through [`crate::http::session::Session`], which authenticates.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aggregates::application::Application;
use projections::applications::ApplicationRow;
use sqlx::PgPool;
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

use crate::batched::Batched;
use crate::clock::SharedClock;
use crate::journal::{Journal, Known};
use crate::tokens::TokenDirectory;
use crate::webhooks::{Network, Outgoing};

/// Limits and places, from the command line.
#[derive(Debug, Clone)]
pub struct Config {
    /// Directories from which scheduled imports read.
    pub shared_dirs: Vec<PathBuf>,
    /// Uploads may have so many bytes.
    pub upload_limit: u64,
    /// Requests a second from one address; 0 = no limit.
    pub rate_limit: u32,
    /// Where uploads and scheduled files are spooled before they are kept as evidence.
    pub spool_dir: PathBuf,
    /// A scheduled file that changed within this time is watched for as long: it may still grow.
    pub quiet_period: Duration,
    /// How long files of configuration jobs can be downloaded.
    pub artifact_lifetime: Duration,
    /// Networks to which webhooks go though they aren't public.
    pub webhook_networks: Vec<Network>,
    /// Certificates that webhooks trust beside Mozilla's, in PEM.
    pub webhook_authorities: Option<PathBuf>,
    /// The server itself speaks TLS.
    pub has_tls: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            shared_dirs: Vec::new(),
            upload_limit: 1 << 30,
            rate_limit: 1000,
            spool_dir: std::env::temp_dir(),
            quiet_period: Duration::from_secs(1),
            artifact_lifetime: Duration::from_hours(7 * 24),
            webhook_networks: Vec::new(),
            webhook_authorities: None,
            has_tls: false,
        }
    }
}

/// The server's parts.
pub struct App {
    /// Connections for what people ask.
    pub pool: PgPool,
    /// Connections for what workers do, with many rows.
    pub workers: PgPool,
    /// The write path.
    pub journal: Journal,
    /// Applications by id, read many at a time: every answer about an application shows one.
    pub applications: Batched<Uuid, ApplicationRow>,
    /// Applications as commands left them, so that the next command need not load them.
    pub known_applications: Known<Application>,
    /// Time and ids.
    pub clock: SharedClock,
    /// Who may do what.
    pub tokens: TokenDirectory,
    /// Limits and places.
    pub config: Config,
    /// Rung when an import was staged or cancelled.
    pub imports_bell: Notify,
    /// Rung when people's events or access requests have work to do.
    pub people_bell: Notify,
    /// Rung when certifications or runs have work to do.
    pub reviews_bell: Notify,
    /// Rung when a configuration job was asked for.
    pub configuration_bell: Notify,
    /// Whom webhooks may call.
    pub outgoing: Outgoing,
    /// Places for imports that run side by side on this server.
    pub import_places: Arc<Semaphore>,
    /// Places for certifications and runs that this server works on side by side.
    pub review_places: Arc<Semaphore>,
    /// Held while this server works on a configuration job.
    pub configuration_place: Semaphore,
    /// Places for webhooks that this server delivers side by side.
    pub webhook_places: Arc<Semaphore>,
    /// Set when the server stops: imports let go, and another server, or the next start, goes on with them.
    pub is_stopping: AtomicBool,
    /// The router itself, for answers that are another request's (replayed ones).
    pub router: OnceLock<axum::Router>,
}

impl App {
    /// Gives the connections back.
    pub async fn close(&self) {
        self.workers.close().await;
        self.pool.close().await;
    }
}

/// What everybody holds.
pub type SharedApp = Arc<App>;
