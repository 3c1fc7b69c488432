//! The journal of requests: every request that reached the service, in the order of arrival, kept in memory.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::http::request::Parts;
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use crate::moment::Moment;

/// The oldest entries make room beyond this many.
const LONGEST_JOURNAL: usize = 10_000;
/// Larger bodies are journalled by their size only.
const LARGEST_BODY: usize = 16 * 1024;

/// One request that was seen, whatever became of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    seq: u64,
    method: String,
    path: String,
    query: Option<String>,
    idempotency_key: Option<String>,
    authorized: bool,
    body: Value,
    at: Moment,
}

/// The requests seen since the start, or since they were last cleared; `seq` goes on counting.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    seen: u64,
    entries: VecDeque<Entry>,
}

impl Journal {
    /// Notes a request before anything is done about it. `body` is absent where it could not be read.
    pub(crate) fn note(&self, head: &Parts, authorized: bool, body: Option<&Bytes>) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pages.seen += 1;
        let entry = Entry {
            seq: pages.seen,
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            idempotency_key: head
                .headers
                .get("idempotency-key")
                .map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned()),
            authorized,
            body: body.map_or(Value::Null, readable),
            at: Moment::now(),
        };
        if pages.entries.len() == LONGEST_JOURNAL {
            pages.entries.pop_front();
        }
        pages.entries.push_back(entry);
    }

    /// All entries, oldest first.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entries
            .iter()
            .cloned()
            .collect()
    }

    /// Forgets the entries.
    pub(crate) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entries
            .clear();
    }
}

fn readable(body: &Bytes) -> Value {
    match body.len() {
        0 => Value::Null,
        size if size > LARGEST_BODY => json!({ "omitted_bytes": size }),
        _ => serde_json::from_slice(body).unwrap_or_else(|_| String::from_utf8_lossy(body).into()),
    }
}
