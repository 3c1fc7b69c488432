//! Dispatch against a real store and the shipped rulebook; only the plugin and its backend are scripted.

mod desk;
mod escalation;
mod idempotency;
mod release;
