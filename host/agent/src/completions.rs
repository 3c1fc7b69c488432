//! The model that plugins may ask, behind dispatch's port.

use std::sync::Arc;

use async_trait::async_trait;
use dispatch::{CompletionError, CompletionRequest, Completions};

use crate::Model;

/// Lends one model to every tenant's plugins.
pub struct ModelCompletions(Arc<dyn Model>);

impl ModelCompletions {
    /// Lends this model.
    pub fn new(model: Arc<dyn Model>) -> Self {
        Self(model)
    }
}

#[async_trait]
impl Completions for ModelCompletions {
    async fn complete(
        &self,
        _tenant: &str,
        request: CompletionRequest,
    ) -> Result<String, CompletionError> {
        self.0
            .complete(request.prompt, request.max_tokens)
            .await
            .map_err(|error| CompletionError::Unavailable(error.to_string()))
    }
}
