//! The shipped rulebook and the pure parts beside it, as laws and as tables.

mod addresses;
mod http;
mod laws;
mod loading;
mod money;
mod scenario;
mod shipped;
mod tools;
