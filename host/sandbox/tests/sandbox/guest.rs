//! Components built from WIT and WAT, and the toolboxes that run them.

use std::collections::BTreeMap;
use std::sync::Arc;

use dispatch::{InvokeError, Tools as _};
use policy::{
    Actor, Call, Channel, Decision, Effect, Facts, Permit, Role, Rulebook, RulebookSource,
    Settings, ToolRule,
};
use sandbox::{Capacity, Limits, LoadError, Plugin, PluginSource, Toolbox, ToolboxSettings};
use serde_json::{Value, json};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

use crate::gate::TestGate;

pub(crate) const TENANT: &str = "acme";

/// The contract of these tests: one interface, what plugins may import, and what carries out descriptions.
const CONTRACT: [(&str, &str); 4] = [
    (
        "wit/probe/probe.wit",
        "package switchboard:probe@1.0.0;
         interface probe {
            /// Counts the bytes of a text.
            count: func(text: string) -> u32;
            /// Says which probe this is.
            name: func() -> string;
            @since(version = 1.0.0)
            third: func() -> u32;
         }",
    ),
    (
        "wit/common/common.wit",
        include_str!("../../../../wit/common/common.wit"),
    ),
    (
        "wit/declarative/declarative.wit",
        include_str!("../../../../wit/declarative/declarative.wit"),
    ),
    (
        "wit/host/host.wit",
        "package switchboard:host@1.0.0;
         interface model {
            variant model-error {
                unavailable(string), budget-exhausted(string), refused(string), invalid-request(string),
            }
            complete: func(prompt: string, max-tokens: u32) -> result<string, model-error>;
         }",
    ),
];

/// A component from the text of its world's packages and of its core module.
pub(crate) fn component(packages: &[&str], core: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let ids: Vec<_> = (packages.iter().enumerate())
        .map(|(index, text)| resolve.push_source(&format!("{index}.wit"), text).unwrap())
        .collect();
    let world = resolve.select_world(&[*ids.last().unwrap()], None).unwrap();
    let mut module = wat::parse_str(core).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .unwrap();
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .unwrap()
        .encode()
        .unwrap()
}

/// A core module with a memory, an allocator, and these functions.
pub(crate) fn core(items: &str) -> String {
    format!(
        "(module
            {items}
            (memory (export \"memory\") 1)
            (global $next (mut i32) (i32.const 4096))
            (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32)
                (global.get $next)
                (global.set $next (i32.add (global.get $next)
                    (i32.and (i32.add (local.get 3) (i32.const 7)) (i32.const -8))))))"
    )
}

/// The friendly guest: `acme:friendly/friendly@1.0.0` with `add` and `echo`.
pub(crate) fn friendly() -> Vec<u8> {
    named("friendly")
}

/// The same under another package's name.
pub(crate) fn named(name: &str) -> Vec<u8> {
    let wit = format!(
        "package acme:{name}@1.0.0;
         interface {name} {{
            add: func(a: u32, b: u32) -> u32;
            echo: func(text: string) -> string;
         }}
         world w {{ export {name}; }}"
    );
    let export = format!("acme:{name}/{name}@1.0.0");
    let module = core(&format!(
        "(func (export \"{export}#add\") (param i32 i32) (result i32)
            (i32.add (local.get 0) (local.get 1)))
         (func (export \"{export}#echo\") (param i32 i32) (result i32)
            (i32.store (i32.const 16) (local.get 0))
            (i32.store (i32.const 20) (local.get 1))
            (i32.const 16))"
    ));
    component(&[&wit], &module)
}

/// Appends a custom section `switchboard-wit`.
pub(crate) fn with_section(mut component: Vec<u8>, text: &str) -> Vec<u8> {
    const NAME: &[u8] = b"switchboard-wit";
    let leb = |mut value: usize| {
        let mut bytes = Vec::new();
        while value >= 0x80 {
            bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
            value >>= 7;
        }
        bytes.push(u8::try_from(value).unwrap());
        bytes
    };
    let content = [&leb(NAME.len())[..], NAME, text.as_bytes()].concat();
    component.push(0);
    component.extend(leb(content.len()));
    component.extend(content);
    component
}

