//! What plugins remember: it counts with the settlement, and only for the tenant and the plugin that it is of.

use dispatch::{KeyValueWrite, Settlement, ToolError};
use serde_json::json;

use crate::world::{TENANT, World, first_lease};

const PLUGIN: &str = "loyalty";

fn write(key: &str, value: Option<&str>) -> KeyValueWrite {
    KeyValueWrite {
        key: key.into(),
        value: value.map(|value| value.as_bytes().to_vec()),
    }
}

async fn staged(world: &World, intent: &str, writes: Vec<KeyValueWrite>) {
    world.reserve(world.intent(intent, intent)).await.unwrap();
    let lease = first_lease(intent);
    assert!(world.store.stage(&lease, PLUGIN, writes).await.unwrap());
}

async fn done(world: &World, intent: &str) {
    let settlement = Settlement::Done(json!({}));
    assert!(world.settle(intent, settlement).await.unwrap());
}

async fn value(world: &World, key: &str) -> Option<String> {
    let value = world.store.value(TENANT, PLUGIN, key).await.unwrap();
    value.map(|value| String::from_utf8(value).unwrap())
}

pub(crate) async fn what_is_staged_counts_once_it_is_settled(world: World) {
    staged(
        &world,
        "i1",
        vec![write("a", Some("1")), write("b", Some("1"))],
    )
    .await;
    assert_eq!(value(&world, "a").await, None);
    done(&world, "i1").await;
    assert_eq!(value(&world, "a").await.as_deref(), Some("1"));
    staged(&world, "i2", vec![write("a", None), write("b", Some("2"))]).await;
    done(&world, "i2").await;
    assert_eq!(value(&world, "a").await, None);
    assert_eq!(value(&world, "b").await.as_deref(), Some("2"));
    assert_eq!(world.store.keys(TENANT, PLUGIN).await.unwrap(), ["b"]);
    // A late word about the first intent brings nothing back.
    done(&world, "i1").await;
    assert_eq!(value(&world, "a").await, None);
}

pub(crate) async fn what_fails_leaves_nothing_and_what_is_unknown_waits(world: World) {
    let refused = ToolError::NotEligible {
        message: "no".into(),
    };
    staged(&world, "i1", vec![write("a", Some("1"))]).await;
    assert!(
        world
            .settle("i1", Settlement::Failed(refused))
            .await
            .unwrap()
    );
    staged(&world, "i2", vec![write("b", Some("1"))]).await;
    assert!(world.settle("i2", Settlement::Unknown).await.unwrap());
    assert!(world.store.keys(TENANT, PLUGIN).await.unwrap().is_empty());
    done(&world, "i2").await;
    assert_eq!(world.store.keys(TENANT, PLUGIN).await.unwrap(), ["b"]);
}

pub(crate) async fn another_try_takes_the_place_of_the_first(world: World) {
    staged(
        &world,
        "i1",
        vec![write("a", Some("1")), write("b", Some("1"))],
    )
    .await;
    let again = vec![write("b", Some("2"))];
    let lease = first_lease("i1");
    assert!(world.store.stage(&lease, PLUGIN, again).await.unwrap());
    done(&world, "i1").await;
    assert_eq!(world.store.keys(TENANT, PLUGIN).await.unwrap(), ["b"]);
    let late = vec![write("c", Some("1"))];
    assert!(!world.store.stage(&lease, PLUGIN, late).await.unwrap());
}

pub(crate) async fn keys_are_one_tenants_and_one_plugins(world: World) {
    let odd = ["../acme/x", "demo\u{1f}loyalty", "%00", "a' OR 1=1 --"];
    let writes = odd.iter().map(|key| write(key, Some("mine"))).collect();
    staged(&world, "i1", writes).await;
    done(&world, "i1").await;
    assert_eq!(
        world.store.keys(TENANT, PLUGIN).await.unwrap().len(),
        odd.len()
    );
    for (tenant, plugin) in [("acme", PLUGIN), (TENANT, "other"), ("", ""), (TENANT, "")] {
        assert!(world.store.keys(tenant, plugin).await.unwrap().is_empty());
        for key in odd {
            let value = world.store.value(tenant, plugin, key).await.unwrap();
            assert_eq!(value, None, "{tenant} {plugin} {key}");
        }
    }
}
