//! The environment variables that override the configuration: one documented name per key.

use toml::{Table, Value};

use super::{Config, ConfigError};
use crate::Environment;

/// One key's variable.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// The variable.
    pub name: &'static str,
    /// The key, with its section: `rules.refund_limit`.
    pub key: &'static str,
}

/// Every key that can be configured, with its variable.
pub const VARIABLES: &[Variable] = &[
    variable("LISTEN", "listen"),
    variable("DATA_DIR", "data_dir"),
    variable("RUST_LOG", "log"),
    variable("ALLOWED_HOSTS", "allowed_hosts"),
    variable("TENANTS_FOLDER", "tenants"),
    variable("INSECURE_REGISTRIES", "insecure_registries"),
    variable("TAG_LOOK_SECONDS", "tag_look_seconds"),
    variable("TLS_CERTIFICATE", "tls.certificate"),
    variable("TLS_KEY", "tls.key"),
    variable("TLS_CLIENT_CA", "tls.client_ca"),
    variable("OAUTH_ISSUER", "oauth.issuer"),
    variable("OAUTH_RESOURCE", "oauth.resource"),
    variable("OAUTH_AUDIENCE", "oauth.audience"),
    variable("OAUTH_JWKS", "oauth.jwks"),
    variable("CURRENCY", "rules.currency"),
    variable("REFUND_LIMIT", "rules.refund_limit"),
    variable("RETURN_WINDOW_DAYS", "rules.return_window_days"),
    variable("CREDIT_LIMIT", "rules.credit_limit"),
    variable("LOOKUP_MAX_AGE_SECONDS", "rules.lookup_max_age_seconds"),
    variable("RESOLVE_CONFIDENCE", "rules.resolve_confidence"),
    variable("RULES_FOLDER", "rules.folder"),
    variable("REFUND_CUSTOMER_DAY", "budgets.refund_customer_day"),
    variable("REFUND_TENANT_DAY", "budgets.refund_tenant_day"),
    variable("CREDIT_CUSTOMER_DAY", "budgets.credit_customer_day"),
    variable("CREDIT_TENANT_DAY", "budgets.credit_tenant_day"),
    variable(
        "REFUND_CALLS_CUSTOMER_DAY",
        "budgets.refund_calls_customer_day",
    ),
    variable(
        "CREDIT_CALLS_CUSTOMER_DAY",
        "budgets.credit_calls_customer_day",
    ),
    variable("TICKET_CALLS_TENANT_DAY", "budgets.ticket_calls_tenant_day"),
    variable("GUESSES_CASE_DAY", "budgets.guesses_case_day"),
    variable("GUESSES_CUSTOMER_DAY", "budgets.guesses_customer_day"),
    variable("DECISION_DAYS", "retention.decision_days"),
    variable("MODEL_PROVIDER", "model.provider"),
    variable("MODEL_NAME", "model.name"),
    variable("MODEL_BASE_URL", "model.base_url"),
    variable("MODEL_MAX_TOKENS", "model.max_tokens"),
    variable("MODEL_TIMEOUT_SECONDS", "model.timeout_seconds"),
    variable("MODEL_RETRIES", "model.retries"),
    variable("TURN_MAX_STEPS", "turn.max_steps"),
    variable("TURN_TIMEOUT_SECONDS", "turn.timeout_seconds"),
    variable("PLUGIN_DEADLINE_MS", "plugins.deadline_ms"),
    variable("PLUGIN_MEMORY_MIB", "plugins.memory_mib"),
    variable("PLUGIN_MAX_HTTP_CALLS", "plugins.max_http_calls"),
    variable("PLUGIN_REQUEST_KIB", "plugins.request_kib"),
    variable("PLUGIN_RESPONSE_KIB", "plugins.response_kib"),
    variable("EXTRA_PLUGINS", "plugins.extra"),
    variable("DEMO_BACKEND_LISTEN", "demo_backend.listen"),
    variable("DEMO_BACKEND_NATURE", "demo_backend.nature"),
];

const fn variable(name: &'static str, key: &'static str) -> Variable {
    Variable { name, key }
}

/// The configuration with every variable that is set laid over it.
pub(super) fn apply(mut config: Config, environment: &Environment) -> Result<Config, ConfigError> {
    for variable in VARIABLES {
        if let Some(text) = environment.get(variable.name) {
            config = with_value(&config, variable, text.trim())?;
        }
    }
    Ok(config)
}

fn with_value(config: &Config, variable: &Variable, text: &str) -> Result<Config, ConfigError> {
    let refused = |message: String| ConfigError::Variable {
        name: variable.name,
        key: variable.key,
        message,
    };
    let mut table = Table::try_from(config).map_err(|error| refused(error.to_string()))?;
    let slot = slot(&mut table, variable.key).ok_or_else(|| refused("no such key".to_owned()))?;
    *slot = parse_like(slot, text).map_err(refused)?;
    table
        .try_into()
        .map_err(|error: toml::de::Error| refused(error.message().to_owned()))
}

fn slot<'a>(table: &'a mut Table, key: &str) -> Option<&'a mut Value> {
    match key.split_once('.') {
        Some((section, rest)) => slot(table.get_mut(section)?.as_table_mut()?, rest),
        None => table.get_mut(key),
    }
}

/// A variable is text; the kind of the value that it replaces says how to read it.
fn parse_like(kind: &Value, text: &str) -> Result<Value, String> {
    match kind {
        Value::Integer(_) => text
            .parse()
            .map(Value::Integer)
            .map_err(|_| format!("expected a whole number, found {text:?}")),
        Value::Float(_) => text
            .parse()
            .map(Value::Float)
            .map_err(|_| format!("expected a number, found {text:?}")),
        Value::Array(_) => {
            let items = text
                .split(',')
                .map(|item| Value::String(item.trim().to_owned()));
            Ok(Value::Array(items.collect()))
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}
