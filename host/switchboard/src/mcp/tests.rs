//! Stories of the MCP surface, told as a client would see them.

mod cases;
mod client;
mod connection;
mod direct;
mod edges;
mod fakes;
mod tools;
mod world;
