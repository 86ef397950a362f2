//! The canonical bytes of an event and their hash, fixed with the first event: the tamper-evident log stands on them.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

/// What is hashed, in this order.
#[derive(Debug, Clone, Copy)]
pub struct Leaf<'a> {
    /// Place in the log.
    pub position: i64,
    /// As microseconds since 1970.
    pub recorded_at: DateTime<Utc>,
    /// Type of the stream.
    pub aggregate_type: &'a str,
    /// Id of the stream.
    pub aggregate_id: &'a str,
    /// Place in the stream.
    pub sequence: i64,
    /// What happened.
    pub event_type: &'a str,
    /// Version of the payload's shape.
    pub event_version: &'a str,
    /// The very bytes of the column, as `payload::text` gives them.
    pub payload: &'a str,
    /// The very bytes of the column, as `metadata::text` gives them.
    pub metadata: &'a str,
}

impl Leaf<'_> {
    /// SHA-256 of a zero byte (RFC 6962 §2.1: a leaf) and the fields: numbers as 8 bytes big-endian, texts as their length
    /// in 8 bytes big-endian and their UTF-8 bytes.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update([0]);
        hash.update(self.position.to_be_bytes());
        hash.update(self.recorded_at.timestamp_micros().to_be_bytes());
        text(&mut hash, self.aggregate_type);
        text(&mut hash, self.aggregate_id);
        hash.update(self.sequence.to_be_bytes());
        text(&mut hash, self.event_type);
        text(&mut hash, self.event_version);
        text(&mut hash, self.payload);
        text(&mut hash, self.metadata);
        hash.finalize().into()
    }
}

fn text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_leaf_never_changes() {
        let leaf = Leaf {
            position: 1,
            recorded_at: DateTime::UNIX_EPOCH,
            aggregate_type: "settings",
            aggregate_id: "settings",
            sequence: 1,
            event_type: "ApiEnabled",
            event_version: "1.0",
            payload: r#"{"ApiEnabled":{}}"#,
            metadata: "{}",
        };
        let hex = crate::tokens::hex(&leaf.hash());
        // Made by another program: python3, hashlib and struct.pack(">q").
        assert_eq!(hex, "0d889f4bd1cb8941dea46ef4f81f2e8dad5443c1480b5c92b29ce787de735e21");
    }
}
