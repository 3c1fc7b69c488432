//! Plugins at the real host's core (sandbox, policy, ledger, gate) and the real shop, without the surfaces around it: for what
//! an operator's folder cannot bring, such as a contract of another version.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dispatch::{
    CallRequest, Cases as _, CompletionError, CompletionRequest, Completions, Dispatcher,
    DispatcherParts, Outcome, RetryPolicy, Secrets, ToolSpec, Tools as _,
};
use http::{HeaderName, HeaderValue, header};
use policy::{
    Actor, Channel, HttpGrant, Level, Nature, PathPattern, Role, Rulebook, RulebookSource,
    Settings, ToolRule,
};
use sandbox::{LoadError, PluginSource, Toolbox, ToolboxSettings};
use serde_json::Value;
use store::{OpenOptions, SqliteStore};
use wasm_encoder::{ComponentSection as _, CustomSection};

use crate::desk::{Shop, http_client};
use crate::tree::root;

const CREDENTIAL: &str = "shop";
const TOKEN: &str = "token-of-the-workbench-0123456789";

/// A host's core with a shop of its own.
pub(crate) struct Workbench {
    pub(crate) shop: Shop,
    pub(crate) toolbox: Arc<Toolbox>,
    dispatcher: Dispatcher,
    store: Arc<SqliteStore>,
    _backend: demo_backend::Running,
    _data: tempfile::TempDir,
}

impl Workbench {
    /// With these further files of the contract (path, text), and these tools open to everybody. The rules of the gate are the
    /// shipped ones.
    pub(crate) async fn open(contract: &[(&str, &str)], tools: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let backend = demo_backend::Backend::start(demo_backend::Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            data: data.path().join("shop"),
            token: TOKEN.to_owned(),
            require_idempotency_key: true,
        });
        let backend = backend.await.unwrap();
        let toolbox = Arc::new(toolbox(contract).unwrap());
        let store = data.path().join("store");
        std::fs::create_dir(&store).unwrap();
        let store = Arc::new(SqliteStore::open(&store, OpenOptions::default()).unwrap());
        let rulebook = Arc::new(rulebook(tools));
        let dispatcher = Dispatcher::new(DispatcherParts {
            tools: Arc::clone(&toolbox) as Arc<dyn dispatch::Tools>,
            store: Arc::clone(&store) as Arc<dyn dispatch::Store>,
            secrets: Arc::new(ShopToken),
            completions: Arc::new(NoModel),
            rulebooks: Arc::new(move |_| Some(Arc::clone(&rulebook))),
            retry: RetryPolicy {
                pause: Duration::from_millis(5),
                longest: Duration::from_millis(5),
                ..RetryPolicy::default()
            },
        });
        Self {
            shop: Shop {
                url: format!("http://{}", backend.addr),
                token: TOKEN.to_owned(),
                http: http_client(),
            },
            toolbox,
            dispatcher,
            store,
            _backend: backend,
            _data: data,
        }
    }

    /// A component with what it may reach at the shop: methods and paths.
    pub(crate) fn plugin(
        &self,
        name: &str,
        bytes: Vec<u8>,
        reach: &[(&[&str], &[&str])],
    ) -> PluginSource {
        let grant = |(methods, paths): &(&[&str], &[&str])| HttpGrant {
            origin: self.shop.url.clone(),
            methods: methods.iter().map(|&method| method.to_owned()).collect(),
            paths: paths
                .iter()
                .map(|&path| PathPattern(path.to_owned()))
                .collect(),
            safe_posts: Vec::new(),
            bodies: policy::BodyEncoding::Json,
            credential: Some(CREDENTIAL.to_owned()),
            nature: Nature::Deduplicates,
            private_network: true,
            tools: BTreeMap::new(),
        };
        PluginSource {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            bytes,
            config: BTreeMap::from([("base_url".to_owned(), self.shop.url.clone())]),
            grants: reach.iter().map(grant).collect(),
            ..PluginSource::default()
        }
    }

    /// Makes these plugins the tenant's.
    pub(crate) async fn publish(
        &self,
        tenant: &str,
        sources: Vec<PluginSource>,
    ) -> Result<(), LoadError> {
        let mut plugins = Vec::new();
        for source in sources {
            plugins.push(self.toolbox.load(source).await?);
        }
        self.toolbox.publish(tenant, &plugins).map(drop)
    }

    /// What a tenant's tool is to its callers.
    pub(crate) fn spec(&self, tenant: &str, tool: &str) -> ToolSpec {
        self.toolbox.snapshot(tenant).unwrap().tools[tool]
            .spec()
            .clone()
    }

    /// One call of the agent, for a customer whom the case knows.
    pub(crate) async fn call(
        &self,
        tenant: &str,
        customer: &str,
        tool: &str,
        arguments: Value,
    ) -> Outcome {
        let case = self
            .store
            .case_of_session(tenant, "chat:one")
            .await
            .unwrap();
        self.store
            .identify(&case.id, customer, Level::Matched)
            .await
            .unwrap();
        let request = CallRequest {
            tenant: tenant.to_owned(),
            case: case.id,
            actor: Actor {
                role: Role::Agent,
                subject: "agent:workbench".to_owned(),
            },
            channel: Channel::Chat,
            tool: tool.to_owned(),
            arguments,
        };
        self.dispatcher.call(request).await.unwrap()
    }

    /// The output of a call that must succeed.
    pub(crate) async fn done(
        &self,
        tenant: &str,
        customer: &str,
        tool: &str,
        arguments: Value,
    ) -> Value {
        match self.call(tenant, customer, tool, arguments).await {
            Outcome::Done { output, .. } => output,
            other => panic!("{tool}: {other:?}"),
        }
    }
}

