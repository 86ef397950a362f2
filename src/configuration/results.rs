//! What an import did. It is told object by object and read type by type, so what is told lies on the disk until the end.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use aggregates::config_job::plan::Message;
use aggregates::config_object::Reference;
use serde::ser::{Error as _, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::imports::evidence::Spool;

/// What an import did, or would do (contracts §2.2, `SpConfigImportResults`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JobResults<'f> {
    /// By type.
    results: BTreeMap<&'f str, TypeResult<'f>>,
    /// The export of everything as it was before; none when the options or a preview said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    export_job_id: Option<Uuid>,
}

/// What became of objects of a type.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TypeResult<'f> {
    /// How references were resolved; of a preview, what would be imported.
    infos: Listed<'f>,
    /// What couldn't be resolved and may stay so.
    warnings: Listed<'f>,
    /// What wasn't imported, and why.
    errors: Listed<'f>,
    /// Objects made or changed, or found to be so already.
    imported_objects: Listed<'f>,
}

/// A message. The documentation says `details`, its examples `detail`: clients read either (contracts §2.2).
#[derive(Serialize)]
struct ResultMessage<'m> {
    /// For programs; never null, which clients can't read.
    key: &'m str,
    /// For people.
    text: &'m str,
    /// Always an object.
    details: BTreeMap<String, BTreeMap<String, String>>,
}

/// What was told, where it lies in a file.
struct Listed<'f> {
    file: &'f File,
    places: &'f [(u64, u32)],
}

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.places.len()))?;
        let mut json = Vec::new();
        for (begin, length) in self.places {
            json.resize(*length as usize, 0);
            self.file.read_exact_at(&mut json, *begin).map_err(S::Error::custom)?;
            list.serialize_element(serde_json::from_slice::<&RawValue>(&json).map_err(S::Error::custom)?)?;
        }
        list.end()
    }
}

/// What is told of an import while it is at work.
pub(super) struct Told {
    spool: Spool,
    types: BTreeMap<String, Places>,
    /// Objects that were imported.
    pub(super) imported: u64,
    /// Everything was.
    pub(super) is_whole: bool,
}

/// Where the messages of a type lie, and how long they are.
#[derive(Default)]
struct Places {
    infos: Vec<(u64, u32)>,
    warnings: Vec<(u64, u32)>,
    errors: Vec<(u64, u32)>,
    imported: Vec<(u64, u32)>,
}

impl Told {
    /// Nothing yet.
    pub(super) const fn new(spool: Spool) -> Self {
        Self { spool, types: BTreeMap::new(), imported: 0, is_whole: true }
    }

    /// Tells what became of an object.
    pub(super) fn object(
        &mut self,
        kind: &str,
        infos: &[Message],
        warnings: &[Message],
        errors: &[Message],
        imported: Option<&Reference>,
    ) -> io::Result<()> {
        let mut of_type = self.types.remove(kind).unwrap_or_default();
        let lists = [(infos, &mut of_type.infos), (warnings, &mut of_type.warnings), (errors, &mut of_type.errors)];
        for (messages, places) in lists {
            for Message { key, text } in messages {
                places.push(self.write(&ResultMessage { key, text, details: BTreeMap::new() })?);
            }
        }
        if let Some(imported) = imported {
            of_type.imported.push(self.write(imported)?);
        }
        self.imported += u64::from(imported.is_some());
        self.is_whole &= errors.is_empty();
        self.types.insert(kind.to_owned(), of_type);
        Ok(())
    }

    fn write(&mut self, what: &impl Serialize) -> io::Result<(u64, u32)> {
        let json = serde_json::to_vec(what)?;
        let begin = self.spool.size();
        self.spool.write_all(&json)?;
        Ok((begin, json.len() as u32))
    }

    /// Writes the results.
    pub(super) fn finish(self, export_job_id: Option<Uuid>, to: &mut Spool) -> io::Result<()> {
        let Self { spool, types, .. } = self;
        let file = &spool.reopen()?;
        let mut results = BTreeMap::new();
        for (kind, places) in &types {
            let listed = |places| Listed { file, places };
            let of_type = TypeResult {
                infos: listed(&places.infos),
                warnings: listed(&places.warnings),
                errors: listed(&places.errors),
                imported_objects: listed(&places.imported),
            };
            results.insert(kind.as_str(), of_type);
        }
        Ok(serde_json::to_writer(to, &JobResults { results, export_job_id })?)
    }
}
