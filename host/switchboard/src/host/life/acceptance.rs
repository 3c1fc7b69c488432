//! What is granted of what a manifest asks for, when its component is installed.

use super::install::Offered;
use super::{Life, LifeError};
use crate::Manifest;
use crate::host::bindings::Bindings;
use crate::tenants::Accepted;

/// Whether what its manifest asks for is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acceptance {
    /// The operator has looked at it, and grants it.
    Given,
    /// Nobody has looked at it: what asks for anything is not granted.
    Open,
    /// Nobody has looked at it, but the operator put it where it is: the first version of a plugin is granted what it asks for, a
    /// further one no more than the live one was.
    OfFirst,
}

impl Life<'_> {
    /// What is granted of it; none where that waits for the swap, or is for plugins.toml to say. What the first version of a
    /// plugin asks for must be accepted with it.
    pub(super) fn accepted_of(
        &self,
        manifest: &Manifest,
        bindings: &Bindings,
        offered: &Offered,
    ) -> Result<Option<Accepted>, LifeError> {
        let name = &manifest.name;
        let live = bindings.accepted(name);
        // Settings that were chosen for the version before hold for this one, too.
        let mut settings = live.settings.clone();
        settings.extend(offered.settings.clone());
        let chooses = settings != live.settings;
        let asked = Accepted::of(manifest, &settings);
        let bound = bindings.get(name);
        let is_bound = bound.is_some_and(|binding| binding.stable.is_some());
        let in_folder = self.is_in_folder(name);
        // What was taken out of service is no new plugin when it comes again.
        let is_first = bound.is_none() && !in_folder && bindings.versions(name).next().is_none();
        let more = match offered.accept {
            Acceptance::Given => return Ok(Some(asked)),
            Acceptance::Open => asked.beyond(&Accepted::default()),
            Acceptance::OfFirst if is_first => return Ok(Some(asked)),
            Acceptance::OfFirst => asked.beyond(&live),
        };
        if more.is_empty() {
            return Ok(Some(asked));
        }
        if is_bound && chooses {
            return Err(LifeError::Unfit(SETTINGS.to_owned()));
        }
        if in_folder || (is_bound && offered.accept == Acceptance::Open) {
            return Ok(None);
        }
        let version = &manifest.version;
        let what = match offered.accept {
            Acceptance::OfFirst => format!(
                "{name} {version} asks for more than the live version was granted, and nobody looked at it who put it into the folder: install it by hand"
            ),
            Acceptance::Given | Acceptance::Open => format!("{name} {version} asks for"),
        };
        Err(LifeError::Unaccepted { what, points: more })
    }
}

const SETTINGS: &str = "settings are kept with what is accepted: say `accept`, too";
