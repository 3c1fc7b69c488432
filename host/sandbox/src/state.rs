//! What one call of a plugin owns while it runs: its inert WASI, its handles, its limits and its way out through the gate.

use std::sync::Arc;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_config::{WasiConfig, WasiConfigVariables};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::invocation::Invocation;
use crate::limiter::Limiter;
use crate::log::Log;
use crate::outbound::NoOtherWay;
use crate::progress::Reported;

/// Random bytes that a plugin may ask for at a time.
const MAX_RANDOM_BYTES: u64 = 64 * 1024;

/// The data of a store.
pub(crate) struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    config: Arc<WasiConfigVariables>,
    hooks: NoOtherWay,
    pub(crate) limiter: Limiter,
    pub(crate) completions_left: u32,
    /// How far the call says it has come.
    pub(crate) reported: Reported,
    pub(crate) invocation: Arc<Invocation>,
}

impl State {
    pub(crate) fn new(
        plugin: &str,
        invocation: Arc<Invocation>,
        config: Arc<WasiConfigVariables>,
    ) -> Self {
        let limits = &invocation.limits;
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(limits.header_bytes);
        Self {
            wasi: inert_wasi(Log::new(plugin, invocation.clone())),
            http,
            table,
            config,
            hooks: NoOtherWay,
            limiter: Limiter::new(limits),
            completions_left: limits.completions,
            reported: Reported::default(),
            invocation,
        }
    }

    pub(crate) fn config(&mut self) -> WasiConfig<'_> {
        WasiConfig::new(&self.config)
    }
}

/// What language runtimes ask for, with nothing behind it: no files, no sockets, no environment, no arguments.
fn inert_wasi(log: Log) -> WasiCtx {
    WasiCtx::builder()
        .stdout(log.clone())
        .stderr(log)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .max_random_size(MAX_RANDOM_BYTES)
        .build()
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
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
