//! The figures that rules refer to as `context.settings`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Budget, BudgetSubject};

const DAY_SECONDS: u32 = 86_400;

/// The figures that rules refer to as `context.settings`; the tenant's configuration sets them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The tenant's currency, in which limits are stated.
    pub currency: String,
    /// The largest refund without a colleague's approval, minor units.
    pub refund_limit: i64,
    /// Days after delivery within which an order may be refunded.
    pub return_window_days: u32,
    /// The largest goodwill credit without approval, minor units.
    pub credit_limit: i64,
    /// How old a lookup may be to support a write, seconds.
    pub lookup_max_age_seconds: u32,
    /// The suggestion confidence from which a ticket may be resolved without a person, per mille.
    pub resolve_confidence: u32,
    /// Outbound requests that one invocation of a plugin may make.
    pub max_http_calls: u32,
    /// Budgets by name. A tool that draws on a budget that is missing here keeps the rulebook from loading.
    pub budgets: BTreeMap<String, Budget>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            currency: "USD".to_owned(),
            refund_limit: 15_000,
            return_window_days: 30,
            credit_limit: 2_000,
            lookup_max_age_seconds: 3_600,
            resolve_confidence: 850,
            max_http_calls: 16,
            budgets: default_budgets(),
        }
    }
}

/// The budgets that the built-in contract draws on: minor units of the tenant's currency, calls, and wrong order numbers.
fn default_budgets() -> BTreeMap<String, Budget> {
    [
        ("refund_customer_day", BudgetSubject::Customer, 30_000),
        ("refund_tenant_day", BudgetSubject::Tenant, 500_000),
        ("credit_customer_day", BudgetSubject::Customer, 5_000),
        ("credit_tenant_day", BudgetSubject::Tenant, 50_000),
        ("refund_calls_customer_day", BudgetSubject::Customer, 50),
        ("credit_calls_customer_day", BudgetSubject::Customer, 20),
        ("ticket_calls_tenant_day", BudgetSubject::Tenant, 10_000),
        ("guesses_case_day", BudgetSubject::Case, 5),
        ("guesses_customer_day", BudgetSubject::Customer, 20),
    ]
    .into_iter()
    .map(|(name, per, limit)| {
        let budget = Budget {
            per,
            window_seconds: DAY_SECONDS,
            limit,
        };
        (name.to_owned(), budget)
    })
    .collect()
}
