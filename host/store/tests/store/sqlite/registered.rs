//! The registry and the operators on SQLite: they survive the process, and what is for ever cannot be edited by a statement.

use dispatch::{
    Binding, BindingAction, BindingChange, Bound, NewVersion, Operators, Pinned, Registry,
};
use rusqlite::Connection;
use serde_json::json;

use super::{FILE, open, world};
use crate::world::{START, TENANT, TestClock};

fn change(revision: i64) -> BindingChange {
    let to = Pinned {
        version: "1.0.0".into(),
        digest: "a".repeat(64),
    };
    BindingChange {
        binding: Binding {
            tenant: TENANT.into(),
            plugin: "loyalty".into(),
            revision,
            stable: Some(to.clone()),
            ..Binding::default()
        },
        action: BindingAction::Swap,
        by: "user:alice".into(),
        from: None,
        to: Some(to),
        reason: "first".into(),
    }
}

fn version() -> NewVersion {
    NewVersion {
        tenant: TENANT.into(),
        plugin: "loyalty".into(),
        version: "1.0.0".into(),
        digest: "a".repeat(64),
        source: "registry.example/loyalty:1".into(),
        signed_by: None,
        signatures: Some("a line\nand another".into()),
        accepted: json!({}),
        installed_by: "user:alice".into(),
        reason: String::new(),
    }
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (_world, store) = world(&folder).await;
    store.add_version(version()).await.unwrap();
    let Bound::Done(binding) = store.bind(change(0)).await.unwrap() else {
        panic!("nobody else was there")
    };
    // A killed process closes nothing: what the next one finds is the folder as it lies now.
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let store = open(copy.path(), &TestClock::new());
    assert_eq!(store.bindings(TENANT).await.unwrap(), [binding]);
    let versions = store.versions(TENANT).await.unwrap();
    assert_eq!((versions.len(), versions[0].installed_at), (1, START));
    assert_eq!(store.history(TENANT, None).await.unwrap().len(), 2);
    assert!(matches!(
        store.bind(change(0)).await.unwrap(),
        Bound::Stale(Some(_))
    ));
}

#[tokio::test]
async fn statements_change_neither_history_nor_versions() {
    let folder = tempfile::tempdir().unwrap();
    let (_world, store) = world(&folder).await;
    store.add_version(version()).await.unwrap();
    store.bind(change(0)).await.unwrap();
    store.close().await;
    let db = Connection::open(folder.path().join(FILE)).unwrap();
    let forbidden = [
        "UPDATE plugin_history SET reason = ''",
        "DELETE FROM plugin_history",
        "INSERT OR REPLACE INTO plugin_history SELECT * FROM plugin_history WHERE seq = 1",
        "UPDATE plugin_versions SET digest = replace(digest, 'a', 'b')",
        "DELETE FROM plugin_versions",
    ];
    for sql in forbidden {
        let error = db.execute(sql, []).unwrap_err().to_string();
        assert!(error.contains("plugin"), "{sql}: {error}");
    }
}

#[tokio::test]
async fn an_operator_is_there_after_a_restart_and_no_statement_gives_the_name_or_the_key_again() {
    let folder = tempfile::tempdir().unwrap();
    let (_world, store) = world(&folder).await;
    store
        .add_operator("mara", [1; 32], "user:operator")
        .await
        .unwrap();
    store
        .add_operator("jo", [2; 32], "user:operator")
        .await
        .unwrap();
    let jo = store
        .revoke_operator("jo", "user:mara")
        .await
        .unwrap()
        .unwrap();
    store.close().await;
    let db = Connection::open(folder.path().join(FILE)).unwrap();
    let forbidden = [
        "DELETE FROM operators",
        "UPDATE operators SET revoked_by = NULL, revoked_at_ms = NULL WHERE name = 'jo'",
        "UPDATE operators SET name = 'ann' WHERE name = 'mara'",
        "UPDATE operators SET key_digest = randomblob(32) WHERE name = 'mara'",
    ];
    for sql in forbidden {
        let error = db.execute(sql, []).unwrap_err().to_string();
        assert!(error.contains("operator"), "{sql}: {error}");
    }
    drop(db);
    drop(store);
    let store = open(folder.path(), &TestClock::new());
    let all = store.operators().await.unwrap();
    assert_eq!((all.len(), &all[0]), (2, &jo));
    assert_eq!((all[1].name.as_str(), all[1].key_digest), ("mara", [1; 32]));
}
