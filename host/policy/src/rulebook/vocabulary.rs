//! Which facts and arguments rules can look at, and as what types: the words that the schema and each decision share.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::RestrictedExpression;
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

    /// The attributes of a fact in the base schema, and those beyond it.
    pub(super) fn split(&self, kind: &str, attributes: &Map<String, Value>) -> (Fields, Fields) {
        let vendor = self.vendor.get(kind);
        let pick =
            |keep: &dyn Fn(&str) -> bool| fields(attributes.iter().filter(|(name, _)| keep(name)));
        (
            pick(&|name| is_base(kind, name)),
            pick(&|name| vendor.is_some_and(|names| names.contains(name))),
        )
    }
}

/// Fields of a Cedar record.
pub(super) type Fields = Vec<(String, RestrictedExpression)>;

/// Whether the base schema has a record for this kind of entity.
pub(super) fn is_base_kind(kind: &str) -> bool {
    BASE.iter().any(|(base, _)| *base == kind)
}

fn is_base(kind: &str, attribute: &str) -> bool {
    BASE.iter()
        .any(|(base, names)| *base == kind && names.contains(&attribute))
}

/// Attributes as rules see them. One that does not read as its type is left out, as if it had never been established: the
/// rules that need it refuse. Sums in two currencies cannot be compared, so then none of them is there.
fn fields<'a>(attributes: impl Iterator<Item = (&'a String, &'a Value)>) -> Fields {
    let mut fields = vec![];
    let mut sums: Vec<(&String, Money)> = vec![];
    for (name, value) in attributes {
        let typed = match AttributeType::of(name) {
            AttributeType::Text => value
                .as_str()
                .map(|text| RestrictedExpression::new_string(text.to_owned())),
            AttributeType::Flag => value.as_bool().map(RestrictedExpression::new_bool),
            AttributeType::Instant => unix_seconds(value).map(RestrictedExpression::new_long),
            AttributeType::PerMille => per_mille(value).map(RestrictedExpression::new_long),
            AttributeType::Money => {
                sums.extend(Money::parse(value).ok().map(|money| (name, money)));
                None
            }
        };
        fields.extend(typed.map(|typed| (name.clone(), typed)));
    }
    if let Some(currency) = common_currency(&sums) {
        fields.push((
            "currency".to_owned(),
            RestrictedExpression::new_string(currency),
        ));
        fields.extend(
            sums.into_iter()
                .map(|(name, money)| (name.clone(), RestrictedExpression::new_long(money.minor))),
        );
    }
    fields
}

fn common_currency(sums: &[(&String, Money)]) -> Option<String> {
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
