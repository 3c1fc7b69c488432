//! A tool as it is offered, and the way from its calls to the function behind it and back.

use dispatch::{ToolError, Violation};
use serde_json::{Map, Value};
use wasmtime::component::Val;

use super::convert::Ways;
use super::described::Described;
use super::lift::Misfit;
use super::plan::Plan;

/// One tool.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    /// How it is offered: its schemas, its documentation, and what its arguments are held against.
    pub(crate) plan: Plan,
    way: Way,
}

/// What stands between the tool and the exported function.
#[derive(Clone, Debug)]
enum Way {
    /// Nothing: they are one.
    Direct,
    /// A description of an HTTP API, which one function carries out for all tools.
    Described(Box<Described>),
    /// An older major of the contract, whose function takes and gives something else.
    Converted { older: Box<Plan>, ways: Box<Ways> },
}

impl Offer {
    /// A function offered as it is.
    pub(super) fn direct(plan: Plan) -> Self {
        let way = Way::Direct;
        Self { plan, way }
    }

    /// A described request.
    pub(super) fn described(plan: Plan, described: Described) -> Self {
        let way = Way::Described(Box::new(described));
        Self { plan, way }
    }

    /// A function of a newer major, answered by an older one's.
    pub(super) fn converted(newer: Plan, older: Plan, ways: Ways) -> Self {
        Self {
            plan: newer,
            way: Way::Converted {
                older: Box::new(older),
                ways: Box::new(ways),
            },
        }
    }

    pub(super) fn is_described(&self) -> bool {
        matches!(self.way, Way::Described(_))
    }

    /// The exported function behind it: interface and name.
    pub(crate) fn export(&self) -> (&str, &str) {
        let plan = self.behind();
        (&plan.interface, &plan.function.wit)
    }

    /// How many values that function returns.
    pub(crate) fn result_count(&self) -> usize {
        self.behind().result_count()
    }

    /// The parameters of that function, from the tool's judged arguments.
    pub(crate) fn lower(&self, arguments: &Map<String, Value>) -> Result<Vec<Val>, Vec<Violation>> {
        let lowered = self.plan.lower(arguments)?;
        match &self.way {
            Way::Direct => Ok(lowered),
            Way::Described(described) => Ok(described.parameters(arguments)),
            Way::Converted { older, ways } => ways.lower(older, arguments),
        }
    }

    /// The tool's output, from what that function returned and what it was asked.
    pub(crate) fn lift(
        &self,
        returned: Option<&Val>,
        arguments: &Map<String, Value>,
    ) -> Result<Result<Value, ToolError>, Misfit> {
        match &self.way {
            Way::Direct => self.plan.lift(returned),
            Way::Described(described) => match described.result(returned)? {
                Ok(json) => self.plan.output(&json).map(Ok),
                Err(error) => Ok(Err(error)),
            },
            Way::Converted { older, ways } => ways.lift(older, &self.plan, returned, arguments),
        }
    }

    fn behind(&self) -> &Plan {
        match &self.way {
            Way::Direct => &self.plan,
            Way::Described(described) => &described.function,
            Way::Converted { older, .. } => older,
        }
    }
}
