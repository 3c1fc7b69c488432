//! The hash chain of the audit log: which bytes are hashed, for every engine alike.
//!
//! The hash of a record is the lower-case hex sha256 of these UTF-8 bytes, `\n` being one line feed:
//!
//! ```text
//! <previous>\n<seq>\n<at_ms>\n<entry>
//! ```
//!
//! `previous` is the hash of the record before (64 zeros for the first), `seq` and `at_ms` are decimal, and `entry` is the
//! entry as JSON with the members of every object sorted by name, no white space, and absent options as `null`. The very
//! text that was hashed is what an engine stores and later verifies: nothing is parsed and printed again in between.

use dispatch::AuditEntry;
use sha2::{Digest, Sha256};

/// What the first record follows.
pub(crate) const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The text of an entry that is hashed and stored.
pub(crate) fn canonical(entry: &AuditEntry) -> serde_json::Result<String> {
    let mut value = serde_json::to_value(entry)?;
    value.sort_all_objects();
    serde_json::to_string(&value)
}

/// The hash of the record that holds `entry` (canonical) at `seq`, after the record whose hash is `previous`.
pub(crate) fn hash(previous: &str, seq: i64, at_ms: i64, entry: &str) -> String {
    let mut sha = Sha256::new();
    sha.update(format!("{previous}\n{seq}\n{at_ms}\n"));
    sha.update(entry);
    hex::encode(sha.finalize())
}

#[cfg(test)]
mod tests {
    use dispatch::{AuditEntry, AuditKind};
    use serde_json::json;

    use super::{START, canonical, hash};

    #[test]
    fn the_hashed_bytes_are_the_documented_ones() {
        let entry = AuditEntry {
            kind: AuditKind::Decision,
            tenant: "demo".into(),
            case: None,
            actor: "agent:offline".into(),
            tool: Some("process_refund".into()),
            detail: json!({ "b": [{ "z": 1, "a": "é" }], "a": 0.1 }),
        };
        let text = canonical(&entry).unwrap();
        assert_eq!(
            text,
            r#"{"actor":"agent:offline","case":null,"detail":{"a":0.1,"b":[{"a":"é","z":1}]},"kind":"decision","tenant":"demo","tool":"process_refund"}"#
        );
        // printf '%s\n%s\n%s\n%s' <64 zeros> 1 2000 '<the text above>' | sha256sum
        assert_eq!(
            hash(START, 1, 2000, &text),
            "2f7cb203ea1604e21f3fc072fa7c1739039800bc6e308e1aef794ec8348ff48a"
        );
    }
}
