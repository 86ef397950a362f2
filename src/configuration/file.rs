//! Files of configuration objects: as they come in, and as they are kept.

use std::io::Read;

use aggregates::config_job::Artifact;
use aggregates::config_job::plan::{Incoming, incoming};
use aggregates::config_object::{Document, ObjectType, Secret, redact, stream};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::PgPool;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::app::SharedApp;
use crate::imports::Fault;
use crate::imports::evidence::{BlobReader, Spool};

/// Places of secrets may have so many bytes.
const POINTER: usize = 2000;

/// What a file says around its objects.
#[derive(Deserialize)]
struct Written<'f> {
    version: Option<serde_json::Value>,
    #[serde(borrow)]
    objects: Option<Vec<&'f RawValue>>,
}

/// A file that was sent: its objects without their secrets, those secrets with the streams of their objects, and what is wrong with
/// the others.
#[derive(Debug, Default)]
pub struct Upload {
    /// In the order of the file.
    pub objects: Vec<Incoming>,
    /// Of which object.
    pub secrets: Vec<(Uuid, Secret)>,
    /// Of entries that aren't objects: their places and what is wrong.
    pub broken: Vec<String>,
}

/// An entry as it is kept between the request and the import.
#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(rename = "self")]
    reference: aggregates::config_object::Reference,
    document: Document,
}

/// What is kept of a file.
#[derive(Serialize, Deserialize)]
struct Kept {
    objects: Vec<Entry>,
    broken: Vec<String>,
}

/// Reads a file that was sent.
///
/// # Errors
/// Why it is no file of configuration objects, in words.
pub fn read(json: &str) -> Result<Upload, String> {
    let json = json.trim_start_matches('\u{feff}');
    if json.trim_start().starts_with('[') {
        return Err("the file is an array; an object with objects, as an export gives, is expected".to_owned());
    }
    let written: Written<'_> = serde_json::from_str(json).map_err(|error| format!("the file isn't right: {error}"))?;
    if let Some(version) = written.version.filter(|version| version.as_u64() != Some(1)) {
        return Err(format!("the file's version is {version}; 1 is known"));
    }
    let Some(entries) = written.objects else {
        return Err("the file has no objects".to_owned());
    };
    let mut upload = Upload::default();
    for (place, entry) in entries.into_iter().enumerate() {
        match incoming(entry.get()) {
            Ok(mut object) => {
                let kind = object.reference.object_type();
                let mut value = object.document.value();
                // Transforms have tables of words, and no secrets.
                let found = if kind == Some(ObjectType::Transform) { Vec::new() } else { redact(&mut value) };
                if let Some(reason) = found.iter().find_map(unkept) {
                    upload.broken.push(format!("objects[{place}] can't be imported: {reason}"));
                    continue;
                }
                if !found.is_empty() {
                    object.document = Document::from(&value);
                }
                // What can't be imported keeps no secret.
                if let Some(kind) = kind {
                    let id = stream(kind, &object.reference.id);
                    upload.secrets.extend(found.into_iter().map(|secret| (id, secret)));
                }
                upload.objects.push(object);
            }
            Err(reason) => upload.broken.push(format!("objects[{place}] can't be imported: {reason}")),
        }
    }
    Ok(upload)
}

/// Why a secret can't be kept, if it can't: PostgreSQL stores no NUL, and has no index over longer texts.
fn unkept(secret: &Secret) -> Option<String> {
    let Secret { pointer, value } = secret;
    if pointer.len() > POINTER {
        let (size, start) = (pointer.len(), pointer.chars().take(40).collect::<String>());
        return Some(format!("the place of a secret, {start:?}..., has {size} bytes; at most {POINTER} are allowed"));
    }
    let has_nul = pointer.contains('\0') || value.contains('\0');
    has_nul.then(|| format!("the secret at {pointer:?} holds a NUL character, which is not allowed"))
}

/// Keeps what was sent, without its secrets.
pub(super) async fn keep_upload(app: &SharedApp, upload: &Upload) -> Result<Artifact, Fault> {
    let entry = |object: &Incoming| Entry { reference: object.reference.clone(), document: object.document.clone() };
    let kept = Kept { objects: upload.objects.iter().map(entry).collect(), broken: upload.broken.clone() };
    keep(app, serde_json::to_vec(&kept).map_err(std::io::Error::from)?).await
}

/// What was kept of a file that was sent: its objects, and what is wrong with other entries.
pub(super) async fn kept_upload(pool: &PgPool, file: &Artifact) -> Result<(Vec<Incoming>, Vec<String>), Fault> {
    let kept: Kept = serde_json::from_slice(&load(pool, file).await?).map_err(std::io::Error::from)?;
    let object = |entry: Entry| Incoming { reference: entry.reference, document: entry.document };
    Ok((kept.objects.into_iter().map(object).collect(), kept.broken))
}

/// Keeps a file among the evidence.
pub(super) async fn keep(app: &SharedApp, bytes: Vec<u8>) -> Result<Artifact, Fault> {
    let (pool, directory, handle) = (app.pool.clone(), app.config.spool_dir.clone(), Handle::current());
    let kept = tokio::task::spawn_blocking(move || {
        let mut spool = Spool::new(&directory)?;
        spool.write(&bytes)?;
        spool.keep(&pool, &handle)
    });
    let blob = kept.await.map_err(std::io::Error::other)??;
    Ok(Artifact { sha256: blob.sha256, size: blob.size })
}

/// The bytes of a file that was kept.
///
/// # Errors
/// It isn't there, or the database is away.
pub async fn load(pool: &PgPool, file: &Artifact) -> Result<Vec<u8>, Fault> {
    let mut reader = BlobReader::new(pool.clone(), Handle::current(), &file.sha256, file.size);
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map(|_| bytes)
    });
    Ok(read.await.map_err(std::io::Error::other)??)
}
