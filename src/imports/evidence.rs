//! The very bytes of every file that was imported: spooled while their hash is found, then kept in the database.

use std::io::{BufWriter, Error, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

use aggregates::application::Encoding;
use bytes::Bytes;
use projections::copy;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use tokio::runtime::Handle;

use super::encoding::Detector;
use super::reader;
use crate::tokens::hex;

/// Bytes of a part of a blob.
const PART: usize = 1 << 18;
const COLUMNS: &[&str] = &["sha256", "part", "bytes", "encoding"];

/// A file on its way in: without a name on the disk, so that a crash leaves nothing.
pub struct Spool {
    file: BufWriter<std::fs::File>,
    hash: Sha256,
    encoding: Detector,
    size: u64,
}

/// A file that is known by its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// In bytes.
    pub size: u64,
}

impl Spool {
    /// A new spool in a directory; only this process can read it.
    pub fn new(directory: &Path) -> std::io::Result<Self> {
        use rustix::fs::{Mode, OFlags};
        std::fs::create_dir_all(directory)?;
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = rustix::fs::open(directory, flags, Mode::RUSR | Mode::WUSR)?;
        let file = BufWriter::with_capacity(1 << 16, file.into());
        Ok(Self { file, hash: Sha256::new(), encoding: Detector::default(), size: 0 })
    }

    /// The file, to be read from its beginning.
    pub fn reopen(mut self) -> std::io::Result<std::fs::File> {
        self.file.flush()?;
        let mut file = self.file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(file)
    }

    /// Bytes so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// What it is.
    pub fn blob(&self) -> Blob {
        Blob { sha256: hex(&self.hash.clone().finalize()), size: self.size }
    }

    /// Keeps the bytes in the database, once for equal files. Blocking: call it where blocking is allowed.
    pub fn keep(self, pool: &PgPool, handle: &Handle) -> Result<Blob, super::Fault> {
        let blob = self.blob();
        let sha256: [u8; 32] = self.hash.clone().finalize().into();
        let last = (self.size.div_ceil(PART as u64)).saturating_sub(1) as i32;
        let is_known: bool = handle.block_on(
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM evidence.blobs WHERE sha256 = $1 AND part = $2)")
                .bind(sha256.as_slice())
                .bind(last)
                .fetch_one(pool),
        )?;
        if is_known || self.size == 0 {
            return Ok(blob);
        }
        let encoding = self.encoding.found().as_str();
        let mut file = self.reopen()?;
        let mut connection = handle.block_on(pool.acquire())?;
        let mut bytes = Vec::with_capacity(PART);
        let kept = copy(&mut connection, "evidence.blobs", COLUMNS, 0..=last, |part, row| {
            bytes.clear();
            Read::by_ref(&mut file).take(PART as u64).read_to_end(&mut bytes)?;
            row.field(sha256.as_slice())?;
            row.field(part)?;
            row.field(bytes.as_slice())?;
            row.field(encoding)
        });
        match handle.block_on(kept) {
            // Somebody else keeps the same file at this moment, and was first.
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {}
            kept => kept?,
        }
        Ok(blob)
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.encoding.push(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// The parts of a kept file, of which one is held at a time.
pub struct BlobParts {
    pool: PgPool,
    sha256: Vec<u8>,
    size: u64,
    /// The part read last.
    held: Option<(u64, Bytes)>,
    /// The part that comes next.
    next: u64,
}

impl BlobParts {
    /// Those of the file with this hash (hex) and size in bytes.
    pub fn new(pool: PgPool, sha256: &str, size: u64) -> Self {
        let sha256 = (0..sha256.len() / 2)
            .filter_map(|at| u8::from_str_radix(sha256.get(at * 2..at * 2 + 2)?, 16).ok())
            .collect();
        Self { pool, sha256, size, held: None, next: 0 }
    }

    /// The next part; none after the last.
    pub async fn next(&mut self) -> sqlx::Result<Option<Bytes>> {
        if self.next * PART as u64 >= self.size {
            return Ok(None);
        }
        self.next += 1;
        self.part(self.next - 1).await.map(Some)
    }

    /// So many bytes from a place on.
    ///
    /// # Errors
    /// The file is shorter, or the database is away.
    pub async fn range(&mut self, from: u64, length: usize) -> sqlx::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            let at = from + bytes.len() as u64;
            let part = self.part(at / PART as u64).await?;
            let rest = part.get((at % PART as u64) as usize..).filter(|rest| !rest.is_empty());
            let rest = rest.ok_or(sqlx::Error::RowNotFound)?;
            bytes.extend_from_slice(&rest[..rest.len().min(length - bytes.len())]);
        }
        Ok(bytes)
    }

    async fn part(&mut self, number: u64) -> sqlx::Result<Bytes> {
        if let Some((_, bytes)) = self.held.as_ref().filter(|(held, _)| *held == number) {
            return Ok(bytes.clone());
        }
        let bytes: Vec<u8> = sqlx::query_scalar("SELECT bytes FROM evidence.blobs WHERE sha256 = $1 AND part = $2")
            .bind(&self.sha256)
            .bind(number as i32)
            .fetch_one(&self.pool)
            .await?;
        let bytes = Bytes::from(bytes);
        self.held = Some((number, bytes.clone()));
        Ok(bytes)
    }
}

/// Reads a kept file from anywhere. Blocking.
pub struct BlobReader {
    parts: BlobParts,
    handle: Handle,
    position: u64,
}

impl BlobReader {
    /// A reader of the file with this hash (hex) and size.
    pub fn new(pool: PgPool, handle: Handle, sha256: &str, size: u64) -> Self {
        Self { parts: BlobParts::new(pool, sha256, size), handle, position: 0 }
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.position >= self.parts.size {
            return Ok(0);
        }
        let part = self.position / PART as u64;
        let bytes = self.handle.block_on(self.parts.part(part)).map_err(Error::other)?;
        let rest = &bytes[(self.position % PART as u64) as usize..];
        let taken = rest.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&rest[..taken]);
        self.position += taken as u64;
        Ok(taken)
    }
}

impl reader::Bytes for BlobReader {
    fn encoding(&mut self) -> std::io::Result<Encoding> {
        let found = sqlx::query_scalar("SELECT encoding FROM evidence.blobs WHERE sha256 = $1 AND part = 0")
            .bind(&self.parts.sha256)
            .fetch_one(&self.parts.pool);
        let found: String = self.handle.block_on(found).map_err(Error::other)?;
        Encoding::parse(&found).ok_or_else(|| Error::other(format!("{found:?} is no encoding")))
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.parts.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
