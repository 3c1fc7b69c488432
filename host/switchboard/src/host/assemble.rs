//! Putting the host together: store, backend, rules, plugins, dispatcher, agent, in this order.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use agent::{Agent, AgentParts, Model, ModelCompletions};
use artifacts::Artifacts;
use dispatch::{Dispatcher, DispatcherParts, Recovery, RetryPolicy};
use sandbox::Toolbox;
use store::{OpenOptions, SqliteStore};
use tokio::time::timeout;
use tokio_util::sync::DropGuard;
use tokio_util::task::TaskTracker;

use super::bindings::Bindings;
use super::life::{Arrivals, Ending, TagWatch};
use super::operators::{self, Operators};
use super::publishing::Publishing;
use super::retention::Forgetting;
use super::roster::{BuiltIn, Refusal, Roster, RosterError, RosterParts, Watching};
use super::{Host, Options, StartError, backend, demo, model, rules, settling, state_key};
use crate::config::OAuth;
use crate::oauth::Authority;
use crate::tenants::{self, Given, SecretRef, Tenant, TenantError, TenantFolder, Tenants};
use crate::{Config, Environment, Secret, Secrets, files, registries};

/// How long a stop waits for turns that are under way.
const GRACE: Duration = Duration::from_secs(10);

/// What takes up changes that no request asks for; all of it ends when this is dropped.
struct Tending {
    /// Of the tenants' folders.
    _watching: Watching,
    /// Trials that end by themselves.
    _ending: Ending,
    /// Components put into the folders for that.
    _arrivals: Arrivals,
    /// Of where the tags of plugins lead.
    _tags: Option<TagWatch>,
}

impl Tending {
    fn of(roster: &Arc<Roster>, config: &Config) -> Self {
        let every = Duration::from_secs(config.tag_look_seconds.into());
        Self {
            _watching: Watching::start(Arc::clone(roster)),
            _ending: Ending::start(Arc::clone(roster)),
            _arrivals: Arrivals::start(Arc::clone(roster)),
            _tags: TagWatch::start(Arc::clone(roster), every),
        }
    }
}

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
    /// Takes up what changes of itself.
    tending: Tending,
    /// Ends what runs beside the requests.
    stop: DropGuard,
}

impl Assembled {
    /// Lets turns that are under way end, then closes the backend and the store.
    pub(crate) async fn close(self) {
        drop(self.forgetting);
        drop(self.tending);
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
        compiler,
        retry,
        clock,
        conformance: _,
        progress,
    } = options;
    // One crypto provider for every TLS client of this process; a second start finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let model = model::build(&config.model, &secrets)?;
    arrived("model");
    let common = rules::common(&config)?;
    let store = open_store(&config.data_dir, OpenOptions { clock })?;
    arrived("store");
    let state_key = state_key::of(&config.data_dir).map_err(unwritable(&config.data_dir))?;
    let forgetting = Forgetting::start(Arc::clone(&store), &config.retention);
    let token = Secret::random();
    let folder = config.data_dir.join("demo-backend");
    let backend = backend::start(&config.demo_backend, &folder, &token).await?;
    let compiled = compiled.unwrap_or_else(|| config.data_dir.join("compiled"));
    let artifacts = Artifacts::open(&config.data_dir)?;
    let sources = (registries::of(&config, &secrets), Some(artifacts));
    let publishing = Publishing::start(&compiled, compiler, sources, progress)?;
    let tenants = no_tenants(&secrets, &store).await?;
    let tools = Arc::clone(publishing.toolbox());
    let dispatcher = dispatcher(tools, &store, &tenants, &model, retry);
    let roster = Arc::new(Roster::new(RosterParts {
        config: config.clone(),
        built_in: built_in(&config, &secrets, (backend.addr, token.clone()))?,
        common,
        environment: secrets.environment.clone(),
        publishing,
        tenants: Arc::clone(&tenants),
        store: Arc::clone(&store) as Arc<dyn dispatch::Store>,
        registry: Arc::clone(&store) as Arc<dyn dispatch::Registry>,
    }));
    roster.start().await.map_err(of_built_in)?;
    // A tenant whose folder does not fit keeps nobody else from being served.
    roster.refresh("host:start").await?;
    let tending = Tending::of(&roster, &config);
    let tasks = TaskTracker::new();
    let (recovery, stop) = settling::begin(&dispatcher, &tasks).await?;
    arrived("plugins");
    let host = Host {
        model_label: model.name().to_owned(),
        agent: agent(&dispatcher, model, &tenants),
        dispatcher,
        speaks: speaking(&tenants),
        operators: Operators::new(Arc::clone(&store) as _, &tenants, &roster),
        tenants,
        roster,
        state_key,
        is_local: config.is_local(),
        tasks,
    };
    Ok(Assembled {
        host: Arc::new(host),
        backend,
        backend_token: token,
        store,
        recovery,
        forgetting,
        tending,
        stop,
    })
}

