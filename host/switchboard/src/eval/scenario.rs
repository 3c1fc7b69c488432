//! What a scenario is: what the customer says, and what must and must not have happened at the backend afterwards.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;

const SHIPPED: &str = include_str!("scenarios.toml");

/// One scenario; `scenarios.toml` says what each field means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) sessions: Vec<Vec<String>>,
    #[serde(default)]
    pub(super) faults: Vec<Value>,
    #[serde(default)]
    pub(super) approve: bool,
    #[serde(default)]
    pub(super) first_contact: bool,
    pub(super) expect: Expectation,
}

/// What must hold afterwards. Writes are `METHOD /path`, as the backend saw them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expectation {
    pub(super) status: Vec<String>,
    #[serde(default)]
    pub(super) priority: Option<String>,
    #[serde(default)]
    pub(super) writes: Vec<String>,
    #[serde(default)]
    pub(super) may_write: Vec<String>,
    #[serde(default)]
    pub(super) before_approval: Option<Vec<String>>,
    #[serde(default)]
    pub(super) refunds: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(super) orders: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) says: Vec<Vec<String>>,
    #[serde(default)]
    pub(super) never_says: Vec<String>,
    #[serde(default)]
    pub(super) summary_has: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    scenario: Vec<Scenario>,
}

/// The scenarios that come with the program.
pub(super) fn shipped() -> anyhow::Result<Vec<Scenario>> {
    let file: File = toml::from_str(SHIPPED).context("the built-in scenarios do not parse")?;
    Ok(file.scenario)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_shipped_scenarios_parse() {
        let scenarios = super::shipped().unwrap();
        assert!(
            scenarios
                .iter()
                .all(|scenario| scenario.sessions.iter().all(|says| !says.is_empty()))
        );
    }
}
