//! Tools that are described rather than programmed: one for each request of the description that a component carries, all of
//! them carried out by its one function.

use described::{Api, Fault, SECTION, Task};
use dispatch::ToolError;
use serde_json::{Map, Value};
use wasmparser::{Parser, Payload};
use wasmtime::component::Val;

use super::contract::Contract;
use super::lift::Misfit;
use super::offer::Offer;
use super::plan::Plan;
use crate::LoadError;

/// The package of the function that carries out descriptions.
pub(super) const PACKAGE: &str = "declarative";
/// A larger description is none of an API that a model could use.
const MAX_TEXT_BYTES: usize = 512 * 1024;

/// One described request.
#[derive(Clone, Debug)]
pub(super) struct Described {
    /// The function that carries it out.
    pub(super) function: Plan,
    /// What that function is told of it, as JSON.
    task: String,
}

impl Described {
    /// The function's two parameters. The first is the description's, and nobody's who calls.
    pub(super) fn parameters(&self, arguments: &Map<String, Value>) -> Vec<Val> {
        let arguments = Value::Object(arguments.clone()).to_string();
        vec![Val::String(self.task.clone()), Val::String(arguments)]
    }

    /// The JSON that the function returned.
    pub(super) fn result(
        &self,
        returned: Option<&Val>,
    ) -> Result<Result<Value, ToolError>, Misfit> {
        let output = match self.function.lift(returned)? {
            Ok(output) => output,
            Err(error) => return Ok(Err(error)),
        };
        let text = output.get("result").and_then(Value::as_str);
        let json = serde_json::from_str(text.unwrap_or_default());
        json.map(Ok)
            .map_err(|error| Misfit::new("", error.to_string()))
    }
}

/// The description that a component carries, checked; none where it carries none.
pub(super) fn description(component: &[u8]) -> Result<Option<Api>, LoadError> {
    let Some(data) = section(component)? else {
        return Ok(None);
    };
    if data.len() > MAX_TEXT_BYTES {
        return Err(refused(format!("it has more than {MAX_TEXT_BYTES} bytes")));
    }
    let text = std::str::from_utf8(data).map_err(|error| refused(error.to_string()))?;
    let api: Api = toml::from_str(text).map_err(|error| refused(error.to_string()))?;
    api.check().map_err(|faults| refused(in_words(&faults)))?;
    Ok(Some(api))
}

/// The component's own section; what is embedded in it has none to say.
fn section(component: &[u8]) -> Result<Option<&[u8]>, LoadError> {
    let mut depth = 0_usize;
    let mut found = None;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|error| LoadError::Invalid(error.to_string()))? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section)
                if depth == 0
                    && section.name() == SECTION
                    && found.replace(section.data()).is_some() =>
            {
                return Err(refused("there are two of them".to_owned()));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// One tool for each described request, from the interface of the function that carries them out.
pub(super) fn offers(
    api: Option<&Api>,
    contract: &Contract,
    functions: &[Plan],
) -> Result<Vec<Offer>, LoadError> {
    let (Some(api), Some(function)) = (api, functions.first()) else {
        return Err(refused(format!(
            "the component carries out descriptions, and has none: it needs a section {SECTION}"
        )));
    };
    let unfit = |error: &dyn std::fmt::Display| refused(error.to_string());
    let mut resolve = contract.resolve().clone();
    let package = resolve
        .push_source("api.wit", &api.wit())
        .map_err(|error| unfit(&error))?;
    let interfaces = resolve.packages[package].interfaces.values();
    interfaces
        .flat_map(|id| resolve.interfaces[*id].functions.values())
        .map(|declared| {
            let plan = Plan::compile(&resolve, &api.interface(), declared)
                .map_err(|uses| refused(format!("{} uses {uses}", declared.name)))?;
            let task = Task::of(api, plan.tool());
            let task = task.and_then(|task| serde_json::to_string(&task).ok());
            let task = task.ok_or_else(|| refused(format!("{} has no request", declared.name)))?;
            let function = function.clone();
            Ok(Offer::described(plan, Described { function, task }))
        })
        .collect()
}

/// A description that nothing would carry out.
pub(super) fn unused() -> LoadError {
    refused("nothing in the component carries it out; `switchboard plugin build` puts it into one that does".to_owned())
}

fn in_words(faults: &[Fault]) -> String {
    let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    lines.join("; ")
}

fn refused(reason: String) -> LoadError {
    LoadError::Description(reason)
}
