//! The store's tests: the contract that every engine keeps, and what only SQLite has to show.

mod contract;
mod sqlite;
mod world;
