//! What is kept of a file between the request and the import: one line an entry, read where it is needed.

use std::collections::BTreeMap;

use aggregates::config_job::Artifact;
use aggregates::config_job::incoming::Incoming;
use aggregates::config_object::{Document, Reference};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use crate::imports::Fault;
use crate::imports::evidence::BlobParts;

/// An entry of a file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Line {
    /// An object, without its secrets.
    Object(Incoming),
    /// Why an entry is none, in words.
    Broken(String),
}

/// An entry, read for what it is called.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Name {
    Object(Called),
    Broken(String),
}

#[derive(Deserialize)]
struct Called {
    #[serde(rename = "self")]
    reference: Reference,
}

/// A file that was kept.
pub(super) struct KeptFile {
    parts: BlobParts,
    /// Where the line of each object begins, and how long it is.
    lines: Vec<(u32, u32)>,
}

/// What a file names.
pub(super) struct Contents {
    /// Its objects, in its order.
    pub(super) objects: Vec<Reference>,
    /// What is wrong with its other entries, in words.
    pub(super) broken: Vec<String>,
}

impl KeptFile {
    /// Goes through a file.
    pub(super) async fn open(pool: &PgPool, file: &Artifact) -> Result<(Self, Contents), Fault> {
        let mut parts = BlobParts::new(pool.clone(), &file.sha256, file.size);
        let (mut lines, mut contents) = (Vec::new(), Contents { objects: Vec::new(), broken: Vec::new() });
        let (mut begin, mut line) = (0, Vec::new());
        while let Some(part) = parts.next().await? {
            for piece in part.split_inclusive(|byte| *byte == b'\n') {
                line.extend_from_slice(piece);
                if !piece.ends_with(b"\n") {
                    continue;
                }
                // Files of configuration objects are far below 4 GiB.
                let length = line.len() as u32;
                match serde_json::from_slice(&line).map_err(std::io::Error::from)? {
                    Name::Object(Called { reference }) => {
                        lines.push((begin, length));
                        contents.objects.push(reference);
                    }
                    Name::Broken(reason) => contents.broken.push(reason),
                }
                begin += length;
                line.clear();
            }
        }
        if !line.is_empty() {
            return Err(Fault::File(format!("the file that was kept ends in the middle of a line, at byte {begin}")));
        }
        lines.shrink_to_fit();
        contents.objects.shrink_to_fit();
        Ok((Self { parts, lines }, contents))
    }

    /// How many bytes are kept of the object at this place of the file.
    pub(super) fn size(&self, place: usize) -> usize {
        self.lines[place].1 as usize
    }

    /// The documents of the objects at these places of the file.
    pub(super) async fn documents(&mut self, places: &[usize]) -> Result<BTreeMap<usize, Document>, Fault> {
        let mut documents = BTreeMap::new();
        // In the order of the file, so that each part is read once.
        let mut places = places.to_vec();
        places.sort_unstable();
        for place in places {
            let (begin, length) = self.lines[place];
            let line = self.parts.range(begin.into(), length as usize).await?;
            match serde_json::from_slice(&line).map_err(std::io::Error::from)? {
                Line::Object(object) => _ = documents.insert(place, object.document),
                Line::Broken(reason) => return Err(Fault::File(reason)),
            }
        }
        Ok(documents)
    }
}
