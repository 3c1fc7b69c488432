//! A gate whose model answers when it is told to.

use std::sync::Mutex;

use async_trait::async_trait;
use dispatch::{Answer, CompletionError, CompletionRequest, Gate, HttpApproval, OutboundHttp};
use policy::Refusal;
use tokio::sync::Semaphore;

/// The secret that this gate keeps.
pub(crate) const SECRET: &str = "s3cret";

pub(crate) struct TestGate {
    /// Prompts that were asked, in order.
    pub(crate) prompts: Mutex<Vec<String>>,
    /// One for every prompt that has arrived.
    pub(crate) asked: Semaphore,
    /// One for every answer that may be given.
    pub(crate) answers: Semaphore,
}

impl Default for TestGate {
    fn default() -> Self {
        Self {
            prompts: Mutex::default(),
            asked: Semaphore::new(0),
            answers: Semaphore::new(0),
        }
    }
}

#[async_trait]
impl Gate for TestGate {
    async fn http(&self, request: &OutboundHttp) -> Result<HttpApproval, Refusal> {
        panic!("no guest of these tests has HTTP: {request:?}")
    }

    async fn answered(&self, ordinal: u32, _: Answer) {
        panic!("no guest of these tests has HTTP: {ordinal}")
    }

    async fn complete(&self, request: CompletionRequest) -> Result<String, CompletionError> {
        self.prompts.lock().unwrap().push(request.prompt.clone());
        self.asked.add_permits(1);
        self.answers.acquire().await.unwrap().forget();
        match request.max_tokens {
            1 => Err(CompletionError::Unavailable(format!(
                "the key {SECRET} is wrong"
            ))),
            _ => Ok(format!("an answer to: {}", request.prompt)),
        }
    }

    fn scrub(&self, text: &str) -> String {
        text.replace(SECRET, "[secret]")
    }
}
