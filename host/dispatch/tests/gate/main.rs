//! What a running plugin can reach, and what of its results can reach anybody.

mod bindings;
mod capabilities;
mod cross;
mod facts;
mod guesses;
mod world;
