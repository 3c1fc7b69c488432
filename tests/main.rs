//! The stories: what people who use Switchboard see, told over its real surfaces and checked at the real backend.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop where it stands"
)]

mod access;
mod approvals;
mod bad_input;
mod chat;
mod contract;
mod described;
mod desk;
mod injections;
mod ledger;
mod life;
mod majors;
mod mcp;
mod models;
mod oauth;
mod openapi;
mod operators;
mod ownership;
mod plugins;
mod policy_commands;
mod programs;
mod refusals;
mod scenarios;
mod signing;
mod tenants;
mod tree;
mod walls;
mod workbench;
