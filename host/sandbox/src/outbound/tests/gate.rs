//! A gate that approves or refuses everything, and remembers.

use std::sync::Mutex;

use async_trait::async_trait;
use dispatch::{Answer, CompletionError, CompletionRequest, Gate, HttpApproval, OutboundHttp};
use http::{HeaderName, HeaderValue};
use policy::Refusal;

/// What no plugin may see.
const SECRET: &str = "s3cr3t-token";

#[derive(Default)]
pub(super) struct TestGate {
    private_network: bool,
    refusal: Option<&'static str>,
    panics: bool,
    headers: Vec<(HeaderName, HeaderValue)>,
    asked: Mutex<Vec<String>>,
    answers: Mutex<Vec<(u32, Answer)>>,
}

impl TestGate {
    /// Approves, private networks included.
    pub(super) fn local() -> Self {
        Self {
            private_network: true,
            ..Self::default()
        }
    }

    /// Approves, but for public addresses only.
    pub(super) fn public() -> Self {
        Self::default()
    }

    /// Refuses.
    pub(super) fn refusing(code: &'static str) -> Self {
        Self {
            refusal: Some(code),
            ..Self::default()
        }
    }

    /// Is broken.
    pub(super) fn panicking() -> Self {
        Self {
            panics: true,
            ..Self::default()
        }
    }

    pub(super) fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        let header = (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
        self.headers.push(header);
        self
    }

    /// The URLs that were to be judged.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn answers(&self) -> Vec<(u32, Answer)> {
        self.answers.lock().unwrap().clone()
    }
}

#[async_trait]
impl Gate for TestGate {
    async fn http(&self, request: &OutboundHttp) -> Result<HttpApproval, Refusal> {
        assert!(!self.panics, "the gate is broken");
        let mut asked = self.asked.lock().unwrap();
        asked.push(request.url.clone());
        if let Some(code) = self.refusal {
            return Err(Refusal {
                code: code.to_owned(),
                say: String::new(),
                hint: None,
                rules: vec![],
            });
        }
        Ok(HttpApproval {
            ordinal: u32::try_from(asked.len()).unwrap(),
            headers: self.headers.clone(),
            private_network: self.private_network,
        })
    }

    async fn answered(&self, ordinal: u32, answer: Answer) {
        self.answers.lock().unwrap().push((ordinal, answer));
    }

    async fn complete(&self, _: CompletionRequest) -> Result<String, CompletionError> {
        Err(CompletionError::Budget)
    }

    fn scrub(&self, text: &str) -> String {
        text.replace(SECRET, "[secret]")
    }
}
