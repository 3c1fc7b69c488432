//! Keys and values as a component sees them: through `wasi:keyvalue/store`, if that is granted.

use sandbox::PluginSource;
use serde_json::json;

use crate::guest::{Guest, component, core, load, source};

const STORE: &str = "package wasi:keyvalue@0.2.0-draft;
    interface store {
        variant error { no-such-store, access-denied, other(string) }
        record key-response { keys: list<string>, cursor: option<u64> }
        resource bucket {
            get: func(key: string) -> result<option<list<u8>>, error>;
            set: func(key: string, value: list<u8>) -> result<_, error>;
            delete: func(key: string) -> result<_, error>;
            exists: func(key: string) -> result<bool, error>;
            list-keys: func(cursor: option<u64>) -> result<key-response, error>;
        }
        open: func(identifier: string) -> result<bucket, error>;
    }";

/// A guest whose `keep` sets a key and gives back what it then reads, or the error; `opens` says how `open` ends; `tally` how
/// many keys there are; `drop` deletes one and says whether it is still there.
pub(crate) fn keeping() -> Vec<u8> {
    keeping_with("delete")
}

/// The same, whose `forget` does this in place of deleting.
pub(crate) fn keeping_with(deletes: &str) -> Vec<u8> {
    const WORLD: &str = "package acme:keeping@1.0.0;
        interface keeping {
            keep: func(key: string, value: string) -> string;
            opens: func(name: string) -> u32;
            tally: func() -> u32;
            forget: func(key: string) -> u32;
        }
        world w { import wasi:keyvalue/store@0.2.0-draft; export keeping; }";
    let import = |name: &str, id: &str, parameters: &str| {
        format!(
            "(import \"wasi:keyvalue/store@0.2.0-draft\" \"{name}\" (func ${id} (param {parameters})))"
        )
    };
    let imports = [
        import("open", "open", "i32 i32 i32"),
        import("[method]bucket.set", "set", "i32 i32 i32 i32 i32 i32"),
        import("[method]bucket.get", "get", "i32 i32 i32 i32"),
        import("[method]bucket.delete", "delete", "i32 i32 i32 i32"),
        import("[method]bucket.exists", "exists", "i32 i32 i32 i32"),
        import("[method]bucket.list-keys", "list", "i32 i32 i64 i32"),
    ];
    let export = "acme:keeping/keeping@1.0.0#";
    let items = format!(
        "{}
         (data (i32.const 32) \"denied\")
         (data (i32.const 48) \"\\20\\00\\00\\00\\06\\00\\00\\00\")
         (func (export \"{export}keep\") (param i32 i32 i32 i32) (result i32)
            (call $open (i32.const 0) (i32.const 0) (i32.const 64))
            (call $set (i32.load (i32.const 68)) (local.get 0) (local.get 1) (local.get 2) (local.get 3) (i32.const 80))
            (if (i32.load8_u (i32.const 80))
                (then (return (if (result i32) (i32.eq (i32.load8_u (i32.const 84)) (i32.const 1))
                    (then (i32.const 48))
                    (else (i32.const 88))))))
            (call $get (i32.load (i32.const 68)) (local.get 0) (local.get 1) (i32.const 96))
            (i32.const 104))
         (func (export \"{export}opens\") (param i32 i32) (result i32)
            (call $open (local.get 0) (local.get 1) (i32.const 64))
            (i32.load8_u (i32.const 64)))
         (func (export \"{export}tally\") (result i32)
            (call $open (i32.const 0) (i32.const 0) (i32.const 64))
            (call $list (i32.load (i32.const 68)) (i32.const 0) (i64.const 0) (i32.const 128))
            (i32.load (i32.const 140)))
         (func (export \"{export}forget\") (param i32 i32) (result i32)
            (call $open (i32.const 0) (i32.const 0) (i32.const 64))
            (call ${deletes} (i32.load (i32.const 68)) (local.get 0) (local.get 1) (i32.const 80))
            (call $exists (i32.load (i32.const 68)) (local.get 0) (local.get 1) (i32.const 96))
            (i32.load8_u (i32.const 100)))",
        imports.join(" ")
    );
    component(&[STORE, WORLD], &core(&items))
}

pub(crate) fn granted() -> PluginSource {
    PluginSource {
        key_value: true,
        ..source(keeping())
    }
}

#[tokio::test]
async fn what_is_not_granted_does_not_load() {
    let error = load(source(keeping())).await.err().unwrap().to_string();
    assert!(error.contains("key_value = true"), "{error}");
}

#[tokio::test]
async fn a_component_keeps_lists_and_forgets_its_keys() {
    let guest = Guest::live(granted()).await;
    for (key, value) in [("a", "1"), ("b", ""), ("ä/../\u{fffd}", "ü")] {
        let kept = guest.call("keep", json!({ "key": key, "value": value }));
        assert_eq!(kept.await.unwrap(), json!({ "result": value }), "{key}");
    }
    let count = guest.call("tally", json!({})).await.unwrap();
    assert_eq!(count, json!({ "result": 3 }));
    let there = guest.call("forget", json!({ "key": "b" })).await.unwrap();
    assert_eq!(there, json!({ "result": 0 }));
    let kept: Vec<String> = guest.gate.kept.lock().unwrap().keys().cloned().collect();
    assert_eq!(kept, ["a", "ä/../\u{fffd}"]);
}

#[tokio::test]
async fn what_the_gate_refuses_is_an_error_of_the_interface() {
    let guest = Guest::live(granted()).await;
    for (key, said) in [("deny", "denied"), ("long", "too long")] {
        let kept = guest.call("keep", json!({ "key": key, "value": "1" }));
        assert_eq!(kept.await.unwrap(), json!({ "result": said }));
    }
    assert!(guest.gate.kept.lock().unwrap().is_empty());
    for (name, failed) in [("", 0), ("default", 0), ("../acme", 1), ("other", 1)] {
        let opened = guest.call("opens", json!({ "name": name })).await.unwrap();
        assert_eq!(opened, json!({ "result": failed }), "{name}");
    }
}
