//! The engine that runs every plugin: its configuration, and the clock by which it interrupts them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::thread;
use std::time::Duration;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, RegallocAlgorithm,
};

use crate::{Capacity, LoadError};

/// How often running plugins are looked at. A plugin past its deadline dies within one tick.
const TICK: Duration = Duration::from_millis(5);

/// Core instances, tables and memories of one component: for its main module and the glue around it, or for a language runtime in
/// many modules. The pool has as many for every call, so that no component takes the place of others'; one with more is refused.
const CORE_INSTANCES: u32 = 50;
const TABLES: u32 = 10;
const MEMORIES: u32 = 2;
/// Slots that stay warm, for each call: what most components use.
const WARM_SLOTS: u32 = 10;
/// Elements that every table of the pool has room for; language runtimes need some ten thousand.
pub(crate) const TABLE_ELEMENTS: usize = 20_000;

/// Starts the engine with a pool of instances, or without one where this machine has no room for it.
pub(crate) fn start(capacity: &Capacity) -> Result<Engine, LoadError> {
    let engine = Engine::new(&pooled(capacity)).or_else(|error| {
        tracing::warn!(%error, "no room for a pool of instances; every call allocates its own");
        Engine::new(&base())
    });
    let engine = engine.map_err(|error| LoadError::Sandbox(format!("{error:#}")))?;
    tick(&engine)?;
    Ok(engine)
}

/// An engine that runs nothing: what it compiles, the engine that was started runs.
pub(crate) fn for_compiling() -> Result<Engine, LoadError> {
    Engine::new(&base()).map_err(|error| LoadError::Sandbox(format!("{error:#}")))
}

/// Names everything that compiled code depends on beside the component: engine version, settings and machine.
pub(crate) fn fingerprint(engine: &Engine) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn base() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        // Plugins get no threads and no garbage-collected heap: both would be further resources to limit.
        .wasm_threads(false)
        .wasm_gc(false)
        .cranelift_regalloc_algorithm(RegallocAlgorithm::Backtracking);
    config
}

fn pooled(capacity: &Capacity) -> Config {
    let calls = capacity.calls;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_stacks(calls)
        .max_core_instances_per_component(CORE_INSTANCES)
        .total_core_instances(calls.saturating_mul(CORE_INSTANCES))
        .max_memories_per_component(MEMORIES)
        .total_memories(calls.saturating_mul(MEMORIES))
        .max_tables_per_component(TABLES)
        .total_tables(calls.saturating_mul(TABLES))
        .total_gc_heaps(0)
        .table_elements(TABLE_ELEMENTS)
        .max_memory_size(capacity.memory_bytes)
        .linear_memory_keep_resident(capacity.resident_bytes)
        .table_keep_resident(TABLE_ELEMENTS * size_of::<usize>())
        // A slot that was used by the same component before is far cheaper than a fresh one; keep them all.
        .max_unused_warm_slots(calls.saturating_mul(WARM_SLOTS))
        .pagemap_scan(Enabled::Auto);
    let mut config = base();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// The one thread that ends when its engine does.
fn tick(engine: &Engine) -> Result<(), LoadError> {
    let engine = engine.weak();
    thread::Builder::new()
        .name("sandbox-epoch".to_owned())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(TICK);
            }
        })
        .map(drop)
        .map_err(|error| LoadError::Sandbox(format!("no thread for the clock: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compiled_aside_runs_here() {
        let compiling = fingerprint(&for_compiling().unwrap());
        assert_eq!(
            fingerprint(&start(&Capacity::default()).unwrap()),
            compiling
        );
    }
}
