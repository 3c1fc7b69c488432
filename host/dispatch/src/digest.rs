//! Digests of JSON values: sha256 over their canonical form.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::canonical;

/// sha256 (hex) of a value, keys sorted.
pub(crate) fn of_json(value: &Value) -> String {
    let mut text = Vec::new();
    match canonical::write(&mut text, value) {
        Ok(()) => of_bytes(&text),
        // Writing a value to memory does not fail. If it did: whole at least, for a digest of less would be another's, too.
        Err(_) => of_bytes(value.to_string().as_bytes()),
    }
}

/// sha256 (hex) of an object, keys sorted.
pub(crate) fn of_object(members: &Map<String, Value>) -> String {
    let mut text = Vec::new();
    match canonical::write_object(&mut text, members) {
        Ok(()) => of_bytes(&text),
        Err(_) => of_json(&Value::Object(members.clone())),
    }
}

/// sha256 (hex) of bytes.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
