//! What tenants are judged by where they say nothing themselves: the contract's classification, and the rules of the configuration.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agent::Prompts;
use policy::{Rulebook, RulebookSource, ToolRule};
use serde::Deserialize;

use super::{StartError, demo, figures};
use crate::tenants::{self, Common, Given, SecretRef, TOOLS_FILE, TenantFolder};
use crate::{Config, embedded, files};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Classification {
    tool: BTreeMap<String, ToolRule>,
}

/// How each tool of the contract is judged.
pub(crate) fn classification() -> Result<BTreeMap<String, ToolRule>, StartError> {
    let text = embedded::contract(embedded::CLASSIFICATION).unwrap_or_default();
    Ok(toml::from_str::<Classification>(text)?.tool)
}

/// What all tenants start from: contract, rules (shipped or of the configured folder) and prompts.
pub(crate) fn common(config: &Config) -> Result<Common, StartError> {
    // What does not fit here is the configuration's fault, and no tenant's.
    figures::settings(config)?;
    Ok(Common {
        contract: Arc::new(classification()?),
        rules: policies(configured(config))?,
        prompts: embedded::PROMPTS,
        compiled: Arc::new(Prompts::load(embedded::PROMPTS.iter().copied())?),
    })
}

/// The rulebook of a tenant that adds nothing to the configuration.
pub(crate) fn load(config: &Config) -> Result<Rulebook, StartError> {
    Ok(Rulebook::load(source_of(config, None)?)?)
}

/// What a tenant's rulebook is made of; the rules in `rules` (a file or a folder), if there are any, in place of its own.
pub(crate) fn source_of_tenant(
    config: &Config,
    tenant: &str,
    rules: Option<&Path>,
) -> Result<RulebookSource, StartError> {
    if tenant == demo::TENANT {
        return source_of(config, rules);
    }
    let refused = |reason| StartError::Tenant {
        tenant: tenant.to_owned(),
        reason,
    };
    let folder = TenantFolder::read(&config.tenants, tenant).map_err(refused)?;
    let given = Given {
        config,
        common: &common(config)?,
        secret: &|_: &SecretRef| Err("no secret is needed here".to_owned()),
        settings: &BTreeMap::new(),
        installed: &[],
    };
    let mut source = tenants::rules_of(&folder, &given).map_err(refused)?;
    if let Some(path) = rules {
        // What tools.toml opens is no text of the rules' folder, and stays.
        source.policies.retain(|(file, _)| file == TOOLS_FILE);
        source.policies.extend(policies(Some(path))?);
    }
    Ok(source)
}

/// What a rulebook is made of: the rules in `rules` (a file or a folder), or else those that the configuration names.
fn source_of(config: &Config, rules: Option<&Path>) -> Result<RulebookSource, StartError> {
    Ok(RulebookSource {
        policies: policies(rules.or(configured(config)))?,
        tools: classification()?,
        settings: figures::settings(config)?,
    })
}

fn configured(config: &Config) -> Option<&Path> {
    let folder = &config.rules.folder;
    (!folder.as_os_str().is_empty()).then_some(folder)
}

/// The texts of the rules there, or of the shipped ones.
fn policies(own: Option<&Path>) -> Result<Vec<(String, String)>, StartError> {
    let Some(path) = own else {
        let shipped = Rulebook::SHIPPED.iter();
        return Ok(shipped
            .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
            .collect());
    };
    policies_at(path).map_err(|source| StartError::RulesFolder {
        folder: path.to_owned(),
        source,
    })
}

/// The policy texts of a folder, or the one of a file.
fn policies_at(path: &Path) -> io::Result<Vec<(String, String)>> {
    if files::is_folder(path) {
        return policies_in(path);
    }
    Ok(vec![(path.display().to_string(), files::read_text(path)?)])
}

/// The policy texts of a folder, each by its path, as messages name it.
fn policies_in(folder: &Path) -> io::Result<Vec<(String, String)>> {
    let texts = files::texts_in(folder, "cedar")?;
    if texts.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "no *.cedar file is there, and without rules every call would be refused",
        ));
    }
    let named = |(path, text): (PathBuf, String)| (path.display().to_string(), text);
    Ok(texts.into_iter().map(named).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_load() {
        let rulebook = load(&Config::default()).unwrap();
        assert_eq!(rulebook.settings().refund_limit, 15_000);
        assert_eq!(
            rulebook.settings().budgets["credit_customer_day"].limit,
            5_000
        );
    }

    fn with_rules(rules: &[(&str, &str)]) -> Result<Rulebook, StartError> {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in rules {
            files::write_text(&folder.path().join(file), text).unwrap();
        }
        let mut config = Config::default();
        config.rules.folder = folder.path().to_path_buf();
        load(&config)
    }

    #[test]
    fn a_folder_replaces_the_shipped_rules() {
        let shipped = load(&Config::default()).unwrap();
        let own = with_rules(Rulebook::SHIPPED).unwrap();
        assert_ne!(own.version(), shipped.version());
        let one =
            r#"@id("own.one") permit (principal, action == Action::"get_customer", resource);"#;
        with_rules(&[("own.cedar", one), ("notes.txt", "no rules")]).unwrap();
    }

    #[test]
    fn rules_that_do_not_fit_are_refused_by_file_and_position() {
        let typo = "@id(\"own.one\")\npermit (principal, action == Action::\"get_customer\", resource)\nwhen { context.figurs.refund_limit > 1 };";
        for (text, words) in [
            (typo, vec!["own.cedar: 3:", "figurs"]),
            ("permit (principal", vec!["own.cedar: 1:"]),
        ] {
            let refusal = with_rules(&[("own.cedar", text)]).unwrap_err().to_string();
            for word in words {
                assert!(refusal.contains(word), "{word:?} is missing: {refusal}");
            }
        }
        let refusal = with_rules(&[]).unwrap_err().to_string();
        assert!(refusal.contains("RULES_FOLDER"), "{refusal}");
    }
}
