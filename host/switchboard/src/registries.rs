//! How this host reaches OCI registries: by its configuration, with the credentials of its environment.

use artifacts::Registries;

use crate::{Config, Secrets};

/// For whoever fetches or publishes.
pub(crate) fn of(config: &Config, secrets: &Secrets) -> Registries {
    Registries {
        credentials: secrets.registries.clone(),
        insecure: config.insecure_registries.iter().cloned().collect(),
        ..Registries::default()
    }
}
