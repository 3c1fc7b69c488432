//! Publishing: from what a tenant's folder binds to live tools.

use std::path::Path;
use std::sync::Arc;

use artifacts::{Registries, Source};
use sandbox::{Compiler, LoadError, Plugin, PluginSource, Toolbox, ToolboxSettings};
use thiserror::Error;

use super::vouched::{self, NotVouched};
use super::{Progress, StartError};
use crate::tenants::{PluginEntry, PluginOrigin, Tenant};
use crate::{embedded, files};

/// Why a tenant's plugins were not published; those before are still live.
#[derive(Debug, Error)]
pub enum PublishError {
    /// One does not load.
    #[error("the plugin {plugin} does not load: {reason}")]
    Plugin {
        /// Which one.
        plugin: String,
        /// Why.
        reason: LoadError,
    },
    /// Its component is not where the tenant's folder says.
    #[error("the plugin {plugin} cannot be had: {message}")]
    Missing {
        /// Which one.
        plugin: String,
        /// Why, and what to do.
        message: String,
    },
    /// Nobody whom the tenant trusts vouches for it.
    #[error("the plugin {plugin} is not trusted: {reason}")]
    Untrusted {
        /// Which one.
        plugin: String,
        /// Why.
        reason: NotVouched,
    },
    /// They do not go together.
    #[error("the plugins do not go together: {0}")]
    Together(LoadError),
}

/// Makes tenants' plugins live.
pub(crate) struct Publishing {
    toolbox: Arc<Toolbox>,
    registries: Registries,
    progress: Progress,
}

impl Publishing {
    /// Starts the sandbox, without any plugin; compiled code is kept in `compiled`.
    pub(crate) fn start(
        compiled: &Path,
        aside: Option<Compiler>,
        registries: Registries,
        progress: Progress,
    ) -> Result<Self, StartError> {
        files::make_writable_folder(compiled).map_err(|source| StartError::Folder {
            folder: compiled.into(),
            source,
        })?;
        let settings = ToolboxSettings {
            compiler: aside,
            ..settings(Some(compiled))
        };
        let toolbox = Toolbox::new(settings).map_err(StartError::Sandbox)?;
        Ok(Self {
            toolbox: Arc::new(toolbox),
            registries,
            progress,
        })
    }

    /// Where the live tools are.
    pub(crate) fn toolbox(&self) -> &Arc<Toolbox> {
        &self.toolbox
    }

    /// Makes the plugins that a tenant's state binds its live tools, all of them or none; calls in flight keep what they started
    /// with.
    pub(crate) async fn publish(&self, tenant: &Tenant) -> Result<(), PublishError> {
        let mut ready: Vec<Arc<Plugin>> = Vec::with_capacity(tenant.plugins.len());
        for entry in &tenant.plugins {
            (self.progress)(&format!("loading plugin {}", entry.name));
            ready.push(self.load(entry, tenant).await?);
        }
        let published = self.toolbox.publish(&tenant.name, &ready);
        published.map_err(PublishError::Together)?;
        self.toolbox.set_share(&tenant.name, tenant.shares.share());
        Ok(())
    }

    /// Takes a tenant's tools out of service.
    pub(crate) fn withdraw(&self, tenant: &str) {
        self.toolbox.withdraw(tenant);
    }

    async fn load(
        &self,
        entry: &PluginEntry,
        tenant: &Tenant,
    ) -> Result<Arc<Plugin>, PublishError> {
        let (version, bytes) = self.component(entry, tenant).await?;
        let source = PluginSource {
            tenant: tenant.name.clone(),
            name: entry.name.clone(),
            version,
            bytes,
            config: entry.settings.clone(),
            grants: entry.grants.clone(),
            model: entry.model,
            key_value: entry.key_value,
            limits: tenant.limits.clone(),
        };
        let plugin = self
            .toolbox
            .load(source)
            .await
            .map_err(|reason| PublishError::Plugin {
                plugin: label(entry),
                reason,
            })?;
        match &entry.digest {
            Some(digest) if *digest != format!("sha256:{}", plugin.digest()) => Err(missing(
                entry,
                format!(
                    "its digest is sha256:{}, and {digest} was expected",
                    plugin.digest()
                ),
            )),
            _ => Ok(plugin),
        }
    }

