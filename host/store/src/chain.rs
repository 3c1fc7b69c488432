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

use dispatch::{AuditEntry, canonical};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What the first record follows.
pub(crate) const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// As long as most entries are, in bytes.
const USUAL: usize = 768;

/// The text of an entry that is hashed and stored. Every call waits for some, so it is written as it is read, and no tree is
/// made and sorted first.
pub(crate) fn text(entry: &AuditEntry) -> serde_json::Result<String> {
    let AuditEntry {
        kind,
        tenant,
        case,
        actor,
        tool,
        detail,
    } = entry;
    let mut text = Vec::with_capacity(USUAL);
    member(&mut text, "{\"actor\":", actor)?;
    member(&mut text, ",\"case\":", case)?;
    text.extend_from_slice(b",\"detail\":");
    canonical::write(&mut text, detail)?;
    member(&mut text, ",\"kind\":", kind)?;
    member(&mut text, ",\"tenant\":", tenant)?;
    member(&mut text, ",\"tool\":", tool)?;
    text.push(b'}');
    String::from_utf8(text).map_err(serde::ser::Error::custom)
}

fn member(to: &mut Vec<u8>, name: &str, value: &impl Serialize) -> serde_json::Result<()> {
    to.extend_from_slice(name.as_bytes());
    canonical::write_plain(to, value)
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
    use proptest::prelude::*;
    use serde_json::json;

    use super::{START, hash};

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
        let text = super::text(&entry).unwrap();
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

    /// What the text says of itself: a tree, sorted at every level and printed.
    fn as_documented(entry: &AuditEntry) -> String {
        let mut value = serde_json::to_value(entry).unwrap();
        value.sort_all_objects();
        value.to_string()
    }

    proptest! {
        #[test]
        fn any_entry_has_the_documented_text(
            tenant: String,
            case: Option<String>,
            actor: String,
            tool: Option<String>,
            kind in prop::sample::select(vec![
                AuditKind::Decision, AuditKind::Capability, AuditKind::Ledger, AuditKind::Release,
                AuditKind::Consent, AuditKind::Outcome, AuditKind::Host,
            ]),
            detail: String,
        ) {
            let detail = json!({ "z": [detail.clone()], "a": { "y": detail, "b": null } });
            let entry = AuditEntry { kind, tenant, case, actor, tool, detail };
            prop_assert_eq!(super::text(&entry).unwrap(), as_documented(&entry));
        }
    }

    #[test]
    fn members_are_sorted_byte_by_byte_at_every_level() {
        let members = json!({ "é": {}, "z": [], "A": [[{ "b": 1, "a\"": "\u{1}\n/" }]], "": null, "a": { "10": 1e300, "9": -0.0 } });
        let entry = AuditEntry {
            kind: AuditKind::Host,
            tenant: String::new(),
            case: None,
            actor: "\u{2028}\\".into(),
            tool: None,
            detail: members,
        };
        assert_eq!(super::text(&entry).unwrap(), as_documented(&entry));
    }
}
