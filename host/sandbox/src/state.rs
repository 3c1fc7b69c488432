//! What one call of a plugin owns while it runs: its inert WASI, its handles, its limits and its way out through the gate.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_config::WasiConfig;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::invocation::Invocation;
use crate::limiter::Limiter;
use crate::log::Log;
use crate::outbound::NoOtherWay;
use crate::plugin::Ready;
use crate::progress::Reported;
use crate::shadow::Source;

/// Random bytes that a plugin may ask for at a time.
const MAX_RANDOM_BYTES: u64 = 64 * 1024;

/// The data of a store.
pub(crate) struct State {
    /// Made when it is first asked for, which most calls never do.
    wasi: Option<WasiCtx>,
    http: WasiHttpCtx,
    table: ResourceTable,
    plugin: Arc<Ready>,
    hooks: NoOtherWay,
    pub(crate) limiter: Limiter,
    pub(crate) completions_left: u32,
    /// How far the call says it has come.
    pub(crate) reported: Reported,
    pub(crate) invocation: Arc<Invocation>,
}

impl State {
    pub(crate) fn new(plugin: Arc<Ready>, invocation: Arc<Invocation>) -> Self {
        let limits = &invocation.limits;
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(limits.header_bytes);
        Self {
            wasi: None,
            http,
            table,
            plugin,
            hooks: NoOtherWay,
            limiter: Limiter::new(limits, invocation.account.clone()),
            completions_left: limits.completions,
            reported: Reported::default(),
            invocation,
        }
    }

    pub(crate) fn config(&mut self) -> WasiConfig<'_> {
        WasiConfig::new(&self.plugin.config)
    }
}

/// What language runtimes ask for, with nothing behind it: no files, no sockets, no environment, no arguments. Time and chance are
/// taken down, for a version that replays the call.
fn inert_wasi(log: Log, found: Source) -> WasiCtx {
    let mut wasi = WasiCtx::builder();
    found.set(&mut wasi);
    wasi.stdout(log.clone())
        .stderr(log)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .max_random_size(MAX_RANDOM_BYTES)
        .build()
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let (plugin, invocation) = (&self.plugin, &self.invocation);
        let inert = || {
            let log = Log::new(&plugin.name, invocation.clone());
            inert_wasi(log, invocation.reach.source())
        };
        WasiCtxView {
            ctx: self.wasi.get_or_insert_with(inert),
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.hooks,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}
