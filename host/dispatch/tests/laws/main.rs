//! Dispatch against a real store and the shipped rulebook; only the plugin and its backend are scripted.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop where it stands"
)]

mod bank;
mod consent;
mod desk;
mod escalation;
mod figures;
mod idempotency;
mod keys;
mod late;
mod matrix;
mod pairs;
mod races;
mod recorded;
mod release;
mod versions;