/// No tenant yet, but everybody who runs the program.
async fn no_tenants(secrets: &Secrets, store: &SqliteStore) -> Result<Arc<Tenants>, StartError> {
    let operator_key = secrets.operator_key.clone().unwrap_or_else(Secret::random);
    let tenants = Arc::new(Tenants::run_by(operator_key, secrets.all()));
    operators::know_all(store, &tenants)
        .await
        .map_err(RosterError::from)?;
    Ok(tenants)
}

fn open_store(folder: &Path, options: OpenOptions) -> Result<Arc<SqliteStore>, StartError> {
    files::make_writable_folder(folder).map_err(unwritable(folder))?;
    Ok(Arc::new(SqliteStore::open(folder, options)?))
}

fn unwritable(folder: &Path) -> impl FnOnce(io::Error) -> StartError {
    let folder = folder.to_path_buf();
    |source| StartError::Folder { folder, source }
}

fn dispatcher(
    tools: Arc<Toolbox>,
    store: &Arc<SqliteStore>,
    tenants: &Arc<Tenants>,
    model: &Arc<dyn Model>,
    retry: RetryPolicy,
) -> Arc<Dispatcher> {
    Arc::new(Dispatcher::new(DispatcherParts {
        tools: tools as Arc<dyn dispatch::Tools>,
        store: Arc::clone(store) as Arc<dyn dispatch::Store>,
        secrets: Arc::clone(tenants) as Arc<dyn dispatch::Secrets>,
        completions: Arc::new(ModelCompletions::new(Arc::clone(model), speaking(tenants))),
        rulebooks: rulebooks(tenants),
        retry,
    }))
}

fn agent(dispatcher: &Arc<Dispatcher>, model: Arc<dyn Model>, tenants: &Arc<Tenants>) -> Agent {
    Agent::new(AgentParts {
        host: Arc::clone(dispatcher) as Arc<dyn agent::ToolHost>,
        model,
        tenants: speaking(tenants),
        secrets: Arc::clone(tenants) as Arc<dyn dispatch::Secrets>,
    })
}

/// Makes the built-in tenant, whatever is installed in it.
fn built_in(
    config: &Config,
    secrets: &Secrets,
    (backend, token): (SocketAddr, Secret),
) -> Result<BuiltIn, StartError> {
    let (config, secrets) = (config.clone(), secrets.clone());
    let common = rules::common(&config)?;
    Ok(Box::new(move |installed| {
        let demo = demo::tenant((&config, &common), (backend, &token), installed)?;
        Ok(with_people(demo, &config.oauth, &secrets))
    }))
}

/// Whoever starts the program is told what to do about the built-in tenant.
fn of_built_in(error: RosterError) -> StartError {
    match error {
        RosterError::Refused(Refusal::Folder(reason)) => of_demo(reason),
        RosterError::Refused(Refusal::Plugins(reason)) => reason.into(),
        RosterError::Refused(Refusal::Keys(reason)) => reason.into(),
        other => other.into(),
    }
}

/// The built-in tenant's people and sessions are those of the environment, and its authorization server the configuration's.
fn with_people(tenant: Tenant, oauth: &OAuth, secrets: &Secrets) -> Tenant {
    Tenant {
        authority: oauth
            .is_on()
            .then(|| Arc::new(Authority::new(oauth.clone()))),
        keys: tenants::of_staff(&secrets.staff),
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

/// Loads every tenant's folder as a start would, their plugins left aside: the names of all, or what does not fit.
pub(crate) fn try_tenants(
    config: &Config,
    environment: &Environment,
) -> Result<Vec<String>, Vec<String>> {
    if config.tenants.as_os_str().is_empty() {
        return Ok(Vec::new());
    }
    let whole =
        |error: &dyn std::fmt::Display| vec![format!("{}: {error}", config.tenants.display())];
    let names = files::folders_in(&config.tenants).map_err(|error| whole(&error))?;
    let common = rules::common(config).map_err(|error| whole(&error))?;
    let given = Given {
        config,
        common: &common,
        secret: &|place: &SecretRef| place.read(environment),
        settings: &BTreeMap::new(),
        installed: &[],
    };
    let load = |name: &String| {
        let folder = TenantFolder::read(&config.tenants, name)?;
        tenants::load(&folder, &given).map(drop)
    };
    let told = |name: &String| Some(format!("{name}: {}", load(name).err()?));
    let misfits: Vec<String> = names.iter().filter_map(told).collect();
    if misfits.is_empty() {
        Ok(names)
    } else {
        Err(misfits)
    }
}

fn of_demo(reason: TenantError) -> StartError {
    StartError::Tenant {
        tenant: demo::TENANT.to_owned(),
        reason,
    }
}

/// Loads the built-in tenant with its plugins as a start would, and drops them.
pub(crate) async fn try_demo(config: &Config, compiled: &Path) -> Result<(), StartError> {
    let nowhere = ([127, 0, 0, 1], 1).into();
    let common = rules::common(config)?;
    let demo = demo::tenant((config, &common), (nowhere, &Secret::random()), &[]);
    let publishing = Publishing::start(compiled, None, <_>::default(), Arc::new(|_| ()))?;
    let (demo, nothing) = (demo.map_err(of_demo)?, Bindings::default());
    let ready = publishing.prepare(&demo, &nothing).await;
    Ok(ready.map(drop)?)
}
