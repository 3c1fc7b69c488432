//! A gate that remembers whether it refused something: that counts for a version on trial, whatever it then makes of that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use dispatch::{
    Answer, CompletionError, CompletionRequest, Gate, HttpApproval, KeyValueError, OutboundHttp,
    Progress,
};
use policy::Refusal;

/// The gate of one call.
pub(super) struct Noted {
    gate: Arc<dyn Gate>,
    refused: AtomicBool,
}

impl Noted {
    pub(super) fn new(gate: Arc<dyn Gate>) -> Self {
        let refused = AtomicBool::new(false);
        Self { gate, refused }
    }

    /// Something was refused by now.
    pub(super) fn has_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    fn noted<T, E>(&self, answer: Result<T, E>, is_refusal: impl Fn(&E) -> bool) -> Result<T, E> {
        if answer.as_ref().is_err_and(is_refusal) {
            self.refused.store(true, Ordering::Relaxed);
        }
        answer
    }
}

fn is_denied(error: &KeyValueError) -> bool {
    matches!(error, KeyValueError::Denied(_))
}

#[async_trait]
impl Gate for Noted {
    async fn http(&self, request: &OutboundHttp) -> Result<HttpApproval, Refusal> {
        self.noted(self.gate.http(request).await, |_| true)
    }

    async fn answered(&self, ordinal: u32, answer: Answer) {
        self.gate.answered(ordinal, answer).await;
    }

    async fn complete(&self, request: CompletionRequest) -> Result<String, CompletionError> {
        let is_refusal = |error: &CompletionError| matches!(error, CompletionError::NotReleased);
        self.noted(self.gate.complete(request).await, is_refusal)
    }

    async fn value(&self, key: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
        self.noted(self.gate.value(key).await, is_denied)
    }

    async fn set_value(&self, key: &str, value: Option<Vec<u8>>) -> Result<(), KeyValueError> {
        self.noted(self.gate.set_value(key, value).await, is_denied)
    }

    async fn keys(&self, from: u64) -> Result<(Vec<String>, Option<u64>), KeyValueError> {
        self.noted(self.gate.keys(from).await, is_denied)
    }

    fn progress(&self, progress: Progress) {
        self.gate.progress(progress);
    }

    fn scrub(&self, text: &str) -> String {
        self.gate.scrub(text)
    }
}
