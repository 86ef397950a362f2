//! `muniment sample`: the feeds of a made-up company.

use std::path::PathBuf;
use std::process::ExitCode;

use aggregates::application::{Content, Format};
use clap::{Args, ValueEnum};

use super::bar::Bar;
use crate::sample::{Company, Seed, Size, empty};

#[derive(Debug, Args)]
pub struct Options {
    /// Where the files go; made if it doesn't exist
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Another number makes another company
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// People
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    people: u32,
    /// Applications, the first the largest
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    applications: u32,
    /// Accounts of all applications together [default: 6 for 10 people in each application]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    accounts: Option<u32>,
    /// Entitlements of all applications together [default: 100 in each]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    entitlements: Option<u32>,
    /// Grants of all applications together [default: 8 for each account, or as many as there can be]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=1_000_000_000))]
    grants: Option<u64>,
    /// The same company later: so many percent of each file's rows were added, changed or removed, and the order is another
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    change: Option<f64>,
    /// Write these rows only, and change no others; may be given several times
    #[arg(long, value_name = "ROWS", value_delimiter = ',')]
    only: Vec<Rows>,
    /// How the files are written: csv, xlsx, json or ndjson
    #[arg(long, value_name = "FORMAT", default_value = "csv", value_parser = format)]
    format: Format,
    /// Write into a folder that isn't empty; other files in it stay
    #[arg(long)]
    force: bool,
}

/// `Content`, as an argument.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Rows {
    Identities,
    Accounts,
    Entitlements,
    Grants,
}

impl From<Rows> for Content {
    fn from(rows: Rows) -> Self {
        match rows {
            Rows::Identities => Self::Identities,
            Rows::Accounts => Self::Accounts,
            Rows::Entitlements => Self::Entitlements,
            Rows::Grants => Self::Grants,
        }
    }
}

/// A format.
fn format(text: &str) -> Result<Format, String> {
    let known = [Format::Csv, Format::Xlsx, Format::Json, Format::Ndjson];
    let found = known.into_iter().find(|format| format.as_str() == text);
    found.ok_or_else(|| format!("{text} is no format; csv, xlsx, json and ndjson are allowed"))
}

/// A percentage.
fn percent(text: &str) -> Result<f64, String> {
    let percent = text.parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
    percent.ok_or_else(|| format!("{text} is no percentage; 0 to 100 are allowed"))
}

impl Options {
    fn size(&self) -> Size {
        let applications = self.applications;
        let accounts = self.accounts.unwrap_or_else(|| {
            let usual = u64::from(self.people) * u64::from(applications) * 6 / 10;
            u32::try_from(usual).unwrap_or(u32::MAX).max(applications)
        });
        let entitlements = self.entitlements.unwrap_or(100 * applications);
        let size = Size { people: self.people, applications, accounts, entitlements, grants: 0 };
        let grants = self.grants.unwrap_or_else(|| size.room().min(8 * u64::from(accounts)));
        Size { grants, ..size }
    }
}

pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let only: Vec<Content> = options.only.iter().copied().map(Content::from).collect();
    let company = Company::new(Seed(options.seed), options.size(), options.change, &only)?;
    if !options.force {
        empty(&options.folder)?;
    }
    let bar = Bar::new("writing rows");
    let written = company.write(&options.folder, options.format, &|rows, total| bar.at(rows as i64, total as i64))?;
    bar.done();
    for written in written {
        print!("{} {}", written.rows, written.content.as_str());
        if options.change.is_some() {
            let count = written.count;
            print!(" ({} added, {} changed, {} removed)", count.added, count.changed, count.removed);
        }
        println!();
    }
    println!("are in {} as {}", options.folder.display(), options.format.as_str());
    Ok(ExitCode::SUCCESS)
}
