//! Digests of JSON values: sha256 over their canonical form.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::canonical;

/// sha256 (hex) of a value, keys sorted.
pub(crate) fn of_json(value: &Value) -> String {
    let mut text = Vec::new();
    // A value has only string keys, and writing to memory does not fail.
    let _ = canonical::write(&mut text, value);
    of_bytes(&text)
}

/// sha256 (hex) of an object, keys sorted.
pub(crate) fn of_object(members: &Map<String, Value>) -> String {
    let mut text = Vec::new();
    // As above.
    let _ = canonical::write_object(&mut text, members);
    of_bytes(&text)
}

/// sha256 (hex) of bytes.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
