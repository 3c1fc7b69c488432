//! The sandbox from outside: friendly and hostile components, each built here from text.

// The lints know tests by their attribute, and not the functions that tests share.
#![allow(clippy::unwrap_used)]

mod canary;
mod contract;
mod conversions;
mod described;
mod gate;
mod guest;
mod hostile;
mod keeping;
mod loading;
mod shadow;
mod shares;
mod swap;
mod upgrade;
