//! `muniment serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use aggregates::Actor;
use aggregates::api_token::{ApiToken, ApiTokenCommand, Role};
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::Place;
use super::bar::Bar;
use super::open::Open;
use crate::app::{Config, SharedApp};
use crate::clock::SystemClock;
use crate::database::Separation;
use crate::journal::Context;
use crate::postgres::ServeLock;
use crate::server::{Listen, Server, assemble};
use crate::signing_keys;
use crate::tokens::{new_secret, secret_sha256};
use crate::webhooks::Network;

#[derive(Debug, Args)]
pub struct Options {
    /// Address and port; port 0 = any free one
    #[arg(long, env = "MUNIMENT_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// A directory from which scheduled imports read; may be given several times
    #[arg(long = "shared-dir", env = "MUNIMENT_SHARED_DIRS", value_delimiter = ',')]
    shared_dirs: Vec<PathBuf>,
    /// Certificate chain in PEM; with --tls-key the server speaks HTTPS
    #[arg(long, env = "MUNIMENT_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key in PEM
    #[arg(long, env = "MUNIMENT_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Largest upload in bytes
    #[arg(long, env = "MUNIMENT_UPLOAD_LIMIT", default_value_t = 1 << 30)]
    upload_limit: u64,
    /// Seconds for which a scheduled file that changed just now is watched before it is read: it may still grow
    #[arg(long, env = "MUNIMENT_QUIET_PERIOD", default_value_t = 1)]
    quiet_period: u64,
    /// Days for which files of configuration jobs can be downloaded
    #[arg(long, env = "MUNIMENT_ARTIFACT_DAYS", default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..=3650))]
    artifact_days: u64,
    /// A network, as 10.1.0.0/16, to which webhooks go though it isn't public, also without TLS; may be given several times
    #[arg(long = "webhook-allow", env = "MUNIMENT_WEBHOOK_ALLOW", value_name = "CIDR", value_delimiter = ',')]
    webhook_networks: Vec<Network>,
    /// Certificates in PEM that webhooks trust beside Mozilla's
    #[arg(long = "webhook-ca", env = "MUNIMENT_WEBHOOK_CA", value_name = "FILE")]
    webhook_authorities: Option<PathBuf>,
    /// Requests a second from one address; 0 = no limit
    #[arg(long, env = "MUNIMENT_RATE_LIMIT", default_value_t = 1000)]
    rate_limit: u32,
    /// How log lines look
    #[arg(long, env = "MUNIMENT_LOG_FORMAT", value_enum, default_value_t = LogFormat::Human)]
    log_format: LogFormat,
    /// What is logged: error, warn, info, debug, or per module
    #[arg(long, env = "MUNIMENT_LOG", default_value = "info,sqlx=warn")]
    log: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    Human,
    Json,
}

pub async fn run(place: &Place, options: Options) -> anyhow::Result<ExitCode> {
    let filter = EnvFilter::try_new(&options.log).context("--log")?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    match options.log_format {
        LogFormat::Human => log.init(),
        LogFormat::Json => log.json().init(),
    }
    for directory in &options.shared_dirs {
        if !directory.is_dir() {
            bail!("--shared-dir {} is not a directory", directory.display());
        }
    }
    // A server with a database of yours needs no data directory, and two of them may share one machine.
    let lock = match place.database_url {
        Some(_) => None,
        None => Some(ServeLock::take(&place.data_dir, &format!("serve on {}", options.listen))?),
    };
    let mut open = Open::new(place).await?;
    let result = serve(&mut open, options).await;
    open.close().await?;
    drop(lock);
    result
}

async fn serve(open: &mut Open, options: Options) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let bar = Bar::new("rebuilding the read tables");
    open.database.migrate(|position, head| bar.at(position, head)).await?;
    bar.done();
    if open.database.separation == Separation::TriggersOnly {
        tracing::warn!("the database user may not create roles: only triggers keep the log from being changed");
    }
    let config = Config {
        shared_dirs: options.shared_dirs,
        upload_limit: options.upload_limit,
        rate_limit: options.rate_limit,
        quiet_period: std::time::Duration::from_secs(options.quiet_period),
        artifact_lifetime: std::time::Duration::from_hours(24 * options.artifact_days),
        webhook_networks: options.webhook_networks,
        webhook_authorities: options.webhook_authorities,
        has_tls: options.tls_cert.is_some(),
        ..Config::default()
    };
    let app = assemble(&open.database, config, Arc::new(SystemClock)).await?;
    let first_token = first_token(&app).await?;
    signing_keys::ensure(&app.pool, &app.journal, &*app.clock, first_start(&app)).await?;
    let listen = Listen { address: options.listen, tls: options.tls_cert.zip(options.tls_key) };
    let scheme = if listen.tls.is_some() { "https" } else { "http" };
    let server = Server::start(app, listen).await?;
    println!("muniment listens on {scheme}://{}", server.address);
    if let Some(secret) = first_token {
        println!("administrator token, shown this once: {secret}");
    }
    let kept_running = async {
        match &open.private {
            Some(private) => private.keep_running().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        result = tokio::signal::ctrl_c() => result?,
        () = kept_running => {}
    }
    tracing::info!("stopping");
    server.stop().await?;
    Ok(ExitCode::SUCCESS)
}

/// The secret of an administrator's token, made when there has never been a token.
async fn first_token(app: &SharedApp) -> anyhow::Result<Option<String>> {
    if !projections::api_tokens::list(&app.pool).await?.is_empty() {
        return Ok(None);
    }
    let secret = new_secret()?;
    let command = ApiTokenCommand::Create {
        name: "first administrator".to_owned(),
        role: Role::Administrator,
        identity_id: None,
        expires_at: None,
        secret_sha256: secret_sha256(&secret),
        now: app.clock.now(),
    };
    app.journal.create::<ApiToken>(app.clock.id(), command, first_start(app)).await?;
    Ok(Some(secret))
}

/// The context of what a server does by itself before it answers for the first time.
fn first_start(app: &SharedApp) -> Context {
    Context::of(Actor::system("first start"), app.clock.id().simple().to_string())
}
