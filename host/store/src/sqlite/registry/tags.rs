//! Tags that plugins were pinned with: where each was found to lead, told once in the audit log for each place.

use dispatch::{AuditEntry, AuditKind, TagFound, TagMove};
use rusqlite::{Connection, Row, params};
use serde_json::json;

use crate::sqlite::audit::Draft;
use crate::sqlite::clock::StoreClock;
use crate::sqlite::fault::Fault;

/// Whether it is news.
pub(super) fn found(db: &Connection, found: &TagFound, clock: &StoreClock) -> Result<bool, Fault> {
    let leads_to = found.now.as_deref().unwrap_or_default();
    db.prepare_cached(
        "UPDATE plugin_tag_moves SET is_now = (leads_to = ?4) \
         WHERE tenant = ?1 AND plugin = ?2 AND reference = ?3 AND is_now <> (leads_to = ?4)",
    )?
    .execute(params![
        found.tenant,
        found.plugin,
        found.reference,
        leads_to
    ])?;
    if leads_to == found.pinned {
        return Ok(false);
    }
    let at_ms = clock.now_ms();
    let added = db
        .prepare_cached(
            "INSERT INTO plugin_tag_moves (tenant, plugin, reference, pinned, leads_to, seen_at_ms, is_now) \
             VALUES (?, ?, ?, ?, ?, ?, 1) ON CONFLICT (tenant, plugin, reference, leads_to) DO NOTHING",
        )?
        .execute(params![
            found.tenant,
            found.plugin,
            found.reference,
            found.pinned,
            leads_to,
            at_ms
        ])?;
    if added == 0 {
        return Ok(false);
    }
    let draft = Draft::of(&entry(found, at_ms));
    let draft = draft.map_err(|error| Fault::Unavailable(error.to_string()))?;
    draft.append(db, clock)?;
    Ok(true)
}

fn entry(found: &TagFound, at_ms: i64) -> AuditEntry {
    AuditEntry {
        kind: AuditKind::Host,
        tenant: found.tenant.clone(),
        case: None,
        actor: found.by.clone(),
        tool: None,
        detail: json!({
            "event": "tag_moved",
            "plugin": found.plugin,
            "reference": found.reference,
            "pinned": found.pinned,
            "now": found.now,
            "seen_at_ms": at_ms,
        }),
    }
}

/// Those that led elsewhere at the last look.
pub(super) fn list(db: &Connection, tenant: &str) -> Result<Vec<TagMove>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT plugin, reference, pinned, nullif(leads_to, ''), seen_at_ms FROM plugin_tag_moves \
         WHERE tenant = ? AND is_now ORDER BY plugin, reference",
    )?;
    let moves = statement.query_map([tenant], read)?;
    Ok(moves.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<TagMove> {
    Ok(TagMove {
        plugin: row.get(0)?,
        reference: row.get(1)?,
        pinned: row.get(2)?,
        now: row.get(3)?,
        seen_at_ms: row.get(4)?,
    })
}
