//! What is loaded, what is not, and what the refusal says.

use std::fs;
use std::time::Duration;

use dispatch::Tools as _;
use expect_test::{Expect, expect};
use futures::future::{Either, select};
use policy::HttpGrant;
use sandbox::{Capacity, Compiler, PluginSource, Toolbox, ToolboxSettings};
use serde_json::json;

use crate::guest::{
    Guest, TENANT, component, core, friendly, load, named, settings, source, with_section,
};

async fn refused(source: PluginSource, expect: &Expect) {
    match load(source).await {
        Ok(_) => panic!("it was loaded"),
        Err(error) => expect.assert_eq(&error.to_string()),
    }
}

/// A component that imports one function of this interface.
fn importing(package: &str, interface: &str, import: &str, core_type: &str) -> Vec<u8> {
    let world = format!(
        "package acme:asking@1.0.0;
         interface asking {{ ask: func(); }}
         world w {{ import {interface}; export asking; }}"
    );
    let module = core(&format!(
        "(import \"{interface}\" \"{import}\" (func $import {core_type}))
         (func (export \"acme:asking/asking@1.0.0#ask\"))
         (elem declare func $import)"
    ));
    component(&[package, &world], &module)
}

const OUTGOING: &str = "package wasi:http@0.2.12;
    interface types { resource outgoing-request; resource future-incoming-response; resource request-options;
        variant error-code { internal-error(option<string>) } }
    interface outgoing-handler {
        use types.{outgoing-request, request-options, future-incoming-response, error-code};
        handle: func(request: outgoing-request, options: option<request-options>) -> result<future-incoming-response, error-code>; }";

fn outgoing() -> Vec<u8> {
    importing(
        OUTGOING,
        "wasi:http/outgoing-handler@0.2.12",
        "handle",
        "(param i32 i32 i32 i32)",
    )
}

const MODEL: &str = "package switchboard:host@1.0.0;
    interface model {
        variant model-error { unavailable(string), budget-exhausted(string), refused(string), invalid-request(string) }
        complete: func(prompt: string, max-tokens: u32) -> result<string, model-error>; }";

#[tokio::test]
async fn what_is_no_component() {
    let core = wat::parse_str("(module)").unwrap();
    refused(source(b"#!/bin/sh\necho hello".to_vec()), &expect!["this is no WebAssembly component but something else; build it for wasm32-wasip2, or wrap it with `wasm-tools component new`"]).await;
    refused(source(Vec::new()), &expect!["this is no WebAssembly component but something else; build it for wasm32-wasip2, or wrap it with `wasm-tools component new`"]).await;
    refused(source(core), &expect!["this is no WebAssembly component but a core module; build it for wasm32-wasip2, or wrap it with `wasm-tools component new`"]).await;
    let mut cut = friendly();
    cut.truncate(cut.len() / 2);
    refused(
        source(cut),
        &expect!["the component is invalid: unexpected end-of-file (at offset 0x210)"],
    )
    .await;
    refused(
        source(wat::parse_str("(component)").unwrap()),
        &expect!["plugin guest exports no tools: it must export an interface such as switchboard:orders/orders@1.0.0"],
    )
    .await;
}

#[tokio::test]
async fn what_is_too_large() {
    let toolbox = Toolbox::new(ToolboxSettings {
        capacity: Capacity {
            component_bytes: 100,
            ..Capacity::default()
        },
        ..settings()
    });
    let error = toolbox
        .unwrap()
        .load(source(friendly()))
        .await
        .err()
        .unwrap();
    assert!(
        error.to_string().contains("the host takes 100 at most"),
        "{error}"
    );
}

#[tokio::test]
async fn imports_are_granted_or_refused_by_name() {
    let unknown = importing(
        "package wasi:keyvalue@0.2.0; interface store { get: func() -> u32; }",
        "wasi:keyvalue/store@0.2.0",
        "get",
        "(result i32)",
    );
    refused(
        source(unknown),
        &expect!["plugin guest imports wasi:keyvalue/store@0.2.0: keys and values are not granted to it; set `key_value = true` in its configuration"],
    )
    .await;
    refused(source(outgoing()), &expect!["plugin guest imports wasi:http/types@0.2.12: no HTTP destination is granted to it; add a grant to its configuration"]).await;
    let model = || {
        let core_type = "(param i32 i32 i32 i32)";
        importing(MODEL, "switchboard:host/model@1.0.0", "complete", core_type)
    };
    refused(source(model()), &expect!["plugin guest imports switchboard:host/model@1.0.0: the model is not granted to it; set `model = true` in its configuration"]).await;
    let granted = PluginSource {
        model: true,
        ..source(model())
    };
    load(granted).await.unwrap();
}

#[tokio::test]
async fn a_grant_opens_http() {
    let grant: HttpGrant = serde_json::from_value(json!({
        "origin": "https://api.example.com", "methods": ["GET"], "paths": ["/**"],
    }))
    .unwrap();
    let with_grant = PluginSource {
        grants: vec![grant],
        ..source(outgoing())
    };
    // The stand-in for `wasi:http/types` above is not the real one, so linking fails, but no longer for want of a grant.
    let error = load(with_grant).await.err().unwrap().to_string();
    assert!(!error.contains("grant"), "{error}");
}

#[tokio::test]
async fn inert_parts_of_wasi_are_for_everybody() {
    let random = importing(
        "package wasi:random@0.2.0; interface random { get-random-u64: func() -> u64; }",
        "wasi:random/random@0.2.0",
        "get-random-u64",
        "(result i64)",
    );
    load(source(random)).await.unwrap();
}

#[tokio::test]
async fn a_loaded_plugin_says_what_it_offers() {
    let plugin = load(source(friendly())).await.unwrap();
    let names: Vec<&str> = plugin.tools().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["add", "echo"]);
    let add = plugin.tools().next().unwrap();
    assert_eq!(add.interface, "acme:friendly/friendly@1.0.0");
    assert_eq!(
        (add.plugin.as_str(), add.version.as_str()),
        ("guest", "1.0.0")
    );
    assert_eq!(add.digest, plugin.digest());
    assert_eq!(add.description, "Add.");
}

#[tokio::test]
async fn vendors_bring_their_documentation_along() {
    let text = "package acme:friendly@1.0.0;
        interface friendly {
            /// Adds two numbers.
            add: func(a: u32, b: u32) -> u32;
            /// Not what the component exports, so not believed.
            echo: func(text: u32) -> string;
        }";
    let plugin = load(source(with_section(friendly(), text))).await.unwrap();
    let descriptions: Vec<&str> = plugin
        .tools()
        .map(|tool| tool.description.as_str())
        .collect();
    assert_eq!(descriptions, ["Adds two numbers.", "Echo."]);
    let plugin = load(source(with_section(friendly(), "package ???")))
        .await
        .unwrap();
    assert_eq!(
        plugin.tools().count(),
        2,
        "broken documentation costs only the documentation"
    );
}

#[tokio::test]
async fn compiled_code_is_kept_and_a_damaged_copy_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let cached = || ToolboxSettings {
        cache: Some(folder.path().join("code")),
        ..settings()
    };
    let toolbox = || Toolbox::new(cached()).unwrap();
    toolbox().load(source(friendly())).await.unwrap();
    let entry = fs::read_dir(folder.path().join("code"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.extension()
                .is_some_and(|extension| extension == "cwasm")
        })
        .unwrap();
    let good = fs::read(&entry).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for damaged in [
        flipped,
        b"garbage".to_vec(),
        good[..good.len() / 2].to_vec(),
        Vec::new(),
    ] {
        fs::write(&entry, &damaged).unwrap();
        let guest = Guest::live_in(toolbox(), source(friendly())).await;
        let sum = guest.call("add", json!({ "a": 1, "b": 2 })).await.unwrap();
        assert_eq!(sum, json!({ "result": 3 }));
        assert_ne!(fs::read(&entry).unwrap(), damaged);
    }
}

