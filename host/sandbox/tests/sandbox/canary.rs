//! Trials: who sees the version on trial, when it ends by itself, and what a kill switch stops.

use std::collections::BTreeSet;
use std::sync::Arc;

use dispatch::{InvokeError, Tolerance, Tool, Tools as _};
use sandbox::{Canary, Plugin, PluginSet, PluginSource, Toolbox};
use serde_json::{Value, json};

use crate::gate::TestGate;
use crate::guest::{TENANT, component, core, friendly, named, permit, source, toolbox};
use crate::keeping::{keeping, keeping_with};

/// The friendly guest, with a sum that is off by one, or that traps.
fn other(sum: &str) -> Vec<u8> {
    let wit = "package acme:friendly@1.0.0;
         interface friendly {
            add: func(a: u32, b: u32) -> u32;
            echo: func(text: string) -> string;
         }
         world w { export friendly; }";
    let export = "acme:friendly/friendly@1.0.0";
    let module = core(&format!(
        "(func (export \"{export}#add\") (param i32 i32) (result i32) {sum})
         (func (export \"{export}#echo\") (param i32 i32) (result i32) unreachable)"
    ));
    component(&[wit], &module)
}

const OFF_BY_ONE: &str = "(i32.add (i32.const 1) (i32.add (local.get 0) (local.get 1)))";

async fn loaded(toolbox: &Toolbox, bytes: Vec<u8>) -> Arc<Plugin> {
    toolbox.load(source(bytes)).await.unwrap()
}

/// The stable guest beside another one on trial.
async fn trying(sum: &str, per_mille: u16) -> (Toolbox, Arc<Plugin>, Arc<Plugin>) {
    let toolbox = toolbox();
    let stable = loaded(&toolbox, friendly()).await;
    let tried = loaded(&toolbox, other(sum)).await;
    let canary = Canary {
        plugin: tried.clone(),
        per_mille,
        tolerance: Tolerance {
            min_calls: 5,
            ..Tolerance::default()
        },
    };
    try_out(&toolbox, &stable, canary);
    (toolbox, stable, tried)
}

fn try_out(toolbox: &Toolbox, stable: &Arc<Plugin>, canary: Canary) {
    let set = PluginSet {
        plugins: vec![stable.clone()],
        canary: Some(canary),
        ..PluginSet::default()
    };
    toolbox.go_live(toolbox.assemble(TENANT, set).unwrap());
}

async fn add(toolbox: &Toolbox, case: &str) -> Result<Value, InvokeError> {
    let tool = toolbox.snapshot_for(TENANT, case).unwrap().tools["add"].clone();
    run(&tool).await
}

async fn run(tool: &Arc<dyn Tool>) -> Result<Value, InvokeError> {
    let permit = permit("add", &tool.spec().digest, &json!({ "a": 1, "b": 2 }));
    tool.invoke(permit, Arc::new(TestGate::default())).await
}

/// Cases of a thousand that see this version.
fn share(toolbox: &Toolbox, version: &Plugin) -> BTreeSet<usize> {
    let sees = |case: &usize| {
        let tools = toolbox.snapshot_for(TENANT, &case.to_string()).unwrap();
        tools.tools["add"].spec().digest == version.digest()
    };
    (0..1000).filter(sees).collect()
}

#[tokio::test]
async fn a_share_of_the_cases_sees_the_version_on_trial_and_keeps_seeing_it() {
    let (toolbox, stable, tried) = trying(OFF_BY_ONE, 100).await;
    let few = share(&toolbox, &tried);
    assert!((60..140).contains(&few.len()), "{}", few.len());
    assert_eq!(few, share(&toolbox, &tried));
    let seen = add(&toolbox, &few.first().unwrap().to_string()).await;
    assert_eq!(seen.unwrap(), json!({ "result": 4 }));
    // Whoever has no case, a list of tools, say, sees the stable one.
    let listed = toolbox.snapshot(TENANT).unwrap();
    assert_eq!(listed.tools["add"].spec().digest, stable.digest());
    let tolerance = Tolerance::default();
    let plugin = tried.clone();
    let canary = Canary {
        plugin,
        per_mille: 500,
        tolerance,
    };
    try_out(&toolbox, &stable, canary);
    let many = share(&toolbox, &tried);
    assert!(few.is_subset(&many) && many.len() > 400, "{}", many.len());
}

#[tokio::test]
async fn a_version_that_traps_ends_its_trial_by_itself() {
    let (toolbox, stable, tried) = trying("unreachable", 1000).await;
    let mut told = toolbox.canaries();
    let held = toolbox.snapshot_for(TENANT, "case").unwrap().tools["add"].clone();
    for _ in 0..5 {
        assert_eq!(share(&toolbox, &tried).len(), 1000);
        let trapped = add(&toolbox, "case").await.unwrap_err();
        assert!(matches!(trapped, InvokeError::Trapped(_)), "{trapped}");
    }
    assert_eq!(share(&toolbox, &stable).len(), 1000);
    assert_eq!(add(&toolbox, "case").await.unwrap(), json!({ "result": 3 }));
    let ended = told.recv().await.unwrap();
    assert_eq!(
        (ended.tenant.as_str(), ended.plugin.as_str()),
        (TENANT, "guest")
    );
    assert_eq!(ended.digest, tried.digest());
    assert_eq!(
        ended.reason,
        "5 of 5 calls trapped or passed a limit, against 0 of 0"
    );
    // Calls that still hold it are counted, and told of no second time.
    run(&held).await.unwrap_err();
    assert!(told.try_recv().is_err());
}

/// A version that makes do without what it was refused was refused it all the same.
#[tokio::test]
async fn what_a_version_is_refused_counts_also_where_it_answers_all_the_same() {
    let toolbox = toolbox();
    let lent = async |bytes| {
        let source = PluginSource {
            key_value: true,
            ..source(bytes)
        };
        toolbox.load(source).await.unwrap()
    };
    let stable = lent(keeping()).await;
    let tried = lent(keeping_with("exists")).await;
    let canary = Canary {
        plugin: tried.clone(),
        per_mille: 500,
        tolerance: Tolerance {
            min_calls: 5,
            ..Tolerance::default()
        },
    };
    try_out(&toolbox, &stable, canary);
    let mut told = toolbox.canaries();
    let (mut refused, mut kept) = (0, 0);
    while refused < 5 {
        let case = (refused + kept).to_string();
        let tool = toolbox.snapshot_for(TENANT, &case).unwrap().tools["keep"].clone();
        let digest = &tool.spec().digest;
        let (key, said) = if digest == tried.digest() {
            refused += 1;
            ("deny", "denied")
        } else {
            kept += 1;
            ("a", "1")
        };
        let permit = permit("keep", digest, &json!({ "key": key, "value": "1" }));
        let answer = tool.invoke(permit, Arc::new(TestGate::default())).await;
        assert_eq!(answer.unwrap(), json!({ "result": said }));
    }
    let reason = format!("5 of 5 calls were refused a capability, against 0 of {kept}");
    assert_eq!(told.try_recv().unwrap().reason, reason);
}

#[tokio::test]
async fn a_version_that_does_no_worse_than_the_other_stays() {
    // Both trap in every call: that is no reason to go back.
    let toolbox = toolbox();
    let stable = loaded(&toolbox, other("unreachable")).await;
    let tried = loaded(&toolbox, other("(unreachable) (unreachable)")).await;
    let canary = Canary {
        plugin: tried.clone(),
        per_mille: 500,
        tolerance: Tolerance {
            min_calls: 5,
            ..Tolerance::default()
        },
    };
    try_out(&toolbox, &stable, canary);
    let sees = share(&toolbox, &tried);
    let others = (0..1000).filter(|case| !sees.contains(case));
    for case in others.take(10).chain(sees.iter().copied().take(10)) {
        add(&toolbox, &case.to_string()).await.unwrap_err();
    }
    assert_eq!(share(&toolbox, &tried), sees);
}

#[tokio::test]
async fn what_one_version_began_finds_it_again_while_it_is_kept() {
    let toolbox = toolbox();
    let old = loaded(&toolbox, friendly()).await;
    let new = loaded(&toolbox, other(OFF_BY_ONE)).await;
    toolbox.publish(TENANT, std::slice::from_ref(&new)).unwrap();
    assert!(toolbox.version(TENANT, "add", old.digest()).is_none());
    let set = PluginSet {
        plugins: vec![new],
        kept: vec![old.clone()],
        ..PluginSet::default()
    };
    toolbox.go_live(toolbox.assemble(TENANT, set).unwrap());
    let kept = toolbox.version(TENANT, "add", old.digest()).unwrap();
    assert_eq!(kept.spec().digest, old.digest());
    assert!(toolbox.version("another", "add", old.digest()).is_none());
}

#[tokio::test]
async fn a_stopped_version_runs_for_nobody_however_often_it_was_loaded() {
    let toolbox = toolbox();
    let one = loaded(&toolbox, friendly()).await;
    let again = loaded(&toolbox, friendly()).await;
    let beside = loaded(&toolbox, named("beside")).await;
    toolbox.stop(TENANT, one.digest(), true);
    for plugin in [one, again] {
        toolbox.publish(TENANT, &[plugin]).unwrap();
        let refused = add(&toolbox, "case").await.unwrap_err();
        assert!(
            matches!(&refused, InvokeError::Refused(r) if r.code == "PLUGIN_STOPPED"),
            "{refused}"
        );
    }
    toolbox.publish(TENANT, &[beside]).unwrap();
    assert!(add(&toolbox, "case").await.is_ok(), "another version runs");
    let back = loaded(&toolbox, friendly()).await;
    toolbox.stop(TENANT, back.digest(), false);
    toolbox.publish(TENANT, &[back]).unwrap();
    assert!(add(&toolbox, "case").await.is_ok());
}
