//! A host for one plugin: the real dispatcher, policy, ledger and sandbox over a store that is thrown away afterwards.

mod backend;
mod overheard;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use agent::ModelCompletions;
use anyhow::Context as _;
use dispatch::{
    CallRequest, Cases as _, Dispatcher, DispatcherParts, Ledger as _, Outcome, PendingConsent,
    RetryPolicy,
};
use http::{HeaderName, HeaderValue};
use policy::{
    Actor, Channel, ConsentFrom, Entity, Fact, HttpGrant, Level, Role, Rulebook, RulebookSource,
};
use sandbox::{PluginSource, Toolbox, ToolboxSettings};
use serde_json::{Map, Value};
use store::{OpenOptions, SqliteStore};

pub(crate) use backend::{Backend, Exchange, Fault, Seen};
use overheard::Overheard;

use crate::host::{self, figures, model};
use crate::tenants::Credentials;
use crate::{Classified, Config, Manifest, Secret, Secrets, embedded, files};

/// Whose the plugin is for the time being.
const TENANT: &str = "rehearsal";

/// The sandbox of one or more rehearsals, with the compiled code that they share.
pub(crate) struct Stage {
    toolbox: Arc<Toolbox>,
    config: Config,
}

/// What one rehearsal is made of.
pub(crate) struct Casting {
    /// The plugin, as its operator would configure it.
    pub(crate) plugin: PluginSource,
    /// How its own tools are classified.
    pub(crate) tools: BTreeMap<String, Classified>,
    /// The credentials that its grants name; any other is a made-up one where `pretend` is set.
    pub(crate) credentials: Credentials,
    /// Nothing real is reached, so that no real credential is needed.
    pub(crate) pretend: bool,
    /// The model that it may ask.
    pub(crate) model: Arc<dyn agent::Model>,
    /// The pause before something is tried again.
    pub(crate) pause: Duration,
}

/// A host with one case in it.
pub(crate) struct Rehearsal {
    dispatcher: Dispatcher,
    store: Arc<SqliteStore>,
    overheard: Arc<Overheard>,
    case: String,
    // Dropped last: the store is in it.
    _folder: tempfile::TempDir,
}

impl Stage {
    /// Starts the sandbox; compiled code is kept where a host with this configuration keeps it.
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        // One crypto provider for every TLS client of this process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let cache = config.data_dir.join("compiled");
        files::make_writable_folder(&cache)
            .with_context(|| format!("cannot write to {}", cache.display()))?;
        let toolbox = Toolbox::new(ToolboxSettings {
            contract: embedded::contract_wit(),
            cache: Some(cache),
            ..ToolboxSettings::default()
        })?;
        Ok(Self {
            toolbox: Arc::new(toolbox),
            config: config.clone(),
        })
    }

    /// A plugin as an operator configures it who takes what its manifest asks for, with `settings` over its defaults.
    pub(crate) fn plugin(
        &self,
        bytes: &[u8],
        manifest: &Manifest,
        settings: &BTreeMap<String, String>,
    ) -> anyhow::Result<PluginSource> {
        let config = manifest.asks.settings_with(settings);
        Ok(PluginSource {
            tenant: TENANT.to_owned(),
            name: manifest.name.clone(),
            version: manifest.version.to_string(),
            bytes: bytes.to_vec(),
            grants: manifest.asks.grants(&config)?,
            config,
            model: manifest.asks.model,
            key_value: manifest.asks.key_value,
            limits: figures::limits(&self.config),
        })
    }

    /// The model of the configuration.
    pub(crate) fn model(&self, secrets: &Secrets) -> anyhow::Result<Arc<dyn agent::Model>> {
        Ok(model::build(&self.config.model, secrets)?)
    }

    /// Loads the plugin and opens a case.
    pub(crate) async fn open(&self, casting: Casting) -> anyhow::Result<Rehearsal> {
        let rulebook = Arc::new(Rulebook::load(self.rules(&casting.tools)?)?);
        let grants = casting.plugin.grants.clone();
        let plugin = self.toolbox.load(casting.plugin).await?;
        self.toolbox.publish(TENANT, &[plugin])?;
        let folder = tempfile::tempdir().context("cannot make a folder for the store")?;
        let store = Arc::new(SqliteStore::open(folder.path(), OpenOptions::default())?);
        let overheard = Arc::new(Overheard::over(Arc::clone(&self.toolbox)));
        let dispatcher = Dispatcher::new(DispatcherParts {
            tools: Arc::clone(&overheard) as Arc<dyn dispatch::Tools>,
            store: Arc::clone(&store) as Arc<dyn dispatch::Store>,
            secrets: Arc::new(Purse::of(casting.credentials, casting.pretend, &grants)),
            completions: Arc::new(ModelCompletions::new(casting.model, Arc::new(|_| None))),
            rulebooks: Arc::new(move |_| Some(Arc::clone(&rulebook))),
            retry: RetryPolicy {
                pause: casting.pause,
                ..RetryPolicy::default()
            },
        });
        let case = store.case_of_session(TENANT, "author").await?.id;
        Ok(Rehearsal {
            dispatcher,
            store,
            overheard,
            case,
            _folder: folder,
        })
    }

    /// The configured rules, and those that the manifest's `open_to` stands for. The contract's tools are judged as the
    /// contract says.
    fn rules(&self, tools: &BTreeMap<String, Classified>) -> anyhow::Result<RulebookSource> {
        let mut source = host::rules_source(&self.config, host::demo::TENANT, None)?;
        let mut rules = String::new();
        for (name, classified) in tools {
            if !source.tools.contains_key(name) {
                rules += &classified.rules(name).unwrap_or_default();
                source.tools.insert(name.clone(), classified.rule.clone());
            }
        }
        source
            .policies
            .push((crate::MANIFEST_FILE.to_owned(), rules));
        Ok(source)
    }

    /// What results can establish beside these tools: kinds of things, and the attributes that are known of each.
    pub(crate) fn establishable(
        &self,
        tools: &BTreeMap<String, Classified>,
    ) -> anyhow::Result<BTreeMap<String, BTreeSet<String>>> {
        let mut kinds = BTreeMap::<String, BTreeSet<String>>::new();
        for rule in self.rules(tools)?.tools.into_values() {
            for established in rule.establishes {
                let known = kinds.entry(established.kind).or_default();
                known.extend(established.attributes.into_keys());
            }
        }
        Ok(kinds)
    }
}

