//! Whether a rule's conditions can hold at all, as far as that shows without a solver.
//!
//! The conditions are brought into clauses, one of which must hold as a whole. A clause falls if two of its parts
//! contradict each other, or one of them contradicts what the host tells rules (`identity.level` is 0 to 3). What is not
//! understood is taken as possible: a rule that is reported cannot match, one that is not reported may still be unable to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::expression::{below, operator, path};

/// Clauses beyond this many are not followed.
const MOST_CLAUSES: usize = 1_024;

/// Texts that the host tells rules, by path. There are no others.
const TEXTS: &[(&str, &[&str])] = &[
    ("channel", &["chat", "mcp", "http", "terminal", "host"]),
    ("role", &["agent", "supervisor", "admin"]),
    ("effect", &["read", "write", "escalation"]),
];

/// Numbers that the host tells rules, by path, with the least and the greatest.
const NUMBERS: &[(&str, i64, i64)] = &[
    ("identity.level", 0, 3),
    ("ticket.suggestion_confidence", 0, 1_000),
    ("calls_before", 0, i64::MAX),
    ("body_bytes", 0, i64::MAX),
];

/// One part of a clause: an expression that must hold, or must not.
type Part<'a> = (&'a Value, bool);
type Clause<'a> = Vec<Part<'a>>;

/// Whether some request could meet the conditions of a policy (its JSON form).
pub(super) fn can_match(policy: &Value) -> bool {
    let none = vec![];
    let conditions = policy
        .get("conditions")
        .and_then(Value::as_array)
        .unwrap_or(&none);
    let mut clauses = vec![vec![]];
    for condition in conditions {
        let Some(body) = condition.get("body") else {
            return true;
        };
        let holds = condition.get("kind").is_none_or(|kind| kind == "when");
        let Some(product) = both(clauses, &clauses_of(body, holds)) else {
            return true;
        };
        clauses = product;
    }
    clauses.iter().any(|clause| is_possible(clause))
}

fn clauses_of(expression: &Value, holds: bool) -> Vec<Clause<'_>> {
    let itself = || vec![vec![(expression, holds)]];
    let Some((name, inner)) = operator(expression) else {
        return itself();
    };
    let side = |which: &str| inner.get(which).map(|side| clauses_of(side, holds));
    match (name, holds) {
        ("!", _) => match inner.get("arg") {
            Some(inner) => clauses_of(inner, !holds),
            None => itself(),
        },
        ("&&", true) | ("||", false) => match (side("left"), side("right")) {
            (Some(left), Some(right)) => both(left, &right).unwrap_or_else(itself),
            _ => itself(),
        },
        ("&&", false) | ("||", true) => match (side("left"), side("right")) {
            (Some(left), Some(right)) => [left, right].concat(),
            _ => itself(),
        },
        _ => itself(),
    }
}

/// Every clause of one with every clause of the other.
fn both<'a>(left: Vec<Clause<'a>>, right: &[Clause<'a>]) -> Option<Vec<Clause<'a>>> {
    if left.len().saturating_mul(right.len()) > MOST_CLAUSES {
        return None;
    }
    let joined = |one: Clause<'a>| {
        right
            .iter()
            .map(move |other| [one.clone(), other.clone()].concat())
    };
    Some(left.into_iter().flat_map(joined).collect())
}

fn is_possible(clause: &Clause<'_>) -> bool {
    let mut known = Known::default();
    clause.iter().all(|part| known.admits(*part))
}

/// What a clause says of each path.
#[derive(Default)]
struct Known {
    numbers: BTreeMap<String, (i64, i64)>,
    texts: BTreeMap<String, BTreeSet<String>>,
    excluded: BTreeMap<String, BTreeSet<String>>,
    /// Whatever else must hold or must not, by its text.
    others: BTreeMap<String, bool>,
}

