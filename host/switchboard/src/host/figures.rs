//! The figures of a configuration, as rules, plugins, turns and the reply guard take them.

use std::collections::BTreeMap;
use std::time::Duration;

use agent::TurnLimits;
use policy::{Budget, BudgetSubject, Money, Settings};
use sandbox::Limits;
use serde_json::json;

use crate::{Amount, Budgets, Config, ConfigError};

const DAY_SECONDS: u32 = 86_400;

/// The figures that rules use, in minor units.
pub(crate) fn settings(config: &Config) -> Result<Settings, ConfigError> {
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
pub(crate) fn forbidden(config: &Config) -> Vec<String> {
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

/// What one call of a plugin may use.
pub(crate) fn limits(config: &Config) -> Limits {
    Limits {
        deadline_ms: config.plugins.deadline_ms.into(),
        memory_bytes: (config.plugins.memory_mib as usize) << 20,
        request_bytes: (config.plugins.request_kib as usize) << 10,
        response_bytes: (config.plugins.response_kib as usize) << 10,
        ..Limits::default()
    }
}

/// How far a turn may go.
pub(crate) fn turn_limits(config: &Config) -> TurnLimits {
    TurnLimits {
        steps: config.turn.max_steps,
        time: Duration::from_secs(config.turn.timeout_seconds.into()),
        reply_tokens: config.model.max_tokens,
        ..TurnLimits::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
