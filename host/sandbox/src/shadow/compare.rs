//! Holds what was recorded against what a candidate does: pure, and bounded in what it gives.

#[cfg(test)]
mod tests;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::call::Ended;
use super::exchange::{Asked, Exchange};
use super::report::{CapabilityDifference, Changes, Difference};

/// Changed places that are shown of one thing.
const PLACES: usize = 10;
/// Characters of a value, or of anything else that is shown.
const CHARS: usize = 160;

/// What is different in the end of a call.
pub(super) fn ends(was: &Ended, is: &Ended) -> Changes {
    let mut changes = Changes::default();
    match (was, is) {
        (Ended::Output(was), Ended::Output(is)) => _ = changes.texts("", was, is),
        (Ended::Error(was), Ended::Error(is)) => changes.values("", &json!(was), &json!(is)),
        _ if was == is => {}
        _ => changes.add("", || (Some(ended(was)), Some(ended(is)))),
    }
    changes
}

/// What is different in what was asked of the capabilities: first the changed and additional ones in the order of the asking,
/// then the missing ones. At most 10, with the number of the others.
pub(super) fn asks(
    recorded: &[Exchange],
    asked: &[(Asked, Option<usize>)],
) -> (Vec<CapabilityDifference>, usize) {
    let mut unused: BTreeSet<usize> = (0..recorded.len()).collect();
    for (_, used) in asked {
        used.map(|used| unused.remove(&used));
    }
    let mut found = Vec::new();
    for (is, used) in asked {
        let was = used.or_else(|| most_alike(recorded, &unused, is));
        was.map(|was| unused.remove(&was));
        let was = was.and_then(|was| recorded.get(was));
        found.extend(difference(was.map(|was| &was.asked), is));
    }
    let missing = unused.iter().filter_map(|at| recorded.get(*at));
    found.extend(missing.map(|one| plain(Difference::Missing, &one.asked)));
    let more = found.len().saturating_sub(PLACES);
    found.truncate(PLACES);
    (found, more)
}

/// The beginning of a text.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn plain(kind: Difference, asked: &Asked) -> CapabilityDifference {
    CapabilityDifference {
        kind,
        asked: shortened(&told(asked)),
        changes: Changes::default(),
    }
}

fn difference(was: Option<&Asked>, is: &Asked) -> Option<CapabilityDifference> {
    let Some(was) = was else {
        return Some(plain(Difference::Additional, is));
    };
    let changes = changes(was, is);
    (!changes.is_empty()).then(|| CapabilityDifference {
        changes,
        ..plain(Difference::Changed, is)
    })
}

/// Which of the exchanges that answered nothing comes closest, so that it is shown as a change; the first of several.
fn most_alike(recorded: &[Exchange], unused: &BTreeSet<usize>, is: &Asked) -> Option<usize> {
    let alike = |at: &usize| Some((likeness(&recorded.get(*at)?.asked, is)?, *at));
    let ranked = unused.iter().filter_map(alike).rev();
    ranked
        .max_by_key(|(likeness, _)| *likeness)
        .map(|(_, at)| at)
}

/// How much two have in common; none where they are two different things.
fn likeness(was: &Asked, is: &Asked) -> Option<u8> {
    match (was, is) {
        (
            Asked::Http { method, url, .. },
            Asked::Http {
                method: new_method,
                url: new_url,
                ..
            },
        ) => match (url == new_url, method == new_method) {
            (true, true) => Some(3),
            (true, false) => Some(2),
            (false, true) => (origin(url) == origin(new_url)).then_some(1),
            (false, false) => None,
        },
        (Asked::SetValue { key, .. }, Asked::SetValue { key: new_key, .. }) => {
            Some(if key == new_key { 2 } else { 1 })
        }
        (Asked::Value { .. }, Asked::Value { .. })
        | (Asked::Keys { .. }, Asked::Keys { .. })
        | (Asked::Completion { .. }, Asked::Completion { .. }) => Some(1),
        _ => None,
    }
}

/// Scheme, host and port.
fn origin(url: &str) -> Option<&str> {
    url.split('/').nth(2)
}

fn changes(was: &Asked, is: &Asked) -> Changes {
    let (was, is) = (parts(was), parts(is));
    let mut changes = Changes::default();
    for at in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
        match (was.get(at), is.get(at)) {
            (Some(was), Some(is)) if was == is => {}
            // Written in another way, the same JSON is another text to whoever gets it.
            (Some(was), Some(is)) if changes.texts(at, was, is) => {}
            (was, is) => changes.add(at, || (was.cloned(), is.cloned())),
        }
    }
    changes
}

/// What it is made of, by place.
fn parts(asked: &Asked) -> BTreeMap<String, String> {
    let one = |at: &str, text: String| (at.to_owned(), text);
    match asked {
        Asked::Http {
            method,
            url,
            headers,
            body,
        } => {
            let fields = headers.keys().map(|name| {
                let values: Vec<_> = headers
                    .get_all(name)
                    .iter()
                    .map(|v| lossy(v.as_bytes()))
                    .collect();
                (format!("header {name}"), values.join(", "))
            });
            let rest = [
                one("method", method.to_string()),
                one("url", url.clone()),
                one("body", lossy(body)),
            ];
            fields.chain(rest).collect()
        }
        Asked::Value { key } => [one("key", key.clone())].into(),
        Asked::SetValue { key, value } => {
            let value = value.iter().map(|value| one("value", lossy(value)));
            value.chain([one("key", key.clone())]).collect()
        }
        Asked::Keys { from } => [one("from", from.to_string())].into(),
        Asked::Completion { prompt, max_tokens } => [
            one("prompt", prompt.clone()),
            one("max_tokens", max_tokens.to_string()),
        ]
        .into(),
    }
}

/// What was asked for, in a few words.
fn told(asked: &Asked) -> String {
    match asked {
        Asked::Http { method, url, .. } => format!("{method} {url}"),
        Asked::Value { key } => format!("read the key {key:?}"),
        Asked::SetValue {
            key,
            value: Some(_),
        } => format!("set the key {key:?}"),
        Asked::SetValue { key, value: None } => format!("delete the key {key:?}"),
        Asked::Keys { from } => format!("list the keys from {from}"),
        Asked::Completion { prompt, .. } => format!("complete {prompt:?}"),
    }
}

fn ended(ended: &Ended) -> String {
    match ended {
        Ended::Output(text) | Ended::Failed(text) => text.clone(),
        Ended::Error(error) => error.to_string(),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