#[tokio::test]
async fn compiled_code_that_is_forgotten_goes_and_that_of_others_stays() {
    let folder = tempfile::tempdir().unwrap();
    let code = folder.path().join("code");
    let files = || fs::read_dir(&code).unwrap().count();
    let cached = ToolboxSettings {
        cache: Some(code.clone()),
        ..settings()
    };
    let toolbox = Toolbox::new(cached).unwrap();
    let friendly = toolbox.load(source(friendly())).await.unwrap();
    let digest = friendly.digest().to_owned();
    // Of another component, and of this one by another version of the host.
    fs::write(code.join("ab12-new.cwasm"), "").unwrap();
    fs::write(code.join(format!("{digest}-old.cwasm")), "").unwrap();
    assert_eq!(files(), 4);
    toolbox.forget_compiled(&digest).unwrap();
    assert_eq!(files(), 1);
    // What is loaded goes on.
    let guest = Guest::of(toolbox, friendly);
    let sum = guest.call("add", json!({ "a": 1, "b": 2 })).await.unwrap();
    assert_eq!(sum, json!({ "result": 3 }));
}

/// A component with this core module in it, and nothing to offer.
fn with_core(core: &str) -> Vec<u8> {
    wat::parse_str(format!("(component (core module {core}))")).unwrap()
}

