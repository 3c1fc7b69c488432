//! One invocation: a fresh instance for every call, bounded in time, memory and output, and its end in the host's terms.

use std::sync::Arc;

use async_trait::async_trait;
use dispatch::{Gate, InvokeError, Tool, ToolError, ToolSpec, Violation};
use policy::{Permit, Refusal};
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};
use wasmtime::component::{ComponentExportIndex, Val};
use wasmtime::{Store, UpdateDeadline};

use crate::Limits;
use crate::failure::{self, DeadlineReached};
use crate::invocation::Invocation;
use crate::lane;
use crate::library::LoadedTool;
use crate::measure;
use crate::outset::beside;
use crate::places::Place;
use crate::plugin::Ready;
use crate::reach::{Out, Reach};
use crate::reflect::Offer;
use crate::runtime::Runtime;
use crate::shadow::RecordedCall;
use crate::state::State;

/// One tool of a plugin.
pub(crate) struct PluginTool {
    spec: ToolSpec,
    function: Function,
}

impl PluginTool {
    pub(crate) fn new(spec: ToolSpec, function: Function) -> Self {
        Self { spec, function }
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
        self.function.check(arguments)
    }

    fn is_stopped(&self) -> bool {
        self.function.plugin.switch.is_stopped()
    }

    async fn invoke(&self, permit: Permit, gate: Arc<dyn Gate>) -> Result<Value, InvokeError> {
        if self.is_stopped() {
            return Err(InvokeError::Refused(refusal("PLUGIN_STOPPED")));
        }
        // A permit is for one tool of one version; any other is a mistake of the host, and nothing runs.
        if !self.fits(&permit) {
            return Err(InvokeError::Refused(refusal("PERMIT_MISMATCH")));
        }
        let (call, _) = permit.into_parts();
        let arguments = self
            .function
            .lower(&call.arguments)
            .map_err(|violations| invalid(&violations))?;
        let runtime = self.function.runtime();
        let account = runtime.accounts.of(&call.tenant);
        let place = runtime.accounts.admit(&account).await?;
        let tape = Arc::new(runtime.recordings.tape());
        let reach = Reach::Out(Out {
            gate,
            connector: runtime.connector.clone(),
            tape: tape.clone(),
        });
        let invocation = Invocation::new(reach, self.function.limits().clone(), account);
        // A caller that goes away stops what it started.
        let _stop = invocation.stop.clone().drop_guard();
        let judged = Arc::new(call.arguments);
        let run = self
            .function
            .run(judged.clone(), arguments, &invocation, place);
        let outcome = run.await;
        let (tool, digest) = (&self.spec.name, &self.spec.digest);
        runtime
            .recordings
            .keep(&call.tenant, &self.spec.plugin, || {
                RecordedCall::of(tool, digest, &judged, &tape, &outcome)
            });
        outcome.map_err(|error| match invocation.refusal() {
            Some(refusal) => InvokeError::Refused(refusal),
            None => error,
        })
    }
}

/// A function of a plugin, as it can be run.
pub(crate) struct Function {
    offer: Arc<Offer>,
    export: ComponentExportIndex,
    plugin: Arc<Ready>,
}

impl Function {
    pub(crate) fn new(tool: &LoadedTool, plugin: Arc<Ready>) -> Self {
        Self {
            offer: tool.offered.offer.clone(),
            export: tool.function,
            plugin,
        }
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.plugin.runtime
    }

    pub(crate) fn limits(&self) -> &Arc<Limits> {
        &self.plugin.limits
    }

    /// Checks arguments and gives them back in canonical form.
    pub(crate) fn check(&self, arguments: &Value) -> Result<Map<String, Value>, Vec<Violation>> {
        measure::check(arguments, &self.plugin.limits).map_err(|violation| vec![violation])?;
        self.offer.plan.check(arguments)
    }

    /// Checked arguments as the function takes them.
    pub(crate) fn lower(&self, checked: &Map<String, Value>) -> Result<Vec<Val>, Vec<Violation>> {
        self.offer.lower(checked)
    }

    /// Runs a call to its end, and waits until what it sent has an end too.
    pub(crate) async fn run(
        &self,
        judged: Arc<Map<String, Value>>,
        arguments: Vec<Val>,
        invocation: &Arc<Invocation>,
        place: Place,
    ) -> Result<Value, InvokeError> {
        let place = Arc::new(place);
        let plugin = &self.plugin;
        let run = Run {
            offer: self.offer.clone(),
            judged,
            function: self.export,
            plugin: plugin.clone(),
            invocation: invocation.clone(),
            _place: place.clone(),
        };
        let account = invocation.account.clone();
        let lane = &plugin.runtime.lane;
        let run = lane.run(run.finish(arguments), account, plugin.record.clone());
        let outcome = timeout_at(invocation.deadline, run).await;
        invocation.settle().await;
        outcome.unwrap_or(Err(InvokeError::Deadline(invocation.limits.deadline_ms)))
    }
}

/// One call in its instance, with everything that it holds.
struct Run {
    offer: Arc<Offer>,
    /// The arguments as the tool was called with them.
    judged: Arc<Map<String, Value>>,
    function: ComponentExportIndex,
    plugin: Arc<Ready>,
    invocation: Arc<Invocation>,
    /// Free once the instance is gone.
    _place: Arc<Place>,
}

impl Run {
    async fn finish(self, arguments: Vec<Val>) -> Result<Value, InvokeError> {
        // The plugin's handles go with the store, before anybody waits for its requests: one whose body it never finished
        // would not end.
        let mut store = self.store();
        let running = self.invocation.running();
        let call = self.call(&mut store, &arguments);
        match beside(&self.invocation, call).await {
            Ok(returned) => {
                running.ends();
                self.output(returned.as_ref())
            }
            Err(error) => Err(failure::classify(&error, store.data())),
        }
    }

    fn store(&self) -> Store<State> {
        let (plugin, invocation) = (&self.plugin, &self.invocation);
        let state = State::new(plugin.clone(), invocation.clone());
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
            let give_way = Box::pin(lane::give_way());
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
        let mut results = vec![Val::Bool(false); self.offer.result_count()];
        function
            .call_async(&mut *store, arguments, &mut results)
            .await?;
        Ok(results.pop())
    }

    fn output(&self, returned: Option<&Val>) -> Result<Value, InvokeError> {
        let (reach, limits) = (&self.invocation.reach, &self.invocation.limits);
        let output = match self.offer.lift(returned, &self.judged) {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => return Err(failure::scrubbed_error(error, reach).into()),
            Err(misfit) => {
                let misfit = failure::scrubbed(&misfit.to_string(), reach);
                return Err(InvokeError::Trapped(misfit));
            }
        };
        match measure::bytes(&output) {
            bytes if bytes > limits.output_bytes => Err(InvokeError::Limit(format!(
                "bytes of output: {} at most, {bytes} given",
                limits.output_bytes
            ))),
            _ => Ok(output),
        }
    }
}

fn refusal(code: &str) -> Refusal {
    Refusal {
        code: code.to_owned(),
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
