//! Digests of JSON values: sha256 over a form that does not depend on the order of keys.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// sha256 (hex) of a value, keys sorted.
pub(crate) fn of_json(value: &Value) -> String {
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    of_bytes(sorted.to_string().as_bytes())
}

/// sha256 (hex) of bytes.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
