//! Fair shares: what one tenant's storm takes from its neighbour, and what it does not.

use std::sync::Arc;

use dispatch::InvokeError;
use sandbox::{Capacity, Limits, PluginSource, Share, Toolbox, ToolboxSettings};
use serde_json::json;
use tokio::task::JoinSet;

use crate::guest::{Guest, component, core, settings, source};

const STORM: &str = "storm";
const NEIGHBOUR: &str = "neighbour";

/// `spin` never ends, `work` computes for a while, `fine` does nothing.
fn storming() -> Vec<u8> {
    const WIT: &str = "package acme:storming@1.0.0;
        interface storming { spin: func(); work: func(rounds: u64) -> u64; fine: func() -> u32; }
        world w { export storming; }";
    const ITEMS: &str = "
        (func (export \"@spin\") (loop (br 0)))
        (func (export \"@work\") (param i64) (result i64)
            (loop $again
                (local.set 0 (i64.sub (local.get 0) (i64.const 1)))
                (br_if $again (i64.ne (local.get 0) (i64.const 0))))
            (local.get 0))
        (func (export \"@fine\") (result i32) (i32.const 1))";
    let items = ITEMS.replace('@', "acme:storming/storming@1.0.0#");
    component(&[WIT], &core(&items))
}

/// Both tenants have a plugin of their own, made of the same component.
async fn two_tenants(calls: u32, deadline_ms: u64) -> Arc<Guest> {
    let toolbox = Toolbox::new(ToolboxSettings {
        capacity: Capacity {
            calls,
            wait_ms: 0,
            ..Capacity::default()
        },
        ..settings()
    });
    let plugin = || PluginSource {
        limits: Limits {
            deadline_ms,
            ..Limits::default()
        },
        ..source(storming())
    };
    let guest = Guest::live_in(toolbox.unwrap(), plugin()).await;
    for tenant in [STORM, NEIGHBOUR] {
        let plugin = guest.toolbox.load(plugin()).await.unwrap();
        guest.toolbox.publish(tenant, &[plugin]).unwrap();
    }
    Arc::new(guest)
}

/// So many calls of the storm at once, which end when the set is dropped or at their deadline.
fn storm(guest: &Arc<Guest>, calls: usize) -> JoinSet<InvokeError> {
    let call = |guest: Arc<Guest>| async move {
        let spun = guest.call_as(STORM, "spin", json!({})).await;
        spun.unwrap_err()
    };
    (0..calls).map(|_| call(guest.clone())).collect()
}

async fn is_fine(guest: &Guest) {
    let fine = guest.call_as(NEIGHBOUR, "fine", json!({})).await;
    assert_eq!(fine.unwrap(), json!({ "result": 1 }));
}

/// One thread has to do for the storm, its neighbour and this test.
#[tokio::test]
async fn a_neighbour_computes_before_a_storm_on_one_thread() {
    let guest = two_tenants(32, 60_000).await;
    let mut storm = storm(&guest, 16);
    for _ in 0..50 {
        is_fine(&guest).await;
    }
    assert!(storm.try_join_next().is_none(), "the storm was over first");
}

#[tokio::test]
async fn a_storm_has_its_own_places_and_its_neighbour_has_others() {
    let guest = two_tenants(16, 60_000).await;
    let share = Share {
        calls: 4,
        ..Share::default()
    };
    guest.toolbox.set_share(STORM, share);
    let mut storm = storm(&guest, 10);
    for _ in 0..6 {
        let busy = storm.join_next().await.unwrap().unwrap();
        assert!(
            matches!(&busy, InvokeError::Busy(who) if who.contains("4 calls of tenant storm")),
            "{busy}"
        );
    }
    let neighbours = (0..4).map(|_| is_fine(&guest));
    futures::future::join_all(neighbours).await;
    assert!(storm.try_join_next().is_none(), "four go on");
}

/// Without a share of its own, the storm still leaves a place.
#[tokio::test]
async fn a_storm_without_a_limit_leaves_a_place() {
    let guest = two_tenants(4, 60_000).await;
    let mut storm = storm(&guest, 10);
    for _ in 0..7 {
        let busy = storm.join_next().await.unwrap().unwrap();
        assert!(
            matches!(&busy, InvokeError::Busy(who) if who.contains("4 places of this host")),
            "{busy}"
        );
    }
    is_fine(&guest).await;
}

/// Whoever has computed too much stands back, and comes to the same end later.
#[tokio::test]
async fn computing_beyond_the_share_is_slow_and_does_not_fail() {
    let guest = two_tenants(8, 60_000).await;
    let share = |cpu_ms_per_second| Share {
        cpu_ms_per_second,
        ..Share::default()
    };
    guest.toolbox.set_share(STORM, share(10));
    guest.toolbox.set_share(NEIGHBOUR, share(4_000));
    let ended = std::sync::Mutex::new(vec![]);
    let work = async |tenant: &'static str| {
        let rounds = json!({ "rounds": 40_000_000 });
        let done = guest.call_as(tenant, "work", rounds).await;
        assert_eq!(done.unwrap(), json!({ "result": 0 }));
        ended.lock().unwrap().push(tenant);
    };
    // The storm is first, and both do the same; but it may compute ten milliseconds in a second, and the neighbour four
    // seconds.
    tokio::join!(work(STORM), work(NEIGHBOUR));
    assert_eq!(*ended.lock().unwrap(), [NEIGHBOUR, STORM]);
}
