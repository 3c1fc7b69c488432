//! A gate whose model answers when it is told to.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use dispatch::{
    Answer, CompletionError, CompletionRequest, Gate, HttpApproval, KeyValueError, OutboundHttp,
};
use policy::Refusal;
use tokio::sync::Semaphore;

/// The secret that this gate keeps.
pub(crate) const SECRET: &str = "s3cret";

pub(crate) struct TestGate {
    /// What guests keep. A key that begins with `deny` is refused, one that begins with `long` does not fit.
    pub(crate) kept: Mutex<BTreeMap<String, Vec<u8>>>,
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
            kept: Mutex::default(),
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

    async fn value(&self, key: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
        Ok(self.kept.lock().unwrap().get(key).cloned())
    }

    async fn set_value(&self, key: &str, value: Option<Vec<u8>>) -> Result<(), KeyValueError> {
        if key.starts_with("deny") {
            return Err(KeyValueError::Denied("no".to_owned()));
        }
        if key.starts_with("long") {
            return Err(KeyValueError::Limit("too long".to_owned()));
        }
        let mut kept = self.kept.lock().unwrap();
        match value {
            Some(value) => kept.insert(key.to_owned(), value),
            None => kept.remove(key),
        };
        Ok(())
    }

    async fn keys(&self, from: u64) -> Result<(Vec<String>, Option<u64>), KeyValueError> {
        let start = usize::try_from(from).unwrap();
        let kept = self.kept.lock().unwrap();
        Ok((kept.keys().skip(start).cloned().collect(), None))
    }

    fn scrub(&self, text: &str) -> String {
        text.replace(SECRET, "[secret]")
    }
}
