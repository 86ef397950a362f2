//! Whole responses as snapshots: ids, hashes and secrets are replaced by the order in which they appear, since the number
//! of requests that a test sends while it waits, and so the next id, is chance.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::Answer;

/// Headers that are part of the contract.
const HEADERS: [&str; 8] = [
    "allow",
    "content-disposition",
    "content-type",
    "etag",
    "idempotent-replayed",
    "location",
    "retry-after",
    "www-authenticate",
];

/// A whole answer: status, the headers that are part of the contract, body.
pub fn whole(answer: &Answer) -> Value {
    let mut stable = Stable::default();
    let body = if answer.json.is_null() { json!(answer.text) } else { answer.json.clone() };
    let body = stable.value(&body);
    let headers: Map<String, Value> = HEADERS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), json!(stable.text(answer.headers.get(*name)?.to_str().ok()?)))))
        .collect();
    json!({"status": answer.status, "headers": headers, "body": body})
}

/// A value with stable ids.
pub fn stable(value: &Value) -> Value {
    Stable::default().value(value)
}

#[derive(Default)]
struct Stable {
    seen: HashMap<String, String>,
    counts: HashMap<&'static str, usize>,
}

impl Stable {
    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(values) => values.iter().map(|value| self.value(value)).collect(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| {
                    // Host and process.
                    let value = if name == "worker" { json!("[worker]") } else { self.value(value) };
                    (self.text(name), value)
                })
                .collect(),
            other => other.clone(),
        }
    }

    /// A text whose runs of hex digits (and dashes) that are ids, hashes or secrets are replaced.
    fn text(&mut self, text: &str) -> String {
        let is_part = |letter: char| letter.is_ascii_hexdigit() || letter == '-';
        let mut out = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let length = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
            let (run, after) = rest.split_at(length);
            out.push_str(&self.run(run));
            let other = after.find(is_part).unwrap_or(after.len());
            out.push_str(&after[..other]);
            rest = &after[other..];
        }
        out
    }

    fn run(&mut self, run: &str) -> String {
        // `rejects-<id>.csv`: the dash before an id belongs to the word.
        if let Some(id) = run.strip_prefix('-').filter(|id| id.len() == 36) {
            return format!("-{}", self.run(id));
        }
        let digits = run.chars().filter(char::is_ascii_hexdigit).count();
        let kind = match (run.len(), digits) {
            (36, 32) => "id",
            (32, 32) => "hex",
            (64, 64) => "sha256",
            (72, 72) => "secret",
            _ => return run.to_owned(),
        };
        if let Some(known) = self.seen.get(run) {
            return known.clone();
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let name = format!("[{kind} {count}]");
        self.seen.insert(run.to_owned(), name.clone());
        name
    }
}