pub(crate) fn source(bytes: Vec<u8>) -> PluginSource {
    PluginSource {
        tenant: TENANT.to_owned(),
        name: "guest".to_owned(),
        version: "1.0.0".to_owned(),
        bytes,
        ..PluginSource::default()
    }
}

pub(crate) fn settings() -> ToolboxSettings {
    let own = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    ToolboxSettings {
        contract: CONTRACT.iter().map(own).collect(),
        cache: None,
        compiler: None,
        capacity: Capacity {
            calls: 4,
            ..Capacity::default()
        },
    }
}

pub(crate) fn toolbox() -> Toolbox {
    Toolbox::new(settings()).unwrap()
}

/// Loads one guest into a toolbox of its own.
pub(crate) async fn load(source: PluginSource) -> Result<Arc<Plugin>, LoadError> {
    toolbox().load(source).await
}

/// A toolbox with one live guest.
pub(crate) struct Guest {
    pub(crate) toolbox: Toolbox,
    pub(crate) gate: Arc<TestGate>,
}

impl Guest {
    pub(crate) async fn live(source: PluginSource) -> Self {
        Self::live_in(toolbox(), source).await
    }

    pub(crate) async fn live_in(toolbox: Toolbox, source: PluginSource) -> Self {
        let plugin = toolbox.load(source).await.unwrap();
        Self::of(toolbox, plugin)
    }

    pub(crate) fn of(toolbox: Toolbox, plugin: Arc<Plugin>) -> Self {
        toolbox.publish(TENANT, &[plugin]).unwrap();
        let gate = Arc::default();
        Self { toolbox, gate }
    }

    pub(crate) async fn with_limits(bytes: Vec<u8>, limits: Limits) -> Self {
        let source = PluginSource {
            limits,
            ..source(bytes)
        };
        Self::live(source).await
    }

    /// Calls a tool, as dispatch does: check, permit, invoke.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Result<Value, InvokeError> {
        self.call_as(TENANT, tool, arguments).await
    }

    /// The same for another tenant, which has published the guest too.
    pub(crate) async fn call_as(
        &self,
        tenant: &str,
        tool: &str,
        arguments: Value,
    ) -> Result<Value, InvokeError> {
        let snapshot = self.toolbox.snapshot(tenant).unwrap();
        let tool = snapshot.tools[tool].clone();
        let arguments = tool.check(&arguments).unwrap();
        let spec = tool.spec();
        let permit = permit_of(tenant, &spec.name, &spec.digest, &json!(arguments));
        tool.invoke(permit, self.gate.clone()).await
    }
}

/// A permit, from rules that allow everything.
pub(crate) fn permit(tool: &str, digest: &str, arguments: &Value) -> Permit {
    permit_of(TENANT, tool, digest, arguments)
}

fn permit_of(tenant: &str, tool: &str, digest: &str, arguments: &Value) -> Permit {
    let rule: ToolRule = serde_json::from_value(json!({ "effect": Effect::Read })).unwrap();
    let rulebook = Rulebook::load(RulebookSource {
        policies: vec![(
            "all.cedar".to_owned(),
            "@id(\"all\") permit (principal, action, resource);".to_owned(),
        )],
        tools: BTreeMap::from([(tool.to_owned(), rule)]),
        settings: Settings::default(),
    });
    let call = Call {
        tenant: tenant.to_owned(),
        case: "case".to_owned(),
        actor: Actor {
            role: Role::Agent,
            subject: "agent:test".to_owned(),
        },
        channel: Channel::Chat,
        tool: tool.to_owned(),
        plugin_digest: digest.to_owned(),
        arguments: arguments.as_object().unwrap().clone(),
    };
    let decision = rulebook.unwrap_or_else(|error| panic!("{error}")).decide(
        call,
        &Facts::default(),
        &Arc::from([]),
    );
    match decision {
        Decision::Allow(permit) => permit,
        other => panic!("{other:?}"),
    }
}
