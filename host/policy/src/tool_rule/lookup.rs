//! How a write's effect is found again at a backend that can only be asked, and what its answer proves.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::arguments::{canonical, id_text};
use crate::pointer;

/// Two clocks may differ by this much: an entry from so shortly before the intent could be its effect, or an earlier one.
const CLOCK_SKEW_SECONDS: i64 = 300;

/// Where a write's effect shows, once its backend has had time. Pointers are RFC 6901 JSON pointers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// The read tool that shows it. Its entries have the shape of the write's output.
    pub tool: String,
    /// That tool's arguments: name → pointer into the write's arguments.
    pub arguments: BTreeMap<String, String>,
    /// Pointer into its output: the list of entries. Empty: the output itself is the one entry.
    #[serde(default)]
    pub entries: String,
    /// Pointer into an entry → pointer into the write's arguments: equal where the entry is the effect.
    #[serde(default)]
    pub equal: BTreeMap<String, String>,
    /// Pointer into an entry → the text that stands there once the effect is there.
    #[serde(default)]
    pub is: BTreeMap<String, String>,
    /// Pointer into an entry: when it came about (RFC 3339). What is older than the intent is not its effect.
    #[serde(default)]
    pub at: Option<String>,
    /// Pointer into an entry: its id. What another intent of the tool has already claimed is not this one's effect.
    #[serde(default)]
    pub id: Option<String>,
}

/// What a lookup proves of an intent.
#[derive(Clone, Debug, PartialEq)]
pub enum Trace {
    /// It happened, and this is the write's output.
    Found(Value),
    /// It did not happen.
    Absent,
    /// The answer proves neither: a person decides.
    Unclear,
}

/// What an entry has to be held against.
#[derive(Clone, Debug)]
pub struct Sought<'a> {
    /// The write's arguments.
    pub arguments: &'a Map<String, Value>,
    /// Unix seconds: no effect of the intent is older.
    pub since: i64,
    /// Ids of entries that other intents have claimed.
    pub claimed: &'a BTreeSet<String>,
}

/// How one entry stands to an intent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    Fits,
    No,
    Perhaps,
}

impl Lookup {
    /// What to ask; none where an argument that it needs is absent.
    pub fn question(&self, arguments: &Map<String, Value>) -> Option<Map<String, Value>> {
        self.arguments
            .iter()
            .map(|(name, at)| Some((name.clone(), pointer::lookup(arguments, at)?.clone())))
            .collect()
    }

    /// The id of the entry that an intent with this output stands for.
    pub fn claimed(&self, output: &Value) -> Option<String> {
        id_text(output.pointer(self.id.as_deref()?)?)
    }

    /// Reads the answer. Only a whole, legible answer without a fitting entry proves that there was no effect.
    pub fn find(&self, output: &Value, sought: &Sought<'_>) -> Trace {
        let entries = match (self.entries.as_str(), output.pointer(&self.entries)) {
            ("", Some(one)) => std::slice::from_ref(one),
            (_, Some(Value::Array(entries))) => entries.as_slice(),
            _ => return Trace::Unclear,
        };
        let mut fitting = None;
        for entry in entries {
            match self.fit(entry, sought) {
                Fit::No => {}
                Fit::Fits if fitting.is_none() => fitting = Some(entry),
                Fit::Fits | Fit::Perhaps => return Trace::Unclear,
            }
        }
        fitting.map_or(Trace::Absent, |entry| Trace::Found(entry.clone()))
    }

    fn fit(&self, entry: &Value, sought: &Sought<'_>) -> Fit {
        let equal = self.equal.iter().map(|(at, of)| {
            let wanted = pointer::lookup(sought.arguments, of);
            verdict(entry, at, |found| {
                wanted.is_some_and(|wanted| canonical(wanted) == canonical(found))
            })
        });
        let is = self.is.iter().map(|(at, text)| {
            verdict(entry, at, |found| {
                found.as_str().is_some_and(|found| found == text)
            })
        });
        let fits: Vec<Fit> = equal
            .chain(is)
            .chain([
                self.unclaimed(entry, sought),
                self.young_enough(entry, sought),
            ])
            .collect();
        if fits.contains(&Fit::No) {
            Fit::No
        } else if fits.contains(&Fit::Perhaps) {
            Fit::Perhaps
        } else {
            Fit::Fits
        }
    }

    fn unclaimed(&self, entry: &Value, sought: &Sought<'_>) -> Fit {
        let Some(at) = &self.id else { return Fit::Fits };
        match entry.pointer(at).and_then(id_text) {
            Some(id) if sought.claimed.contains(&id) => Fit::No,
            Some(_) => Fit::Fits,
            None => Fit::Perhaps,
        }
    }

    fn young_enough(&self, entry: &Value, sought: &Sought<'_>) -> Fit {
        let Some(at) = &self.at else { return Fit::Fits };
        let written = entry.pointer(at).and_then(Value::as_str);
        let Some(at) = written.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok()) else {
            return Fit::Perhaps;
        };
        match at.unix_timestamp() {
            at if at >= sought.since => Fit::Fits,
            at if at >= sought.since.saturating_sub(CLOCK_SKEW_SECONDS) => Fit::Perhaps,
            _ => Fit::No,
        }
    }
}

/// An entry that lacks what it is told by could be anything.
fn verdict(entry: &Value, at: &str, fits: impl FnOnce(&Value) -> bool) -> Fit {
    match entry.pointer(at) {
        None | Some(Value::Null) => Fit::Perhaps,
        Some(found) if fits(found) => Fit::Fits,
        Some(_) => Fit::No,
    }
}