    /// The component and its version, as they are shown. What does not come with this program must be vouched for as the tenant
    /// wants it.
    async fn component(
        &self,
        entry: &PluginEntry,
        tenant: &Tenant,
    ) -> Result<(String, Vec<u8>), PublishError> {
        let source = match &entry.origin {
            PluginOrigin::Builtin(name) => return builtin(entry, name),
            PluginOrigin::File(file) => Source::File(file.clone()),
            PluginOrigin::Oci(place) => Source::Oci(place.clone()),
            PluginOrigin::Version(_) => {
                let message = "this needs the plugin registry, which this version has not; use file = \"x.wasm\"";
                return Err(missing(entry, message.to_owned()));
            }
        };
        let fetched = source.fetch(&self.registries).await;
        let fetched = fetched.map_err(|error| missing(entry, error.to_string()))?;
        if let Some(moved) = &fetched.tag_moved {
            tracing::warn!(plugin = entry.name, reference = %moved.reference, now = ?moved.now, "the tag of a pinned plugin leads elsewhere by now; the pinned one is used");
        }
        let vouched = vouched::vouched(&fetched, &tenant.trust, entry);
        let vouched = vouched.map_err(|reason| PublishError::Untrusted {
            plugin: label(entry),
            reason,
        })?;
        Ok((vouched.version, fetched.bytes))
    }
}

/// A component that comes with this program.
fn builtin(entry: &PluginEntry, name: &str) -> Result<(String, Vec<u8>), PublishError> {
    match embedded::component(name) {
        [] => Err(missing(
            entry,
            format!("there is no shipped plugin {name}; there are {}", shipped()),
        )),
        bytes => Ok((env!("CARGO_PKG_VERSION").to_owned(), bytes.to_vec())),
    }
}

fn shipped() -> String {
    let names: Vec<&str> = embedded::COMPONENTS.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

fn missing(entry: &PluginEntry, message: String) -> PublishError {
    PublishError::Missing {
        plugin: label(entry),
        message,
    }
}

/// A file is easier to find by its path than by the name that it was given.
fn label(entry: &PluginEntry) -> String {
    match &entry.origin {
        PluginOrigin::File(file) => format!("{} ({})", entry.name, file.display()),
        _ => entry.name.clone(),
    }
}

/// A toolbox of this host's contract, which keeps compiled code in `cache`.
fn settings(cache: Option<&Path>) -> ToolboxSettings {
    let contract = embedded::CONTRACT
        .iter()
        .filter(|(path, _)| *path != embedded::CLASSIFICATION);
    ToolboxSettings {
        contract: contract
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect(),
        cache: cache.map(Path::to_path_buf),
        ..ToolboxSettings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{demo, rules};
    use crate::{Config, Secret};

    /// What publishing says of this file as a further plugin.
    async fn refusal(file: &Path) -> String {
        let mut config = Config::default();
        config.plugins.extra = vec![file.to_path_buf()];
        let common = rules::common(&config).unwrap();
        let backend = ([127, 0, 0, 1], 1).into();
        let tenant = demo::tenant(&config, &common, backend, &Secret::random()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let publishing =
            Publishing::start(folder.path(), None, Registries::default(), Arc::new(|_| ()))
                .unwrap();
        let refused = publishing.publish(&tenant).await.unwrap_err();
        StartError::from(refused).to_string()
    }

    #[tokio::test]
    async fn a_file_that_is_no_plugin_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("extra.wasm");
        let missing = refusal(&file).await;
        assert!(
            missing.contains("extra.wasm") && missing.contains("EXTRA_PLUGINS"),
            "{missing}"
        );
        for (content, words) in [
            ("just some text", "no WebAssembly component"),
            ("\0asm\x01\0\0\0", "a core module"),
            ("\0asm\x0d\0\x01\0", "exports no tools"),
        ] {
            files::write_text(&file, content).unwrap();
            let said = refusal(&file).await;
            assert!(
                said.contains("extra.wasm") && said.contains(words),
                "{said}"
            );
        }
    }

    /// The shipped plugins send requests; the same component without grants must not load.
    #[tokio::test]
    async fn an_extra_plugin_is_granted_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("crm.wasm");
        files::write_bytes(&file, embedded::component("crm")).unwrap();
        let said = refusal(&file).await;
        assert!(
            said.contains("wasi:http") && said.contains("granted nothing"),
            "{said}"
        );
    }
}
