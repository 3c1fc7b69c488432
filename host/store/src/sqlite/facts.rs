//! The facts of a case on SQLite: one row per entity, merged attribute by attribute.

use std::collections::BTreeMap;

use dispatch::policy::{Entity, Fact};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::columns::Json;
use super::fault::Fault;

/// Merges facts into what the case knows.
pub(super) fn establish(
    db: &Connection,
    case: &str,
    facts: Vec<(Entity, Fact)>,
) -> Result<(), Fault> {
    for (entity, fact) in facts {
        let fact = match known(db, case, &entity)? {
            Some(known) => merge(known, fact),
            None => fact,
        };
        put(db, case, &entity, &fact)?;
    }
    Ok(())
}

/// What the case knows.
pub(super) fn facts(db: &Connection, case: &str) -> Result<BTreeMap<Entity, Fact>, Fault> {
    let sql = "SELECT established_at, attributes, kind, id FROM facts WHERE case_id = ?";
    let mut statement = db.prepare_cached(sql)?;
    let facts = statement.query_map([case], |row| {
        Ok((
            Entity {
                kind: row.get(2)?,
                id: row.get(3)?,
            },
            fact(row)?,
        ))
    })?;
    Ok(facts.collect::<Result<_, _>>()?)
}

/// The newer fact's attributes win; results of calls that ran side by side may come in either order.
fn merge(a: Fact, b: Fact) -> Fact {
    let (mut merged, newer) = if b.established_at >= a.established_at {
        (a, b)
    } else {
        (b, a)
    };
    merged.established_at = newer.established_at;
    merged.attributes.extend(newer.attributes);
    merged
}

fn known(db: &Connection, case: &str, entity: &Entity) -> Result<Option<Fact>, Fault> {
    let sql =
        "SELECT established_at, attributes FROM facts WHERE case_id = ? AND kind = ? AND id = ?";
    let mut statement = db.prepare_cached(sql)?;
    Ok(statement
        .query_row([case, &entity.kind, &entity.id], fact)
        .optional()?)
}

fn put(db: &Connection, case: &str, entity: &Entity, fact: &Fact) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO facts (case_id, kind, id, established_at, attributes) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT DO UPDATE SET established_at = ?4, attributes = ?5",
    )?
    .execute(params![
        case,
        entity.kind,
        entity.id,
        fact.established_at,
        Json(&fact.attributes)
    ])?;
    Ok(())
}

fn fact(row: &Row<'_>) -> rusqlite::Result<Fact> {
    Ok(Fact {
        established_at: row.get(0)?,
        attributes: row.get::<_, Json<_>>(1)?.0,
    })
}
