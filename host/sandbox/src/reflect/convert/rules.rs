//! `wit/conversions.toml` as it is written.

use std::collections::BTreeMap;

use described::MoneyForm;
use serde::Deserialize;
use serde_json::Value;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Declared {
    #[serde(default)]
    pub(super) conversion: Vec<InterfaceRules>,
}

/// From one interface to a newer major of it, both by their whole names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InterfaceRules {
    pub(super) from: String,
    pub(super) to: String,
    /// By the newer function's name.
    #[serde(default)]
    pub(super) function: BTreeMap<String, FunctionRules>,
}

/// How the older function answers the newer one. What no rule names is what has the same name.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FunctionRules {
    /// The older function's name, where it is another.
    pub(super) was: Option<String>,
    /// Pointer into the older arguments → where that comes from.
    #[serde(default)]
    pub(super) arguments: BTreeMap<String, Rule>,
    /// Newer parameters that the older function has no use for.
    #[serde(default)]
    pub(super) dropped: Vec<String>,
    /// Pointer into the newer result → where that comes from.
    #[serde(default)]
    pub(super) result: BTreeMap<String, Rule>,
}

/// Where one value comes from, and what is done with it on the way.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// A pointer from the same object of the other version.
    pub(super) from: Option<String>,
    /// A constant.
    pub(super) value: Option<Value>,
    /// A pointer into the newer function's arguments.
    pub(super) argument: Option<String>,
    /// What it is where it is absent.
    pub(super) default: Option<Value>,
    /// Cases of an enum that have other names: from → to.
    #[serde(default)]
    pub(super) cases: BTreeMap<String, String>,
    /// Money that the older version writes in another form: read in results, written in arguments.
    pub(super) money: Option<MoneyForm>,
    /// A whole number in another unit.
    pub(super) times: Option<i64>,
    /// Likewise; what does not come out even is an error, and never rounded.
    pub(super) divided_by: Option<i64>,
}
