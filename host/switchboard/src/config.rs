//! The configuration: one TOML file, a default for every key, and an environment variable over every value.

mod amount;
mod load;
mod nature;
pub(crate) mod oauth;
mod tls;
mod variables;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use policy::Nature;
use serde::{Deserialize, Serialize};

pub use amount::{Amount, AmountError, Share};
pub use load::{ConfigError, DEFAULT_FILE};
pub use nature::{DeclaredNature, NatureError};
pub(crate) use oauth::Misfit;
pub use oauth::{OAuth, ScopeGrant};
pub use tls::Tls;
pub use variables::{VARIABLES, Variable};

/// Everything that can be configured; secrets are not among it, they come from the environment alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where HTTP and MCP are served; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Where everything durable lives.
    pub data_dir: PathBuf,
    /// Which log lines appear on stderr, as `tracing` filters.
    pub log: String,
    /// Host names beside the listening address under which browsers may reach the program.
    pub allowed_hosts: Vec<String>,
    /// A folder with one folder per tenant; empty means that there is the built-in tenant alone.
    pub tenants: PathBuf,
    /// OCI registries that are reached without TLS, by host and port, beside those on this machine.
    pub insecure_registries: Vec<String>,
    /// Between two looks at where the tags of pinned plugins lead; 0 means that nobody looks.
    pub tag_look_seconds: u32,
    /// With which certificate HTTP and MCP are served.
    pub tls: Tls,
    /// Whose access tokens count in the built-in tenant `demo`.
    pub oauth: OAuth,
    /// Figures that the rules use.
    pub rules: Rules,
    /// Sums per day that no call may pass.
    pub budgets: Budgets,
    /// How long what customers said is kept.
    pub retention: Retention,
    /// Which model answers.
    pub model: Model,
    /// What one turn of the conversation may take.
    pub turn: Turn,
    /// What one call of a plugin may take.
    pub plugins: Plugins,
    /// The backend of the built-in tenant `demo`.
    pub demo_backend: DemoBackend,
}

/// Figures that the rules use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// ISO 4217 code of all amounts of this configuration.
    pub currency: String,
    /// The largest refund without a colleague's approval.
    pub refund_limit: Amount,
    /// Days after delivery within which an order may be refunded.
    pub return_window_days: u32,
    /// The largest goodwill credit without approval.
    pub credit_limit: Amount,
    /// How old a lookup may be to support a write.
    pub lookup_max_age_seconds: u32,
    /// How sure a suggested response must be before its ticket is resolved without a person.
    pub resolve_confidence: Share,
    /// A folder of `*.cedar` files to judge by in place of the shipped rules; empty means the shipped ones.
    pub folder: PathBuf,
}

/// Sums per UTC day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budgets {
    /// Refunds to one customer.
    pub refund_customer_day: Amount,
    /// Refunds altogether.
    pub refund_tenant_day: Amount,
    /// Goodwill credits to one customer.
    pub credit_customer_day: Amount,
    /// Goodwill credits altogether.
    pub credit_tenant_day: Amount,
    /// Refunds to one customer, however small.
    pub refund_calls_customer_day: u32,
    /// Goodwill credits to one customer, however small.
    pub credit_calls_customer_day: u32,
    /// Tickets opened, altogether.
    pub ticket_calls_tenant_day: u32,
    /// Wrong order numbers that one case may try for an e-mail address that somebody only said.
    pub guesses_case_day: u32,
    /// Wrong order numbers for one customer, from all cases.
    pub guesses_customer_day: u32,
}

/// How long what customers said is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Days for which a decision can be replayed: afterwards the arguments and facts that it was taken on are deleted.
    pub decision_days: u32,
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// A small deterministic planner: no language model, no key, no network.
    Offline,
    /// Anthropic Messages.
    Anthropic,
    /// Chat completions of `OpenAI`, or of any server that speaks them.
    Openai,
}

