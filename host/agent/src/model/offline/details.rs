//! What a message gives: e-mail addresses, order numbers, amounts, telephone numbers and postal addresses.

use super::amount::{Amount, amount, without_amounts};
use crate::pattern::pattern;

/// The details of one message, each in the order in which it was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Details {
    /// In lower case.
    pub(crate) emails: Vec<String>,
    /// As the contract writes them: `ORD-8842`.
    pub(crate) orders: Vec<String>,
    /// The first that is stated.
    pub(crate) amount: Option<Amount>,
    pub(crate) phone: Option<String>,
}

/// Reads a message.
pub(crate) fn details(message: &str) -> Details {
    let emails = emails(message);
    let rest = EMAIL.replace_all(message, " ");
    let amount = amount(&rest);
    let orders = orders(&rest);
    Details {
        phone: phone(&rest, &orders),
        emails,
        orders,
        amount,
    }
}

fn emails(message: &str) -> Vec<String> {
    let spelled = SPELLED_EMAIL.replace_all(message, "$1@$2.$3");
    let spelled = BRACKETED_AT.replace_all(&spelled, "$1@$2");
    let mut found = Vec::new();
    for email in EMAIL.find_iter(&spelled) {
        let email = email.as_str().trim_end_matches(['.', '-']).to_lowercase();
        if !found.contains(&email) {
            found.push(email);
        }
    }
    found
}

/// Numbers that are called an order; "not 8842 but 8843" gives only the second.
fn orders(message: &str) -> Vec<String> {
    let mut found: Vec<(bool, String)> = Vec::new();
    for order in ORDER.captures_iter(message) {
        let Some(number) = order.get(1).or_else(|| order.get(2)) else {
            continue;
        };
        let start = order.get(0).map_or(0, |whole| whole.start());
        let meant = !DENIED.is_match(message.get(..start).unwrap_or_default());
        let order = format!("ORD-{}", number.as_str());
        if !found.iter().any(|(_, other)| *other == order) {
            found.push((meant, order));
        }
    }
    if found.iter().any(|(meant, _)| *meant) {
        found.retain(|(meant, _)| *meant);
    }
    found.into_iter().map(|(_, order)| order).collect()
}

/// A number on its own, for when an order number is what was asked for.
pub(super) fn bare_order(message: &str) -> Option<String> {
    let rest = EMAIL.replace_all(message, " ");
    let rest = without_amounts(&rest);
    let number = BARE
        .captures_iter(&rest)
        .filter_map(|found| found.get(1))
        .last()?;
    Some(format!("ORD-{}", number.as_str()))
}

fn phone(message: &str, orders: &[String]) -> Option<String> {
    let found = PHONE.find_iter(message).find(|found| {
        let digits: String = found
            .as_str()
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        (7..=15).contains(&digits.len()) && !orders.iter().any(|order| order.ends_with(&digits))
    })?;
    Some(found.as_str().trim().to_owned())
}

/// The new postal address in a message that asks to change one.
pub(super) fn address(message: &str) -> Option<String> {
    let start = ADDRESS_START.find(message)?.end();
    let rest = message.get(start..)?;
    let end = ADDRESS_END.find(rest).map_or(rest.len(), |end| end.start());
    let address = rest
        .get(..end)?
        .trim()
        .trim_end_matches(['.', ',', ';', '!'])
        .trim();
    is_address(address).then(|| address.to_owned())
}

/// Whether a text could be a postal address: some words and a number.
pub(super) fn is_address(text: &str) -> bool {
    text.split_whitespace().count() >= 2
        && text.chars().any(|c| c.is_ascii_digit())
        && text.chars().any(char::is_alphabetic)
        && text.len() <= 300
        && !text.contains('@')
}

pattern!(
    EMAIL,
    r"(?i)[a-z0-9][a-z0-9._%+-]*@[a-z0-9-]+(?:\.[a-z0-9-]+)+"
);
pattern!(
    SPELLED_EMAIL,
    r"(?i)\b([a-z0-9._%+-]+) ?[(\[]? ?\bat\b ?[)\]]? ?([a-z0-9-]+) ?[(\[]? ?\bdot\b ?[)\]]? ?(com|org|net|io|de|eu|uk|example)\b"
);
pattern!(
    BRACKETED_AT,
    r"(?i)\b([a-z0-9._%+-]+) ?[(\[] ?at ?[)\]] ?([a-z0-9-]+(?:\.[a-z0-9-]+)+)"
);
pattern!(
    ORDER,
    r"(?i)\b(?:orders?|ord|purchase|ordr|oder|ordre|bestellung)[\s\-_:#.=]*(?:(?:number|numbers|no|nr|num|id|ref|reference|is|was|it's|its)[\s\-_:#.=]*){0,3}(?:ord[\s\-_:#.]*)?(\d{3,12})\b",
    r"|#\s*(?:ord[\s\-_]*)?(\d{3,12})\b"
);
pattern!(
    DENIED,
    r"(?i)\b(?:not|n't|instead of|rather than|isn't)\s+(?:the\s+)?$"
);
pattern!(BARE, r"(?:^|[^\d.,$€£+-])(\d{4,8})(?:[^\d]|$)");
pattern!(PHONE, r"\+?\(?\d[\d\s().-]{5,}\d");
pattern!(
    ADDRESS_START,
    r"(?i)(?:address\b[^.\n]{0,60}?\b(?:to|is|as)\b:?\s+|address\s*[:=]\s*|\bmoved\s+to\s+|\b(?:live|living)\s+(?:now\s+)?(?:at|in)\s+|\b(?:ship|send|deliver)\s+(?:it|them|my order)\s+to\s+)(?:be\s+)?"
);
pattern!(
    ADDRESS_END,
    r"(?i)[\n;]|\.\s+(?:my|the|order|e-?mail|please|thank|i\b|it)|,?\s*(?:and\s+)?\b(?:my\s+)?(?:e-?mail|order|ord|phone|thanks|thank you|please|instead of)\b"
);
