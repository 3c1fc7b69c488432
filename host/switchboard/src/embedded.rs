//! What the program carries inside: the built plugins, the contract, the prompts, and what a new plugin begins with, as
//! (name, content).

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// How each tool of the contract is judged, beside its WIT.
pub(crate) const CLASSIFICATION: &str = "contract.toml";

/// The component that carries out descriptions of APIs. It belongs to no tenant before a description is in it.
pub(crate) const DECLARATIVE: &str = "declarative";

/// A contract file by its path below `wit/`.
pub(crate) fn contract(path: &str) -> Option<&'static str> {
    CONTRACT
        .iter()
        .find(|(name, _)| *name == path)
        .map(|(_, text)| *text)
}

/// A built plugin's component; empty where there is no such plugin.
pub(crate) fn component(plugin: &str) -> &'static [u8] {
    COMPONENTS
        .iter()
        .find(|(name, _)| *name == plugin)
        .map_or(&[], |(_, bytes)| *bytes)
}

/// The contract's WIT, as a toolbox takes it.
pub(crate) fn contract_wit() -> Vec<(String, String)> {
    let files = CONTRACT.iter().filter(|(path, _)| *path != CLASSIFICATION);
    files
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}
