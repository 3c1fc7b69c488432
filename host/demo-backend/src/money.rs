//! Amounts of money: minor units of an ISO 4217 currency, never a float.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// No single amount may be larger; it keeps every sum the shop can reach far inside `i64`.
const LARGEST_MINOR: i64 = 1_000_000_000_000;

/// An amount in minor units (cents; whole yen) of `currency`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Money {
    pub(crate) minor: i64,
    pub(crate) currency: String,
}

impl Money {
    /// Refuses what cannot be paid out: nothing, less than nothing, absurdly much, or no currency at all.
    pub(crate) fn payable(&self) -> Result<(), Refusal> {
        if !(1..=LARGEST_MINOR).contains(&self.minor) {
            return Err(Refusal::invalid(format!(
                "amount.minor must be between 1 and {LARGEST_MINOR}"
            )));
        }
        if self.currency.len() != 3 || !self.currency.bytes().all(|byte| byte.is_ascii_uppercase())
        {
            return Err(Refusal::invalid(
                "amount.currency must be three capital letters, such as USD",
            ));
        }
        Ok(())
    }

    /// This many of the same amount.
    pub(crate) fn times(&self, count: u32) -> i64 {
        self.minor.saturating_mul(i64::from(count))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.currency.as_str() {
            "JPY" | "KRW" => write!(out, "{} {}", self.minor, self.currency),
            _ => write!(
                out,
                "{}.{:02} {}",
                self.minor / 100,
                self.minor % 100,
                self.currency
            ),
        }
    }
}
