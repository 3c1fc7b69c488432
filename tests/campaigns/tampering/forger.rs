//! The forger: every way in which somebody may try to change what the log says, chosen by chance.

use serde_json::Value;

use super::log::{Record, rehash, rehash_one, renumber};

/// What is done to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// One record says something else.
    Edit,
    /// Records are gone from the beginning or the middle.
    Delete,
    /// A record appears that never was. One that is merely added behind the end, with a hash that fits, is what a host
    /// would have written: no chain tells it apart.
    Insert,
    /// Records change places.
    Reorder,
    /// The end is gone.
    Truncate,
    /// From some record on there is another history, whose hashes all fit.
    Fork,
}

pub(super) const KINDS: [Kind; 6] = [
    Kind::Edit,
    Kind::Delete,
    Kind::Insert,
    Kind::Reorder,
    Kind::Truncate,
    Kind::Fork,
];

/// How much trouble the forger takes to hide it.
#[derive(Clone, Copy, Debug)]
enum Care {
    /// None.
    Careless,
    /// Numbers are without gaps again.
    Renumbers,
    /// The changed record fits itself.
    FitsItself,
    /// Every hash fits again, to the end.
    FitsAll,
}

/// Changes the log; what it does besides depends on chance.
pub(super) fn tamper(records: &mut Vec<Record>, kind: Kind, chance: &mut fastrand::Rng) {
    let place = chance.usize(0..records.len());
    match kind {
        Kind::Edit => {
            edit(&mut records[place], chance);
            hide(records, place, chance);
        }
        Kind::Delete => {
            // Up to the last but one: without the last it is a truncation.
            let first = chance.usize(0..records.len() - 1);
            let many = chance.usize(1..=(records.len() - 1 - first).min(5));
            records.drain(first..first + many);
            hide(records, first, chance);
        }
        Kind::Insert => {
            let mut record = records[chance.usize(0..records.len())].clone();
            edit(&mut record, chance);
            records.insert(place, record);
            // Without other numbers the file itself would refuse two records in one place.
            renumber(records);
            hide(records, place, chance);
        }
        Kind::Reorder => {
            let other = (place + chance.usize(1..records.len())) % records.len();
            swap(records, place, other, chance);
            hide(records, place.min(other), chance);
        }
        Kind::Truncate => records.truncate(place),
        Kind::Fork => fork(records, place, chance),
    }
}

/// The contents change places; the numbers may stay where they are.
fn swap(records: &mut [Record], one: usize, other: usize, chance: &mut fastrand::Rng) {
    records.swap(one, other);
    if chance.bool() {
        let seq = records[one].seq;
        records[one].seq = records[other].seq;
        records[other].seq = seq;
        if chance.bool() {
            rehash_one(&mut records[one]);
        }
    } else {
        renumber(records);
    }
}

fn hide(records: &mut [Record], from: usize, chance: &mut fastrand::Rng) {
    let cares = [
        Care::Careless,
        Care::Renumbers,
        Care::FitsItself,
        Care::FitsAll,
    ];
    match cares[chance.usize(0..cares.len())] {
        Care::Careless => {}
        Care::Renumbers => renumber(records),
        Care::FitsItself => {
            renumber(records);
            if let Some(record) = records.get_mut(from) {
                rehash_one(record);
            }
        }
        Care::FitsAll => {
            renumber(records);
            rehash(records, from);
        }
    }
}

/// As many records as before, fewer or more, all of them in order.
fn fork(records: &mut Vec<Record>, from: usize, chance: &mut fastrand::Rng) {
    let tail: Vec<Record> = records.split_off(from);
    let length = chance.usize(1..=2 * tail.len());
    for place in 0..length {
        let mut record = tail[place % tail.len()].clone();
        edit(&mut record, chance);
        records.push(record);
    }
    renumber(records);
    rehash(records, from);
}

/// One field of one record becomes another one.
fn edit(record: &mut Record, chance: &mut fastrand::Rng) {
    match chance.usize(0..8) {
        0 => record.at_ms += chance.i64(1..100_000),
        1 => change_text(&mut record.previous, chance),
        2 => change_text(&mut record.hash, chance),
        3 => change_text(&mut record.entry, chance),
        _ => {
            let mut entry: Value = serde_json::from_str(&record.entry).unwrap();
            change_leaf(&mut entry, chance);
            record.entry = entry.to_string();
        }
    }
}

/// Some value inside the entry, however deep: who, what, which rule, how much.
fn change_leaf(value: &mut Value, chance: &mut fastrand::Rng) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            let place = chance.usize(0..members.len());
            members
                .values_mut()
                .nth(place)
                .into_iter()
                .for_each(|value| change_leaf(value, chance));
        }
        Value::Array(items) if !items.is_empty() => {
            let place = chance.usize(0..items.len());
            change_leaf(&mut items[place], chance);
        }
        Value::String(text) => change_text(text, chance),
        Value::Bool(yes) => *yes = !*yes,
        other => *other = Value::from(chance.u32(..).to_string()),
    }
}

/// One letter becomes another one.
fn change_text(text: &mut String, chance: &mut fastrand::Rng) {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.is_empty() {
        return text.push('x');
    }
    let place = chance.usize(0..letters.len());
    letters[place] = if letters[place] == '7' { '3' } else { '7' };
    *text = letters.into_iter().collect();
}
