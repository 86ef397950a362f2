//! The very bytes of every file that was imported: spooled while their hash is found, then kept in the database.

use std::io::{Read, Seek, Write};
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

/// Reads a kept file part by part. Blocking.
pub struct BlobReader {
    pool: PgPool,
    handle: Handle,
    sha256: Vec<u8>,
    next_part: i32,
    current: Bytes,
}

impl BlobReader {
    /// A reader of the file with this hash (hex).
    pub fn new(pool: PgPool, handle: Handle, sha256: &str) -> Self {
        let sha256 = (0..sha256.len() / 2)
            .filter_map(|at| u8::from_str_radix(sha256.get(at * 2..at * 2 + 2)?, 16).ok())
            .collect();
        Self { pool, handle, sha256, next_part: 0, current: Bytes::new() }
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.current.is_empty() {
            let part: Option<Vec<u8>> = self
                .handle
                .block_on(
                    sqlx::query_scalar("SELECT bytes FROM evidence.blobs WHERE sha256 = $1 AND part = $2")
                        .bind(&self.sha256)
                        .bind(self.next_part)
                        .fetch_optional(&self.pool),
                )
                .map_err(std::io::Error::other)?;
            let Some(part) = part else { return Ok(0) };
            self.next_part += 1;
            self.current = part.into();
        }
        let taken = self.current.split_to(self.current.len().min(buffer.len()));
        buffer[..taken.len()].copy_from_slice(&taken);
        Ok(taken.len())
    }
}
