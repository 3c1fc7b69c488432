//! Putting the host together: store, backend, rules, plugins, dispatcher, agent, in this order.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use agent::{Agent, AgentParts, ModelCompletions, Prompts, Tenant, Tenants, TurnLimits};
use dispatch::{Dispatcher, DispatcherParts, Recovery, Rulebooks};
use policy::{Role, Rulebook, ToolRule};
use sandbox::{Limits, LoadError, Plugin, PluginSource, Toolbox, ToolboxSettings};
use store::{OpenOptions, SqliteStore};
use tokio::time::timeout;
use tokio_util::sync::DropGuard;
use tokio_util::task::TaskTracker;

use super::credentials::Credentials;
use super::retention::Forgetting;
use super::{Host, Options, StartError, backend, demo, model, rules, settling};
use crate::{Config, Member, Secret, embedded, files};

/// The company that the demo tenant's agent speaks for.
const COMPANY: &str = "Brightcart";

/// How long a stop waits for turns that are under way.
const GRACE: Duration = Duration::from_secs(10);

/// A host that is ready, and what runs beside it.
pub(crate) struct Assembled {
    pub(crate) host: Arc<Host>,
    pub(crate) backend: demo_backend::Running,
    pub(crate) backend_token: Secret,
    pub(crate) store: Arc<SqliteStore>,
    /// Calls that an earlier run had left open, and what became of them by the end of the start.
    pub(crate) recovery: Recovery,
    /// Deletes what is kept for a while only.
    pub(crate) forgetting: Forgetting,
    /// Ends what runs beside the requests.
    stop: DropGuard,
}

impl Assembled {
    /// Lets turns that are under way end, then closes the backend and the store.
    pub(crate) async fn close(self) {
        drop(self.forgetting);
        drop(self.stop);
        self.host.tasks.close();
        if timeout(GRACE, self.host.tasks.wait()).await.is_err() {
            tracing::warn!(
                "turns that would not end were cut; the next start takes up what they left open"
            );
        }
        self.backend.shutdown().await;
        self.store.close().await;
    }
}