impl Known {
    /// Takes a part in; false if it contradicts what is known.
    fn admits(&mut self, (expression, holds): Part<'_>) -> bool {
        if let Some(("Value", Value::Bool(literal))) = operator(expression) {
            return *literal == holds;
        }
        if let Some((path, least, greatest)) = number_range(expression, holds) {
            return self.narrow(path, least, greatest);
        }
        if let Some((path, texts)) = text_choice(expression) {
            let differs = matches!(operator(expression), Some(("!=", _)));
            return self.choose(&path, texts, holds != differs);
        }
        let presence = match operator(expression) {
            Some(("has", access)) => below(access).map(|path| format!("has {path}")),
            _ => None,
        };
        let text = presence.unwrap_or_else(|| expression.to_string());
        *self.others.entry(text).or_insert(holds) == holds
    }

    fn narrow(&mut self, path: String, least: i64, greatest: i64) -> bool {
        let told = NUMBERS.iter().find(|(name, ..)| *name == path);
        let start = told.map_or((i64::MIN, i64::MAX), |(_, least, greatest)| {
            (*least, *greatest)
        });
        let range = self.numbers.entry(path).or_insert(start);
        *range = (range.0.max(least), range.1.min(greatest));
        range.0 <= range.1
    }

    fn choose(&mut self, path: &str, texts: BTreeSet<String>, holds: bool) -> bool {
        let told = TEXTS.iter().find(|(name, _)| *name == path);
        if let Some((_, all)) = told {
            let all = || all.iter().map(|text| (*text).to_owned()).collect();
            self.texts.entry(path.to_owned()).or_insert_with(all);
        }
        if holds {
            let left = self
                .texts
                .entry(path.to_owned())
                .or_insert_with(|| texts.clone());
            left.retain(|text| texts.contains(text));
        } else {
            self.excluded
                .entry(path.to_owned())
                .or_default()
                .extend(texts);
        }
        let nothing = BTreeSet::new();
        let excluded = self.excluded.get(path).unwrap_or(&nothing);
        self.texts
            .get(path)
            .is_none_or(|left| left.iter().any(|text| !excluded.contains(text)))
    }
}

/// `context.level > 2` and its like, as the range that the path must be in.
fn number_range(expression: &Value, holds: bool) -> Option<(String, i64, i64)> {
    let (name, sides) = operator(expression)?;
    let (left, right) = (sides.get("left")?, sides.get("right")?);
    let (path, number, name) = match (path(left), number(right), path(right), number(left)) {
        (Some(path), Some(number), ..) => (path, number, name),
        (_, _, Some(path), Some(number)) => (path, number, mirrored(name)),
        _ => return None,
    };
    let (below, above) = (number.checked_sub(1), number.checked_add(1));
    let (least, greatest) = match (name, holds) {
        ("<", true) | (">=", false) => (i64::MIN, below?),
        ("<=", true) | (">", false) => (i64::MIN, number),
        (">", true) | ("<=", false) => (above?, i64::MAX),
        (">=", true) | ("<", false) => (number, i64::MAX),
        ("==", true) | ("!=", false) => (number, number),
        _ => return None,
    };
    Some((path, least, greatest))
}

fn mirrored(name: &str) -> &str {
    match name {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        other => other,
    }
}

fn number(expression: &Value) -> Option<i64> {
    match operator(expression)? {
        ("Value", literal) => literal.as_i64(),
        ("neg", inner) => number(inner.get("arg")?)?.checked_neg(),
        _ => None,
    }
}

/// `context.status == "open"` or `["open", "new"].contains(context.status)`, as the texts that the path may be; `!=` as those
/// that it may not be.
fn text_choice(expression: &Value) -> Option<(String, BTreeSet<String>)> {
    let (name, sides) = operator(expression)?;
    let (left, right) = (sides.get("left")?, sides.get("right")?);
    match name {
        "==" | "!=" => {
            let (of, literal) = match (path(left), path(right)) {
                (Some(of), _) => (of, right),
                (None, Some(of)) => (of, left),
                (None, None) => return None,
            };
            Some((of, BTreeSet::from([text(literal)?])))
        }
        "contains" => {
            let ("Set", Value::Array(items)) = operator(left)? else {
                return None;
            };
            Some((path(right)?, items.iter().map(text).collect::<Option<_>>()?))
        }
        _ => None,
    }
}

fn text(expression: &Value) -> Option<String> {
    match operator(expression)? {
        ("Value", Value::String(text)) => Some(text.clone()),
        _ => None,
    }
}
