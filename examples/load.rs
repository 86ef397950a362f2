//! The load of `scripts/bench commands`: callers in a closed loop over HTTP/1.1, each on its own connection.
//!
//! Written on bare sockets and one thread: it shares two cores with the server and the database.

use std::borrow::Cow;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail, ensure};
use clap::{Parser, ValueEnum};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const WARM_UP: Duration = Duration::from_secs(1);
/// Applications that each caller renames in turn.
const APPLICATIONS: usize = 20;
/// Applications of all callers together, at least: few callers would else make streams of hundreds of events, as no application has.
const APPLICATIONS_IN_ALL: usize = 640;

/// Measure one kind of command; prints one line of JSON, with times in microseconds.
#[derive(Parser)]
struct Args {
    /// `http://HOST:PORT`
    #[arg(long)]
    url: String,
    #[arg(long, env = "TOKEN", hide_env_values = true)]
    token: String,
    #[arg(long)]
    callers: usize,
    /// How long to measure, after a second of warm-up.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    #[arg(long)]
    mode: Mode,
    /// Starts the name of each application; the default differs from run to run.
    #[arg(long)]
    unique_prefix: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// Each request creates an application: a new stream.
    Create,
    /// Each request renames an application that was created before the clock started: an existing stream.
    Rename,
    /// Create one, rename it, create the next.
    Both,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    ensure!(args.callers > 0 && args.seconds > 0, "--callers and --seconds start at 1");
    let prefix = match args.unique_prefix {
        Some(prefix) => prefix,
        None => format!("{:x}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros()),
    };
    let authority = args.url.strip_prefix("http://").context("--url must be http://HOST:PORT")?.trim_end_matches('/');

    let mut preparing = JoinSet::new();
    for number in 0..args.callers {
        let caller = Caller {
            connection: Connection::open(authority, &args.token).await?,
            prefix: format!("{prefix}-{number}"),
            names: 0,
            applications: Vec::new(),
            next: 0,
        };
        preparing.spawn(caller.prepare(args.mode, args.callers));
    }
    let mut callers = Vec::new();
    while let Some(prepared) = preparing.join_next().await {
        callers.push(prepared??);
    }

    let begin = Instant::now() + WARM_UP;
    let end = begin + Duration::from_secs(args.seconds);
    let mut running = JoinSet::new();
    for caller in callers {
        running.spawn(caller.run(args.mode, begin, end));
    }
    let mut total = Tally::default();
    while let Some(tally) = running.join_next().await {
        let tally = tally?;
        total.micros.extend(tally.micros);
        total.errors += tally.errors;
        total.first_error = total.first_error.or(tally.first_error);
    }

    total.micros.sort_unstable();
    println!(
        "{}",
        json!({
            "mode": args.mode.to_possible_value().map(|mode| mode.get_name().to_owned()),
            "callers": args.callers,
            "seconds": args.seconds,
            "requests": total.micros.len(),
            "rate": total.micros.len() as u64 / args.seconds,
            "p50_us": total.percentile(50),
            "p90_us": total.percentile(90),
            "p99_us": total.percentile(99),
            "max_us": total.percentile(100),
            "errors": total.errors,
        })
    );
    if let Some(error) = total.first_error {
        eprintln!("{} errors, the first: {error}", total.errors);
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Default)]
struct Tally {
    micros: Vec<u32>,
    errors: u64,
    first_error: Option<String>,
}

impl Tally {
    /// Of sorted times.
    fn percentile(&self, percent: usize) -> u32 {
        let last = self.micros.len().saturating_sub(1);
        self.micros.get(last * percent / 100).copied().unwrap_or(0)
    }
}

struct Caller {
    connection: Connection,
    prefix: String,
    names: u32,
    applications: Vec<String>,
    next: usize,
}

impl Caller {
    async fn prepare(mut self, mode: Mode, callers: usize) -> anyhow::Result<Self> {
        if matches!(mode, Mode::Rename) {
            for _ in 0..APPLICATIONS.max(APPLICATIONS_IN_ALL / callers) {
                let id = self.create().await?;
                self.applications.push(id);
            }
        }
        Ok(self)
    }

