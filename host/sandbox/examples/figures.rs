//! What the sandbox costs: a call in a fresh instance of the bundled plugins, and the memory of tenants that share one.
//!
//! `cargo run --release -p sandbox --example figures`, after the plugins were built (any build of the host does); the
//! campaigns print the same.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a measurement that cannot go on should stop where it stands"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use dispatch::{
    Answer, CompletionError, CompletionRequest, Gate, HttpApproval, KeyValueError, OutboundHttp,
    Tools as _,
};
use policy::{
    Actor, Call, Channel, Decision, Effect, Facts, HttpGrant, Permit, Refusal, Role, Rulebook,
    RulebookSource, Settings, ToolRule,
};
use sandbox::{PluginSource, Toolbox, ToolboxSettings};
use serde_json::{Value, json};

/// The allocator of the program, which calls are served with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Plugin, tool, and arguments to which the plugin knows the answer itself.
const BY_ITSELF: [(&str, &str, &str); 3] = [
    (
        "tickets",
        "classify_inquiry",
        r#"{ "text": "My blender arrived broken." }"#,
    ),
    ("crm", "get_customer", "{}"),
    (
        "knowledge",
        "search_knowledge_base",
        r#"{ "query": "return a blender", "limit": 0 }"#,
    ),
];
/// The same where it asks a backend. There is none: the request ends at the gate, which is as much work for the sandbox.
const BY_REQUEST: [(&str, &str, &str); 3] = [
    ("crm", "get_customer", r#"{ "email": "sarah@example.com" }"#),
    ("orders", "lookup_order", r#"{ "order_id": "ORD-8842" }"#),
    (
        "knowledge",
        "search_knowledge_base",
        r#"{ "query": "return a blender" }"#,
    ),
];
/// A debug build shows that it works, and no figure that means anything.
const SHARE: usize = if cfg!(debug_assertions) { 20 } else { 1 };
const WARM_UP: usize = 500 / SHARE;
const TIMES: usize = 5_000 / SHARE;
const TENANTS: usize = 1_000 / SHARE;

/// What a call in a fresh instance is meant to take, and what a tenant more is meant to keep.
const GOAL: Duration = Duration::from_micros(15);
const GOAL_KIB: f64 = 64.0;

pub(crate) fn main() {
    // On one thread: what a call starts runs where the call does, as it mostly does on a host's worker. Between the threads of a
    // machine that has nothing else to do, waking each other up would be most of what is measured.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(async {
        if cfg!(debug_assertions) {
            println!("This is a debug build: its times mean nothing.");
        }
        // First: what the calls leave over would be given back meanwhile, and hide what a tenant takes.
        tenants().await;
        calls("a call that the plugin answers by itself", &BY_ITSELF).await;
        calls("a call with a request", &BY_REQUEST).await;
    });
}

async fn calls(title: &str, calls: &[(&str, &str, &str)]) {
    println!(
        "{:<24} {:>10} {:>10} {:>10}   a fresh instance, {title}, and its end",
        "tool", "p50 µs", "p90 µs", "p99 µs"
    );
    let toolbox = toolbox();
    for &(plugin, tool, arguments) in calls {
        let owner = tenant_id(plugin, 0);
        let loaded = toolbox.load(source(plugin, 0)).await.unwrap();
        toolbox.publish(&owner, &[loaded]).unwrap();
        let tool = toolbox.snapshot(&owner).unwrap().tools[tool].clone();
        let arguments: Value = serde_json::from_str(arguments).unwrap();
        let arguments = Value::Object(tool.check(&arguments).unwrap());
        let (name, digest) = (tool.spec().name.clone(), tool.spec().digest.clone());
        let rulebook = rulebook(&name);
        let mut times = Vec::with_capacity(TIMES);
        for turn in 0..WARM_UP + TIMES {
            let permit = permit(&rulebook, &owner, &name, &digest, &arguments);
            let since = Instant::now();
            let _ = tool.invoke(permit, Arc::new(Closed)).await;
            if turn >= WARM_UP {
                times.push(since.elapsed());
            }
        }
        times.sort_unstable();
        let at = |percent: usize| times[times.len() * percent / 100].as_secs_f64() * 1e6;
        let met = if times[times.len() / 2] <= GOAL {
            "met"
        } else {
            "missed"
        };
        println!(
            "{name:<24} {:>10.1} {:>10.1} {:>10.1}   goal of {} µs: {met}",
            at(50),
            at(90),
            at(99),
            GOAL.as_micros()
        );
    }
}

