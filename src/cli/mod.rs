//! The command line.

mod api;
mod bar;
mod client;
mod import;
mod open;
mod projections;
mod psql;
mod sample;
mod serve;
mod token;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// An event-sourced access-governance server: who may do what, who decided so, and the proof.
#[derive(Debug, Parser)]
#[command(name = "muniment", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Which database.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Folder of the private PostgreSQL, used when no database is named
    #[arg(long, env = "MUNIMENT_DATA_DIR", default_value = "./data", global = true)]
    data_dir: PathBuf,
    /// A PostgreSQL server of your own, as `postgres://user@host/database`
    #[arg(long, env = "DATABASE_URL", global = true, hide_env_values = true)]
    database_url: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer requests and run imports
    Serve {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        options: Box<serve::Options>,
    },
    /// Import files into an application
    Import {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        options: import::Options,
    },
    /// Make, list and revoke API tokens
    Token {
        #[command(flatten)]
        place: Place,
        #[command(subcommand)]
        command: token::Command,
    },
    /// Make, list and revoke OAuth clients, and change the key that signs their access tokens
    Client {
        #[command(flatten)]
        place: Place,
        #[command(subcommand)]
        command: client::Command,
    },
    /// Switch the API on or off
    Api {
        #[command(flatten)]
        place: Place,
        #[command(subcommand)]
        command: api::Command,
    },
    /// Bring the database to this program's version
    Migrate {
        #[command(flatten)]
        place: Place,
    },
    /// Rebuild the read tables from the log, or compare them with it
    Projections {
        #[command(flatten)]
        place: Place,
        #[command(subcommand)]
        command: projections::Command,
    },
    /// Check the log: positions, sequences and leaf hashes
    Verify {
        #[command(flatten)]
        place: Place,
    },
    /// Open the database in psql
    Psql {
        #[command(flatten)]
        place: Place,
        /// Passed on to psql
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Write the feeds of a made-up company, with bodies to create its applications
    Sample(sample::Options),
    /// Print the OpenAPI document
    Openapi,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let result = runtime.block_on(run(cli.command));
    // Threads that still read a file for an import that was given up must not hold the program.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match result {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("muniment: {error:#}");
    ExitCode::FAILURE
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve { place, options } => serve::run(&place, *options).await,
        Command::Import { place, options } => import::run(&place, options).await,
        Command::Token { place, command } => token::run(&place, command).await,
        Command::Client { place, command } => client::run(&place, command).await,
        Command::Api { place, command } => api::run(&place, command).await,
        Command::Migrate { place } => projections::migrate(&place).await,
        Command::Projections { place, command } => projections::run(&place, command).await,
        Command::Verify { place } => verify::run(&place).await,
        Command::Psql { place, arguments } => psql::run(&place, &arguments).await,
        Command::Sample(options) => sample::run(&options),
        Command::Openapi => {
            println!("{}", crate::http::document().to_pretty_json()?);
            Ok(ExitCode::SUCCESS)
        }
    }
}