    /// What ends between `begin` and `end` counts; errors always do.
    async fn run(mut self, mode: Mode, begin: Instant, end: Instant) -> Tally {
        let mut tally = Tally::default();
        loop {
            let started = Instant::now();
            if started >= end {
                return tally;
            }
            let outcome = self.request(mode).await;
            let ended = Instant::now();
            match outcome {
                Ok(()) if begin <= ended && ended < end => tally.micros.push((ended - started).as_micros() as u32),
                Ok(()) => {}
                Err(error) => {
                    tally.errors += 1;
                    tally.first_error.get_or_insert_with(|| format!("{error:#}"));
                    if self.connection.broken {
                        return tally;
                    }
                }
            }
        }
    }

    async fn request(&mut self, mode: Mode) -> anyhow::Result<()> {
        match mode {
            Mode::Create => self.create().await.map(drop),
            Mode::Rename => {
                let index = self.next % self.applications.len();
                self.next += 1;
                let id = self.applications[index].clone();
                self.rename(&id).await
            }
            Mode::Both => match self.applications.pop() {
                Some(id) => self.rename(&id).await,
                None => self.create().await.map(|id| self.applications.push(id)),
            },
        }
    }

    async fn create(&mut self) -> anyhow::Result<String> {
        let body = self.body();
        let answer = self.connection.send("POST", "/api/applications", &body).await?;
        let created: Created = serde_json::from_slice(answer).context("the answer to a create has no id")?;
        Ok(created.id.into_owned())
    }

    async fn rename(&mut self, id: &str) -> anyhow::Result<()> {
        let body = self.body();
        self.connection.send("PUT", &format!("/api/applications/{id}"), &body).await?;
        Ok(())
    }

    /// A body under a name that nobody had.
    fn body(&mut self) -> String {
        self.names += 1;
        let (prefix, number) = (&self.prefix, self.names);
        format!(
            r#"{{"name":"{prefix}-{number}","priority":"Moderate","connector":{{"type":"file","fileGroups":[{{"name":"Grants","content":"grants","isRequired":true,"format":"csv","columns":{{"account":"user","entitlement":"permission"}}}}]}}}}"#
        )
    }
}

#[derive(Deserialize)]
struct Created<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

/// A kept-alive HTTP/1.1 connection that understands as much as it needs: the status and `Content-Length`.
struct Connection {
    stream: TcpStream,
    headers: String,
    request: Vec<u8>,
    received: Vec<u8>,
    /// An answer was not read to its end: the next one would be misread.
    broken: bool,
}

impl Connection {
    async fn open(authority: &str, token: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(authority).await.with_context(|| format!("connecting to {authority}"))?;
        stream.set_nodelay(true)?;
        let headers =
            format!("Host: {authority}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        Ok(Self { stream, headers, request: Vec::new(), received: Vec::new(), broken: false })
    }

    /// The body of the answer; an answer that isn't 2xx is an error.
    async fn send(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<&[u8]> {
        self.request.clear();
        let (headers, length) = (&self.headers, body.len());
        write!(self.request, "{method} {path} HTTP/1.1\r\n{headers}Content-Length: {length}\r\n\r\n{body}")?;
        self.broken = true;
        self.stream.write_all(&self.request).await?;

        self.received.clear();
        let head_end = loop {
            self.receive().await?;
            if let Some(at) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
        };
        let head = std::str::from_utf8(&self.received[..head_end])?;
        let status: u16 = head.get(9..12).context("no status line")?.parse()?;
        let length: usize = content_length(head).context("the answer has no Content-Length")?.parse()?;
        let body_start = head_end + 4;
        while self.received.len() < body_start + length {
            self.receive().await?;
        }
        self.broken = false;
        let body = &self.received[body_start..body_start + length];
        ensure!((200..300).contains(&status), "{method} {path}: {status} {}", String::from_utf8_lossy(body));
        Ok(body)
    }

    async fn receive(&mut self) -> anyhow::Result<()> {
        if self.stream.read_buf(&mut self.received).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}

fn content_length(head: &str) -> Option<&str> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length")).map(|(_, value)| value.trim())
}
