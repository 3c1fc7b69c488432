//! Plugins that are to go together: of those that do not, an installed one gives way to what the folder names, and a later one to
//! an earlier one, as far as nothing of it runs yet.

use std::collections::BTreeMap;

use sandbox::{Assembled, PluginSet, Toolbox};

use super::PublishError;
use super::left_out::{self, Refused};

/// What may give way.
#[derive(Default)]
pub(super) struct Yielding {
    /// Installed plugins that do not run now: when they were installed, in Unix seconds, by name.
    pub(super) plugins: BTreeMap<String, i64>,
    /// The version on trial, which is not on trial now.
    pub(super) canary: bool,
}

/// Puts them together; without what gives way, which is kept at hand and has its reason in `refused`.
pub(super) fn together(
    toolbox: &Toolbox,
    tenant: &str,
    mut set: PluginSet,
    yielding: &Yielding,
    refused: &mut Refused,
) -> Result<(Assembled, PluginSet), PublishError> {
    let put = |set: &PluginSet| {
        let assembled = toolbox.assemble(tenant, set.clone());
        assembled.map_err(PublishError::Together)
    };
    let reason = match put(&set) {
        Ok(assembled) => return Ok((assembled, set)),
        Err(reason) => reason,
    };
    if yielding.plugins.is_empty() && !yielding.canary {
        return Err(reason);
    }
    let canary = set.canary.take();
    let may_yield = |name: &str| yielding.plugins.get(name);
    let all = std::mem::take(&mut set.plugins).into_iter();
    let (mut later, first): (Vec<_>, _) = all.partition(|one| may_yield(one.name()).is_some());
    later.sort_by_key(|one| may_yield(one.name()));
    set.plugins = first;
    put(&set)?;
    for plugin in later {
        set.plugins.push(plugin.clone());
        if let Err(reason) = put(&set) {
            set.plugins.pop();
            refused.insert(plugin.name().to_owned(), reason.to_string());
            // What it began is still seen through by it.
            set.kept.push(plugin);
        }
    }
    if let Some(canary) = canary {
        let tried = canary.plugin.clone();
        let is_beside = set.plugins.iter().any(|one| one.name() == tried.name());
        set.canary = Some(canary).filter(|_| is_beside);
        match put(&set) {
            Err(reason) if yielding.canary => {
                let reason = left_out::on_trial(tried.version(), reason);
                refused.insert(tried.name().to_owned(), reason.to_string());
                set.canary = None;
            }
            put => drop(put?),
        }
        if set.canary.is_none() {
            set.kept.push(tried);
        }
    }
    Ok((put(&set)?, set))
}
