//! Turns with a scripted model and an in-memory tool host.

mod adapters;
mod consents;
mod escalations;
mod fake;
mod loops;
