//! How much is tried, and from which seed: read from the environment, printed with the figures.

use std::fmt::Display;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

/// A number from the environment, or the slice that belongs in an ordinary run.
pub(crate) fn number<T>(variable: &str, otherwise: T) -> T
where
    T: FromStr<Err: Display>,
{
    let Ok(text) = std::env::var(variable) else {
        return otherwise;
    };
    let parsed = text.parse();
    parsed.unwrap_or_else(|error| panic!("{variable}={text:?} is no number: {error}"))
}

/// The seed to repeat an earlier run with, or a new one.
pub(crate) fn seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    number("SEED", u64::from(now.subsec_nanos()) ^ now.as_secs())
}
