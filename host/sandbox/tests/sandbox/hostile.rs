//! One hostile guest for every limit: each call ends in a defined error, and the next call is none the worse for it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use dispatch::InvokeError;
use expect_test::{Expect, expect};
use sandbox::{Capacity, Limits, PluginSource, Toolbox, ToolboxSettings};
use serde_json::{Value, json};

use crate::gate::SECRET;
use crate::guest::{Guest, component, core, friendly, settings, source};

const WIT: &str = "package acme:hostile@1.0.0;
    interface hostile {
        spin: func();
        dive: func();
        crash: func();
        divide: func(by: u32) -> u32;
        grow: func(pages: u32) -> u32;
        flood: func(bytes: u32) -> string;
        fine: func() -> u32;
    }
    world w { export hostile; }";

const ITEMS: &str = "
    (func (export \"@spin\") (loop (br 0)))
    (func $dive (export \"@dive\") (call $dive))
    (func (export \"@crash\") unreachable)
    (func (export \"@divide\") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
    (func (export \"@grow\") (param i32) (result i32)
        (if (i32.eq (memory.grow (local.get 0)) (i32.const -1)) (then unreachable))
        (i32.const 1))
    (func (export \"@flood\") (param i32) (result i32)
        (drop (memory.grow (i32.div_u (local.get 0) (i32.const 65536))))
        (i32.store (i32.const 16) (i32.const 1024))
        (i32.store (i32.const 20) (local.get 0))
        (i32.const 16))
    (func (export \"@fine\") (result i32) (i32.const 1))";

fn hostile() -> Vec<u8> {
    component(
        &[WIT],
        &core(&ITEMS.replace('@', "acme:hostile/hostile@1.0.0#")),
    )
}

fn limits() -> Limits {
    Limits {
        deadline_ms: 1_000,
        memory_bytes: 2 << 20,
        output_bytes: 1_000,
        hostcall_bytes: 100_000,
        ..Limits::default()
    }
}

async fn ends(tool: &str, arguments: Value, expect: &Expect) {
    let guest = Guest::with_limits(hostile(), limits()).await;
    let error = guest.call(tool, arguments).await.unwrap_err();
    expect.assert_eq(&format!("{error:?}"));
    assert_eq!(
        guest.call("fine", json!({})).await.unwrap(),
        json!({ "result": 1 })
    );
}

#[tokio::test]
async fn an_endless_loop_dies_at_its_deadline() {
    ends("spin", json!({}), &expect!["Deadline(1000)"]).await;
}

#[tokio::test]
async fn an_endless_loop_leaves_room_for_others() {
    // One thread only: the loop has to give way for the second call to come to its end.
    let guest = Guest::with_limits(hostile(), limits()).await;
    let finished = std::sync::atomic::AtomicBool::new(false);
    let (spun, fine) = tokio::join!(
        async {
            let spun = guest.call("spin", json!({})).await;
            (spun, finished.load(Ordering::SeqCst))
        },
        async {
            let fine = guest.call("fine", json!({})).await;
            finished.store(true, Ordering::SeqCst);
            fine
        },
    );
    assert!(
        matches!(spun, (Err(InvokeError::Deadline(1000)), true)),
        "{spun:?}"
    );
    fine.unwrap();
}

#[tokio::test]
async fn traps_are_the_plugin_s_failure() {
    ends(
        "dive",
        json!({}),
        &expect![[r#"Trapped("wasm trap: call stack exhausted")"#]],
    )
    .await;
    ends(
        "crash",
        json!({}),
        &expect![[r#"Trapped("wasm trap: wasm `unreachable` instruction executed")"#]],
    )
    .await;
    ends(
        "divide",
        json!({ "by": 0 }),
        &expect![[r#"Trapped("wasm trap: integer divide by zero")"#]],
    )
    .await;
}

#[tokio::test]
async fn memory_is_limited() {
    let guest = Guest::with_limits(hostile(), limits()).await;
    guest.call("grow", json!({ "pages": 31 })).await.unwrap();
    ends(
        "grow",
        json!({ "pages": 32 }),
        &expect![[r#"Limit("bytes of memory: 2097152 at most, 2162688 asked for")"#]],
    )
    .await;
}

#[tokio::test]
async fn output_is_limited() {
    let guest = Guest::with_limits(hostile(), limits()).await;
    guest.call("flood", json!({ "bytes": 100 })).await.unwrap();
    ends(
        "flood",
        json!({ "bytes": 1_000 }),
        &expect![[r#"Limit("bytes of output: 1000 at most, 6013 given")"#]],
    )
    .await;
    ends(
        "flood",
        json!({ "bytes": 1_000_000 }),
        &expect![[r#"Limit("bytes passed to the host at once: 100000 at most")"#]],
    )
    .await;
}

/// A guest that asks for one timer after the other, and drops none.
fn hoarder() -> Vec<u8> {
    const POLL: &str = "package wasi:io@0.2.0; interface poll { resource pollable; }";
    const CLOCK: &str = "package wasi:clocks@0.2.0;
        interface monotonic-clock {
            use wasi:io/poll@0.2.0.{pollable};
            subscribe-duration: func(when: u64) -> pollable; }";
    const WORLD: &str = "package acme:hoard@1.0.0;
        interface hoard { hoard: func(times: u32) -> u32; }
        world w { import wasi:clocks/monotonic-clock@0.2.0; export hoard; }";
    const ITEMS: &str = "
        (import \"wasi:clocks/monotonic-clock@0.2.0\" \"subscribe-duration\"
            (func $subscribe (param i64) (result i32)))
        (func (export \"acme:hoard/hoard@1.0.0#hoard\") (param i32) (result i32)
            (loop $again
                (drop (call $subscribe (i64.const 1000000000)))
                (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                (br_if $again (local.get 0)))
            (i32.const 1))";
    component(&[POLL, CLOCK, WORLD], &core(ITEMS))
}

#[tokio::test]
async fn handles_are_limited() {
    let limits = Limits {
        handles: 100,
        ..Limits::default()
    };
    let guest = Guest::with_limits(hoarder(), limits).await;
    guest.call("hoard", json!({ "times": 10 })).await.unwrap();
    let error = guest
        .call("hoard", json!({ "times": 1_000 }))
        .await
        .unwrap_err();
    expect![[r#"Limit("handles: 100 at most")"#]].assert_eq(&format!("{error:?}"));
}

#[tokio::test]
async fn arguments_are_limited_as_a_whole() {
    use dispatch::Tools as _;
    let guest = Guest::live(source(friendly())).await;
    let echo = guest.toolbox.snapshot(crate::guest::TENANT).unwrap().tools["echo"].clone();
    let refused = |arguments: Value, expect: &Expect| {
        expect.assert_eq(&echo.check(&arguments).unwrap_err()[0].message);
    };
    refused(
        json!({ "text": "x".repeat(70_000) }),
        &expect!["expected at most 65536 bytes of arguments, found 70011"],
    );
    let mut deep = json!(1);
    for _ in 0..40 {
        deep = json!([deep]);
    }
    refused(
        json!({ "text": deep }),
        &expect!["expected at most 32 levels of nesting, found more"],
    );
}

#[tokio::test]
async fn what_a_call_leaves_behind_the_next_one_does_not_see() {
    let guest = Guest::live(source(friendly())).await;
    for text in ["a long first text", "short"] {
        let echoed = guest.call("echo", json!({ "text": text })).await.unwrap();
        assert_eq!(echoed, json!({ "result": text }));
    }
}

/// A guest whose `ask` gives a prompt to the model, and returns the answer or the error's text.
pub(crate) fn asking(max_tokens: u32) -> PluginSource {
    const MODEL: &str = "package switchboard:host@1.0.0;
        interface model {
            variant model-error { unavailable(string), budget-exhausted(string), refused(string), invalid-request(string) }
            complete: func(prompt: string, max-tokens: u32) -> result<string, model-error>; }";
    const WORLD: &str = "package acme:asking@1.0.0;
        interface asking { ask: func(prompt: string, times: u32) -> string; }
        world w { import switchboard:host/model@1.0.0; export asking; }";
    let items = format!(
        "(import \"switchboard:host/model@1.0.0\" \"complete\" (func $complete (param i32 i32 i32 i32)))
         (func (export \"acme:asking/asking@1.0.0#ask\") (param i32 i32 i32) (result i32)
            (loop $again
                (call $complete (local.get 0) (local.get 1) (i32.const {max_tokens}) (i32.const 64))
                (local.set 2 (i32.sub (local.get 2) (i32.const 1)))
                (br_if $again (local.get 2)))
            (if (result i32) (i32.load8_u (i32.const 64))
                (then (i32.const 72))
                (else (i32.const 68))))"
    );
    PluginSource {
        model: true,
        limits: Limits {
            completions: 2,
            deadline_ms: 60_000,
            ..Limits::default()
        },
        ..source(component(&[MODEL, WORLD], &core(&items)))
    }
}

#[tokio::test]
async fn the_model_is_metered() {
    let guest = Guest::live(asking(100)).await;
    guest.gate.answers.add_permits(100);
    let answer = guest
        .call("ask", json!({ "prompt": "why?", "times": 2 }))
        .await
        .unwrap();
    assert_eq!(answer, json!({ "result": "an answer to: why?" }));
    let answer = guest
        .call("ask", json!({ "prompt": "why?", "times": 3 }))
        .await
        .unwrap();
    assert_eq!(
        answer,
        json!({ "result": "this call has used up its completions" })
    );
    let answer = guest
        .call("ask", json!({ "prompt": " ", "times": 1 }))
        .await
        .unwrap();
    assert_eq!(
        answer,
        json!({ "result": "a prompt has 1 to 65536 bytes, not 1" })
    );
    assert_eq!(
        guest.gate.prompts.lock().unwrap().len(),
        4,
        "refused prompts reach nobody"
    );
}

#[tokio::test]
async fn no_secret_reaches_the_plugin_in_an_error() {
    let guest = Guest::live(asking(1)).await;
    guest.gate.answers.add_permits(1);
    let answer = guest
        .call("ask", json!({ "prompt": "why?", "times": 1 }))
        .await
        .unwrap();
    assert!(answer.to_string().contains("[secret]"), "{answer}");
    assert!(!answer.to_string().contains(SECRET), "{answer}");
}

#[tokio::test]
async fn the_deadline_covers_host_calls() {
    let mut source = asking(100);
    source.limits.deadline_ms = 50;
    let guest = Guest::live(source).await;
    let error = guest
        .call("ask", json!({ "prompt": "why?", "times": 1 }))
        .await
        .unwrap_err();
    assert!(matches!(error, InvokeError::Deadline(50)), "{error}");
}

#[tokio::test]
async fn calls_beyond_the_capacity_are_told_so() {
    let toolbox = Toolbox::new(ToolboxSettings {
        capacity: Capacity {
            calls: 1,
            wait_ms: 0,
            ..Capacity::default()
        },
        ..settings()
    });
    let guest = Arc::new(Guest::live_in(toolbox.unwrap(), asking(100)).await);
    let running = tokio::spawn({
        let guest = guest.clone();
        async move {
            guest
                .call("ask", json!({ "prompt": "why?", "times": 1 }))
                .await
        }
    });
    guest.gate.asked.acquire().await.unwrap().forget();
    let busy = guest
        .call("ask", json!({ "prompt": "me too", "times": 1 }))
        .await
        .unwrap_err();
    assert!(matches!(busy, InvokeError::Busy(_)), "{busy}");
    guest.gate.answers.add_permits(1);
    running.await.unwrap().unwrap();
    guest.gate.answers.add_permits(1);
    guest
        .call("ask", json!({ "prompt": "me too", "times": 1 }))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_component_that_would_take_the_places_of_others_is_refused() {
    let modules = |count: usize, memory: &str| {
        let module =
            |at| format!("(core module $m{at} {memory}) (core instance (instantiate $m{at}))");
        let modules = (0..count).map(module).collect::<Vec<_>>().concat();
        format!(
            "(component {modules}
                (core module $m (func (export \"fine\") (result i32) (i32.const 1)))
                (core instance $i (instantiate $m))
                (func $f (result u32) (canon lift (core func $i \"fine\")))
                (instance $e (export \"fine\" (func $f)))
                (export \"acme:many/many@1.0.0\" (instance $e)))"
        )
    };
    let load = async |text: String| {
        let bytes = wat::parse_str(text).unwrap();
        let toolbox = Toolbox::new(settings()).unwrap();
        toolbox.load(source(bytes)).await.map(drop)
    };
    for fits in [
        modules(2, "(memory 1)"),
        modules(10, "(table 1 funcref)"),
        modules(49, ""),
    ] {
        load(fits).await.unwrap();
    }
    for much in [
        modules(3, "(memory 1)"),
        modules(11, "(table 1 funcref)"),
        modules(50, ""),
    ] {
        let refused = load(much).await.unwrap_err().to_string();
        assert!(refused.contains("this host cannot run it"), "{refused}");
    }
}
