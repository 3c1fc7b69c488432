//! Money as the tools speak it: a decimal string and an ISO 4217 code, held here in minor units.

use std::fmt;

use iso_currency::Currency;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
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
    #[error("expected a decimal number with at most {digits} decimals, such as \"{}\"", example(*digits))]
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

impl Money {
    /// Reads `{"amount": "49.99", "currency": "USD"}`. Fewer decimals than the currency has are accepted ("50" is 50.00).
    /// The result may be zero or negative: what an amount may be is for the rules.
    pub fn parse(value: &Value) -> Result<Self, MoneyError> {
        let object = value
            .as_object()
            .filter(|object| object.len() == 2)
            .ok_or(MoneyError::Shape)?;
        let field = |name| {
            object
                .get(name)
                .and_then(Value::as_str)
                .ok_or(MoneyError::Shape)
        };
        let (amount, currency) = (field("amount")?, field("currency")?);
        let digits = minor_digits(currency).ok_or(MoneyError::Currency)?;
        Ok(Self {
            minor: parse_decimal(amount, digits)?,
            currency: currency.to_owned(),
        })
    }

    /// The form that tools and models see; the inverse of [`Money::parse`].
    pub fn to_json(&self) -> Value {
        json!({ "amount": self.decimal(), "currency": self.currency })
    }

    /// The decimal string alone: "49.99".
    pub fn decimal(&self) -> String {
        let digits = minor_digits(&self.currency).unwrap_or(0);
        let width = usize::try_from(digits).unwrap_or(0);
        let sign = if self.minor < 0 { "-" } else { "" };
        let text = format!(
            "{:0>width$}",
            self.minor.unsigned_abs(),
            width = width.saturating_add(1)
        );
        match text.split_at_checked(text.len().saturating_sub(width)) {
            Some((whole, fraction)) if width > 0 => format!("{sign}{whole}.{fraction}"),
            _ => format!("{sign}{text}"),
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} {}", self.decimal(), self.currency)
    }
}

/// Decimals of an ISO 4217 currency; none for codes that name no spendable currency (gold, tests).
fn minor_digits(code: &str) -> Option<u32> {
    Currency::from_code(code)?.exponent().map(u32::from)
}

fn parse_decimal(text: &str, digits: u32) -> Result<i64, MoneyError> {
    let wrong = MoneyError::Amount { digits };
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let width = usize::try_from(digits).unwrap_or(0);
    let has_point = unsigned.contains('.');
    if !is_digits(whole) || !is_digits(fraction) || (has_point && fraction.len() > width) {
        return Err(wrong);
    }
    let padded = if width == 0 {
        whole.to_owned()
    } else {
        format!("{whole}{fraction:0<width$}")
    };
    let signed = if negative {
        format!("-{padded}")
    } else {
        padded
    };
    signed.parse().map_err(|_| MoneyError::Overflow)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn example(digits: u32) -> String {
    let mut text = "49".to_owned();
    for at in 0..digits {
        text.push_str(if at == 0 { ".9" } else { "9" });
    }
    text
}