async fn tenants() {
    let toolbox = toolbox();
    let plugins = ["orders", "tickets"];
    // What is left over from compiling is given back, or used again, before anything is measured.
    for plugin in plugins {
        for tenant in 0..TENANTS {
            publish(&toolbox, plugin, tenant).await;
        }
    }
    for plugin in plugins {
        let before = resident_kib();
        for tenant in TENANTS..2 * TENANTS {
            publish(&toolbox, plugin, tenant).await;
        }
        let each = (resident_kib() - before) / TENANTS as f64;
        let met = if each <= GOAL_KIB { "met" } else { "missed" };
        println!(
            "{plugin}: {TENANTS} tenants more, with settings and grants of their own, {each:.1} KiB each (of {:.0} KiB that are resident); goal of {GOAL_KIB} KiB: {met}",
            resident_kib()
        );
    }
}

async fn publish(toolbox: &Toolbox, plugin: &str, tenant: usize) {
    let loaded = toolbox.load(source(plugin, tenant)).await.unwrap();
    toolbox
        .publish(&tenant_id(plugin, tenant), &[loaded])
        .unwrap();
}

fn resident_kib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn toolbox() -> Toolbox {
    let mut contract = vec![];
    for entry in fs::read_dir(root().join("wit")).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() || folder.ends_with("released") {
            continue;
        }
        for file in fs::read_dir(&folder).unwrap() {
            let file = file.unwrap().path();
            let path = file.strip_prefix(root().join("wit")).unwrap();
            contract.push((
                path.display().to_string(),
                fs::read_to_string(&file).unwrap(),
            ));
        }
    }
    contract.sort();
    Toolbox::new(ToolboxSettings {
        contract,
        ..ToolboxSettings::default()
    })
    .unwrap()
}

fn source(plugin: &str, tenant: usize) -> PluginSource {
    let built = root().join("target/plugins/wasm32-wasip2/release");
    let origin = format!("https://api-{tenant}.example.com");
    let grant = json!({ "origin": origin, "methods": ["GET", "POST"], "paths": ["/**"] });
    let grant: HttpGrant = serde_json::from_value(grant).unwrap();
    PluginSource {
        tenant: tenant_id(plugin, tenant),
        name: plugin.to_owned(),
        version: "1.0.0".to_owned(),
        bytes: fs::read(built.join(format!("{plugin}.wasm"))).unwrap(),
        config: BTreeMap::from([("base_url".to_owned(), origin)]),
        grants: vec![grant],
        model: true,
        ..PluginSource::default()
    }
}

fn tenant_id(plugin: &str, tenant: usize) -> String {
    format!("{plugin}-{tenant}")
}

fn rulebook(tool: &str) -> Rulebook {
    let rule: ToolRule = serde_json::from_value(json!({ "effect": Effect::Read })).unwrap();
    let allow = "@id(\"all\") permit (principal, action, resource);";
    let source = RulebookSource {
        policies: vec![("all.cedar".to_owned(), allow.to_owned())],
        tools: BTreeMap::from([(tool.to_owned(), rule)]),
        settings: Settings::default(),
    };
    Rulebook::load(source).unwrap_or_else(|error| panic!("{error}"))
}

fn permit(
    rulebook: &Rulebook,
    tenant: &str,
    tool: &str,
    digest: &str,
    arguments: &Value,
) -> Permit {
    let call = Call {
        tenant: tenant.to_owned(),
        case: "case".to_owned(),
        actor: Actor {
            role: Role::Agent,
            subject: "agent:figures".to_owned(),
        },
        channel: Channel::Chat,
        tool: tool.to_owned(),
        plugin_digest: digest.to_owned(),
        arguments: arguments.as_object().unwrap().clone(),
    };
    match rulebook.decide(call, &Facts::default(), &Arc::from([])) {
        Decision::Allow(permit) => permit,
        other => panic!("{other:?}"),
    }
}

/// A gate that lets nothing through.
struct Closed;

#[async_trait]
impl Gate for Closed {
    async fn http(&self, _: &OutboundHttp) -> Result<HttpApproval, Refusal> {
        Err(Refusal {
            code: "CLOSED".to_owned(),
            say: String::new(),
            hint: None,
            rules: vec![],
        })
    }

    async fn answered(&self, _: u32, _: Answer) {}

    async fn complete(&self, _: CompletionRequest) -> Result<String, CompletionError> {
        Err(CompletionError::Budget)
    }

    async fn value(&self, _: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
        Ok(None)
    }

    async fn set_value(&self, _: &str, _: Option<Vec<u8>>) -> Result<(), KeyValueError> {
        Ok(())
    }

    async fn keys(&self, _: u64) -> Result<(Vec<String>, Option<u64>), KeyValueError> {
        Ok((vec![], None))
    }

    fn scrub(&self, text: &str) -> String {
        text.to_owned()
    }
}
