//! Money as the tools speak it: a decimal string and an ISO 4217 code, held here in minor units.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

/// An amount in minor units of one currency (4999 and `USD` are 49.99 US dollars).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Minor units.
    pub minor: i64,
    /// ISO 4217 code, upper case.
    pub currency: String,
}

/// Why a JSON value is no amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Not `{"amount": "49.99", "currency": "USD"}`.
    #[error("expected an object like {{\"amount\": \"49.99\", \"currency\": \"USD\"}}")]
    Shape,
    /// The amount is no decimal number, or has more decimals than the currency.
    #[error("expected a decimal number with at most {digits} decimals, such as \"49.99\"")]
    Amount {
        /// Minor digits of the currency.
        digits: u32,
    },
    /// The amount does not fit.
    #[error("the amount is too large")]
    Overflow,
    /// No such currency.
    #[error("expected an ISO 4217 currency code such as \"USD\"")]
    Currency,
}
