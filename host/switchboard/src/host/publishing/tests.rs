//! What publishing refuses, by name.

use super::together::{Yielding, together};
use super::*;
use crate::host::{demo, rules};
use crate::{Config, Secret};

/// What publishing says of this file as a further plugin.
async fn refusal(file: &Path) -> String {
    let mut config = Config::default();
    config.plugins.extra = vec![file.to_path_buf()];
    let common = rules::common(&config).unwrap();
    let backend = ([127, 0, 0, 1], 1).into();
    let tenant = demo::tenant((&config, &common), (backend, &Secret::random()), &[]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let publishing =
        Publishing::start(folder.path(), None, <_>::default(), Arc::new(|_| ())).unwrap();
    let refused = publishing.prepare(&tenant, &Bindings::default()).await;
    StartError::from(refused.err().unwrap()).to_string()
}

#[tokio::test]
async fn a_file_that_is_no_plugin_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("extra.wasm");
    let missing = refusal(&file).await;
    assert!(
        missing.contains("extra.wasm") && missing.contains("EXTRA_PLUGINS"),
        "{missing}"
    );
    for (content, words) in [
        ("just some text", "no WebAssembly component"),
        ("\0asm\x01\0\0\0", "no WebAssembly component"),
        ("\0asm\x0d\0\x01\0", "exports no tools"),
    ] {
        files::write_text(&file, content).unwrap();
        let said = refusal(&file).await;
        assert!(
            said.contains("extra.wasm") && said.contains(words),
            "{said}"
        );
    }
}

/// The shipped plugins send requests; the same component without grants must not load.
#[tokio::test]
async fn an_extra_plugin_is_granted_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crm.wasm");
    files::write_bytes(&file, embedded::component("crm")).unwrap();
    let said = refusal(&file).await;
    assert!(
        said.contains("wasi:http") && said.contains("granted nothing"),
        "{said}"
    );
}

/// A shipped plugin, under this name.
async fn loaded(publishing: &Publishing, name: &str) -> Arc<Plugin> {
    let config = Config::default();
    let common = rules::common(&config).unwrap();
    let backend = ([127, 0, 0, 1], 1).into();
    let tenant = demo::tenant((&config, &common), (backend, &Secret::random()), &[]).unwrap();
    let shipped = tenant.plugins.iter().find(|one| one.name == "knowledge");
    let shipped = shipped.unwrap();
    let nothing = Bindings::default();
    let said = publishing.said(shipped, &tenant, &nothing);
    let component = said.await.unwrap().unwrap();
    let entry = PluginEntry {
        name: name.to_owned(),
        ..shipped.clone()
    };
    publishing.load(&entry, &tenant, &component).await.unwrap()
}

/// All three offer the same tool.
#[tokio::test]
async fn of_plugins_that_clash_the_folders_stays_and_else_the_earlier_one() {
    let folder = tempfile::tempdir().unwrap();
    let publishing =
        Publishing::start(folder.path(), None, <_>::default(), Arc::new(|_| ())).unwrap();
    let mut all = HashMap::new();
    for name in ["named", "late", "early"] {
        all.insert(name, loaded(&publishing, name).await);
    }
    let together = |names: &[&str], yielding: &[(&str, i64)]| {
        let set = PluginSet {
            plugins: names.iter().map(|name| all[name].clone()).collect(),
            ..PluginSet::default()
        };
        let since = |(name, since): &(&str, i64)| ((*name).to_owned(), *since);
        let yielding = Yielding {
            plugins: yielding.iter().map(since).collect(),
            canary: false,
        };
        let mut refused = Refused::new();
        let put = together(publishing.toolbox(), "demo", set, &yielding, &mut refused);
        let names = |plugins: &[Arc<Plugin>]| -> Vec<String> {
            plugins.iter().map(|one| one.name().to_owned()).collect()
        };
        let (_, set) = put?;
        assert!(refused.values().all(|why| why.contains("offer the tool")));
        let refused: Vec<String> = refused.into_keys().collect();
        Ok::<_, PublishError>((names(&set.plugins), names(&set.kept), refused))
    };
    let both = [("late", 2), ("early", 1)];
    for (names, yielding, stays, goes) in [
        (vec!["late", "early"], &both[..], "early", vec!["late"]),
        (vec!["late", "early"], &both[..1], "early", vec!["late"]),
        (vec!["late", "early"], &both[1..], "late", vec!["early"]),
        (
            vec!["late", "named", "early"],
            &both[..],
            "named",
            vec!["early", "late"],
        ),
    ] {
        let (left, kept, refused) = together(&names, yielding).unwrap();
        assert_eq!(
            (left, &kept),
            (
                vec![stays.to_owned()],
                &goes.iter().map(ToString::to_string).collect()
            )
        );
        assert_eq!(refused, goes);
    }
    let error = together(&["late", "early"], &[]).err().unwrap();
    assert!(error.to_string().contains("do not go together"), "{error}");
    // Whatever gives way does not mend what the folder names.
    let error = together(&["late", "named", "early"], &both[..1])
        .err()
        .unwrap();
    assert!(error.to_string().contains("do not go together"), "{error}");
}
