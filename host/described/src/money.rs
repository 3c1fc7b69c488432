//! Money as APIs write it, and as tools speak it: `{"amount": "49.99", "currency": "USD"}`.

use iso_currency::Currency;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, json};
use thiserror::Error;

use crate::place;

/// How an API writes an amount: one of three forms of the number, and where its currency is. Pointers start where the
/// parameter or the field itself is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoneyForm {
    /// Where it is as a whole number of minor units: 4999.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minor_units: Option<String>,
    /// Where it is as a decimal string: "49.99".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal: Option<String>,
    /// Where it is as a number: 49.99.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal_number: Option<String>,
    /// Where the currency's ISO 4217 code is, or the code itself where there is only one: "USD".
    pub currency: String,
}

/// Money that does not fit its form.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MoneyMisfit {
    /// There is no amount where the form says.
    #[error("there is no amount of money of that form")]
    Amount,
    /// The currency is none.
    #[error("there is no ISO 4217 currency code")]
    Currency,
    /// The API knows one currency, and this is another.
    #[error("the currency must be {0}")]
    OtherCurrency(String),
    /// More decimals than the currency has, or more digits than fit.
    #[error("the amount has more digits than its currency")]
    Digits,
    /// Something else stands where it would be written.
    #[error("something else is written where the amount belongs")]
    Occupied,
}

impl Default for MoneyForm {
    /// As tools speak it.
    fn default() -> Self {
        Self {
            minor_units: None,
            decimal: Some("/amount".to_owned()),
            decimal_number: None,
            currency: "/currency".to_owned(),
        }
    }
}

impl MoneyForm {
    /// Reads what an API wrote.
    pub fn read(&self, from: &Value) -> Result<Value, MoneyMisfit> {
        let currency = match from.pointer(&self.currency) {
            _ if !self.currency.starts_with('/') => Some(self.currency.as_str()),
            found => found.and_then(Value::as_str),
        };
        let currency = currency.map(str::to_uppercase);
        let currency = currency.as_deref().ok_or(MoneyMisfit::Currency)?;
        let digits = digits(currency)?;
        let amount = if let Some(at) = &self.minor_units {
            let minor = from.pointer(at).and_then(Value::as_i64);
            decimal(minor.ok_or(MoneyMisfit::Amount)?, digits)
        } else {
            let at = self.decimal.as_ref().or(self.decimal_number.as_ref());
            let amount = at.and_then(|at| from.pointer(at));
            // A number's digits are taken as they stand; no float is computed.
            let text = match amount {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                _ => return Err(MoneyMisfit::Amount),
            };
            decimal(minor(&text, digits)?, digits)
        };
        Ok(json!({ "amount": amount, "currency": currency }))
    }

    /// Writes what a tool was given.
    pub fn write(&self, money: &Value) -> Result<Value, MoneyMisfit> {
        let text = |name| money.get(name).and_then(Value::as_str);
        let currency = text("currency").ok_or(MoneyMisfit::Currency)?;
        let amount = text("amount").ok_or(MoneyMisfit::Amount)?;
        let digits = digits(currency)?;
        let minor = minor(amount, digits)?;
        let mut written = Value::Null;
        let (at, value) = if let Some(at) = &self.minor_units {
            (at, json!(minor))
        } else if let Some(at) = &self.decimal {
            (at, json!(decimal(minor, digits)))
        } else {
            let at = self.decimal_number.as_ref().ok_or(MoneyMisfit::Amount)?;
            let number: Option<Number> = decimal(minor, digits).parse().ok();
            (at, Value::Number(number.ok_or(MoneyMisfit::Digits)?))
        };
        let mut fits = place::set(&mut written, at, value);
        if self.currency.starts_with('/') {
            fits = fits && place::set(&mut written, &self.currency, json!(currency));
        } else if self.currency != currency {
            return Err(MoneyMisfit::OtherCurrency(self.currency.clone()));
        }
        fits.then_some(written).ok_or(MoneyMisfit::Occupied)
    }

