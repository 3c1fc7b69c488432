//! Writing to standard output: a reader that has gone away is no error of ours.

use std::fmt::Display;
use std::io::{Write, stdout};

/// One line.
pub(crate) fn say(line: impl Display) {
    let mut out = stdout().lock();
    // Whoever closed the pipe has seen enough.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// A text without an end of line.
pub(crate) fn ask(text: impl Display) {
    let mut out = stdout().lock();
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}
