//! The remaining ports: the store as a whole, secrets, and the model that plugins may ask.

use async_trait::async_trait;
use http::{HeaderName, HeaderValue};
use thiserror::Error;

use crate::{Audit, Cases, Charge, Consents, KeyValues, Ledger};

/// Everything durable, in one store, so that one transaction can hold it.
pub trait Store: Ledger + KeyValues + Counters + Cases + Consents + Audit {}

impl<T: Ledger + KeyValues + Counters + Cases + Consents + Audit> Store for T {}

/// Budgets that calls without an intent draw on. [`Ledger::spent`] reads them.
#[async_trait]
pub trait Counters: Send + Sync {
    /// Draws all charges or none; the one that found no room, if any.
    async fn draw(&self, tenant: &str, charges: Vec<Charge>) -> Result<Option<Charge>, StoreError>;

    /// Gives back what was drawn.
    async fn give_back(&self, tenant: &str, charges: Vec<Charge>) -> Result<(), StoreError>;
}

/// Why the store did not do it; nothing was changed.
#[derive(Clone, Debug, Error)]
pub enum StoreError {
    /// The store cannot be reached or written now.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// What it holds makes no sense to this version.
    #[error("the store holds something unexpected: {0}")]
    Corrupt(String),
}

/// The credentials of a tenant, from the environment, by name.
pub trait Secrets: Send + Sync {
    /// The headers that a credential stands for; none if it is not configured.
    fn headers(&self, tenant: &str, credential: &str) -> Option<Vec<(HeaderName, HeaderValue)>>;

    /// Replaces by `[secret]` what this `text` of a tenant may not tell: the tenant's secrets and the host's, and nobody else's.
    /// Whoever sees what was replaced knows a secret, and may have guessed it.
    fn scrub(&self, tenant: &str, text: &str) -> String;
}

/// A completion that a plugin asks for.
#[derive(Clone, Debug)]
pub struct CompletionRequest {
    /// What to answer.
    pub prompt: String,
    /// Tokens of the answer at most.
    pub max_tokens: u32,
}

/// Why there is no completion.
#[derive(Clone, Debug, Error)]
pub enum CompletionError {
    /// The invocation's budget of completions is used up.
    #[error("the completion budget of this call is used up")]
    Budget,
    /// The plugin asks about something that has not been shown to be the customer's.
    #[error("whose data this is has not been established yet")]
    NotReleased,
    /// No language model is configured, or it does not answer now.
    #[error("no completion: {0}")]
    Unavailable(String),
}

/// The model that plugins may ask through the gate.
#[async_trait]
pub trait Completions: Send + Sync {
    /// One completion.
    async fn complete(
        &self,
        tenant: &str,
        request: CompletionRequest,
    ) -> Result<String, CompletionError>;
}
