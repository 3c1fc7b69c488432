//! One invocation: a fresh instance for every call, bounded in time, memory and output, and its end in the host's terms.

use std::sync::Arc;

use async_trait::async_trait;
use dispatch::{Gate, InvokeError, Tool, ToolError, ToolSpec, Violation};
use policy::{Permit, Refusal};
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};
use wasmtime::component::{ComponentExportIndex, Val};
use wasmtime::{Store, UpdateDeadline};

use crate::failure::{self, DeadlineReached};
use crate::invocation::Invocation;
use crate::measure;
use crate::plugin::Ready;
use crate::reflect::Plan;
use crate::state::State;

/// One tool of a plugin.
pub(crate) struct PluginTool {
    spec: ToolSpec,
    plan: Plan,
    function: ComponentExportIndex,
    plugin: Arc<Ready>,
}

impl PluginTool {
    pub(crate) fn new(
        spec: ToolSpec,
        plan: Plan,
        function: ComponentExportIndex,
        plugin: Arc<Ready>,
    ) -> Self {
        Self {
            spec,
            plan,
            function,
            plugin,
        }
    }

    /// Runs the call to its end, and waits until what it sent has an end too.
    async fn run(
        &self,
        arguments: &[Val],
        invocation: &Arc<Invocation>,
    ) -> Result<Value, InvokeError> {
        let mut store = self.store(invocation);
        let call = timeout_at(invocation.deadline, self.call(&mut store, arguments)).await;
        let outcome = match call {
            Ok(Ok(returned)) => self.output(returned.as_ref(), invocation),
            Ok(Err(error)) => Err(failure::classify(&error, store.data())),
            Err(_) => Err(InvokeError::Deadline(invocation.limits.deadline_ms)),
        };
        // The plugin's handles go first: a request whose body it never finished would otherwise be waited for.
        drop(store);
        invocation.settle().await;
        outcome
    }

    fn store(&self, invocation: &Arc<Invocation>) -> Store<State> {
        let plugin = &self.plugin;
        let state = State::new(&plugin.name, invocation.clone(), plugin.config.clone());
        let mut store = Store::new(&plugin.runtime.engine, state);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(invocation.limits.hostcall_bytes);
        store.set_max_component_handles(invocation.limits.handles);
        let deadline = invocation.deadline;
        // A plugin that computes gives way to others at every tick, and dies at the first one past its deadline.
        store.epoch_deadline_callback(move |_| {
            if Instant::now() >= deadline {
                return Err(DeadlineReached.into());
            }
            let give_way = Box::pin(tokio::task::yield_now());
            Ok(UpdateDeadline::YieldCustom(1, give_way))
        });
        store.set_epoch_deadline(1);
        store
    }

    async fn call(
        &self,
        store: &mut Store<State>,
        arguments: &[Val],
    ) -> wasmtime::Result<Option<Val>> {
        let instance = self.plugin.pre.instantiate_async(&mut *store).await?;
        let function = instance
            .get_func(&mut *store, self.function)
            .ok_or_else(|| wasmtime::format_err!("the function is gone"))?;
        let mut results = vec![Val::Bool(false); self.plan.result_count()];
        function
            .call_async(&mut *store, arguments, &mut results)
            .await?;
        Ok(results.pop())
    }

    fn output(
        &self,
        returned: Option<&Val>,
        invocation: &Invocation,
    ) -> Result<Value, InvokeError> {
        let scrub = |text: &str| failure::scrubbed(text, &*invocation.gate);
        let output = match self.plan.lift(returned) {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => return Err(failure::scrubbed_error(error, &*invocation.gate).into()),
            Err(misfit) => return Err(InvokeError::Trapped(scrub(&misfit.to_string()))),
        };
        let limit = invocation.limits.output_bytes;
        match measure::bytes(&output) {
            bytes if bytes > limit => Err(InvokeError::Limit(format!(
                "bytes of output: {limit} at most, {bytes} given"
            ))),
            _ => Ok(output),
        }
    }

    fn fits(&self, permit: &Permit) -> bool {
        let call = permit.call();
        call.tool == self.spec.name && call.plugin_digest == self.spec.digest
    }
}

#[async_trait]
impl Tool for PluginTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn check(&self, arguments: &Value) -> Result<Map<String, Value>, Vec<Violation>> {
        measure::check(arguments, &self.plugin.limits).map_err(|violation| vec![violation])?;
        self.plan.check(arguments)
    }

    async fn invoke(&self, permit: Permit, gate: Arc<dyn Gate>) -> Result<Value, InvokeError> {
        if !self.fits(&permit) {
            return Err(InvokeError::Refused(foreign_permit()));
        }
        let (call, _) = permit.into_parts();
        let arguments = self
            .plan
            .lower(&call.arguments)
            .map_err(|violations| invalid(&violations))?;
        let plugin = &self.plugin;
        let _place = plugin.runtime.admit().await?;
        let connector = plugin.runtime.connector.clone();
        let invocation = Invocation::new(gate, plugin.limits.clone(), connector);
        // A caller that goes away stops what it started.
        let _stop = invocation.stop.clone().drop_guard();
        let outcome = self.run(&arguments, &invocation).await;
        outcome.map_err(|error| match invocation.refusal() {
            Some(refusal) => InvokeError::Refused(refusal),
            None => error,
        })
    }
}

/// A permit is for one tool of one version; any other is a mistake of the host, and nothing runs.
fn foreign_permit() -> Refusal {
    Refusal {
        code: "PERMIT_MISMATCH".to_owned(),
        say: "That is not possible right now.".to_owned(),
        hint: None,
        rules: Vec::new(),
    }
}

/// Arguments that were judged but do not fit, because a bound one is missing.
fn invalid(violations: &[Violation]) -> InvokeError {
    let texts = violations
        .iter()
        .map(|v| format!("{}: {}", v.field, v.message));
    let message = texts.collect::<Vec<_>>().join("; ");
    ToolError::InvalidInput { message }.into()
}
