//! The host under attack, in a process of its own that can be measured and could be brought down: dispatcher, store, rules and
//! sandbox as they are, asked line by line. Standing aside are HTTP and MCP, which no plugin reaches.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dispatch::{CallRequest, Cases, Dispatcher, DispatcherParts, Outcome, RetryPolicy, Store};
use policy::{
    Actor, Channel, HttpGrant, Nature, PathPattern, Role, Rulebook, RulebookSource, Settings,
};
use sandbox::{
    Capacity, Compiler, Limits, LoadError, PluginSource, Share, Toolbox, ToolboxSettings,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{OpenOptions, SqliteStore};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::task::JoinSet;

use crate::victim::{Nothing, say};

/// The environment variable that makes this program a host to attack; it holds a [`Setup`].
pub(crate) const VARIABLE: &str = "SWITCHBOARD_CAMPAIGN_HOST";
/// Whose plugin attacks.
pub(super) const ATTACKER: &str = "attacker";
/// Whose plugin does its work.
pub(super) const NEIGHBOUR: &str = "neighbour";

/// What a hostile call may take. Short, for most of them take all of it.
const DEADLINE_MS: u64 = 300;

/// What the host is made of.
#[derive(Serialize, Deserialize)]
pub(super) struct Setup {
    pub(super) folder: PathBuf,
    pub(super) backend: SocketAddr,
    /// The attacker's components: name and file.
    pub(super) plugins: Vec<(String, PathBuf)>,
    /// The neighbour's.
    pub(super) neighbour: PathBuf,
}

/// What it is asked, one line on the standard input each.
#[derive(Serialize, Deserialize)]
pub(super) enum Ask {
    Call {
        number: u64,
        tenant: String,
        /// The session whose case it belongs to.
        session: String,
        tool: String,
        arguments: Value,
    },
    Install {
        number: u64,
        file: PathBuf,
    },
}

/// What it says, one line on the standard output each.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Line {
    Ready,
    Ended {
        number: u64,
        /// As [`Outcome::word`] puts it; `loaded` or `refused` for a component.
        word: String,
        /// Why, where there is a why.
        why: String,
        /// The call's case.
        case: String,
        micros: u64,
    },
}

/// Serves until nobody asks any more.
pub(crate) fn run(setup: &str) -> ExitCode {
    let setup: Setup = serde_json::from_str(setup).unwrap();
    // As the program itself: one thread for each core.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().build().unwrap().block_on(serve(setup));
    ExitCode::SUCCESS
}

async fn serve(setup: Setup) {
    let store = SqliteStore::open(&setup.folder, OpenOptions::default()).unwrap();
    let host = Arc::new(Host {
        store: Arc::new(store),
        toolbox: Arc::new(toolbox(&setup.folder).await),
    });
    host.publish(&setup).await;
    let dispatcher = dispatcher(&host);
    say(&Line::Ready);
    let mut asked = BufReader::new(tokio::io::stdin()).lines();
    let mut under_way = JoinSet::new();
    while let Some(line) = asked.next_line().await.unwrap() {
        let (host, dispatcher) = (Arc::clone(&host), dispatcher.clone());
        let ask = serde_json::from_str(&line).unwrap();
        under_way.spawn(async move { host.answer(&dispatcher, ask).await });
        while under_way.try_join_next().is_some() {}
    }
    under_way.join_all().await;
    host.store.close().await;
}

struct Host {
    store: Arc<SqliteStore>,
    toolbox: Arc<Toolbox>,
}

