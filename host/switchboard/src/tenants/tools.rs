//! A tenant's tools.toml: what the host must know of vendors' tools, and for whom each of them is open.

use std::collections::BTreeMap;

use policy::ToolRule;
use serde::Deserialize;
use toml::Spanned;

use super::refusal::{TenantError, Text};
use crate::Classified;

/// The file's name in a tenant's folder, and the name of the rules made of it.
pub(crate) const FILE: &str = "tools.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    tool: BTreeMap<Spanned<String>, Classified>,
}

/// Reads tools.toml. The contract's own tools are judged as the contract says, in every tenant.
pub(super) fn parse(
    text: &str,
    contract: &BTreeMap<String, ToolRule>,
) -> Result<BTreeMap<String, Classified>, TenantError> {
    let text = Text { file: FILE, text };
    let written: Written = text.parse()?;
    let of_contract = |name: &&Spanned<String>| contract.contains_key(name.get_ref());
    if let Some(name) = written.tool.keys().find(of_contract) {
        let key = format!("tool.{}", name.get_ref());
        return Err(text.refuse(name, key, CONTRACT_TOOL));
    }
    let tools = written.tool.into_iter();
    Ok(tools
        .map(|(name, tool)| (name.into_inner(), tool))
        .collect())
}

const CONTRACT_TOOL: &str = "this is a tool of the contract, whose classification holds for every tenant; to narrow it, add a forbid to rules/*.cedar";

/// The rules that `open_to` stands for, as Cedar.
pub(super) fn rules(tools: &BTreeMap<String, Classified>) -> String {
    let rules = tools.iter().filter_map(|(name, tool)| tool.rules(name));
    rules.collect()
}
