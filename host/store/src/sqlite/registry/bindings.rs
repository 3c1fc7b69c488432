//! What tenants' plugins are bound to: replaced by comparing revisions, so that of two operators one is first.

use dispatch::{Binding, BindingChange, Bound, Canary, Pinned, Tolerance};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::history::Deed;
use super::{pinned, versions};
use crate::sqlite::clock::StoreClock;
use crate::sqlite::columns::Json;
use crate::sqlite::fault::Fault;

const COLUMNS: &str = "SELECT tenant, plugin, revision, killed, from_folder, stable_version, stable_digest, \
     canary_version, canary_digest, canary_per_mille, previous_version, previous_digest, canary_tolerance \
     FROM plugin_bindings";

pub(super) fn bind(
    db: &Connection,
    change: BindingChange,
    clock: &StoreClock,
) -> Result<Bound, Fault> {
    if let Some(removed) = removed(db, &change.binding)? {
        return Ok(Bound::Removed(removed));
    }
    if !replace(db, &change.binding)? {
        let newest = newest(db, &change.binding.tenant, &change.binding.plugin)?;
        return Ok(Bound::Stale(newest));
    }
    deed(&change).append(db, clock)?;
    let mut binding = change.binding;
    binding.revision += 1;
    Ok(Bound::Done(binding))
}

fn deed(change: &BindingChange) -> Deed<'_> {
    Deed {
        tenant: &change.binding.tenant,
        plugin: &change.binding.plugin,
        by: &change.by,
        action: change.action,
        from: change.from.as_ref(),
        to: change.to.as_ref(),
        reason: &change.reason,
    }
}

/// What the binding names though it is not installed any more.
fn removed(db: &Connection, binding: &Binding) -> Result<Option<Pinned>, Fault> {
    let canary = binding.canary.as_ref().map(|canary| Pinned {
        version: canary.version.clone(),
        digest: canary.digest.clone(),
    });
    for pinned in [binding.stable.clone(), canary, binding.previous.clone()] {
        if let Some(pinned) = pinned
            && versions::is_removed(db, &binding.tenant, &binding.plugin, &pinned)?
        {
            return Ok(Some(pinned));
        }
    }
    Ok(None)
}

/// Compares and sets in one statement: of many that saw the same revision, one finds it.
fn replace(db: &Connection, binding: &Binding) -> Result<bool, Fault> {
    let sql = if binding.revision == 0 {
        "INSERT INTO plugin_bindings (tenant, plugin, revision, stable_version, stable_digest, canary_version, canary_digest, \
             canary_per_mille, previous_version, previous_digest, killed, from_folder, canary_tolerance) \
         VALUES (?1, ?2, ?3 + 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT (tenant, plugin) DO NOTHING"
    } else {
        "UPDATE plugin_bindings SET revision = revision + 1, stable_version = ?4, stable_digest = ?5, canary_version = ?6, \
             canary_digest = ?7, canary_per_mille = ?8, previous_version = ?9, previous_digest = ?10, killed = ?11, \
             from_folder = ?12, canary_tolerance = ?13 \
         WHERE tenant = ?1 AND plugin = ?2 AND revision = ?3"
    };
    let (stable_version, stable_digest) = pinned::columns(binding.stable.as_ref());
    let (previous_version, previous_digest) = pinned::columns(binding.previous.as_ref());
    let canary = binding.canary.as_ref();
    let changed = db.prepare_cached(sql)?.execute(params![
        binding.tenant,
        binding.plugin,
        binding.revision,
        stable_version,
        stable_digest,
        canary.map(|canary| &canary.version),
        canary.map(|canary| &canary.digest),
        canary.map(|canary| canary.per_mille),
        previous_version,
        previous_digest,
        Json(&binding.killed),
        binding.from_folder,
        canary.map(|canary| Json(canary.tolerance))
    ])?;
    Ok(changed == 1)
}

fn newest(db: &Connection, tenant: &str, plugin: &str) -> Result<Option<Binding>, Fault> {
    Ok(db
        .prepare_cached(&format!("{COLUMNS} WHERE tenant = ? AND plugin = ?"))?
        .query_row([tenant, plugin], read)
        .optional()?)
}

/// Whether a plugin's binding names a version.
pub(super) fn names(
    db: &Connection,
    tenant: &str,
    plugin: &str,
    version: &str,
) -> Result<bool, Fault> {
    Ok(db
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM plugin_bindings WHERE tenant = ?1 AND plugin = ?2 \
                 AND ?3 IN (stable_version, canary_version, previous_version))",
        )?
        .query_row([tenant, plugin, version], |row| row.get(0))?)
}

pub(super) fn list(db: &Connection, tenant: &str) -> Result<Vec<Binding>, Fault> {
    let mut statement =
        db.prepare_cached(&format!("{COLUMNS} WHERE tenant = ? ORDER BY plugin"))?;
    let bindings = statement.query_map([tenant], read)?;
    Ok(bindings.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Binding> {
    let per_mille: Option<u16> = row.get(9)?;
    let canary = pinned::read(row, 7)?.zip(per_mille);
    let tolerance: Option<Json<Tolerance>> = row.get(12)?;
    Ok(Binding {
        tenant: row.get(0)?,
        plugin: row.get(1)?,
        revision: row.get(2)?,
        killed: row.get::<_, Json<_>>(3)?.0,
        from_folder: row.get(4)?,
        stable: pinned::read(row, 5)?,
        canary: canary.map(|(pinned, per_mille)| Canary {
            version: pinned.version,
            digest: pinned.digest,
            per_mille,
            tolerance: tolerance.map(|said| said.0).unwrap_or_default(),
        }),
        previous: pinned::read(row, 10)?,
    })
}
