//! Putting the host together: store, backend, rules, plugins, dispatcher, agent, in this order.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use agent::{Agent, AgentParts, ModelCompletions};
use dispatch::{Dispatcher, DispatcherParts, Recovery};
use policy::Role;
use store::{OpenOptions, SqliteStore};
use tokio::time::timeout;
use tokio_util::sync::DropGuard;
use tokio_util::task::TaskTracker;

use super::publishing::Publishing;
use super::retention::Forgetting;
use super::{Host, Options, StartError, backend, demo, model, rules, settling};
use crate::tenants::{self, Tenant, Tenants};
use crate::{Config, Member, Secret, Secrets, files};

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
    let common = rules::common(&config)?;
    let store = open_store(&config.data_dir, OpenOptions { clock })?;
    arrived("store");
    let forgetting = Forgetting::start(Arc::clone(&store), &config.retention);
    let token = Secret::random();
    let folder = config.data_dir.join("demo-backend");
    let backend = backend::start(&config.demo_backend, &folder, &token).await?;
    let compiled = compiled.unwrap_or_else(|| config.data_dir.join("compiled"));
    let publishing = Publishing::start(&compiled, progress)?;
    let operator_key = secrets.operator_key.clone().unwrap_or_else(Secret::random);
    let tenants = Arc::new(Tenants::hiding(secrets.all().chain([&operator_key])));
    let demo = demo::tenant(&config, &common, backend.addr, &token)?;
    publishing.publish(&demo).await?;
    tenants.put(with_staff(demo, &secrets, &operator_key))?;
    let dispatcher = Arc::new(Dispatcher::new(DispatcherParts {
        tools: Arc::clone(publishing.toolbox()) as Arc<dyn dispatch::Tools>,
        store: Arc::clone(&store) as Arc<dyn dispatch::Store>,
        secrets: Arc::clone(&tenants) as Arc<dyn dispatch::Secrets>,
        completions: Arc::new(ModelCompletions::new(Arc::clone(&model))),
        rulebooks: rulebooks(&tenants),
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
            tenants: speaking(&tenants),
            secrets: Arc::clone(&tenants) as Arc<dyn dispatch::Secrets>,
        }),
        dispatcher,
        tenants,
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

/// The built-in tenant's people and sessions are those of the environment.
fn with_staff(tenant: Tenant, secrets: &Secrets, operator_key: &Secret) -> Tenant {
    let operator = Member {
        name: "operator".to_owned(),
        role: Role::Supervisor,
        key: operator_key.clone(),
    };
    Tenant {
        keys: tenants::of_staff(&secrets.staff.clone().with(operator)),
        session_secret: secrets.session_secret.clone(),
        ..tenant
    }
}

fn rulebooks(tenants: &Arc<Tenants>) -> dispatch::Rulebooks {
    let tenants = Arc::clone(tenants);
    Arc::new(move |name| Some(Arc::clone(&tenants.get(name)?.rulebook)))
}

fn speaking(tenants: &Arc<Tenants>) -> agent::Tenants {
    let tenants = Arc::clone(tenants);
    Arc::new(move |name| Some(Arc::clone(&tenants.get(name)?.speaks)))
}

/// Loads the built-in tenant with its plugins as a start would, and drops them.
pub(crate) async fn try_demo(config: &Config, compiled: &Path) -> Result<(), StartError> {
    let nowhere = ([127, 0, 0, 1], 1).into();
    let demo = demo::tenant(config, &rules::common(config)?, nowhere, &Secret::random())?;
    let publishing = Publishing::start(compiled, Arc::new(|_| ()))?;
    Ok(publishing.publish(&demo).await?)
}
