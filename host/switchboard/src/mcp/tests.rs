//! Stories of the MCP surface, told as a client would see them.

mod cases;
mod connection;
mod edges;
mod tools;
mod world;
