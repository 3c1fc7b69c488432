//! What the program carries inside: the built plugins, the contract and the prompts, as (name, content).

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// A contract file by its path below `wit/`.
pub(crate) fn contract(path: &str) -> Option<&'static str> {
    CONTRACT.iter().find(|(name, _)| *name == path).map(|(_, text)| *text)
}
