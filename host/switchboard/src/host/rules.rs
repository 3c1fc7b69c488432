//! The tenant's rulebook: the shipped rules over the contract's classification, with the configuration's figures.

use std::collections::BTreeMap;

use policy::{Budget, BudgetSubject, Money, Rulebook, RulebookSource, Settings, ToolRule};
use serde::Deserialize;
use serde_json::json;

use super::StartError;
use crate::embedded;
use crate::{Amount, Config, ConfigError};

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

/// The shipped rules with this configuration's figures.
pub(super) fn rulebook(
    tools: BTreeMap<String, ToolRule>,
    config: &Config,
) -> Result<Rulebook, StartError> {
    Ok(Rulebook::load(RulebookSource::shipped(
        tools,
        settings(config)?,
    ))?)
}

/// The figures that rules use, in minor units.
pub(super) fn settings(config: &Config) -> Result<Settings, ConfigError> {
    let rules = &config.rules;
    let minor = |key, amount| minor(key, amount, &rules.currency);
    let budgets = &config.budgets;
    let budget = |key, per, amount| {
        Ok(Budget {
            per,
            window_seconds: DAY_SECONDS,
            limit: minor(key, amount)?,
        })
    };
    let named = [
        (
            "refund_customer_day",
            budget(
                "budgets.refund_customer_day",
                BudgetSubject::Customer,
                &budgets.refund_customer_day,
            )?,
        ),
        (
            "refund_tenant_day",
            budget(
                "budgets.refund_tenant_day",
                BudgetSubject::Tenant,
                &budgets.refund_tenant_day,
            )?,
        ),
        (
            "credit_customer_day",
            budget(
                "budgets.credit_customer_day",
                BudgetSubject::Customer,
                &budgets.credit_customer_day,
            )?,
        ),
        (
            "credit_tenant_day",
            budget(
                "budgets.credit_tenant_day",
                BudgetSubject::Tenant,
                &budgets.credit_tenant_day,
            )?,
        ),
    ];
    Ok(Settings {
        currency: rules.currency.clone(),
        refund_limit: minor("rules.refund_limit", &rules.refund_limit)?,
        return_window_days: rules.return_window_days,
        credit_limit: minor("rules.credit_limit", &rules.credit_limit)?,
        lookup_max_age_seconds: rules.lookup_max_age_seconds,
        resolve_confidence: rules.resolve_confidence.per_mille(),
        max_http_calls: config.plugins.max_http_calls,
        budgets: named
            .into_iter()
            .map(|(name, budget)| (name.to_owned(), budget))
            .collect(),
    })
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
