//! Files that are sent: read entry by entry, so that however many there are only one is held at a time, and the secrets of all.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use aggregates::config_job::incoming::{Incoming, incoming};
use aggregates::config_object::{Document, ObjectType, Secret, redact, stream};
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::kept::Line;
use crate::imports::Fault;
use crate::imports::evidence::Spool;

/// An entry may have so many bytes: it is held and read whole wherever it is looked at.
const ENTRY: usize = 4 << 20;
/// So many entries may be none. What is wrong with each is kept and told.
const BROKEN: usize = 1000;
/// Places of secrets may have so many bytes.
const POINTER: usize = 2000;

/// A file that was sent: its entries without their secrets, and those secrets.
pub struct Upload {
    /// One [`Line`] an entry, in the order of the file.
    pub(super) lines: Spool,
    /// Of which object.
    pub(super) secrets: Vec<(Uuid, Secret)>,
}

/// Reads a file that was sent. Blocking.
///
/// # Errors
/// [`Fault::File`]: why it is no file of configuration objects, in words. [`Fault::Io`]: the disk.
pub fn read(file: Spool, directory: &Path) -> Result<Upload, Fault> {
    let mut bytes = BufReader::with_capacity(1 << 16, file.reopen()?);
    if bytes.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        bytes.consume(3);
    }
    if bytes.fill_buf()?.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        let reason = "the file is an array; an object with objects, as an export gives, is expected";
        return Err(Fault::File(reason.to_owned()));
    }
    let upload = Upload { lines: Spool::new(directory)?, secrets: Vec::new() };
    let mut reading = Reading {
        upload,
        has_objects: false,
        place: 0,
        broken_entries: 0,
        owners: HashSet::new(),
        refused: None,
        broken: None,
    };
    let mut json = serde_json::Deserializer::from_reader(bytes);
    let read = json.deserialize_map(&mut reading).and_then(|()| json.end());
    match (read, reading) {
        (_, Reading { broken: Some(error), .. }) => Err(error.into()),
        (_, Reading { refused: Some(reason), .. }) => Err(Fault::File(reason)),
        (Err(error), _) if error.is_io() && error.io_error_kind() != Some(std::io::ErrorKind::InvalidData) => {
            Err(std::io::Error::from(error).into())
        }
        (Err(error), _) => Err(Fault::File(format!("the file isn't right: {error}"))),
        (Ok(()), Reading { has_objects: false, .. }) => Err(Fault::File("the file has no objects".to_owned())),
        (Ok(()), Reading { upload, .. }) => Ok(upload),
    }
}

/// How far a file was read.
struct Reading {
    upload: Upload,
    has_objects: bool,
    /// Of the next entry.
    place: usize,
    /// Entries that are none.
    broken_entries: usize,
    /// Objects that brought secrets.
    owners: HashSet<Uuid>,
    /// Why it is none of ours, in words.
    refused: Option<String>,
    /// What the disk said.
    broken: Option<std::io::Error>,
}

impl Reading {
    fn take(&mut self, entry: &str) -> std::io::Result<()> {
        let is_small = || match entry.len() {
            size if size > ENTRY => Err(format!("it has {size} bytes; at most {ENTRY} are allowed")),
            _ => Ok(()),
        };
        let read = is_small().and_then(|()| incoming(entry)).and_then(|object| self.without_secrets(object));
        let line = match read {
            Ok(object) => Line::Object(object),
            Err(reason) => {
                self.broken_entries += 1;
                Line::Broken(format!("objects[{}] can't be imported: {reason}", self.place))
            }
        };
        self.place += 1;
        serde_json::to_writer(&mut self.upload.lines, &line)?;
        self.upload.lines.write_all(b"\n")
    }

    fn without_secrets(&mut self, mut object: Incoming) -> Result<Incoming, String> {
        let kind = object.reference.object_type();
        // Transforms have tables of words, and no secrets.
        if kind == Some(ObjectType::Transform) {
            return Ok(object);
        }
        let mut value = object.document.value();
        let found = redact(&mut value);
        if let Some(reason) = found.iter().find_map(unkept) {
            return Err(reason);
        }
        if !found.is_empty() {
            object.document = Document::from(&value);
        }
        // What can't be imported keeps no secret.
        if let Some(kind) = kind.filter(|_| !found.is_empty()) {
            let id = stream(kind, &object.reference.id);
            if !self.owners.insert(id) {
                return Err(
                    "another entry has the same type and id, and whose secrets are whose nobody can say".to_owned()
                );
            }
            self.upload.secrets.extend(found.into_iter().map(|secret| (id, secret)));
        }
        Ok(object)
    }
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

impl<'de> Visitor<'de> for &mut Reading {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object with objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut file: A) -> Result<(), A::Error> {
        while let Some(name) = file.next_key::<String>()? {
            match name.as_str() {
                "version" => {
                    let version: Value = file.next_value()?;
                    if !version.is_null() && version.as_u64() != Some(1) {
                        self.refused = Some(format!("the file's version is {version}; 1 is known"));
                        return Err(A::Error::custom("refused"));
                    }
                }
                "objects" if self.has_objects => return Err(A::Error::duplicate_field("objects")),
                "objects" => file.next_value_seed(Entries(self))?,
                _ => _ = file.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }
}

/// The entries of a file that is being read.
struct Entries<'r>(&'r mut Reading);

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, objects: D) -> Result<(), D::Error> {
        objects.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an array of objects")
    }

    /// Null is as none.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        self.0.has_objects = true;
        while let Some(entry) = entries.next_element::<Box<RawValue>>()? {
            if let Err(error) = self.0.take(entry.get()) {
                self.0.broken = Some(error);
                return Err(A::Error::custom("broken"));
            }
            if self.0.broken_entries > BROKEN {
                let place = self.0.place - 1;
                let reason =
                    format!("more than {BROKEN} entries of the file are no objects, the last one at objects[{place}]");
                self.0.refused = Some(reason);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}
