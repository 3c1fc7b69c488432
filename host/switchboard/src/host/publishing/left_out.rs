//! Installed plugins that are bound and do not run, because they are not what was installed any more, nobody whom the tenant trusts
//! vouches for them, or they cannot run since a start; the tenant's other plugins do not hang on them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::PublishError;
use crate::tenants::PluginEntry;

/// Why each does not run, by plugin.
pub(crate) type Refused = BTreeMap<String, String>;

/// Those of every tenant.
#[derive(Default)]
pub(super) struct LeftOut(Mutex<HashMap<String, Refused>>);

impl LeftOut {
    pub(super) fn of(&self, tenant: &str) -> Refused {
        self.lock().get(tenant).cloned().unwrap_or_default()
    }

    pub(super) fn replace(&self, tenant: &str, refused: Refused) {
        if refused.is_empty() {
            self.lock().remove(tenant);
        } else {
            self.lock().insert(tenant.to_owned(), refused);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Refused>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why one that is installed does not run, where nothing of it would end that runs now.
pub(super) fn where_it_may(may_go: bool, reason: PublishError) -> PublishError {
    match reason {
        reason @ PublishError::Installed(_) => reason,
        reason if may_go => PublishError::Installed(Box::new(reason)),
        reason => reason,
    }
}

/// Why a version on trial does not run.
pub(super) fn on_trial(version: &str, reason: PublishError) -> PublishError {
    let told = |reason| PublishError::OnTrial {
        version: version.to_owned(),
        reason,
    };
    match reason {
        PublishError::Installed(reason) => PublishError::Installed(Box::new(told(reason))),
        reason => told(Box::new(reason)),
    }
}

/// None for what was installed and is left out.
pub(super) fn unless_refused<T>(
    entry: &PluginEntry,
    found: Result<T, PublishError>,
    refused: &mut Refused,
) -> Result<Option<T>, PublishError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(PublishError::Installed(reason)) => {
            refused.insert(entry.name.clone(), reason.to_string());
            Ok(None)
        }
        Err(reason) => Err(reason),
    }
}

/// Refuses what would leave out a plugin that was not left out before, or this one.
pub(super) fn check(
    refused: &Refused,
    before: &Refused,
    own: Option<&str>,
) -> Result<(), PublishError> {
    let is_new = |plugin: &str| !before.contains_key(plugin) || own == Some(plugin);
    let Some((plugin, reason)) = refused.iter().find(|(plugin, _)| is_new(plugin)) else {
        return Ok(());
    };
    Err(PublishError::LeftOut {
        plugin: plugin.clone(),
        reason: reason.clone(),
    })
}
