//! The sandbox: plugins are WebAssembly components, and every call runs in a fresh instance that can reach nothing but
//! what the gate allows.
//!
//! [`Toolbox::load`] makes a plugin ready (reads its types, checks its imports against its grants and its exports against
//! the contract, compiles and links it) without touching what is live; [`Toolbox::shadow`] shows what a version that is not
//! live would do otherwise with the calls that were recorded; [`Toolbox::publish`] makes a set of plugins a
//! tenant's tools at once. A tool runs only with a [`policy::Permit`], and every request that it makes passes the
//! [`dispatch::Gate`] of its invocation.

mod bucket;
mod cache;
mod compiler;
mod computing;
mod engine;
mod error;
mod failure;
mod form;
mod inspect;
mod invocation;
mod invoke;
mod key_value;
mod lane;
mod library;
mod limiter;
mod limits;
mod link;
mod log;
mod measure;
mod model;
mod outbound;
mod outset;
mod places;
mod plugin;
mod poison;
mod progress;
mod reach;
mod reflect;
mod runtime;
mod shadow;
mod share;
mod state;
mod toolbox;
mod turns;
mod upgrade;

pub use compiler::{Compiler, compile_standard_input, read_standard_input};
pub use error::LoadError;
pub use inspect::{Imported, Inspection};
pub use limits::{Capacity, Limits};
pub use link::Capability;
pub use plugin::{Plugin, PluginSource};
pub use poison::without_hidden;
pub use shadow::{
    CallDifference, CapabilityDifference, Change, Changes, Difference, Recorded, Shadow, ToolShadow,
};
pub use share::Share;
pub use toolbox::{Assembled, Canary, CanaryEnded, PluginSet, Toolbox, ToolboxSettings};
pub use upgrade::Comparison;
