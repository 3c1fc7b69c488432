//! How large and how deep a JSON value is.

use std::io;

use dispatch::Violation;
use serde_json::Value;

use crate::Limits;

/// Checks arguments as a whole, before anything looks into them.
pub(crate) fn check(arguments: &Value, limits: &Limits) -> Result<(), Violation> {
    // Depth first: whatever is too deep is not walked to its end.
    let message = if exceeds_depth(arguments, limits.argument_depth) {
        format!(
            "expected at most {} levels of nesting, found more",
            limits.argument_depth
        )
    } else {
        match bytes(arguments) {
            size if size > limits.argument_bytes => format!(
                "expected at most {} bytes of arguments, found {size}",
                limits.argument_bytes
            ),
            _ => return Ok(()),
        }
    };
    Err(Violation {
        field: String::new(),
        message,
    })
}

/// The bytes of a value as JSON.
pub(crate) fn bytes(value: &Value) -> usize {
    let mut count = Count(0);
    // Counting cannot fail, and a value has only string keys.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

fn exceeds_depth(value: &Value, levels: usize) -> bool {
    let exceeds = |inner: &Value| match levels.checked_sub(1) {
        Some(left) => exceeds_depth(inner, left),
        None => true,
    };
    match value {
        Value::Array(items) => levels == 0 || items.iter().any(exceeds),
        Value::Object(fields) => levels == 0 || fields.values().any(exceeds),
        _ => false,
    }
}

struct Count(usize);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
