//! The model that plugins may ask, behind dispatch's port.

use std::sync::Arc;

use async_trait::async_trait;
use dispatch::{CompletionError, CompletionRequest, Completions};

use crate::{Model, Tenants};

/// Lends every tenant's plugins the model that answers for it.
pub struct ModelCompletions {
    hosts: Arc<dyn Model>,
    tenants: Tenants,
}

impl ModelCompletions {
    /// Lends the host's model, but to a tenant that has one of its own.
    pub fn new(hosts: Arc<dyn Model>, tenants: Tenants) -> Self {
        Self { hosts, tenants }
    }
}

#[async_trait]
impl Completions for ModelCompletions {
    async fn complete(
        &self,
        tenant: &str,
        request: CompletionRequest,
    ) -> Result<String, CompletionError> {
        let tenant = (self.tenants)(tenant);
        let model = tenant
            .as_ref()
            .map_or(&self.hosts, |tenant| tenant.model(&self.hosts));
        model
            .complete(request.prompt, request.max_tokens)
            .await
            .map_err(|error| CompletionError::Unavailable(error.to_string()))
    }
}
