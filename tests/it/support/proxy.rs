//! A proxy between a writer and PostgreSQL that breaks the connection at a chosen moment of a transaction.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::process::Folder;

/// When the connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Before the transaction begins.
    AtBegin,
    /// After it took the lock.
    AfterBegin,
    /// COMMIT never arrives.
    BeforeCommit,
    /// COMMIT arrives; its answer doesn't.
    AfterCommit,
    /// COMMIT arrives only after [`Proxy::release`]; to the writer the connection is gone.
    WithheldCommit,
}

/// Carries every connection to PostgreSQL's socket; faults happen in their order, one each.
pub struct Proxy {
    folder: Folder,
    faults: Arc<Mutex<VecDeque<Fault>>>,
    released: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// In front of the PostgreSQL that these options reach.
    pub fn before(options: &PgConnectOptions) -> Self {
        let folder = Folder::new();
        let socket = options.get_socket().unwrap().join(".s.PGSQL.5432");
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let faults = Arc::new(Mutex::new(VecDeque::new()));
        let released = Arc::new(Notify::new());
        let (coming, release) = (Arc::clone(&faults), Arc::clone(&released));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (socket, coming, release) = (socket.clone(), Arc::clone(&coming), Arc::clone(&release));
                tokio::spawn(async move {
                    // A broken pipe is what this is about.
                    let _ = carry(client, &socket, &coming, &release).await;
                });
            }
        });
        Self { folder, faults, released, task }
    }

    /// The same options, through the proxy.
    pub fn through(&self, options: PgConnectOptions) -> PgConnectOptions {
        options.socket(self.folder.path())
    }

    /// Breaks coming transactions, one after the other.
    pub fn breaks(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// Faults that have not happened yet.
    pub fn left(&self) -> usize {
        self.faults.lock().unwrap().len()
    }

    /// Lets a withheld COMMIT go.
    pub fn release(&self) {
        self.released.notify_one();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(
    client: UnixStream,
    socket: &Path,
    faults: &Mutex<VecDeque<Fault>>,
    release: &Notify,
) -> std::io::Result<()> {
    let server = UnixStream::connect(socket).await?;
    let (mut client_read, client_write) = client.into_split();
    let (server_read, mut server_write) = server.into_split();
    let is_mute = Arc::new(AtomicBool::new(false));
    let answers = tokio::spawn(answers(server_read, client_write, Arc::clone(&is_mute)));
    let happens = |fault: Fault| {
        let mut faults = faults.lock().unwrap();
        let now = faults.front() == Some(&fault);
        if now {
            faults.pop_front();
        }
        now
    };
    // The startup message has no type.
    let mut message = vec![0; 4];
    client_read.read_exact(&mut message).await?;
    message.resize(u32::from_be_bytes([message[0], message[1], message[2], message[3]]) as usize, 0);
    client_read.read_exact(&mut message[4..]).await?;
    server_write.write_all(&message).await?;
    let mut is_in_transaction = false;
    loop {
        message.resize(5, 0);
        if client_read.read_exact(&mut message).await.is_err() {
            answers.abort();
            return Ok(());
        }
        let length = u32::from_be_bytes([message[1], message[2], message[3], message[4]]) as usize;
        message.resize(length + 1, 0);
        client_read.read_exact(&mut message[5..]).await?;
        let text = if message[0] == b'Q' { &message[5..] } else { &[] };
        let (is_begin, is_commit) = (text.starts_with(b"BEGIN"), text.starts_with(b"COMMIT"));
        let breaks = (is_begin && happens(Fault::AtBegin))
            || (is_in_transaction && !is_commit && happens(Fault::AfterBegin))
            || (is_commit && happens(Fault::BeforeCommit));
        if breaks {
            answers.abort();
            return Ok(());
        }
        if is_commit && happens(Fault::AfterCommit) {
            is_mute.store(true, Ordering::SeqCst);
            server_write.write_all(&message).await?;
            // Ends with the answer, which it keeps to itself.
            let _ = answers.await;
            return Ok(());
        }
        if is_commit && happens(Fault::WithheldCommit) {
            answers.abort();
            let _ = answers.await;
            drop(client_read);
            release.notified().await;
            return server_write.write_all(&message).await;
        }
        is_in_transaction = (is_in_transaction || is_begin) && !is_commit && !text.starts_with(b"ROLLBACK");
        server_write.write_all(&message).await?;
    }
}

async fn answers(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, is_mute: Arc<AtomicBool>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read) = server.read(&mut buffer).await {
        if read == 0 || is_mute.load(Ordering::SeqCst) || client.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
