//! What a running plugin can reach, and what of its results can reach anybody.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop where it stands"
)]

mod bindings;
mod capabilities;
mod cross;
mod facts;
mod floods;
mod forms;
mod guesses;
mod world;
