//! The shipped rules over the contract's classification.

use std::collections::BTreeMap;

use dispatch::policy::{Rulebook, RulebookSource, Settings, ToolRule};

pub(crate) fn rulebook_tools() -> BTreeMap<String, ToolRule> {
    #[derive(serde::Deserialize)]
    struct Contract {
        tool: BTreeMap<String, ToolRule>,
    }
    let text = include_str!("../../../../../wit/contract.toml");
    toml::from_str::<Contract>(text).unwrap().tool
}

pub(crate) fn rulebook(refund_limit: i64) -> Rulebook {
    rulebook_with(Settings {
        refund_limit,
        ..Settings::default()
    })
}

/// The shipped rules with these figures.
pub(crate) fn rulebook_with(settings: Settings) -> Rulebook {
    let policies = Rulebook::SHIPPED
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    Rulebook::load(RulebookSource {
        policies,
        tools: rulebook_tools(),
        settings,
    })
    .unwrap()
}
