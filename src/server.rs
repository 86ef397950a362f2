//! The server: its parts put together, its tasks, its listener, its end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aggregates::Actor;
use aggregates::settings::{self, Settings, SettingsCommand};
use anyhow::Context as _;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use crate::app::{App, Config, SharedApp};
use crate::batched::Batched;
use crate::clock::SharedClock;
use crate::database::Database;
use crate::http;
use crate::imports::{schedule, worker};
use crate::journal::{Context, Journal, Known};
use crate::reviews;
use crate::tokens::TokenDirectory;
use crate::webhooks;

/// Connections for what people ask. Two cores answer no more at once; the rest of the callers wait here, not in PostgreSQL.
const POOL: u32 = 12;
/// Connections for what workers do: an import takes up to four at once.
const WORKERS: u32 = 12;
/// Applications that are kept for the next command: about two kilobytes each.
const KNOWN_APPLICATIONS: usize = 16_384;
/// How long requests that are being answered may take at shutdown.
const GRACE: Duration = Duration::from_secs(10);

/// Where the server listens.
#[derive(Debug, Clone)]
pub struct Listen {
    /// Address and port; port 0 = any free one.
    pub address: SocketAddr,
    /// Certificate and key; `None` = plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
}

/// A server that answers.
pub struct Server {
    /// Its parts.
    pub app: SharedApp,
    /// Where it listens.
    pub address: SocketAddr,
    handle: Handle<SocketAddr>,
    listener: tokio::task::JoinHandle<std::io::Result<()>>,
    tasks: JoinSet<()>,
}

/// How long imports may take to let go at shutdown.
const LETTING_GO: Duration = Duration::from_secs(3);

/// Puts the parts together and records that the API is on, if this is the first start.
pub async fn assemble(database: &Database, config: Config, clock: SharedClock) -> anyhow::Result<SharedApp> {
    let pool = database.pool(POOL);
    let (journal, _writer) = Journal::start(pool.clone(), database.application(), Arc::clone(&clock));
    if projections::settings::api_enabled(&pool).await?.is_none() {
        let context = Context::of(Actor::system("first start"), clock.id().simple().to_string());
        journal.execute::<Settings>(settings::ID, SettingsCommand::EnableApi, None, context).await?;
    }
    let reading = pool.clone();
    let applications = Batched::start(move |ids| {
        let pool = reading.clone();
        Box::pin(async move {
            match ids[..] {
                // Its plan is kept, that of the other is made anew each time.
                [id] => {
                    Ok(projections::applications::find(&pool, id).await?.map(|row| (id, row)).into_iter().collect())
                }
                _ => projections::applications::find_all(&pool, &ids).await,
            }
        })
    });
    let outgoing = webhooks::Outgoing::new(config.webhook_networks.clone(), config.webhook_authorities.as_deref())?;
    let tokens = TokenDirectory::new(pool.clone(), journal.clone(), clock.id());
    Ok(Arc::new(App {
        pool,
        workers: database.workers(WORKERS),
        journal,
        applications,
        known_applications: Known::new(KNOWN_APPLICATIONS),
        clock,
        tokens,
        config,
        imports_bell: Notify::new(),
        people_bell: Notify::new(),
        reviews_bell: Notify::new(),
        configuration_bell: Notify::new(),
        configuration_place: Semaphore::new(1),
        outgoing,
        import_places: Arc::new(Semaphore::new(worker::SIDE_BY_SIDE)),
        review_places: Arc::new(Semaphore::new(reviews::SIDE_BY_SIDE)),
        webhook_places: Arc::new(Semaphore::new(webhooks::worker::SIDE_BY_SIDE)),
        is_stopping: AtomicBool::new(false),
        router: OnceLock::new(),
    }))
}

impl Server {
    /// Starts to listen and to work.
    pub async fn start(app: SharedApp, listen: Listen) -> anyhow::Result<Self> {
        http::health::install_recorder();
        let service = http::router(&app).into_make_service_with_connect_info::<SocketAddr>();
        let socket = std::net::TcpListener::bind(listen.address)
            .with_context(|| format!("can't listen on {}", listen.address))?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let handle = Handle::new();
        let listener = match listen.tls {
            None => tokio::spawn(axum_server::from_tcp(socket)?.handle(handle.clone()).serve(service)),
            Some((certificate, key)) => {
                // Already installed when a second server starts in this process.
                let _ = rustls::crypto::ring::default_provider().install_default();
                let tls = RustlsConfig::from_pem_file(&certificate, &key)
                    .await
                    .with_context(|| format!("can't use {} and {}", certificate.display(), key.display()))?;
                tokio::spawn(axum_server::from_tcp_rustls(socket, tls)?.handle(handle.clone()).serve(service))
            }
        };
        let mut tasks = JoinSet::new();
        let spawned = Arc::clone(&app);
        tasks.spawn(async move { spawned.tokens.listen().await });
        let spawned = Arc::clone(&app);
        tasks.spawn(async move { spawned.tokens.write_usage().await });
        let spawned = Arc::clone(&app);
        tasks.spawn(async move { forget_keys(&spawned).await });
        tasks.spawn(http::health::upkeep());
        tasks.spawn(schedule::fire(Arc::clone(&app)));
        tasks.spawn(crate::people::worker::work(Arc::clone(&app)));
        let name = worker::name(app.clock.id());
        tasks.spawn(reviews::worker::work(Arc::clone(&app), name.clone()));
        tasks.spawn(crate::configuration::worker::work(Arc::clone(&app), name.clone()));
        tasks.spawn(webhooks::worker::work(Arc::clone(&app), name.clone()));
        tasks.spawn(worker::work(Arc::clone(&app), name, None));
        Ok(Self { app, address, handle, listener, tasks })
    }

    /// Stops: no new connections, requests in flight are answered, workers let go of their leases in time.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.app.is_stopping.store(true, Ordering::Relaxed);
        self.handle.graceful_shutdown(Some(GRACE));
        self.listener.await??;
        // Whoever has not let go by then loses its lease a little later.
        let all = worker::SIDE_BY_SIDE as u32;
        drop(tokio::time::timeout(LETTING_GO, self.app.import_places.acquire_many(all)).await);
        let all = reviews::SIDE_BY_SIDE as u32;
        drop(tokio::time::timeout(LETTING_GO, self.app.review_places.acquire_many(all)).await);
        drop(tokio::time::timeout(LETTING_GO, self.app.configuration_place.acquire()).await);
        let all = webhooks::worker::SIDE_BY_SIDE as u32;
        drop(tokio::time::timeout(LETTING_GO, self.app.webhook_places.acquire_many(all)).await);
        self.tasks.shutdown().await;
        self.app.tokens.flush_usage().await?;
        self.app.tokens.leave().await?;
        self.app.close().await;
        Ok(())
    }
}

async fn forget_keys(app: &SharedApp) {
    let mut interval = tokio::time::interval(Duration::from_hours(1));
    loop {
        interval.tick().await;
        if let Err(error) = crate::work::idempotency::forget(&app.pool, app.clock.now()).await {
            tracing::warn!(%error, "old idempotency keys were not forgotten");
        }
        if let Err(error) = crate::configuration::tidy_secrets(&app.pool).await {
            tracing::warn!(%error, "secrets that nobody took were not forgotten");
        }
        if let Err(error) = webhooks::tidy(&app.pool, app.clock.now()).await {
            tracing::warn!(%error, "old deliveries of webhooks were not forgotten");
        }
    }
}
