//! The shipped rulebook and the pure parts beside it, as laws and as tables.

#![allow(
    clippy::expect_used,
    clippy::needless_pass_by_value,
    reason = "tables and their vocabulary are tests too, and read best with values written in place"
)]

mod addresses;
mod bindings;
mod check;
mod desk;
mod forms;
mod http;
mod laws;
mod loading;
mod lookups;
mod money;
mod reads;
mod scenario;
mod shipped;
mod tools;