/// Everything as in the program: the compiler is a process of its own, and is the program.
async fn toolbox(folder: &Path) -> Toolbox {
    let contract = [
        "common/common.wit",
        "declarative/declarative.wit",
        "host/host.wit",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let mut texts = vec![];
    for file in contract {
        let text = tokio::fs::read_to_string(root.join(file)).await.unwrap();
        texts.push((file.to_owned(), text));
    }
    Toolbox::new(ToolboxSettings {
        contract: texts,
        cache: Some(folder.join("compiled")),
        compiler: Some(Compiler {
            program: env!("CARGO_BIN_EXE_switchboard").into(),
            arguments: vec!["compile-component".to_owned()],
            time: Duration::from_secs(10),
            // Less time and memory than the program gives: what is refused in the end takes all of it.
            memory_bytes: 2 << 30,
        }),
        capacity: Capacity {
            calls: 32,
            ..Capacity::default()
        },
    })
    .unwrap()
}

impl Host {
    async fn publish(&self, setup: &Setup) {
        let mut attackers = vec![];
        for (name, file) in &setup.plugins {
            let plugin = source(ATTACKER, name, file, setup.backend, DEADLINE_MS).await;
            attackers.push(self.toolbox.load(plugin).await.unwrap());
        }
        self.toolbox.publish(ATTACKER, &attackers).unwrap();
        let plugin = source(NEIGHBOUR, "steady", &setup.neighbour, setup.backend, 10_000).await;
        let plugin = self.toolbox.load(plugin).await.unwrap();
        self.toolbox.publish(NEIGHBOUR, &[plugin]).unwrap();
        self.toolbox.set_share(
            ATTACKER,
            Share {
                calls: 8,
                ..Share::default()
            },
        );
    }

    async fn answer(&self, dispatcher: &Dispatcher, ask: Ask) {
        let since = Instant::now();
        let (number, (word, why, case)) = match ask {
            Ask::Install { number, file } => (number, self.install(&file).await),
            Ask::Call {
                number,
                tenant,
                session,
                tool,
                arguments,
            } => {
                let case = self
                    .store
                    .case_of_session(&tenant, &session)
                    .await
                    .unwrap()
                    .id;
                let ended = dispatcher
                    .call(request(tenant, &case, tool, arguments))
                    .await;
                let (word, why) = match ended {
                    Ok(outcome) => (outcome.word().to_owned(), why(&outcome)),
                    Err(error) => ("error".to_owned(), error.to_string()),
                };
                (number, (word, why, case))
            }
        };
        let micros = u64::try_from(since.elapsed().as_micros()).unwrap();
        say(&Line::Ended {
            number,
            word,
            why,
            case,
            micros,
        });
    }

    async fn install(&self, file: &Path) -> (String, String, String) {
        let plugin = source(
            ATTACKER,
            "installed",
            file,
            ([127, 0, 0, 1], 1).into(),
            DEADLINE_MS,
        )
        .await;
        let (word, why) = match self.toolbox.load(plugin).await {
            Ok(_) => ("loaded", String::new()),
            Err(LoadError::Sandbox(why)) => ("broken", why),
            Err(error) => ("refused", error.to_string()),
        };
        (word.to_owned(), why, String::new())
    }
}

fn why(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Failed { error, .. } => error.to_string(),
        Outcome::Denied { refusal, .. } | Outcome::Withheld { refusal, .. } => refusal.code.clone(),
        Outcome::Invalid(violations) => format!("{violations:?}"),
        _ => String::new(),
    }
}

fn request(tenant: String, case: &str, tool: String, arguments: Value) -> CallRequest {
    CallRequest {
        tenant,
        case: case.to_owned(),
        actor: Actor {
            role: Role::Agent,
            subject: "agent:campaign".to_owned(),
        },
        channel: Channel::Http,
        tool,
        arguments,
    }
}

async fn source(
    tenant: &str,
    name: &str,
    file: &Path,
    backend: SocketAddr,
    deadline_ms: u64,
) -> PluginSource {
    PluginSource {
        tenant: tenant.to_owned(),
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        bytes: tokio::fs::read(file).await.unwrap(),
        config: BTreeMap::from([("base_url".to_owned(), format!("http://{backend}"))]),
        grants: vec![HttpGrant {
            origin: format!("http://{backend}"),
            methods: vec!["GET".to_owned(), "POST".to_owned()],
            paths: vec![PathPattern("/**".to_owned())],
            safe_posts: vec![],
            bodies: policy::BodyEncoding::Json,
            credential: None,
            nature: Nature::Neither,
            private_network: true,
            tools: BTreeMap::new(),
        }],
        model: false,
        key_value: true,
        limits: Limits {
            deadline_ms,
            ..Limits::default()
        },
    }
}

fn dispatcher(host: &Host) -> Dispatcher {
    let rulebook = Arc::new(rulebook());
    Dispatcher::new(DispatcherParts {
        tools: Arc::clone(&host.toolbox) as Arc<dyn dispatch::Tools>,
        store: Arc::clone(&host.store) as Arc<dyn Store>,
        secrets: Arc::new(Nothing),
        completions: Arc::new(Nothing),
        rulebooks: Arc::new(move |_| Some(Arc::clone(&rulebook))),
        // Each attack is made once.
        retry: RetryPolicy {
            retries: 0,
            ..RetryPolicy::default()
        },
    })
}

/// Every call is allowed: what holds the attacks up is the shipped rules for what plugins send, and not those for tools.
fn rulebook() -> Rulebook {
    let read = json!({ "effect": "read" });
    let write = json!({ "effect": "write", "intent": { "key": ["/order"], "terms": ["/moment"] } });
    let tools = [
        ("raid", &read),
        ("boot", &read),
        ("grow", &read),
        ("dig", &read),
        ("strike", &write),
    ];
    let tools = tools.map(|(name, rule)| {
        let rule = serde_json::from_value(rule.clone()).unwrap();
        (name.to_owned(), rule)
    });
    let mut source = RulebookSource::shipped(tools.into(), Settings::default());
    source
        .policies
        .retain(|(file, _)| file == "capability.cedar");
    let all = "@id(\"all\") permit (principal, action, resource);";
    source
        .policies
        .push(("all.cedar".to_owned(), all.to_owned()));
    Rulebook::load(source).unwrap_or_else(|error| panic!("{error}"))
}
