//! Writing a tenant's folder: texts that belong together are one change, and on the disk it is whole or not there.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Refusal, Roster, RosterError, stamped};
use crate::files;
use crate::host::bindings::Bindings;
use crate::tenants::{TenantError, TenantFolder};

/// Texts by their path in a tenant's folder: `rules/own.cedar`; none where the file is deleted. What is not named stays.
pub(crate) type FolderChange = BTreeMap<String, Option<String>>;

/// While a change of several files is being written, what was there before lies in this file, and what is to be there after.
const BEFORE: &str = ".before-the-change";

/// What lies in it.
#[derive(Deserialize, Serialize)]
struct HalfDone {
    before: FolderChange,
    after: FolderChange,
}

impl Roster {
    /// Puts texts in place of files of a tenant's folder, or deletes files, once the whole fits; makes the tenant where there was
    /// none. Refused, the folder stays as it was.
    pub(crate) async fn write(
        &self,
        name: &str,
        change: FolderChange,
        by: &str,
    ) -> Result<(), RosterError> {
        let path = self.folder_of(name)?;
        let _turn = self.turn(name).await;
        let now = self.folder_now(name, &path)?;
        let changed = now.with(&change).map_err(Refusal::from)?;
        check_deleted(&now, &change)?;
        let seen = stamped(Ok(changed.clone()));
        let bindings = self.bindings(name).await?;
        let load = |bindings: &Bindings| Ok(self.load(&changed, bindings)?);
        let proposal = self.prepared(load, bindings).await??;
        let kept = self.publishing().check_kept(&proposal.ready, None);
        kept.map_err(Refusal::from)?;
        let _going = self.going_live.lock().await;
        let keys = self.parts.tenants.check_keys(&proposal.tenant);
        keys.map_err(Refusal::from)?;
        place(&now, &change)?;
        self.record(name, by, told(&change)).await?;
        self.put_live(proposal, by).await??;
        self.keep_good(&changed);
        self.know(name, seen, None);
        Ok(())
    }

    /// The folder as it is; an empty one where there is none.
    fn folder_now(&self, name: &str, path: &Path) -> Result<TenantFolder, Refusal> {
        if files::is_folder(path) {
            undo_half_done(path)?;
            return Ok(self.read(name)?);
        }
        Ok(TenantFolder {
            name: name.to_owned(),
            path: path.to_owned(),
            ..TenantFolder::default()
        })
    }
}

/// A file to be deleted that is not there is a mistyped one.
fn check_deleted(now: &TenantFolder, change: &FolderChange) -> Result<(), RosterError> {
    let is_missing = |(file, text): &(&String, &Option<String>)| {
        text.is_none() && !now.texts.contains_key(*file)
    };
    match change.iter().find(is_missing) {
        Some((file, _)) => Err(RosterError::Missing(format!(
            "there is no {file} in the folder of {} to delete; GET /api/tenants/{} shows its files",
            now.name, now.name
        ))),
        None => Ok(()),
    }
}

/// Writes it. One file is replaced or deleted at once; before several are, what was there is put aside, so that whatever ends
/// this early is undone.
fn place(now: &TenantFolder, change: &FolderChange) -> io::Result<()> {
    if change.len() < 2 {
        return carry_out(&now.path, change);
    }
    let before = |file: &String| (file.clone(), now.texts.get(file).cloned());
    let aside = now.path.join(BEFORE);
    let half_done = HalfDone {
        before: change.keys().map(before).collect(),
        after: change.clone(),
    };
    files::replace_text(&aside, &serde_json::to_string(&half_done)?)?;
    // From its deletion on, the change is there for good.
    let placed = carry_out(&now.path, change).and_then(|()| files::remove_file(&aside));
    if placed.is_err()
        && let Err(error) = undo_half_done(&now.path)
    {
        tracing::error!(tenant = now.name, %error, "a change of a tenant's folder is left half done");
    }
    placed
}

fn carry_out(folder: &Path, change: &FolderChange) -> io::Result<()> {
    change.iter().try_for_each(|(file, text)| {
        let path = folder.join(file);
        match text {
            Some(text) => files::replace_text(&path, text),
            None => match files::remove_file(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                removed => removed,
            },
        }
    })
}

/// Puts back what a change has left half done: the process ended, or the disk was full. A folder in which it cannot be put back
/// is refused: half of a change is nobody's word. So is one that somebody has edited since: nothing is written over that, and
/// whether it goes with the other half is theirs to say. It is tried again whenever the folder is taken up or changed.
pub(super) fn undo_half_done(folder: &Path) -> Result<(), TenantError> {
    let aside = folder.join(BEFORE);
    if !files::exists(&aside) {
        return Ok(());
    }
    let refused = |message: String| TenantError {
        file: BEFORE.to_owned(),
        line: None,
        key: String::new(),
        message,
    };
    let failed = |error: io::Error| {
        refused(format!(
            "a change of the folder was left half done, and cannot be undone ({error}): this file has what was before; put that back, delete this file, and reload the tenant"
        ))
    };
    let half_done = left_half_done(&aside).map_err(failed)?;
    let edited = edited_since(folder, &half_done).map_err(failed)?;
    if !edited.is_empty() {
        let edited = edited.join(", ");
        let all: Vec<_> = half_done.before.keys().map(String::as_str).collect();
        return Err(refused(format!(
            "a change of {} was left half done, and by now {edited} is neither as it was before nor as it was to be: somebody has edited that, and nothing is written over it. This file has both; make the files as you want them, delete this one, and reload the tenant",
            all.join(", ")
        )));
    }
    let undone = carry_out(folder, &half_done.before).and_then(|()| files::remove_file(&aside));
    undone.map_err(failed)?;
    let folder = folder.display();
    tracing::warn!(%folder, "a change of a tenant's folder had been left half done, and is undone");
    Ok(())
}

fn left_half_done(aside: &Path) -> io::Result<HalfDone> {
    let half_done: HalfDone = serde_json::from_str(&files::read_text(aside)?)?;
    let fits = TenantFolder::default().with(&half_done.before);
    fits.map(|_| half_done).map_err(io::Error::other)
}

/// The files of the change that are neither as they were before nor as they were to be.
fn edited_since(folder: &Path, half_done: &HalfDone) -> io::Result<Vec<String>> {
    let mut edited = Vec::new();
    for (file, before) in &half_done.before {
        let now = match files::read_text(&folder.join(file)) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            // What is no text is not the change's.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                edited.push(file.clone());
                continue;
            }
            Err(error) => return Err(error),
        };
        if now != *before && half_done.after.get(file) != Some(&now) {
            edited.push(file.clone());
        }
    }
    Ok(edited)
}

/// What the audit log has of it.
fn told(change: &FolderChange) -> serde_json::Value {
    let (written, deleted): (Vec<_>, Vec<_>) = change.iter().partition(|(_, text)| text.is_some());
    let names = |some: Vec<(&String, &Option<String>)>| -> Vec<String> {
        some.into_iter().map(|(file, _)| file.clone()).collect()
    };
    json!({ "event": "tenant_written", "written": names(written), "deleted": names(deleted) })
}
