//! Which facts and arguments rules can look at, and as what types: the words that the schema and each decision share.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy_core::ast;
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{Money, ToolRule};

/// The facts that the base schema types by hand: kind → attributes. A test holds the two together.
const BASE: &[(&str, &[&str])] = &[
    (
        "order",
        &[
            "owner",
            "status",
            "total",
            "refunded",
            "refund_eligible",
            "delivered_at",
        ],
    ),
    (
        "ticket",
        &["owner", "status", "priority", "suggestion_confidence"],
    ),
    ("customer", &["name", "email", "tier"]),
];

/// Arguments that shipped rules look at, whatever tools a tenant has.
const BASE_ARGUMENTS: &[&str] = &["id", "status"];

/// What a fact's attribute is to the rules; its name says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttributeType {
    /// Any other name: text.
    Text,
    /// `*_eligible`: a Boolean.
    Flag,
    /// `*_at`: RFC 3339, becomes Unix seconds.
    Instant,
    /// `*confidence`: 0 to 1, becomes per mille.
    PerMille,
    /// `total`, `refunded`, `*_amount`: becomes minor units, with `currency` beside it.
    Money,
}

impl AttributeType {
    pub(super) fn of(name: &str) -> Self {
        match name {
            "total" | "refunded" => Self::Money,
            _ if name.ends_with("_amount") => Self::Money,
            _ if name.ends_with("_eligible") => Self::Flag,
            _ if name.ends_with("_at") => Self::Instant,
            _ if name.ends_with("confidence") => Self::PerMille,
            _ => Self::Text,
        }
    }

    pub(super) fn schema_type(self) -> &'static str {
        match self {
            Self::Text => "String",
            Self::Flag => "Bool",
            Self::Instant | Self::PerMille | Self::Money => "Long",
        }
    }
}

/// What an attribute of this name has to be, where `value` is not that: rules would see nothing of it.
pub fn attribute_misfit(name: &str, value: &Value) -> Option<&'static str> {
    let (fits, needed) = match AttributeType::of(name) {
        AttributeType::Text => (value.is_string(), "a text"),
        AttributeType::Flag => (value.is_boolean(), "true or false"),
        AttributeType::Instant => (
            unix_seconds(value).is_some(),
            "a time such as \"2026-01-31T12:00:00Z\"",
        ),
        AttributeType::PerMille => (per_mille(value).is_some(), "a number from 0 to 1"),
        AttributeType::Money => (
            Money::parse(value).is_ok(),
            "money such as { amount = \"49.99\", currency = \"USD\" }",
        ),
    };
    (!fits).then_some(needed)
}

/// The words of one tenant's rulebook.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    /// Argument names, of all tools together.
    pub(super) arguments: BTreeSet<String>,
    /// Facts beyond the base schema: kind → attributes.
    pub(super) vendor: BTreeMap<String, BTreeSet<String>>,
}

impl Vocabulary {
    pub(super) fn of(tools: &BTreeMap<String, ToolRule>) -> Self {
        let mut words = Self::default();
        words
            .arguments
            .extend(BASE_ARGUMENTS.iter().map(|name| (*name).to_owned()));
        for rule in tools.values() {
            words.arguments.extend(rule.attributes.keys().cloned());
            for established in &rule.establishes {
                for name in established.attributes.keys() {
                    if !is_base(&established.kind, name) {
                        let kind = words.vendor.entry(established.kind.clone()).or_default();
                        kind.insert(name.clone());
                    }
                }
            }
        }
        words
    }

    /// What a vendor's tools alone say of an entity; none where they say nothing of its kind.
    pub(super) fn beyond<'a>(
        &self,
        kind: &str,
        attributes: &'a Map<String, Value>,
    ) -> Option<Fields<'a>> {
        let names = self.vendor.get(kind)?;
        Some(fields(attributes, |name| names.contains(name)))
    }
}

/// Fields of a Cedar record.
pub(super) type Fields<'a> = Vec<(&'a str, ast::Value)>;

/// What the base schema has of an entity; none where it has nothing of its kind.
pub(super) fn base<'a>(kind: &str, attributes: &'a Map<String, Value>) -> Option<Fields<'a>> {
    let (_, names) = BASE.iter().find(|(base, _)| *base == kind)?;
    Some(fields(attributes, |name| names.contains(&name)))
}

fn is_base(kind: &str, attribute: &str) -> bool {
    BASE.iter()
        .any(|(base, names)| *base == kind && names.contains(&attribute))
}

/// Attributes as rules see them. One that does not read as its type is left out, as if it had never been established: the
/// rules that need it refuse. Sums in two currencies cannot be compared, so then none of them is there.
fn fields(attributes: &Map<String, Value>, keep: impl Fn(&str) -> bool) -> Fields<'_> {
    let mut fields = Vec::with_capacity(attributes.len().saturating_add(2));
    let mut sums: Vec<(&str, Money)> = vec![];
    for (name, value) in attributes.iter().filter(|(name, _)| keep(name)) {
        let typed = match AttributeType::of(name) {
            AttributeType::Text => value.as_str().map(ast::Value::from),
            AttributeType::Flag => value.as_bool().map(ast::Value::from),
            AttributeType::Instant => unix_seconds(value).map(ast::Value::from),
            AttributeType::PerMille => per_mille(value).map(ast::Value::from),
            AttributeType::Money => {
                sums.extend(Money::parse(value).ok().map(|money| (name.as_str(), money)));
                None
            }
        };
        fields.extend(typed.map(|typed| (name.as_str(), typed)));
    }
    if let Some(currency) = common_currency(&sums) {
        fields.push(("currency", currency.into()));
        fields.extend(
            sums.into_iter()
                .map(|(name, money)| (name, money.minor.into())),
        );
    }
    fields
}

fn common_currency(sums: &[(&str, Money)]) -> Option<String> {
    let (_, first) = sums.first()?;
    sums.iter()
        .all(|(_, money)| money.currency == first.currency)
        .then(|| first.currency.clone())
}

fn unix_seconds(value: &Value) -> Option<i64> {
    let at = OffsetDateTime::parse(value.as_str()?, &Rfc3339).ok()?;
    Some(at.unix_timestamp())
}

/// A share between 0 and 1 in thousandths, cut off (0.8499 is 849). Read from the number's digits: no float is computed.
fn per_mille(value: &Value) -> Option<i64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    match text.as_str() {
        "1" | "1.0" => return Some(1_000),
        "0" => return Some(0),
        _ => {}
    }
    let fraction = text.strip_prefix("0.");
    if fraction.is_none() && text.contains("e-") && !text.starts_with('-') {
        return Some(0);
    }
    let digits: String = fraction?.chars().chain("000".chars()).take(3).collect();
    digits.parse().ok()
}
