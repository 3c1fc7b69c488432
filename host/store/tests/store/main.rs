//! The store's tests: the contract that every engine keeps, and what only SQLite has to show.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod contract;
mod sqlite;
mod world;