    /// Where it looks: the amount, and the currency where that is not always the same.
    pub fn pointers(&self) -> impl Iterator<Item = &str> {
        let currency = self.currency.starts_with('/').then_some(&self.currency);
        let amounts = [&self.minor_units, &self.decimal, &self.decimal_number];
        let amounts = amounts.into_iter().flatten();
        amounts.chain(currency).map(String::as_str)
    }

    /// What is wrong with the form itself, in words.
    pub fn misfit(&self) -> Option<&'static str> {
        let forms = [&self.minor_units, &self.decimal, &self.decimal_number];
        let given: Vec<&String> = forms.into_iter().flatten().collect();
        let [at] = given.as_slice() else {
            return Some("one of minor_units, decimal and decimal_number says where the amount is");
        };
        if !place::is_pointer(at) {
            return Some("where the amount is must be a JSON pointer");
        }
        let is_code = digits(&self.currency).is_ok();
        (!self.currency.starts_with('/') && !is_code)
            .then_some("currency must be a JSON pointer or an ISO 4217 code")
    }
}

/// Decimals of a currency.
fn digits(code: &str) -> Result<usize, MoneyMisfit> {
    Currency::from_code(code)
        .and_then(Currency::exponent)
        .map(usize::from)
        .ok_or(MoneyMisfit::Currency)
}

fn decimal(minor: i64, digits: usize) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let text = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = text.split_at(text.len() - digits);
    match digits {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{fraction}"),
    }
}

/// Minor units of a decimal text. Zeros beyond the currency's decimals are no digits that would be lost.
fn minor(text: &str, digits: usize) -> Result<i64, MoneyMisfit> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let fraction = fraction.trim_end_matches('0');
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return Err(MoneyMisfit::Amount);
    }
    if fraction.len() > digits {
        return Err(MoneyMisfit::Digits);
    }
    format!("{sign}{whole}{fraction:0<digits$}")
        .parse()
        .map_err(|_| MoneyMisfit::Digits)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{MoneyForm, MoneyMisfit};

    fn form(form: &Value) -> MoneyForm {
        serde_json::from_value(form.clone()).unwrap()
    }

    fn usd(amount: &str) -> Value {
        json!({ "amount": amount, "currency": "USD" })
    }

    #[test]
    fn every_form_is_read_and_written() {
        let table = [
            (
                json!({ "minor_units": "/minor", "currency": "/currency" }),
                json!({ "minor": 4999, "currency": "USD" }),
            ),
            (json!({ "minor_units": "", "currency": "USD" }), json!(4999)),
            (
                json!({ "decimal": "/a/b", "currency": "/c" }),
                json!({ "a": { "b": "49.99" }, "c": "USD" }),
            ),
            (
                json!({ "decimal_number": "/price", "currency": "USD" }),
                json!({ "price": 49.99 }),
            ),
        ];
        for (spec, wire) in table {
            assert_eq!(form(&spec).read(&wire), Ok(usd("49.99")), "{spec}");
            assert_eq!(form(&spec).write(&usd("49.99")), Ok(wire), "{spec}");
        }
    }

    #[test]
    fn decimals_follow_the_currency_and_nothing_is_rounded() {
        let yen = form(&json!({ "decimal": "", "currency": "JPY" }));
        assert_eq!(yen.read(&json!("500.0")).unwrap()["amount"], "500");
        assert_eq!(yen.read(&json!("500.5")), Err(MoneyMisfit::Digits));
        let dollars = form(&json!({ "decimal": "", "currency": "USD" }));
        assert_eq!(dollars.read(&json!("5")), Ok(usd("5.00")));
        assert_eq!(dollars.read(&json!("-0.05")), Ok(usd("-0.05")));
        assert_eq!(dollars.read(&json!(12.5)), Ok(usd("12.50")));
        for wrong in [
            json!("1e3"),
            json!(""),
            json!("+1"),
            json!(null),
            json!(1e30),
        ] {
            assert!(dollars.read(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn another_currency_is_refused_and_not_converted() {
        let dollars = form(&json!({ "minor_units": "", "currency": "USD" }));
        let euros = json!({ "amount": "1.00", "currency": "EUR" });
        assert_eq!(
            dollars.write(&euros),
            Err(MoneyMisfit::OtherCurrency("USD".to_owned()))
        );
    }
}
