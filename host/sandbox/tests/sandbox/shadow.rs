//! Shadow: what a version that is not live would do otherwise than the one that is, without a request that leaves.

mod backend;
mod caller;
mod dice;

use std::sync::Arc;

use async_trait::async_trait;
use dispatch::{
    Answer, CompletionError, CompletionRequest, Gate, HttpApproval, InvokeError, OutboundHttp,
    Tools as _,
};
use expect_test::{Expect, expect};
use http::{HeaderValue, header};
use policy::{HttpGrant, Refusal};
use sandbox::{Capacity, Plugin, PluginSource, Shadow, Toolbox, ToolboxSettings};
use serde_json::{Value, json};

use self::backend::Backend;
use self::caller::{ANOTHER_BODY, AS_TOLD, ELSEWHERE, NOTHING, caller};
use self::dice::dice;
use crate::guest::{Guest, TENANT, component, core, friendly, permit, settings, source};
use crate::{hostile, keeping};

/// Lets everything out, with a credential.
struct Open;

#[async_trait]
impl Gate for Open {
    async fn http(&self, request: &OutboundHttp) -> Result<HttpApproval, Refusal> {
        if request.url.ends_with("/refused") {
            return Err(Refusal {
                code: "NO".to_owned(),
                say: String::new(),
                hint: None,
                rules: vec![],
            });
        }
        let secret = HeaderValue::from_static("Bearer of the host");
        Ok(HttpApproval {
            ordinal: 1,
            headers: vec![(header::AUTHORIZATION, secret)],
            private_network: true,
        })
    }

    async fn answered(&self, _: u32, _: Answer) {}

    async fn complete(&self, _: CompletionRequest) -> Result<String, CompletionError> {
        Err(CompletionError::Budget)
    }