impl Rehearsal {
    /// Lets the host know who the customer is.
    pub(crate) async fn identify(&self, customer: &str, level: Level) -> anyhow::Result<()> {
        self.store.identify(&self.case, customer, level).await?;
        Ok(())
    }

    /// Lets the host know facts as if results had established them.
    pub(crate) async fn establish(&self, facts: Vec<(Entity, Fact)>) -> anyhow::Result<()> {
        Ok(self.store.establish(&self.case, facts).await?)
    }

    /// Unix seconds, by the clock that facts are held against.
    pub(crate) async fn now(&self) -> anyhow::Result<i64> {
        Ok(self.store.now().await?)
    }

    /// Whoever is asked says yes; what became of the call.
    pub(crate) async fn agree(&self, asked: &PendingConsent) -> anyhow::Result<Outcome> {
        let role = match asked.from {
            ConsentFrom::Customer => Role::Agent,
            ConsentFrom::Staff => Role::Supervisor,
        };
        let by = Actor {
            role,
            subject: "author".to_owned(),
        };
        let answered = self
            .dispatcher
            .answer_consent(TENANT, &asked.id, true, &by)
            .await?;
        answered.context("a yes came to nothing")
    }

    /// One call, as the support agent makes it.
    pub(crate) async fn call(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
    ) -> anyhow::Result<Outcome> {
        let request = CallRequest {
            tenant: TENANT.to_owned(),
            case: self.case.clone(),
            actor: Actor {
                role: Role::Agent,
                subject: "author".to_owned(),
            },
            channel: Channel::Terminal,
            tool: tool.to_owned(),
            arguments: arguments.into(),
        };
        Ok(self.dispatcher.call(request).await?)
    }

    /// What the plugin itself answered where it gave no result, in its own words: its author may read them.
    pub(crate) fn overheard(&self) -> Vec<String> {
        self.overheard.heard()
    }

    /// Ends it; what was stored is gone.
    pub(crate) async fn close(self) {
        self.store.close().await;
    }
}

/// The credentials of one rehearsal.
struct Purse(Credentials);

impl Purse {
    fn of(mut real: Credentials, pretend: bool, grants: &[HttpGrant]) -> Self {
        if pretend {
            let named = grants.iter().filter_map(|grant| grant.credential.as_ref());
            for name in named {
                if !real.has(name) {
                    // It can always be sent.
                    drop(real.put(name, None, Secret::random()));
                }
            }
        }
        Self(real)
    }
}

impl dispatch::Secrets for Purse {
    fn headers(&self, _tenant: &str, credential: &str) -> Option<Vec<(HeaderName, HeaderValue)>> {
        self.0.headers(credential)
    }

    fn scrub(&self, _: &str, text: &str) -> String {
        let secrets = self.0.secrets().iter().map(Secret::expose);
        secrets
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| {
                text.replace(secret, "[secret]")
            })
    }
}
