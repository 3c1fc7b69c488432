//! The tests of artifacts: signatures and whose count, what is read from outside, and registries.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bundles;
mod inbox;
mod keys;
mod misbehaving;
mod oci;
mod parsing;
mod registry;
mod trust;
mod vendor;
