//! What was done to a tenant's plugins: appended with every change, beside an audit record that says the same.

use dispatch::{AuditEntry, AuditKind, BindingAction, HISTORY_LIMIT, HistoryEntry, Pinned};
use rusqlite::{Connection, Row, params};
use serde_json::json;

use super::pinned;
use crate::sqlite::audit::Draft;
use crate::sqlite::clock::StoreClock;
use crate::sqlite::columns::Word;
use crate::sqlite::fault::Fault;

/// One thing that was done, before it has its place and time.
pub(super) struct Deed<'a> {
    pub(super) tenant: &'a str,
    pub(super) plugin: &'a str,
    pub(super) by: &'a str,
    pub(super) action: BindingAction,
    pub(super) from: Option<&'a Pinned>,
    pub(super) to: Option<&'a Pinned>,
    pub(super) reason: &'a str,
}

impl Deed<'_> {
    /// Appends it to the history and to the audit log, in the transaction that does it.
    pub(super) fn append(&self, db: &Connection, clock: &StoreClock) -> Result<(), Fault> {
        self.append_history(db, clock.now_ms())?;
        let draft =
            Draft::of(&self.entry()).map_err(|error| Fault::Unavailable(error.to_string()))?;
        draft.append(db, clock)
    }

    fn append_history(&self, db: &Connection, at_ms: i64) -> Result<(), Fault> {
        let (from_version, from_digest) = pinned::columns(self.from);
        let (to_version, to_digest) = pinned::columns(self.to);
        db.prepare_cached(
            "INSERT INTO plugin_history (seq, tenant, plugin, at_ms, changed_by, action, from_version, from_digest, \
                 to_version, to_digest, reason) \
             SELECT coalesce(max(seq), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM plugin_history",
        )?
        .execute(params![
            self.tenant,
            self.plugin,
            at_ms,
            self.by,
            Word(self.action),
            from_version,
            from_digest,
            to_version,
            to_digest,
            self.reason
        ])?;
        Ok(())
    }

    fn entry(&self) -> AuditEntry {
        AuditEntry {
            kind: AuditKind::Host,
            tenant: self.tenant.to_owned(),
            case: None,
            actor: self.by.to_owned(),
            tool: None,
            detail: json!({
                "plugin": self.plugin,
                "action": self.action,
                "from": self.from,
                "to": self.to,
                "reason": self.reason,
            }),
        }
    }
}

pub(super) fn list(
    db: &Connection,
    tenant: &str,
    plugin: Option<&str>,
) -> Result<Vec<HistoryEntry>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT seq, tenant, plugin, at_ms, changed_by, action, reason, from_version, from_digest, to_version, to_digest \
         FROM plugin_history WHERE tenant = ?1 AND (?2 IS NULL OR plugin = ?2) ORDER BY seq DESC LIMIT ?3",
    )?;
    let entries = statement.query_map(params![tenant, plugin, HISTORY_LIMIT], read)?;
    Ok(entries.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<HistoryEntry> {
    Ok(HistoryEntry {
        seq: row.get(0)?,
        tenant: row.get(1)?,
        plugin: row.get(2)?,
        at_ms: row.get(3)?,
        by: row.get(4)?,
        action: row.get::<_, Word<_>>(5)?.0,
        reason: row.get(6)?,
        from: pinned::read(row, 7)?,
        to: pinned::read(row, 9)?,
    })
}
