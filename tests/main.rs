//! The stories: what people who use Switchboard see, told over its real surfaces and checked at the real backend.

mod bad_input;
mod chat;
mod contract;
mod desk;
mod mcp;
mod programs;
mod refusals;
mod scenarios;
mod tree;
mod walls;