/// Which model answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// Whose model.
    pub provider: Provider,
    /// The model's name at the provider; empty means the provider's usual one.
    pub name: String,
    /// Where the provider is reached; empty means its public address.
    pub base_url: String,
    /// Tokens of one answer, at most.
    pub max_tokens: u32,
    /// Silence after which a request is given up.
    pub timeout_seconds: u32,
    /// Tries after the first when the provider is busy or fails.
    pub retries: u32,
}

/// What one turn may take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Turn {
    /// Answers of the model, at most.
    pub max_steps: u32,
    /// Time for all of it.
    pub timeout_seconds: u32,
}

/// What one call of a plugin may take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plugins {
    /// Time, requests to backends included.
    pub deadline_ms: u32,
    /// Linear memory.
    pub memory_mib: u32,
    /// Requests to backends.
    pub max_http_calls: u32,
    /// What the bodies of its requests may have together.
    pub request_kib: u32,
    /// What the bodies of the answers may have together.
    pub response_kib: u32,
    /// Files of further components, which are loaded beside the shipped ones and granted nothing.
    pub extra: Vec<PathBuf>,
}

/// The demo backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DemoBackend {
    /// Where it listens; port 0 picks a free one. It should stay on loopback.
    pub listen: SocketAddr,
    /// How the host is to treat it; in truth it deduplicates.
    pub nature: DeclaredNature,
}

impl Config {
    /// Nobody but this machine's own user comes: it listens for them alone, and goes by no other name.
    pub(crate) fn is_local(&self) -> bool {
        self.listen.ip().is_loopback() && self.allowed_hosts.is_empty()
    }

    /// What is served at this address, as clients name it.
    pub(crate) fn url_at(&self, address: SocketAddr) -> String {
        let scheme = if self.tls.is_on() { "https" } else { "http" };
        format!("{scheme}://{address}")
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: loopback(8080),
            data_dir: "switchboard-data".into(),
            log: "warn,rmcp=error,rmcp::service=off".to_owned(),
            allowed_hosts: Vec::new(),
            tenants: PathBuf::new(),
            insecure_registries: Vec::new(),
            tag_look_seconds: 3_600,
            tls: Tls::default(),
            oauth: OAuth::default(),
            rules: Rules::default(),
            budgets: Budgets::default(),
            retention: Retention::default(),
            model: Model::default(),
            turn: Turn::default(),
            plugins: Plugins::default(),
            demo_backend: DemoBackend::default(),
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            currency: "USD".to_owned(),
            refund_limit: Amount::from_cents(15_000),
            return_window_days: 30,
            credit_limit: Amount::from_cents(2_000),
            lookup_max_age_seconds: 3_600,
            resolve_confidence: Share::from_per_mille(850),
            folder: PathBuf::new(),
        }
    }
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            refund_customer_day: Amount::from_cents(150_000),
            refund_tenant_day: Amount::from_cents(1_000_000),
            credit_customer_day: Amount::from_cents(5_000),
            credit_tenant_day: Amount::from_cents(50_000),
            refund_calls_customer_day: 50,
            credit_calls_customer_day: 20,
            ticket_calls_tenant_day: 10_000,
            guesses_case_day: 5,
            guesses_customer_day: 20,
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { decision_days: 30 }
    }
}

impl Default for Model {
    fn default() -> Self {
        Self {
            provider: Provider::Offline,
            name: String::new(),
            base_url: String::new(),
            max_tokens: 2_048,
            timeout_seconds: 60,
            retries: 2,
        }
    }
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            max_steps: 16,
            timeout_seconds: 120,
        }
    }
}

impl Default for Plugins {
    fn default() -> Self {
        Self {
            deadline_ms: 10_000,
            memory_mib: 64,
            max_http_calls: 16,
            request_kib: 1_024,
            response_kib: 4_096,
            extra: Vec::new(),
        }
    }
}

impl Default for DemoBackend {
    fn default() -> Self {
        Self {
            listen: loopback(0),
            nature: DeclaredNature(Nature::Deduplicates),
        }
    }
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
