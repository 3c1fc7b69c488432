//! The versions that tenants know: added once, never changed, removed where nothing is bound to them.

use dispatch::{Added, BindingAction, KnownAs, NewVersion, Pinned, PluginVersion};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::bindings;
use super::history::Deed;
use crate::sqlite::clock::StoreClock;
use crate::sqlite::columns::Json;
use crate::sqlite::fault::Fault;

/// What is stored under a number.
struct Stored {
    digest: String,
    is_removed: bool,
}

pub(super) fn add(
    db: &Connection,
    version: &NewVersion,
    clock: &StoreClock,
) -> Result<Added, Fault> {
    let (added, changed) = match stored(db, &version.tenant, &version.plugin, &version.version)? {
        Some(stored) if stored.digest != version.digest => {
            return Ok(Added::OtherDigest(stored.digest));
        }
        Some(stored) if !stored.is_removed => (Added::Known, amend(db, version)?),
        _ => (Added::New, put(db, version, clock.now())?),
    };
    if changed {
        tell_installed(db, version, &added, clock)?;
    }
    Ok(added)
}

/// Forgets a version that nothing is bound to.
pub(super) fn remove(
    db: &Connection,
    [tenant, plugin, version]: [&str; 3],
    by: &str,
    reason: &str,
    clock: &StoreClock,
) -> Result<bool, Fault> {
    let Some(Stored { digest, .. }) = stored(db, tenant, plugin, version)? else {
        return Ok(false);
    };
    if bindings::names(db, tenant, plugin, version)? || !forget(db, tenant, plugin, version, clock)?
    {
        return Ok(false);
    }
    let removed = Pinned {
        version: version.to_owned(),
        digest,
    };
    let deed = Deed {
        tenant,
        plugin,
        by,
        action: BindingAction::Remove,
        from: Some(&removed),
        to: None,
        reason,
    };
    deed.append(db, clock)?;
    Ok(true)
}

/// Whether a version with this digest was removed, and has not come back.
pub(super) fn is_removed(
    db: &Connection,
    tenant: &str,
    plugin: &str,
    pinned: &Pinned,
) -> Result<bool, Fault> {
    let stored = stored(db, tenant, plugin, &pinned.version)?;
    Ok(stored.is_some_and(|stored| stored.is_removed && stored.digest == pinned.digest))
}

fn stored(
    db: &Connection,
    tenant: &str,
    plugin: &str,
    version: &str,
) -> Result<Option<Stored>, Fault> {
    Ok(db
        .prepare_cached(
            "SELECT digest, removed_at IS NOT NULL FROM plugin_versions \
             WHERE tenant = ? AND plugin = ? AND version = ?",
        )?
        .query_row([tenant, plugin, version], |row| {
            Ok(Stored {
                digest: row.get(0)?,
                is_removed: row.get(1)?,
            })
        })
        .optional()?)
}

/// A number that is new, or one that was removed and means the same as before.
fn put(db: &Connection, version: &NewVersion, now: i64) -> Result<bool, Fault> {
    db.prepare_cached(
        "INSERT INTO plugin_versions (tenant, plugin, version, digest, source, signed_by, accepted, installed_by, installed_at, \
             signatures) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (tenant, plugin, version) DO UPDATE SET source = excluded.source, signed_by = excluded.signed_by, \
             accepted = excluded.accepted, installed_by = excluded.installed_by, installed_at = excluded.installed_at, \
             signatures = excluded.signatures, removed_at = NULL",
    )?
    .execute(params![
        version.tenant,
        version.plugin,
        version.version,
        version.digest,
        version.source,
        version.signed_by,
        Json(&version.accepted),
        version.installed_by,
        now,
        version.signatures
    ])?;
    Ok(true)
}

/// Takes over what is said anew of a known version; whether anything is.
fn amend(db: &Connection, version: &NewVersion) -> Result<bool, Fault> {
    let accepted = (!version.accepted.is_null()).then_some(Json(&version.accepted));
    let changed = db
        .prepare_cached(
            "UPDATE plugin_versions SET accepted = coalesce(?4, accepted), signed_by = coalesce(?5, signed_by), \
                 signatures = coalesce(?6, signatures) \
             WHERE tenant = ?1 AND plugin = ?2 AND version = ?3 \
               AND (accepted <> coalesce(?4, accepted) OR coalesce(signed_by, '') <> coalesce(?5, signed_by, '') \
                    OR coalesce(signatures, '') <> coalesce(?6, signatures, ''))",
        )?
        .execute(params![
            version.tenant,
            version.plugin,
            version.version,
            accepted,
            version.signed_by,
            version.signatures
        ])?;
    Ok(changed > 0)
}

fn tell_installed(
    db: &Connection,
    version: &NewVersion,
    added: &Added,
    clock: &StoreClock,
) -> Result<(), Fault> {
    let signed = match &version.signed_by {
        Some(key) => format!("signed by {key}"),
        None => "not signed".to_owned(),
    };
    let how = match added {
        Added::Known => format!("accepted anew, {signed}"),
        _ => format!("from {}, {signed}", version.source),
    };
    let reason = match version.reason.as_str() {
        "" => how,
        reason => format!("{reason} ({how})"),
    };
    let installed = Pinned {
        version: version.version.clone(),
        digest: version.digest.clone(),
    };
    let deed = Deed {
        tenant: &version.tenant,
        plugin: &version.plugin,
        by: &version.installed_by,
        action: BindingAction::Install,
        from: None,
        to: Some(&installed),
        reason: &reason,
    };
    deed.append(db, clock)
}

fn forget(
    db: &Connection,
    tenant: &str,
    plugin: &str,
    version: &str,
    clock: &StoreClock,
) -> Result<bool, Fault> {
    let changed = db
        .prepare_cached(
            "UPDATE plugin_versions SET removed_at = ? \
             WHERE tenant = ? AND plugin = ? AND version = ? AND removed_at IS NULL",
        )?
        .execute(params![clock.now(), tenant, plugin, version])?;
    Ok(changed == 1)
}

pub(super) fn list(db: &Connection, tenant: &str) -> Result<Vec<PluginVersion>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT tenant, plugin, version, digest, source, signed_by, accepted, installed_by, installed_at, signatures \
         FROM plugin_versions WHERE tenant = ? AND removed_at IS NULL ORDER BY plugin, number",
    )?;
    let versions = statement.query_map([tenant], read)?;
    Ok(versions.collect::<Result<_, _>>()?)
}

/// What is bound is not removed, whatever its row says.
pub(super) fn known(db: &Connection) -> Result<Vec<KnownAs>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT digest, tenant, plugin, version, removed_at IS NOT NULL AND NOT EXISTS ( \
             SELECT 1 FROM plugin_bindings AS bound WHERE plugin_versions.digest \
                 IN (bound.stable_digest, bound.canary_digest, bound.previous_digest)) \
         FROM plugin_versions ORDER BY tenant, plugin, number",
    )?;
    let known = statement.query_map([], |row| {
        Ok(KnownAs {
            digest: row.get(0)?,
            tenant: row.get(1)?,
            plugin: row.get(2)?,
            version: row.get(3)?,
            is_removed: row.get(4)?,
        })
    })?;
    Ok(known.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<PluginVersion> {
    Ok(PluginVersion {
        tenant: row.get(0)?,
        plugin: row.get(1)?,
        version: row.get(2)?,
        digest: row.get(3)?,
        source: row.get(4)?,
        signed_by: row.get(5)?,
        accepted: row.get::<_, Json<_>>(6)?.0,
        installed_by: row.get(7)?,
        installed_at: row.get(8)?,
        signatures: row.get(9)?,
    })
}
