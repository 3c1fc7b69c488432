//! The planner: what it understands, and what it does about it over several turns.

mod flows;
mod refusals;
mod wording;
