//! Money between JSON and minor units.

use policy::{Money, MoneyError};
use serde_json::{Value, json};

fn parse(amount: &str, currency: &str) -> Result<i64, MoneyError> {
    Money::parse(&json!({ "amount": amount, "currency": currency })).map(|money| money.minor)
}

#[test]
fn amounts_are_exact() {
    let digits = |digits| Err(MoneyError::Amount { digits });
    for (amount, currency, expect) in [
        ("49.99", "USD", Ok(4_999)),
        ("50", "USD", Ok(5_000)),
        ("50.5", "USD", Ok(5_050)),
        ("0.00", "USD", Ok(0)),
        ("0.1", "EUR", Ok(10)),
        ("-0.01", "USD", Ok(-1)),
        ("-12.50", "USD", Ok(-1_250)),
        ("500", "JPY", Ok(500)),
        ("1.234", "BHD", Ok(1_234)),
        ("92233720368547758.07", "USD", Ok(i64::MAX)),
        ("-92233720368547758.08", "USD", Ok(i64::MIN)),
        ("92233720368547758.08", "USD", Err(MoneyError::Overflow)),
        (
            "99999999999999999999999999",
            "USD",
            Err(MoneyError::Overflow),
        ),
        ("1.999", "USD", digits(2)),
        ("500.0", "JPY", digits(0)),
        ("5.", "USD", digits(2)),
        (".5", "USD", digits(2)),
        ("", "USD", digits(2)),
        ("-", "USD", digits(2)),
        ("+5", "USD", digits(2)),
        ("1e3", "USD", digits(2)),
        ("1,50", "USD", digits(2)),
        ("1 000", "USD", digits(2)),
        ("--5", "USD", digits(2)),
        ("٥", "USD", digits(2)),
        ("NaN", "USD", digits(2)),
        ("5", "usd", Err(MoneyError::Currency)),
        ("5", "US", Err(MoneyError::Currency)),
        ("5", "XXX", Err(MoneyError::Currency)),
        ("5", "", Err(MoneyError::Currency)),
    ] {
        assert_eq!(parse(amount, currency), expect, "{amount} {currency}");
    }
}

#[test]
fn only_one_shape_is_money() {
    for value in [
        json!(null),
        json!("49.99"),
        json!(49.99),
        json!({ "amount": 49.99, "currency": "USD" }),
        json!({ "amount": "49.99" }),
        json!({ "amount": "49.99", "currency": "USD", "note": "x" }),
        json!(["49.99", "USD"]),
    ] {
        assert_eq!(Money::parse(&value), Err(MoneyError::Shape), "{value}");
    }
}

#[test]
fn money_reads_back_as_it_was_written() {
    for (minor, currency, text) in [
        (4_999, "USD", "49.99"),
        (5, "USD", "0.05"),
        (0, "USD", "0.00"),
        (-5, "USD", "-0.05"),
        (500, "JPY", "500"),
        (1, "BHD", "0.001"),
        (i64::MIN, "USD", "-92233720368547758.08"),
    ] {
        let money = Money {
            minor,
            currency: currency.to_owned(),
        };
        let json: Value = money.to_json();
        assert_eq!(json["amount"], text);
        assert_eq!(Money::parse(&json), Ok(money.clone()));
        assert_eq!(money.to_string(), format!("{text} {currency}"));
    }
}

#[test]
fn errors_say_what_is_expected() {
    let error = parse("1.999", "USD").expect_err("too many decimals");
    assert_eq!(
        error.to_string(),
        "expected a decimal number with at most 2 decimals, such as \"49.99\""
    );
}
