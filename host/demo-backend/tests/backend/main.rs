//! The demo backend as its clients see it: over HTTP, from start to restart.

mod data;
mod faults;
mod idempotency;
mod input;
mod lifecycle;
mod resources;
mod search;
mod shop;
