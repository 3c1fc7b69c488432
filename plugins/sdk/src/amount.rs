//! Money as JSON backends of this workspace write it.

use serde::{Deserialize, Serialize};

use crate::types::Money;

/// `{"minor": 4999, "currency": "USD"}`: minor units of an ISO 4217 currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// The amount in the currency's smallest unit.
    pub minor: i64,
    /// ISO 4217 code.
    pub currency: String,
}

impl From<Amount> for Money {
    fn from(amount: Amount) -> Self {
        Self {
            minor_units: amount.minor,
            currency: amount.currency,
        }
    }
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self {
            minor: money.minor_units,
            currency: money.currency,
        }
    }
}