    fn scrub(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// A backend, and a plugin that calls it.
struct Live {
    backend: Backend,
    toolbox: Toolbox,
}

impl Live {
    async fn start() -> Self {
        Self::within(Capacity::default()).await
    }

    async fn within(capacity: Capacity) -> Self {
        let settings = ToolboxSettings {
            capacity,
            ..settings()
        };
        let live = Self {
            backend: Backend::start().await,
            toolbox: Toolbox::new(settings).unwrap(),
        };
        let plugin = live.version(AS_TOLD).await;
        live.toolbox.publish(TENANT, &[plugin]).unwrap();
        live
    }

    /// A version of the plugin that does this.
    async fn version(&self, does: &str) -> Arc<Plugin> {
        let grant: HttpGrant = serde_json::from_value(json!({
            "origin": format!("http://{}", self.backend.authority),
            "methods": ["GET", "POST"],
            "paths": ["/*"],
        }))
        .unwrap();
        let source = PluginSource {
            grants: vec![grant],
            ..source(caller(&self.backend.authority, does))
        };
        self.toolbox.load(source).await.unwrap()
    }

    async fn ask(&self, path: &str, body: &str) -> Result<Value, InvokeError> {
        let tool = self.toolbox.snapshot(TENANT).unwrap().tools["ask"].clone();
        let arguments = json!({ "path": path, "body": body });
        let permit = permit("ask", &tool.spec().digest, &arguments);
        tool.invoke(permit, Arc::new(Open)).await
    }

    /// What a version that does this would do, with none of its requests reaching the backend.
    async fn shadow(&self, does: &str) -> Shadow {
        let candidate = self.version(does).await;
        let before = self.backend.requests();
        let shadow = self.toolbox.shadow(TENANT, &candidate).await;
        assert_eq!(self.backend.requests(), before, "a request left the host");
        assert_eq!(shadow.digest, candidate.digest());
        shadow
    }
}

/// `replayed same different skipped` of a tool.
fn figures(shadow: &Shadow, tool: &str) -> [usize; 4] {
    let tool = shadow.tools[tool];
    [tool.replayed, tool.same, tool.different, tool.skipped]
}

/// What a person is shown of it; `BACKEND` is where the backend is.
fn shown(live: &Live, shadow: &Shadow, expect: &Expect) {
    let origin = format!("http://{}", live.backend.authority);
    expect.assert_eq(&shadow.to_string().replace(&origin, "BACKEND"));
}

#[tokio::test]
async fn a_version_that_does_the_same_shows_no_difference() {
    let live = Live::start().await;
    for (path, body, answer) in [
        ("/points", "", "/points says "),
        ("/points", "", "/points says "),
        ("/points", "{\"points\":5}", "/points says {\"points\":5}"),
        // A connection that breaks, and a request that the gate refuses, are answers too.
        ("/closed", "", "Ed"),
    ] {
        let answered = live.ask(path, body).await.unwrap();
        let result = answered["result"].as_str().unwrap();
        assert!(result.starts_with(answer), "{result}");
    }
    live.ask("/refused", "").await.unwrap();
    assert!(live.backend.requests()[0].contains("Bearer of the host"));
    let shadow = live.shadow(AS_TOLD).await;
    assert_eq!(figures(&shadow, "ask"), [5, 5, 0, 0]);
    assert!(
        shadow.is_same() && shadow.differences.is_empty(),
        "{shadow:#?}"
    );
    assert_eq!(shadow.recorded.calls, 5);
}

#[tokio::test]
async fn what_a_version_does_otherwise_is_shown_call_by_call() {
    let live = Live::start().await;
    live.ask("/points", "{\"points\":5}").await.unwrap();
    for (does, expect) in [
        (
            ELSEWHERE,
            expect![[r#"
            guest 1.0.0, recorded calls: 1 (too long to be kept: 0, cut short: 0)
            ask: 1 replayed, 0 the same, 1 different, 0 skipped
            ask {"path":"/points","body":"{\"points\":5}"}
              ends otherwise
                /result: "/points says {\"points\":5}" → "EG"
              asks otherwise: POST BACKEND/other
                url: BACKEND/points → BACKEND/other"#]],
        ),
        (
            ANOTHER_BODY,
            expect![[r#"
            guest 1.0.0, recorded calls: 1 (too long to be kept: 0, cut short: 0)
            ask: 1 replayed, 0 the same, 1 different, 0 skipped
            ask {"path":"/points","body":"{\"points\":5}"}
              ends otherwise
                /result: "/points says {\"points\":5}" → "EG"
              asks otherwise: POST BACKEND/points
                body/points: 5 → 6"#]],
        ),
        (
            NOTHING,
            expect![[r#"
            guest 1.0.0, recorded calls: 1 (too long to be kept: 0, cut short: 0)
            ask: 1 replayed, 0 the same, 1 different, 0 skipped
            ask {"path":"/points","body":"{\"points\":5}"}
              ends otherwise
                /result: "/points says {\"points\":5}" → "nothing"
              no longer asks: POST BACKEND/points"#]],
        ),
        (
            &format!("(drop {AS_TOLD}) {NOTHING}"),
            expect![[r#"
            guest 1.0.0, recorded calls: 1 (too long to be kept: 0, cut short: 0)
            ask: 1 replayed, 0 the same, 1 different, 0 skipped
            ask {"path":"/points","body":"{\"points\":5}"}
              ends otherwise
                /result: "/points says {\"points\":5}" → "nothing""#]],
        ),
        (
            &format!("(drop {AS_TOLD}) {AS_TOLD}"),
            expect![[r#"
            guest 1.0.0, recorded calls: 1 (too long to be kept: 0, cut short: 0)
            ask: 1 replayed, 0 the same, 1 different, 0 skipped
            ask {"path":"/points","body":"{\"points\":5}"}
              ends otherwise
                /result: "/points says {\"points\":5}" → "EG"
              asks, and nothing like it is recorded: POST BACKEND/points"#]],
        ),
        (
            &format!("(drop {AS_TOLD}) unreachable"),
            expect![[r#"
            guest 1.0.0, recorded calls: 1 (too long to be kept: 0, cut short: 0)
            ask: 1 replayed, 0 the same, 1 different, 0 skipped
            ask {"path":"/points","body":"{\"points\":5}"}
              ends otherwise
                as a whole: {"result":"/points says {\"points\":5}"} → the plugin failed: wasm trap: wasm `unreachable` instruction executed"#]],
        ),
    ] {
        let shadow = live.shadow(does).await;
        shown(&live, &shadow, &expect);
        assert_eq!(figures(&shadow, "ask"), [1, 0, 1, 0]);
        assert!(!shadow.is_same());
    }
}

#[tokio::test]
async fn the_first_differences_are_shown_and_the_rest_counted() {
    let live = Live::start().await;
    for _ in 0..23 {
        live.ask("/points", "").await.unwrap();
    }
    let shadow = live.shadow(NOTHING).await;
    assert_eq!(figures(&shadow, "ask"), [23, 0, 23, 0]);
    assert_eq!((shadow.differences.len(), shadow.more), (20, 3));
}

#[tokio::test]
async fn a_call_that_is_too_long_is_counted_and_not_recorded() {
    let live = Live::start().await;
    live.ask("/long", "").await.unwrap();
    live.ask("/points", "").await.unwrap();
    live.ask("/points", &"x".repeat(4_000)).await.unwrap();
    let shadow = live.shadow(AS_TOLD).await;
    assert_eq!((shadow.recorded.calls, shadow.recorded.too_long), (2, 1));
    assert_eq!(figures(&shadow, "ask"), [2, 2, 0, 0]);
    let small = Live::within(Capacity {
        recorded_call_bytes: 4_000,
        ..Capacity::default()
    })
    .await;
    small.ask("/points", &"x".repeat(4_000)).await.unwrap();
    assert_eq!(small.shadow(AS_TOLD).await.recorded.too_long, 1);
}

#[tokio::test]
async fn the_last_calls_of_a_live_plugin_are_kept_and_go_with_it() {
    let live = Live::within(Capacity {
        recorded_calls: 3,
        ..Capacity::default()
    })
    .await;
    for _ in 0..5 {
        live.ask("/points", "").await.unwrap();
    }
    assert_eq!(live.shadow(AS_TOLD).await.recorded.calls, 3);
    let candidate = live.version(AS_TOLD).await;
    let elsewhere = live.toolbox.shadow("another", &candidate).await;
    assert_eq!(elsewhere.recorded.calls, 0);
    live.toolbox.publish(TENANT, &[candidate]).unwrap();
    assert_eq!(live.shadow(AS_TOLD).await.recorded.calls, 3);
    live.toolbox.publish(TENANT, &[]).unwrap();
    assert_eq!(live.shadow(AS_TOLD).await.recorded.calls, 0);
}

/// The friendly guest, with another list of parameters.
fn stricter() -> Vec<u8> {
    let wit = "package acme:friendly@1.0.0;
         interface friendly { add: func(a: u32, b: u32, c: u32) -> u32; }
         world w { export friendly; }";
    let module = core(
        "(func (export \"acme:friendly/friendly@1.0.0#add\") (param i32 i32 i32) (result i32) (i32.const 1))",
    );
    component(&[wit], &module)
}

#[tokio::test]
async fn calls_that_a_version_cannot_take_any_more_are_differences() {
    let guest = Guest::live(source(friendly())).await;
    guest.call("add", json!({ "a": 1, "b": 2 })).await.unwrap();
    let long = "a long text ".repeat(100);
    guest.call("echo", json!({ "text": long })).await.unwrap();
    let candidate = guest.toolbox.load(source(stricter())).await.unwrap();
    let shadow = guest.toolbox.shadow(TENANT, &candidate).await;
    assert_eq!(figures(&shadow, "add"), [0, 0, 1, 0]);
    assert_eq!(figures(&shadow, "echo"), [0, 0, 1, 0]);
    expect![[r#"
        guest 1.0.0, recorded calls: 2 (too long to be kept: 0, cut short: 0)
        add: 0 replayed, 0 the same, 1 different, 0 skipped
        echo: 0 replayed, 0 the same, 1 different, 0 skipped
        add {"a":1,"b":2}
          cannot be called: its arguments do not fit any more: /c: expected a whole number, found nothing
        echo {"text":"a long text a long text a long text a long text a long text a long text a long text a long text a long text a long text a long text a long text a long …
          cannot be called: the tool is gone"#]].assert_eq(&shadow.to_string());
}

#[tokio::test]
async fn a_replay_finds_the_time_and_the_chance_of_the_recorded_call() {
    let guest = Guest::live(source(dice())).await;
    let first = guest.call("throw", json!({})).await.unwrap();
    let second = guest.call("throw", json!({})).await.unwrap();
    for found in ["chance", "cheap_chance", "at"] {
        assert_ne!(first[found], second[found], "{found}");
    }
    let candidate = guest.toolbox.load(source(dice())).await.unwrap();
    for _ in 0..2 {
        let shadow = guest.toolbox.shadow(TENANT, &candidate).await;
        assert_eq!(figures(&shadow, "throw"), [2, 2, 0, 0], "{shadow}");
    }
}

#[tokio::test]
async fn keys_are_answered_from_the_recording_and_stay_as_they_are() {
    let guest = Guest::live(keeping::granted()).await;
    for (key, value) in [("a", "1"), ("b", ""), ("deny", "2"), ("long", "3")] {
        let kept = guest.call("keep", json!({ "key": key, "value": value }));
        kept.await.unwrap();
    }
    guest.call("tally", json!({})).await.unwrap();
    guest.call("forget", json!({ "key": "a" })).await.unwrap();
    guest.gate.kept.lock().unwrap().clear();
    let same = guest.toolbox.load(keeping::granted()).await.unwrap();
    let shadow = guest.toolbox.shadow(TENANT, &same).await;
    assert!(shadow.is_same(), "{shadow:#?}");
    assert_eq!(shadow.recorded.calls, 6);
    // This one asks whether the key is there in place of deleting it.
    let keeping = |deletes| PluginSource {
        bytes: keeping::keeping_with(deletes),
        ..keeping::granted()
    };
    let other = guest.toolbox.load(keeping("exists")).await.unwrap();
    let shadow = guest.toolbox.shadow(TENANT, &other).await;
    expect![[r#"
        guest 1.0.0, recorded calls: 6 (too long to be kept: 0, cut short: 0)
        forget: 1 replayed, 0 the same, 1 different, 0 skipped
        keep: 4 replayed, 4 the same, 0 different, 0 skipped
        tally: 1 replayed, 1 the same, 0 different, 0 skipped
        forget {"key":"a"}
          ends otherwise
            /result: 0 → 2
          asks, and nothing like it is recorded: read the key "a"
          no longer asks: delete the key "a""#]]
    .assert_eq(&shadow.to_string());
    assert!(guest.gate.kept.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_model_is_answered_from_the_recording_and_asked_nothing() {
    for (tokens, expect) in [
        (
            100,
            expect![[r#"
        guest 1.0.0, recorded calls: 1 (too long to be kept: 0, cut short: 0)
        ask: 1 replayed, 0 the same, 1 different, 0 skipped
        ask {"prompt":"why?","times":1}
          ends otherwise
            /result: "an answer to: why?" → "this completion is not recorded"
          asks otherwise: complete "why?"
            max_tokens: 100 → 7"#]],
        ),
        (
            1,
            expect![[r#"
        guest 1.0.0, recorded calls: 1 (too long to be kept: 0, cut short: 0)
        ask: 1 replayed, 0 the same, 1 different, 0 skipped
        ask {"prompt":"why?","times":1}
          ends otherwise
            /result: "no completion: the key [secret] is wrong" → "this completion is not recorded"
          asks otherwise: complete "why?"
            max_tokens: 1 → 7"#]],
        ),
    ] {
        let guest = Guest::live(hostile::asking(tokens)).await;
        guest.gate.answers.add_permits(1);
        let ask = json!({ "prompt": "why?", "times": 1 });
        guest.call("ask", ask).await.unwrap();
        let same = guest.toolbox.load(hostile::asking(tokens)).await.unwrap();
        assert!(guest.toolbox.shadow(TENANT, &same).await.is_same());
        let other = guest.toolbox.load(hostile::asking(7)).await.unwrap();
        let shadow = guest.toolbox.shadow(TENANT, &other).await;
        expect.assert_eq(&shadow.to_string());
        assert_eq!(guest.gate.prompts.lock().unwrap().len(), 1);
    }
}

/// Asks nothing, for ever.
fn endless() -> Vec<u8> {
    let wit = "package acme:asking@1.0.0;
         interface asking { ask: func(prompt: string, times: u32) -> string; }
         world w { export asking; }";
    let module = core(
        "(func (export \"acme:asking/asking@1.0.0#ask\") (param i32 i32 i32) (result i32)
            (loop (br 0)) (i32.const 0))",
    );
    component(&[wit], &module)
}

/// How far it got within its time says nothing about the next time, whether it was waiting then or computing.
#[tokio::test]
async fn a_call_that_comes_to_no_end_is_counted_and_not_recorded() {
    for mut source in [hostile::asking(100), source(endless())] {
        source.limits.deadline_ms = 50;
        let same = source.clone();
        let guest = Guest::live(source).await;
        let ask = json!({ "prompt": "why?", "times": 1 });
        let error = guest.call("ask", ask).await.unwrap_err();
        assert!(matches!(error, InvokeError::Deadline(50)), "{error}");
        let same = guest.toolbox.load(same).await.unwrap();
        let recorded = guest.toolbox.shadow(TENANT, &same).await.recorded;
        assert_eq!((recorded.calls, recorded.cut_short), (0, 1));
    }
}

/// A replay ends as a call does, and one that finds no place is not made.
#[tokio::test]
async fn a_replay_has_the_limits_of_a_call_and_a_place_of_its_tenant() {
    let toolbox = Toolbox::new(ToolboxSettings {
        capacity: Capacity {
            calls: 1,
            wait_ms: 0,
            ..Capacity::default()
        },
        ..settings()
    });
    let guest = Arc::new(Guest::live_in(toolbox.unwrap(), hostile::asking(100)).await);
    let ask = || json!({ "prompt": "why?", "times": 1 });
    guest.gate.answers.add_permits(1);
    guest.call("ask", ask()).await.unwrap();
    guest.gate.asked.acquire().await.unwrap().forget();
    let mut endless = source(endless());
    endless.limits.deadline_ms = 50;
    let endless = guest.toolbox.load(endless).await.unwrap();
    let shadow = guest.toolbox.shadow(TENANT, &endless).await;
    expect![[r#"
        guest 1.0.0, recorded calls: 1 (too long to be kept: 0, cut short: 0)
        ask: 1 replayed, 0 the same, 1 different, 0 skipped
        ask {"prompt":"why?","times":1}
          ends otherwise
            as a whole: {"result":"an answer to: why?"} → the plugin ran past its deadline of 50 ms
          no longer asks: complete "why?""#]]
    .assert_eq(&shadow.to_string());
    let running = tokio::spawn({
        let guest = guest.clone();
        async move {
            loop {
                match guest.call("ask", ask()).await {
                    // The place of a replay that was cut off is free a moment after its end is told.
                    Err(InvokeError::Busy(_)) => tokio::task::yield_now().await,
                    ended => return ended,
                }
            }
        }
    });
    guest.gate.asked.acquire().await.unwrap().forget();
    let shadow = guest.toolbox.shadow(TENANT, &endless).await;
    assert_eq!(figures(&shadow, "ask"), [0, 0, 0, 1]);
    assert!(!shadow.is_same());
    guest.gate.answers.add_permits(1);
    running.await.unwrap().unwrap();
}
