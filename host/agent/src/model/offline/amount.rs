//! An amount of money as a customer states it: with its sign, and with the currency that they name.

use crate::pattern::pattern;

/// A stated amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Amount {
    /// Without sign, with two decimals: `20.00`.
    pub(crate) value: String,
    pub(crate) is_negative: bool,
    /// What stood beside the number.
    named: Named,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    /// Of whichever country.
    Dollars,
    Code(&'static str),
}

impl Amount {
    /// The currency that was named, as a code. Dollars without a country are those of the order, if it was paid in dollars.
    pub(super) fn currency<'a>(&self, of_order: &'a str) -> &'a str {
        match self.named {
            Named::Dollars if DOLLARS.contains(&of_order) => of_order,
            Named::Dollars => "USD",
            Named::Code(code) => code,
        }
    }
}

/// The first amount of a message.
pub(super) fn amount(message: &str) -> Option<Amount> {
    let found = AMOUNT.captures(message)?;
    let part = |name| found.name(name).map_or("", |part| part.as_str());
    let (number, named) = match (part("number_after"), part("number_before")) {
        ("", number) => (number, part("after")),
        (number, _) => (number, part("before")),
    };
    Some(Amount {
        value: two_decimals(number),
        is_negative: !(part("sign").is_empty() && part("inner_sign").is_empty()),
        named: named_as(named),
    })
}

/// The message without its amounts.
pub(super) fn without_amounts(message: &str) -> String {
    AMOUNT.replace_all(message, " ").into_owned()
}

fn two_decimals(number: &str) -> String {
    let number = if THOUSANDS.is_match(number) {
        number.replace(',', "")
    } else {
        number.replace(',', ".")
    };
    match number.split_once('.') {
        None => format!("{number}.00"),
        Some((whole, cents)) => format!("{whole}.{cents:0<2}"),
    }
}

fn named_as(said: &str) -> Named {
    let said = said.trim().to_lowercase();
    if said == "$" || said.starts_with("dollar") || said.starts_with("buck") {
        return Named::Dollars;
    }
    let code = CURRENCIES
        .iter()
        .find(|(word, _)| said.starts_with(word))
        .map(|(_, code)| *code);
    code.map_or(Named::Dollars, Named::Code)
}

const DOLLARS: [&str; 6] = ["USD", "CAD", "AUD", "NZD", "SGD", "HKD"];

/// How a name begins, and its code.
const CURRENCIES: [(&str, &str); 22] = [
    ("usd", "USD"),
    ("us$", "USD"),
    ("eur", "EUR"),
    ("\u{20ac}", "EUR"),
    ("gbp", "GBP"),
    ("\u{a3}", "GBP"),
    ("pound", "GBP"),
    ("quid", "GBP"),
    ("cad", "CAD"),
    ("aud", "AUD"),
    ("nzd", "NZD"),
    ("chf", "CHF"),
    ("franc", "CHF"),
    ("jpy", "JPY"),
    ("yen", "JPY"),
    ("\u{a5}", "JPY"),
    ("inr", "INR"),
    ("rupee", "INR"),
    ("\u{20b9}", "INR"),
    ("sek", "SEK"),
    ("nok", "NOK"),
    ("pln", "PLN"),
];

pattern!(THOUSANDS, r"^\d{1,3}(?:,\d{3})+(?:\.\d+)?$");
pattern!(
    AMOUNT,
    r"(?i)(?P<sign>(?:^|\s)[-\u{2212}\u{2013}]|\bminus\s+|\bnegative\s+)?",
    r"(?:(?P<before>us\$|[$€£¥₹]|\b(?:usd|eur|gbp|cad|aud|nzd|chf|jpy|inr|sek|nok|pln)\s)\s*(?P<inner_sign>[-\u{2212}])?(?P<number_after>\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,7}(?:[.,]\d{1,2})?)\b",
    r"|\b(?P<number_before>\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,7}(?:[.,]\d{1,2})?)\s*(?P<after>[$€£¥₹]|(?:usd|eur|gbp|cad|aud|nzd|chf|jpy|inr|sek|nok|pln|dollars?|bucks|euros?|pounds|quid|francs?|yen|rupees?)\b))"
);
