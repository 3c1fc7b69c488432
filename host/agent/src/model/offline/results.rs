//! Reading tool results: the output of what went well, and what went wrong with the rest.

use serde_json::Value;

use crate::ToolResult;

/// How a tool's result reads for the planner.
#[derive(Clone, Copy, Debug)]
pub(super) enum Read<'a> {
    /// It is there.
    Done {
        output: &'a Value,
        /// The effect is an earlier call's.
        again: bool,
    },
    /// There is no such thing.
    NotFound,
    /// It was refused, or it failed; the words may be passed on.
    Not(&'a str),
}

pub(super) fn read(result: &ToolResult) -> Read<'_> {
    let said = text(&result.content, "message");
    match result.outcome.as_str() {
        "ok" | "replayed" => Read::Done {
            output: result.content.get("result").unwrap_or(&result.content),
            again: result.outcome == "replayed",
        },
        "failed" if said.starts_with("Nothing was found") => Read::NotFound,
        "denied" | "withheld" => Read::Not(said),
        _ => Read::Not(""),
    }
}

/// A text field; empty where there is none.
pub(super) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// `49.99 USD`.
pub(super) fn money(value: &Value, field: &str) -> Option<String> {
    let money = value.get(field)?;
    let amount = money.get("amount")?.as_str()?;
    let currency = money.get("currency")?.as_str()?;
    Some(format!("{amount} {currency}"))
}

/// Minor units of an amount with two decimals; none for other amounts.
pub(super) fn minor(amount: &str) -> Option<u64> {
    let (whole, cents) = amount.split_once('.').unwrap_or((amount, "00"));
    let cents = format!("{cents:0<2}");
    format!("{whole}{cents}").parse().ok()
}

/// `3 November 2026` out of an RFC 3339 time.
pub(super) fn date(value: &Value, field: &str) -> Option<String> {
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;
    let at = OffsetDateTime::parse(text(value, field), &Rfc3339).ok()?;
    Some(format!("{} {} {}", at.day(), at.month(), at.year()))
}

/// The items of a list field.
pub(super) fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value
        .get(field)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}
