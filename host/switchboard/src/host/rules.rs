//! The tenant's rulebook: the shipped rules over the contract's classification, with the configuration's figures.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use policy::{Budget, BudgetSubject, Money, Rulebook, RulebookSource, Settings, ToolRule};
use serde::Deserialize;
use serde_json::json;

use super::StartError;
use crate::{Amount, Budgets, Config, ConfigError, embedded, files};

const DAY_SECONDS: u32 = 86_400;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Classification {
    tool: BTreeMap<String, ToolRule>,
}

/// How each tool of the contract is judged.
pub(super) fn classification() -> Result<BTreeMap<String, ToolRule>, StartError> {
    let text = embedded::contract(embedded::CLASSIFICATION).unwrap_or_default();
    Ok(toml::from_str::<Classification>(text)?.tool)
}

/// The rulebook as a start would load it.
pub(crate) fn load(config: &Config) -> Result<Rulebook, StartError> {
    rulebook(classification()?, config)
}

/// The rules, shipped or of the configured folder, with this configuration's figures.
pub(super) fn rulebook(
    tools: BTreeMap<String, ToolRule>,
    config: &Config,
) -> Result<Rulebook, StartError> {
    Ok(Rulebook::load(source(tools, config, configured(config))?)?)
}

/// What a rulebook is made of: the rules in `rules` (a file or a folder), or else those that the configuration names.
pub(crate) fn source_of(
    config: &Config,
    rules: Option<&Path>,
) -> Result<RulebookSource, StartError> {
    source(classification()?, config, rules.or(configured(config)))
}

fn configured(config: &Config) -> Option<&Path> {
    let folder = &config.rules.folder;
    (!folder.as_os_str().is_empty()).then_some(folder)
}

fn source(
    tools: BTreeMap<String, ToolRule>,
    config: &Config,
    own: Option<&Path>,
) -> Result<RulebookSource, StartError> {
    let mut source = RulebookSource::shipped(tools, settings(config)?);
    if let Some(path) = own {
        source.policies = policies_at(path).map_err(|source| StartError::RulesFolder {
            folder: path.to_owned(),
            source,
        })?;
    }
    Ok(source)
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

/// The figures that rules use, in minor units.
pub(super) fn settings(config: &Config) -> Result<Settings, ConfigError> {
    let rules = &config.rules;
    let minor = |key, amount| minor(key, amount, &rules.currency);
    let mut budgets = sums(config)?;
    budgets.extend(counts(&config.budgets));
    Ok(Settings {
        currency: rules.currency.clone(),
        refund_limit: minor("rules.refund_limit", &rules.refund_limit)?,
        return_window_days: rules.return_window_days,
        credit_limit: minor("rules.credit_limit", &rules.credit_limit)?,
        lookup_max_age_seconds: rules.lookup_max_age_seconds,
        resolve_confidence: rules.resolve_confidence.per_mille(),
        max_http_calls: config.plugins.max_http_calls,
        budgets,
    })
}

/// The budgets of money, by name.
fn sums(config: &Config) -> Result<BTreeMap<String, Budget>, ConfigError> {
    use BudgetSubject::{Customer, Tenant};
    let budgets = &config.budgets;
    [
        (
            "budgets.refund_customer_day",
            Customer,
            &budgets.refund_customer_day,
        ),
        (
            "budgets.refund_tenant_day",
            Tenant,
            &budgets.refund_tenant_day,
        ),
        (
            "budgets.credit_customer_day",
            Customer,
            &budgets.credit_customer_day,
        ),
        (
            "budgets.credit_tenant_day",
            Tenant,
            &budgets.credit_tenant_day,
        ),
    ]
    .into_iter()
    .map(|(key, per, amount)| {
        let limit = minor(key, amount, &config.rules.currency)?;
        let name = key.trim_start_matches("budgets.").to_owned();
        Ok((name, of_a_day(per, limit)))
    })
    .collect()
}

/// The budgets of calls and of wrong guesses, by name.
fn counts(budgets: &Budgets) -> impl Iterator<Item = (String, Budget)> {
    use BudgetSubject::{Case, Customer, Tenant};
    [
        (
            "refund_calls_customer_day",
            Customer,
            budgets.refund_calls_customer_day,
        ),
        (
            "credit_calls_customer_day",
            Customer,
            budgets.credit_calls_customer_day,
        ),
        (
            "ticket_calls_tenant_day",
            Tenant,
            budgets.ticket_calls_tenant_day,
        ),
        ("guesses_case_day", Case, budgets.guesses_case_day),
        (
            "guesses_customer_day",
            Customer,
            budgets.guesses_customer_day,
        ),
    ]
    .into_iter()
    .map(|(name, per, limit)| (name.to_owned(), of_a_day(per, limit.into())))
}

fn of_a_day(per: BudgetSubject, limit: i64) -> Budget {
    Budget {
        per,
        window_seconds: DAY_SECONDS,
        limit,
    }
}

/// What no reply may say unless a tool has released it.
pub(super) fn forbidden(config: &Config) -> Vec<String> {
    let budgets = &config.budgets;
    let amounts = [
        &config.rules.refund_limit,
        &config.rules.credit_limit,
        &budgets.refund_customer_day,
        &budgets.refund_tenant_day,
        &budgets.credit_customer_day,
        &budgets.credit_tenant_day,
    ];
    amounts
        .into_iter()
        .map(|amount| amount.as_str().to_owned())
        .collect()
}

fn minor(key: &'static str, amount: &Amount, currency: &str) -> Result<i64, ConfigError> {
    let money = Money::parse(&json!({ "amount": amount.as_str(), "currency": currency }));
    let refused = |error: policy::MoneyError| {
        let key = if error == policy::MoneyError::Currency {
            "rules.currency"
        } else {
            key
        };
        ConfigError::Inconsistent {
            key,
            message: error.to_string(),
        }
    };
    money.map(|money| money.minor).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_load() {
        let rulebook = rulebook(classification().unwrap(), &Config::default()).unwrap();
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
        rulebook(classification().unwrap(), &config)
    }

    #[test]
    fn a_folder_replaces_the_shipped_rules() {
        let shipped = rulebook(classification().unwrap(), &Config::default()).unwrap();
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

    #[test]
    fn an_amount_that_its_currency_cannot_hold_is_refused_by_key() {
        let mut config = Config::default();
        config.rules.refund_limit = "0.125".to_owned().try_into().unwrap();
        assert!(
            settings(&config)
                .unwrap_err()
                .to_string()
                .contains("rules.refund_limit")
        );
        config.rules.refund_limit = "10".to_owned().try_into().unwrap();
        config.rules.currency = "DOLLARS".to_owned();
        assert!(
            settings(&config)
                .unwrap_err()
                .to_string()
                .contains("rules.currency")
        );
    }
}
