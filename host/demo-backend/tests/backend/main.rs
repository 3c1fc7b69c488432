//! The demo backend as its clients see it: over HTTP, from start to restart.

// What helps tests is not a #[test] itself, and may stop one as plainly.
#![allow(clippy::unwrap_used)]

mod data;
mod faults;
mod idempotency;
mod input;
mod lifecycle;
mod resources;
mod search;
mod shop;