/// A toolbox of the repository's contract and these further files of it.
pub(crate) fn toolbox(contract: &[(&str, &str)]) -> Result<Toolbox, LoadError> {
    let more = contract
        .iter()
        .map(|&(path, text)| (path.to_owned(), text.to_owned()));
    Toolbox::new(ToolboxSettings {
        contract: wit().into_iter().chain(more).collect(),
        cache: Some(root().join("target/tests/compiled")),
        ..ToolboxSettings::default()
    })
}

/// The repository's packages, as the program carries them.
fn wit() -> Vec<(String, String)> {
    let packages = std::fs::read_dir(root().join("wit")).unwrap();
    let files = packages.filter_map(|entry| {
        let folder = entry.unwrap().path();
        let name = folder.file_name()?.to_str()?.to_owned();
        let file = folder.join(format!("{name}.wit"));
        let text = std::fs::read_to_string(file).ok()?;
        Some((format!("{name}/{name}.wit"), text))
    });
    files.collect()
}

/// A plugin as the build of this program made it.
pub(crate) fn shipped(name: &str) -> Vec<u8> {
    std::fs::read(
        guests()
            .join("wasm32-wasip2/release")
            .join(format!("{name}.wasm")),
    )
    .unwrap()
}

/// Where guests are built: beside the program.
pub(crate) fn guests() -> std::path::PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_switchboard"));
    program
        .parent()
        .and_then(Path::parent)
        .unwrap()
        .join("plugins")
}

/// The stock component with a description in it.
pub(crate) fn described(description: &str) -> Vec<u8> {
    let mut component = shipped("declarative");
    let section = CustomSection {
        name: Cow::Borrowed("switchboard-api"),
        data: Cow::Borrowed(description.as_bytes()),
    };
    section.append_to_component(&mut component);
    component
}

fn rulebook(tools: &str) -> Rulebook {
    let tools: BTreeMap<String, ToolRule> = toml::from_str(tools).unwrap();
    let mut source = RulebookSource::shipped(tools, Settings::default());
    source
        .policies
        .retain(|(file, _)| file == "capability.cedar");
    let open = "@id(\"workbench\") permit (principal, action in [Action::\"read\", Action::\"write\"], resource);";
    source
        .policies
        .push(("workbench.cedar".to_owned(), open.to_owned()));
    Rulebook::load(source).unwrap_or_else(|error| panic!("{error}"))
}

struct ShopToken;

impl Secrets for ShopToken {
    fn headers(&self, _: &str, credential: &str) -> Option<Vec<(HeaderName, HeaderValue)>> {
        assert_eq!(credential, CREDENTIAL);
        let value = HeaderValue::from_str(&format!("Bearer {TOKEN}")).unwrap();
        Some(vec![(header::AUTHORIZATION, value)])
    }

    fn scrub(&self, _: &str, text: &str) -> String {
        text.replace(TOKEN, "[secret]")
    }
}

struct NoModel;

#[async_trait]
impl Completions for NoModel {
    async fn complete(&self, _: &str, _: CompletionRequest) -> Result<String, CompletionError> {
        panic!("no plugin at the workbench asks a model")
    }
}
