//! Older majors of the contract, offered as the newest: what `wit/conversions.toml` declares, held against both packages at the
//! start. No plugin has a say in it: both sides are the host's own WIT.

mod compile;
mod rules;
mod step;

use std::collections::BTreeMap;

use dispatch::{ToolError, Violation};
use serde_json::{Map, Value};
use wasmtime::component::Val;
use wit_parser::{Interface, Resolve};

use super::lift::Misfit;
use super::offer::Offer;
use super::plan::Plan;
use crate::LoadError;
use compile::Compiling;
use rules::{Declared, FunctionRules};
use step::Step;

/// The file that declares conversions, beside the packages.
pub(super) const FILE: &str = "conversions.toml";

/// The way from one interface to a newer major of it.
#[derive(Debug)]
pub(super) struct Conversion {
    functions: Vec<Converted>,
    /// `switchboard:shipping/shipping@2.0.0`.
    newer: String,
    /// Functions of the newer one that the older has nothing for.
    without: Vec<String>,
}

/// One function of the newer interface, as an older one answers it.
#[derive(Clone, Debug)]
struct Converted {
    newer: Plan,
    /// The older function, as WIT writes it.
    was: String,
    ways: Ways,
}

/// The two ways of a call.
#[derive(Clone, Debug)]
pub(super) struct Ways {
    down: Step,
    up: Step,
}

impl Conversion {
    /// The interface that is offered.
    pub(super) fn newer(&self) -> &str {
        &self.newer
    }

    /// The functions that an older plugin exports, as the newer tools that they can answer. What has no counterpart is told.
    pub(super) fn offers(&self, exported: Vec<Plan>, skipped: &mut Vec<String>) -> Vec<Offer> {
        for name in &self.without {
            skipped.push(format!(
                "{}#{name} has no counterpart in the older version",
                self.newer
            ));
        }
        let mut offers = Vec::new();
        for plan in exported {
            let mut answers = self
                .functions
                .iter()
                .filter(|one| one.was == plan.function.wit)
                .peekable();
            if answers.peek().is_none() {
                let (interface, function) = (&plan.interface, &plan.function.wit);
                skipped.push(format!(
                    "{interface}#{function} has no counterpart in {}",
                    self.newer
                ));
            }
            offers
                .extend(answers.map(|one| {
                    Offer::converted(one.newer.clone(), plan.clone(), one.ways.clone())
                }));
        }
        offers
    }
}

impl Ways {
    /// The older function's parameters, from the newer one's arguments.
    pub(super) fn lower(
        &self,
        older: &Plan,
        arguments: &Map<String, Value>,
    ) -> Result<Vec<Val>, Vec<Violation>> {
        let arguments = Value::Object(arguments.clone());
        let converted = self.down.run(&arguments, &arguments);
        let converted = converted.map_err(|message| {
            vec![Violation {
                field: String::new(),
                message,
            }]
        })?;
        older.lower(converted.as_object().unwrap_or(&Map::new()))
    }

    /// The newer function's output, from what the older one returned.
    pub(super) fn lift(
        &self,
        older: &Plan,
        newer: &Plan,
        returned: Option<&Val>,
        arguments: &Map<String, Value>,
    ) -> Result<Result<Value, ToolError>, Misfit> {
        let output = match older.lift(returned)? {
            Ok(output) => output,
            // The ways to fail are the host's own, and the same in every major.
            Err(error) => return Ok(Err(error)),
        };
        let arguments = Value::Object(arguments.clone());
        let converted = self.up.run(&output, &arguments);
        let converted = converted.map_err(|message| Misfit::new("", message))?;
        newer.object(&converted).map(Ok)
    }
}

/// Reads the declarations and holds them against the packages. `interfaces` finds an interface by its whole name.
pub(super) fn conversions(
    path: &str,
    text: &str,
    resolve: &Resolve,
    interfaces: &BTreeMap<String, &Interface>,
) -> Result<Vec<(String, Conversion)>, LoadError> {
    let refused = |place: &str, message: String| LoadError::Conversion {
        file: path.to_owned(),
        place: place.to_owned(),
        message,
    };
    let declared: Declared =
        toml::from_str(text).map_err(|error| refused("the file", error.to_string()))?;
    let plans = |name: &String| {
        let interface = interfaces.get(name).ok_or_else(|| {
            refused(
                name,
                "there is no such interface in the contract".to_owned(),
            )
        })?;
        let compiled = interface.functions.values().map(|function| {
            Plan::compile(resolve, name, function)
                .map_err(|uses| refused(name, format!("it uses {uses}")))
        });
        compiled.collect::<Result<Vec<Plan>, _>>()
    };
    let mut found = Vec::new();
    for one in declared.conversion {
        let (older, newer) = (plans(&one.from)?, plans(&one.to)?);
        let at = format!("{} → {}", one.from, one.to);
        let conversion = conversion(&one.to, &older, newer, &one.function)
            .map_err(|(place, message)| refused(&format!("{at}, {place}"), message))?;
        found.push((one.from, conversion));
    }
    Ok(found)
}

type Fault = (String, String);

fn conversion(
    to: &str,
    older: &[Plan],
    newer: Vec<Plan>,
    rules: &BTreeMap<String, FunctionRules>,
) -> Result<Conversion, Fault> {
    let unknown = rules
        .keys()
        .find(|name| !newer.iter().any(|plan| plan.tool() == *name));
    if let Some(name) = unknown {
        return Err((name.clone(), format!("{to} has no such function")));
    }
    let (mut functions, mut without) = (Vec::new(), Vec::new());
    for newer in newer {
        let name = newer.tool().to_owned();
        let own = rules.get(&name);
        let was = own.and_then(|rules| rules.was.as_deref()).unwrap_or(&name);
        match (older.iter().find(|plan| plan.tool() == was), own) {
            (Some(older), rules) => functions.push(converted(newer, older, rules)?),
            (None, None) => without.push(newer.function.wit.clone()),
            (None, Some(_)) => {
                let message = format!("the older version has no function {was}");
                return Err((name, message));
            }
        }
    }
    Ok(Conversion {
        functions,
        newer: to.to_owned(),
        without,
    })
}

fn converted(newer: Plan, older: &Plan, rules: Option<&FunctionRules>) -> Result<Converted, Fault> {
    let nothing = FunctionRules::default();
    let rules = rules.unwrap_or(&nothing);
    let at = |(place, message): Fault| (format!("{}: {place}", newer.tool()), message);
    let taken = newer.arguments();
    let mut down = Compiling::new(&rules.arguments, &taken);
    let down_step = down.whole(&older.arguments(), &taken).map_err(at)?;
    down.nothing_is_lost(&rules.dropped).map_err(at)?;
    let mut up = Compiling::new(&rules.result, &taken);
    let up_step = up.whole(&newer.results(), &older.results()).map_err(at)?;
    Ok(Converted {
        was: older.function.wit.clone(),
        ways: Ways {
            down: down_step,
            up: up_step,
        },
        newer,
    })
}
