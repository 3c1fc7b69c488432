//! What a case says was established before its calls, held against what results can establish.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use policy::{Entity, Fact, attribute_misfit};
use serde::Deserialize;
use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// The longest ago that anything may be, in seconds: a hundred years.
const LONGEST_AGO: i64 = 36_525 * DAY;
/// How a case says a time that stays as long ago as it is.
const DAYS_AGO: &str = "days_ago";

/// What a case knows of one thing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Established {
    kind: String,
    id: String,
    /// Seconds since a result said so.
    #[serde(default)]
    age: u32,
    /// As `establishes` names them.
    #[serde(default)]
    attributes: Map<String, Value>,
}

/// Refuses what no result could have established; `kinds` are those that can be, with their attributes.
pub(super) fn check(
    facts: &[Established],
    kinds: &BTreeMap<String, BTreeSet<String>>,
) -> anyhow::Result<()> {
    let mut seen = BTreeSet::new();
    for known in facts {
        let name = known.name();
        ensure!(!known.id.is_empty(), "{name} has no id");
        ensure!(
            seen.insert((&known.kind, &known.id)),
            "{name} is there twice; put all that is known of it into one"
        );
        let names = kinds.get(&known.kind);
        let names = names.with_context(|| {
            let kinds = list(kinds.keys());
            format!("{name}: no tool establishes anything of that kind; there is {kinds}")
        })?;
        for (attribute, value) in &known.attributes {
            ensure!(
                names.contains(attribute),
                "{name}: no tool establishes {attribute:?} of it; there is {}",
                list(names)
            );
            fits(attribute, value).with_context(|| name.clone())?;
        }
    }
    Ok(())
}

fn fits(attribute: &str, value: &Value) -> anyhow::Result<()> {
    if let Some(days) = days_ago(value) {
        let seconds = days.checked_mul(DAY);
        ensure!(
            seconds.is_some_and(|seconds| (0..=LONGEST_AGO).contains(&seconds)),
            "{attribute}: {DAYS_AGO} = {days} is out of reach"
        );
    }
    if let Some(needed) = attribute_misfit(attribute, &settled(attribute, value, 0)) {
        bail!("{attribute} must be {needed}, found {value}");
    }
    Ok(())
}

impl Established {
    /// As the store keeps it; `now` in Unix seconds.
    pub(super) fn fact(&self, now: i64) -> (Entity, Fact) {
        let entity = Entity {
            kind: self.kind.clone(),
            id: self.id.clone(),
        };
        let attributes = self.attributes.iter();
        let attributes = attributes.map(|(name, value)| (name.clone(), settled(name, value, now)));
        let fact = Fact {
            established_at: now.saturating_sub(i64::from(self.age)),
            attributes: attributes.collect(),
        };
        (entity, fact)
    }

    fn name(&self) -> String {
        format!("the fact {} {:?}", self.kind, self.id)
    }
}

/// `{ days_ago = 3 }` of a time as the time that it is now; any other value as it stands.
fn settled(attribute: &str, value: &Value, now: i64) -> Value {
    let days = days_ago(value).filter(|_| attribute.ends_with("_at"));
    let time = days.and_then(|days| {
        let now = OffsetDateTime::from_unix_timestamp(now).ok()?;
        now.checked_sub(Duration::seconds(days.checked_mul(DAY)?))?
            .format(&Rfc3339)
            .ok()
    });
    time.map_or_else(|| value.clone(), Value::from)
}

fn days_ago(value: &Value) -> Option<i64> {
    let only = value.as_object().filter(|object| object.len() == 1)?;
    only.get(DAYS_AGO)?.as_i64()
}

fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(fact: &str) -> String {
        let facts = [toml::from_str(fact).unwrap()];
        let names = ["owner", "total", "delivered_at", "refund_eligible"].map(str::to_owned);
        let kinds = BTreeMap::from([("order".to_owned(), BTreeSet::from(names))]);
        check(&facts, &kinds).map_or_else(|refusal| format!("{refusal:#}"), |()| String::new())
    }

    #[test]
    fn a_fact_that_no_result_could_establish_is_refused_by_name() {
        let order = "kind = \"order\"\nid = \"ORD-1\"\nattributes";
        for (fact, said) in [
            (
                "kind = \"parcel\"\nid = \"1\"".to_owned(),
                "the fact parcel \"1\": no tool",
            ),
            ("kind = \"order\"\nid = \"\"".to_owned(), "has no id"),
            (
                format!("{order}.customer_id = \"C-1\""),
                "\"customer_id\" of it; there is delivered_at, owner",
            ),
            (
                format!("{order}.total = 400"),
                "the fact order \"ORD-1\": total must be money",
            ),
            (
                format!("{order}.refund_eligible = \"yes\""),
                "must be true or false",
            ),
            (
                format!("{order}.delivered_at = \"yesterday\""),
                "must be a time",
            ),
            (
                format!("{order}.delivered_at = {{ days_ago = -1 }}"),
                "out of reach",
            ),
            (
                format!("{order}.owner = {{ days_ago = 3 }}"),
                "owner must be a text",
            ),
        ] {
            let refusal = refusal(&fact);
            assert!(refusal.contains(said), "{fact}: {refusal}");
        }
        assert_eq!(
            refusal(&format!("{order}.delivered_at = {{ days_ago = 3 }}")),
            ""
        );
    }

    #[test]
    fn what_is_known_of_one_thing_is_said_once() {
        let one = || toml::from_str("kind = \"order\"\nid = \"ORD-1\"").unwrap();
        let kinds = BTreeMap::from([("order".to_owned(), BTreeSet::new())]);
        let refusal = check(&[one(), one()], &kinds).unwrap_err().to_string();
        assert!(
            refusal.contains("order \"ORD-1\" is there twice"),
            "{refusal}"
        );
    }

    #[test]
    fn days_ago_are_counted_from_the_present() {
        let known: Established = toml::from_str(
            "kind = \"order\"\nid = \"ORD-1\"\nage = 60\nattributes = { delivered_at = { days_ago = 2 } }",
        )
        .unwrap();
        let (_, fact) = known.fact(3 * DAY);
        assert_eq!(fact.established_at, 3 * DAY - 60);
        assert_eq!(fact.attributes["delivered_at"], "1970-01-02T00:00:00Z");
    }
}
