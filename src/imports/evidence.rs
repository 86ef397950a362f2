//! The very bytes of every file that was imported: spooled while their hash is found, then kept in the database.

use std::io::{Error, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use tokio::runtime::Handle;

use crate::tokens::hex;

/// Bytes of a part of a blob.
const PART: usize = 1 << 20;

/// A file on its way in: without a name on the disk, so that a crash leaves nothing.
pub struct Spool {
    file: std::fs::File,
    hash: Sha256,
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
        Ok(Self { file: file.into(), hash: Sha256::new(), size: 0 })
    }

    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    /// Adds all that a reader has.
    pub fn copy(&mut self, mut from: impl Read) -> std::io::Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            match from.read(&mut buffer)? {
                0 => return Ok(()),
                read => self.write(&buffer[..read])?,
            }
        }
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
    pub fn keep(mut self, pool: &PgPool, handle: &Handle) -> Result<Blob, super::Fault> {
        let blob = self.blob();
        let sha256: [u8; 32] = self.hash.finalize().into();
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
        self.file.rewind()?;
        let mut transaction = handle.block_on(pool.begin())?;
        for part in 0..=last {
            let mut bytes = Vec::with_capacity(PART);
            Read::by_ref(&mut self.file).take(PART as u64).read_to_end(&mut bytes)?;
            handle.block_on(
                sqlx::query(
                    "INSERT INTO evidence.blobs (sha256, part, bytes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                )
                .bind(sha256.as_slice())
                .bind(part)
                .bind(bytes)
                .execute(&mut *transaction),
            )?;
        }
        handle.block_on(transaction.commit())?;
        Ok(blob)
    }
}

/// Reads a kept file part by part, from anywhere. Blocking.
pub struct BlobReader {
    pool: PgPool,
    handle: Handle,
    sha256: Vec<u8>,
    size: u64,
    position: u64,
    /// The part read last.
    part: Option<(u64, Bytes)>,
}

impl BlobReader {
    /// A reader of the file with this hash (hex) and size.
    pub fn new(pool: PgPool, handle: Handle, sha256: &str, size: u64) -> Self {
        let sha256 = (0..sha256.len() / 2)
            .filter_map(|at| u8::from_str_radix(sha256.get(at * 2..at * 2 + 2)?, 16).ok())
            .collect();
        Self { pool, handle, sha256, size, position: 0, part: None }
    }

    fn load(&self, part: u64) -> std::io::Result<Bytes> {
        let bytes: Option<Vec<u8>> = self
            .handle
            .block_on(
                sqlx::query_scalar("SELECT bytes FROM evidence.blobs WHERE sha256 = $1 AND part = $2")
                    .bind(&self.sha256)
                    .bind(part as i32)
                    .fetch_optional(&self.pool),
            )
            .map_err(Error::other)?;
        bytes.map(Bytes::from).ok_or_else(|| Error::other(sqlx::Error::RowNotFound))
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.position >= self.size {
            return Ok(0);
        }
        let part = self.position / PART as u64;
        let bytes = match &self.part {
            Some((number, bytes)) if *number == part => bytes.clone(),
            _ => {
                let bytes = self.load(part)?;
                self.part = Some((part, bytes.clone()));
                bytes
            }
        };
        let rest = &bytes[(self.position % PART as u64) as usize..];
        let taken = rest.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&rest[..taken]);
        self.position += taken as u64;
        Ok(taken)
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
