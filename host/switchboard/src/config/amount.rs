//! Values that a configuration states in a person's words: amounts of money and shares of one.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A decimal amount in the tenant's currency, as written: `150.00`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Amount(String);

/// Why a text is no amount.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected a decimal amount in quotes such as \"150.00\", found {0:?}")]
pub struct AmountError(String);

impl Amount {
    /// From hundredths, for a currency with two decimals: 15,000 is `150.00`.
    pub fn from_cents(cents: u32) -> Self {
        Self(format!("{}.{:02}", cents / 100, cents % 100))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Amount {
    type Error = AmountError;

    fn try_from(text: String) -> Result<Self, AmountError> {
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, "0"));
        let is_number = |part: &str| {
            (1..=12).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_digit())
        };
        if is_number(whole) && is_number(decimals) {
            Ok(Self(text))
        } else {
            Err(AmountError(text))
        }
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

/// A share between 0 and 1, held in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Share(u32);

impl Share {
    /// From thousandths.
    pub(crate) fn from_per_mille(per_mille: u32) -> Self {
        Self(per_mille)
    }

    /// In thousandths.
    pub fn per_mille(self) -> u32 {
        self.0
    }
}

impl TryFrom<f64> for Share {
    type Error = String;

    fn try_from(share: f64) -> Result<Self, String> {
        // Compared rather than cast: NaN and everything outside equals none of them.
        (0..=1_000)
            .find(|per_mille| (f64::from(*per_mille) / 1_000.0 - share).abs() < 0.000_5)
            .map(Self)
            .ok_or_else(|| format!("expected a number from 0.0 to 1.0, found {share}"))
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        Self::from(share.0) / 1_000.0
    }
}