/// Puts everything together; `arrived` hears of each part that health asks for.
pub(crate) async fn assemble(
    options: Options,
    arrived: impl Fn(&'static str),
) -> Result<Assembled, StartError> {
    let Options {
        config,
        secrets,
        compiled,
        retry,
        clock,
        progress,
    } = options;
    // One crypto provider for every TLS client of this process; a second start finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let model = model::build(&config.model, &secrets)?;
    arrived("model");
    let tools = rules::classification()?;
    let rulebook = Arc::new(rules::rulebook(tools.clone(), &config)?);
    let prompts = Arc::new(Prompts::load(embedded::PROMPTS.iter().copied())?);
    let store = open_store(&config.data_dir, OpenOptions { clock })?;
    arrived("store");
    let forgetting = Forgetting::start(Arc::clone(&store), &config.retention);
    let token = Secret::random();
    let folder = config.data_dir.join("demo-backend");
    let backend = backend::start(&config.demo_backend, &folder, &token).await?;
    let compiled = compiled.unwrap_or_else(|| config.data_dir.join("compiled"));
    let toolbox = load_plugins(&config, &compiled, backend.addr, &*progress).await?;
    let operator_key = secrets.operator_key.clone().unwrap_or_else(Secret::random);
    let hidden = Credentials::hiding(secrets.all().chain([&operator_key]));
    let credentials: Arc<dyn dispatch::Secrets> =
        Arc::new(hidden.with_bearer(demo::TENANT, demo::CREDENTIAL, token.clone()));
    let dispatcher = Arc::new(Dispatcher::new(DispatcherParts {
        tools: toolbox,
        store: Arc::clone(&store) as Arc<dyn dispatch::Store>,
        secrets: Arc::clone(&credentials),
        completions: Arc::new(ModelCompletions::new(Arc::clone(&model))),
        rulebooks: of_demo(Arc::clone(&rulebook)),
        retry,
    }));
    let tasks = TaskTracker::new();
    let (recovery, stop) = settling::begin(&dispatcher, &tasks).await?;
    arrived("plugins");
    let host = Host {
        tenant: demo::TENANT.to_owned(),
        model_label: model.name().to_owned(),
        agent: Agent::new(AgentParts {
            host: Arc::clone(&dispatcher) as Arc<dyn agent::ToolHost>,
            model,
            tenants: tenant(prompts, tools, &config),
            secrets: credentials,
            limits: turn_limits(&config),
        }),
        dispatcher,
        rulebook,
        session_secret: secrets.session_secret,
        staff: secrets.staff.with(Member {
            name: "operator".to_owned(),
            role: Role::Supervisor,
            key: operator_key.clone(),
        }),
        operator_key,
        is_local: config.listen.ip().is_loopback() && config.allowed_hosts.is_empty(),
        tasks,
    };
    Ok(Assembled {
        host: Arc::new(host),
        backend,
        backend_token: token,
        store,
        recovery,
        forgetting,
        stop,
    })
}

fn open_store(folder: &Path, options: OpenOptions) -> Result<Arc<SqliteStore>, StartError> {
    files::make_writable_folder(folder).map_err(|source| StartError::Folder {
        folder: folder.into(),
        source,
    })?;
    Ok(Arc::new(SqliteStore::open(folder, options)?))
}

/// Loads the tenant's plugins, bound to the backend at `backend`, and publishes them.
pub(crate) async fn load_plugins(
    config: &Config,
    compiled: &Path,
    backend: SocketAddr,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Arc<Toolbox>, StartError> {
    files::make_writable_folder(compiled).map_err(|source| StartError::Folder {
        folder: compiled.into(),
        source,
    })?;
    let toolbox = Toolbox::new(toolbox_settings(Some(compiled))).map_err(StartError::Sandbox)?;
    let mut ready: Vec<Arc<Plugin>> = Vec::new();
    // First those that are likelier to be refused: nobody should wait for the others to hear of it.
    for file in &config.plugins.extra {
        progress(&format!("loading plugin {}", file.display()));
        ready.push(load_extra(&toolbox, file, config).await?);
    }
    for bound in demo::plugins(backend, config.demo_backend.nature.0).map_err(StartError::Grants)? {
        progress(&format!("loading plugin {}", bound.name));
        let plugin = bound.name.clone();
        let loaded = toolbox.load(source(bound, config)).await;
        ready.push(loaded.map_err(|reason| StartError::Plugin { plugin, reason })?);
    }
    toolbox
        .publish(demo::TENANT, &ready)
        .map_err(StartError::Sandbox)?;
    Ok(Arc::new(toolbox))
}

/// A toolbox of this host's contract, which keeps compiled code in `cache`.
fn toolbox_settings(cache: Option<&Path>) -> ToolboxSettings {
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

/// Loads a component that the operator names, which gets no grants.
async fn load_extra(
    toolbox: &Toolbox,
    file: &Path,
    config: &Config,
) -> Result<Arc<Plugin>, StartError> {
    let bytes = files::read_bytes(file).map_err(|source| StartError::PluginFile {
        file: file.into(),
        source,
    })?;
    let name = file.file_stem().unwrap_or(file.as_os_str());
    let source = PluginSource {
        name: name.to_string_lossy().into_owned(),
        version: "extra".to_owned(),
        bytes,
        limits: limits(config),
        ..PluginSource::default()
    };
    let loaded = toolbox.load(source).await;
    loaded.map_err(|reason| StartError::Plugin {
        plugin: file.display().to_string(),
        reason: without_grants(reason),
    })
}

/// The same reason, with advice that fits a plugin which cannot be granted anything.
fn without_grants(reason: LoadError) -> LoadError {
    match reason {
        LoadError::UngrantedImport { plugin, import, .. } => LoadError::UngrantedImport {
            plugin,
            import,
            remedy: "what plugins.extra (EXTRA_PLUGINS) names is granted nothing; build it without that import",
        },
        reason => reason,
    }
}

fn source(bound: demo::DemoPlugin, config: &Config) -> PluginSource {
    PluginSource {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        bytes: embedded::component(&bound.name).to_vec(),
        name: bound.name,
        config: bound.settings,
        grants: bound.grants,
        model: bound.model,
        key_value: bound.key_value,
        limits: limits(config),
    }
}

fn limits(config: &Config) -> Limits {
    Limits {
        deadline_ms: config.plugins.deadline_ms.into(),
        memory_bytes: (config.plugins.memory_mib as usize) << 20,
        request_bytes: (config.plugins.request_kib as usize) << 10,
        response_bytes: (config.plugins.response_kib as usize) << 10,
        ..Limits::default()
    }
}

fn of_demo(rulebook: Arc<Rulebook>) -> Rulebooks {
    Arc::new(move |tenant| (tenant == demo::TENANT).then(|| Arc::clone(&rulebook)))
}

fn tenant(prompts: Arc<Prompts>, rules: BTreeMap<String, ToolRule>, config: &Config) -> Tenants {
    let tenant = Arc::new(Tenant {
        company: COMPANY.to_owned(),
        prompts,
        rules,
        forbidden: rules::forbidden(config),
    });
    Arc::new(move |name| (name == demo::TENANT).then(|| Arc::clone(&tenant)))
}

fn turn_limits(config: &Config) -> TurnLimits {
    TurnLimits {
        steps: config.turn.max_steps,
        time: Duration::from_secs(config.turn.timeout_seconds.into()),
        reply_tokens: config.model.max_tokens,
        ..TurnLimits::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a start says of this file as a further plugin.
    async fn refusal(file: &Path) -> String {
        let toolbox = Toolbox::new(toolbox_settings(None)).unwrap();
        let Err(error) = load_extra(&toolbox, file, &Config::default()).await else {
            panic!("{} loads", file.display());
        };
        error.to_string()
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