#[tokio::test]
async fn what_is_made_of_too_much_is_refused_before_it_costs_anything() {
    let functions = with_core(&"(func)".repeat(100_001));
    refused(
        source(functions),
        &expect!["the component has 100001 functions, and the host takes 100000 at most"],
    )
    .await;
    let long = with_core(&format!("(func {})", "nop ".repeat((1 << 20) + 1)));
    refused(
        source(long),
        &expect![
            "the component has 1048579 bytes in one function, and the host takes 1048576 at most"
        ],
    )
    .await;
    let deep = wat::parse_str("(component ".repeat(12) + &")".repeat(12)).unwrap();
    refused(
        source(deep),
        &expect![
            "the component has 11 components inside one another, and the host takes 10 at most"
        ],
    )
    .await;
    let globals = with_core(&"(global i32 (i32.const 0))".repeat(200_001));
    refused(source(globals), &expect!["the component has 200001 imports, exports and other entries, and the host takes 200000 at most"]).await;
}

/// What is compiled once, every plugin is made of that has the same component, as long as one of them is there.
#[tokio::test]
async fn a_component_is_loaded_once() {
    let folder = tempfile::tempdir().unwrap();
    let toolbox = Toolbox::new(ToolboxSettings {
        cache: Some(folder.path().to_path_buf()),
        ..settings()
    });
    let toolbox = toolbox.unwrap();
    let compiled = || {
        let entries = fs::read_dir(folder.path()).unwrap();
        let entries: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        for entry in &entries {
            fs::remove_file(entry).unwrap();
        }
        !entries.is_empty()
    };
    let first = toolbox.load(source(friendly())).await.unwrap();
    assert!(compiled());
    let named = PluginSource {
        name: "another".to_owned(),
        model: true,
        ..source(friendly())
    };
    let second = toolbox.load(named).await.unwrap();
    assert!(!compiled());
    assert_eq!(
        (first.digest(), second.name()),
        (second.digest(), "another")
    );
    drop((first, second));
    toolbox.load(source(friendly())).await.unwrap();
    assert!(compiled());
}

/// Somebody else's component that takes its time holds up nobody whose own is compiled.
#[cfg(unix)]
#[tokio::test]
async fn what_is_compiled_does_not_wait_for_what_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let cached = |compiler| {
        let cache = Some(folder.path().to_path_buf());
        Toolbox::new(ToolboxSettings {
            cache,
            compiler,
            ..settings()
        })
        .unwrap()
    };
    cached(None).load(source(friendly())).await.unwrap();
    let toolbox = cached(Some(Compiler {
        time: Duration::from_secs(20),
        ..Compiler::new("/bin/sleep".into(), "1000")
    }));
    let mut slow = Box::pin(toolbox.load(source(named("slow"))));
    assert!(futures::poll!(&mut slow).is_pending());
    // From the disk, and then as what is loaded already.
    for _ in 0..2 {
        let known = Box::pin(toolbox.load(source(friendly())));
        let Either::Right((known, still)) = select(slow, known).await else {
            panic!("it waited for another component's compilation");
        };
        known.unwrap();
        slow = still;
    }
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let toolbox = Toolbox::new(ToolboxSettings {
        cache: Some(file),
        ..settings()
    });
    toolbox.unwrap().load(source(friendly())).await.unwrap();
}

#[tokio::test]
async fn a_machine_without_room_for_a_pool_does_without() {
    // More memories than 47 bits of addresses can hold.
    let toolbox = Toolbox::new(ToolboxSettings {
        capacity: Capacity {
            calls: 100_000,
            ..Capacity::default()
        },
        ..settings()
    });
    let guest = Guest::live_in(toolbox.unwrap(), source(friendly())).await;
    let sum = guest.call("add", json!({ "a": 1, "b": 2 })).await.unwrap();
    assert_eq!(sum, json!({ "result": 3 }));
}

#[tokio::test]
async fn an_unknown_tenant_has_no_tools() {
    let guest = Guest::live(source(friendly())).await;
    assert!(guest.toolbox.snapshot(TENANT).is_some());
    assert!(guest.toolbox.snapshot("another").is_none());
}
