//! The gate of one invocation: policy on every request, the ledger before every unsafe one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use http::HeaderValue;
use http::header::{CONTENT_TYPE, HeaderName};
use policy::{Call, CapabilityDecision, HttpGrant, HttpRequest, Permit, Refusal, Rulebook, Scope};
use serde_json::{Value, json};

use super::excess::Excess;
use super::key_value::Memory;
use super::{Answer, Gate, HttpApproval, OutboundHttp};
use crate::dispatcher::{DispatcherParts, same_request};
use crate::{
    AuditEntry, AuditKind, CompletionError, CompletionRequest, KeyValueError, Lease, Leave,
    Progress, SentRequest, StoreError, Tool, Waiting,
};

/// The code of every refusal of a plugin that an operator has stopped.
pub(super) const STOPPED: &str = "PLUGIN_STOPPED";
/// Bytes of a URL at most, which is what servers take; as much of a longer one is on record.
const LONGEST_URL: usize = 8 * 1024;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// One request of an invocation, and what became of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange {
    /// Which request of the invocation, from 1.
    ordinal: u32,
    /// Which of its unsafe requests, from 1; none for a safe one.
    unsafe_ordinal: Option<u32>,
    /// None while the request is under way, and for good where its end was never told.
    pub(crate) answer: Option<Answer>,
}

impl Exchange {
    fn succeeded(&self) -> bool {
        matches!(self.answer, Some(Answer::Status(200..=299)))
    }

    /// It may or may not have taken effect.
    fn is_open(&self) -> bool {
        !self.succeeded() && !self.certainly_without_effect()
    }

    /// Whether the request certainly changed nothing: it never left, or the backend refused it. A 408, a 409 (the same key
    /// under way), a 425 and every 5xx leave it open.
    pub(crate) fn certainly_without_effect(&self) -> bool {
        match self.answer {
            Some(Answer::NotSent) => true,
            Some(Answer::Status(status)) => {
                (400..500).contains(&status) && !matches!(status, 408 | 409 | 425)
            }
            Some(Answer::Nothing) | None => false,
        }
    }
}

#[derive(Default)]
pub(super) struct Trace {
    pub(super) completions: u32,
    pub(super) memory: Memory,
    exchanges: Vec<Exchange>,
    /// Where each unsafe request went that was given leave, by its ordinal.
    sent_to: BTreeMap<u32, String>,
    /// How every further request is refused, once one past the limit was.
    pub(super) shut: Option<Refusal>,
}

impl Trace {
    /// Takes an unsafe request in: which of them it is, from 1. All that speaks against it is looked at under one lock, for a
    /// plugin may ask for several at once.
    fn admit(&mut self, ordinal: u32, target: String) -> Result<u32, Refusal> {
        let unsafe_ones = || {
            let exchanges = self.exchanges.iter();
            exchanges.filter(|exchange| exchange.unsafe_ordinal.is_some())
        };
        if unsafe_ones().any(Exchange::is_open) {
            // A plugin that sends again what may have arrived would send it under another key.
            return Err(refusal("OUTCOME_OPEN"));
        }
        let is_there = |one: &Exchange| self.sent_to.get(&one.ordinal) == Some(&target);
        if unsafe_ones().any(|one| one.succeeded() && is_there(one)) {
            // It would be a second effect, under a key of its own: one intent pays once, however often its plugin asks.
            return Err(refusal("SENT_ALREADY"));
        }
        let number = u32::try_from(unsafe_ones().count()).unwrap_or(u32::MAX);
        let number = number.saturating_add(1);
        self.sent_to.insert(ordinal, target);
        let mut exchanges = self.exchanges.iter_mut();
        if let Some(exchange) = exchanges.find(|exchange| exchange.ordinal == ordinal) {
            exchange.unsafe_ordinal = Some(number);
        }
        Ok(number)
    }
}

/// The gate of one invocation.
pub(crate) struct CallGate {
    pub(super) parts: Arc<DispatcherParts>,
    pub(super) rulebook: Arc<Rulebook>,
    pub(super) call: Call,
    pub(super) tool: Arc<dyn Tool>,
    scope: Scope,
    pub(super) lease: Option<Lease>,
    trace: Mutex<Trace>,
    pub(super) excess: Excess,
    waiting: Waiting,
}

impl CallGate {
    pub(crate) fn new(
        parts: &Arc<DispatcherParts>,
        rulebook: Arc<Rulebook>,
        tool: Arc<dyn Tool>,
        permit: &Permit,
        lease: Option<Lease>,
    ) -> Self {
        Self {
            parts: parts.clone(),
            rulebook,
            call: permit.call().clone(),
            tool,
            scope: permit.scope().clone(),
            lease,
            trace: Mutex::default(),
            excess: Excess::default(),
            waiting: Waiting::default(),
        }
    }

    /// Whoever waits for the call hears how far it has come.
    pub(crate) fn heard_by(self, waiting: Waiting) -> Self {
        Self { waiting, ..self }
    }

    /// The unsafe requests that were given leave.
    pub(crate) fn unsafe_exchanges(&self) -> Vec<Exchange> {
        self.trace()
            .exchanges
            .iter()
            .filter(|exchange| exchange.unsafe_ordinal.is_some())
            .copied()
            .collect()
    }

    pub(super) fn trace(&self) -> std::sync::MutexGuard<'_, Trace> {
        self.trace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides one request; every one counts, the refused ones too. Past the limit, no more than one is decided.
    fn decide(&self, request: &OutboundHttp) -> Result<(u32, CapabilityDecision), Refusal> {
        let ordinal = {
            let mut trace = self.trace();
            if let Some(refusal) = &trace.shut {
                return Err(refusal.clone());
            }
            let ordinal = u32::try_from(trace.exchanges.len())
                .unwrap_or(u32::MAX)
                .saturating_add(1);
            trace.exchanges.push(Exchange {
                ordinal,
                unsafe_ordinal: None,
                answer: None,
            });
            ordinal
        };
        let asked = HttpRequest {
            method: request.method.as_str(),
            url: &request.url,
            body: &request.body,
            calls_before: ordinal - 1,
        };
        let decision = if self.tool.is_stopped() {
            CapabilityDecision::Deny(refusal(STOPPED))
        } else if request.url.len() > LONGEST_URL {
            CapabilityDecision::Deny(refusal("URL_TOO_LONG"))
        } else {
            self.rulebook.decide_http(&self.call, &self.scope, &asked)
        };
        let is_past_limit = ordinal > self.scope.max_http_calls;
        // Rules of an operator's own may say nothing of the figure. It holds all the same.
        let decision = match decision {
            CapabilityDecision::Allow { .. } if is_past_limit => {
                CapabilityDecision::Deny(refusal("HTTP_BUDGET"))
            }
            decided => decided,
        };
        if let CapabilityDecision::Deny(refusal) = &decision
            && is_past_limit
        {
            self.trace().shut = Some(refusal.clone());
        }
        Ok((ordinal, decision))
    }

    async fn record_http(
        &self,
        request: &OutboundHttp,
        decision: &CapabilityDecision,
    ) -> Result<(), Refusal> {
        let url: String = request.url.chars().take(LONGEST_URL).collect();
        let mut detail = json!({
            "capability": "http",
            "method": request.method.as_str(),
            "url": self.scrub(&url),
            "intent": self.lease.as_ref().map(|lease| &lease.intent),
        });
        match decision {
            CapabilityDecision::Allow { grant, pattern, .. } => {
                detail["decision"] = "allow".into();
                detail["grant"] = json!({ "origin": grant.origin, "path": pattern });
            }
            CapabilityDecision::Deny(refusal) => {
                detail["decision"] = "deny".into();
                detail["code"] = refusal.code.as_str().into();
                detail["rules"] = json!(refusal.rules);
            }
        }
        let recorded = self.record(detail).await;
        recorded.map_err(|error| unavailable(&error))
    }

    pub(super) async fn record(&self, detail: Value) -> Result<(), StoreError> {
        let entry = AuditEntry {
            kind: AuditKind::Capability,
            tenant: self.call.tenant.clone(),
            case: Some(self.call.case.clone()),
            actor: format!("plugin:{}", self.call.plugin_digest),
            tool: Some(self.call.tool.clone()),
            detail,
        };
        self.parts.store.record(entry).await
    }

    /// Makes an unsafe request durable before it leaves; gives the idempotency key that it leaves with.
    async fn remember(&self, ordinal: u32, request: &OutboundHttp) -> Result<HeaderValue, Refusal> {
        let Some(lease) = &self.lease else {
            return Err(refusal("READ_CANNOT_WRITE"));
        };
        let unsafe_ordinal = self.trace().admit(ordinal, target(request))?;
        let sent = SentRequest {
            ordinal: unsafe_ordinal,
            method: request.method.as_str().to_owned(),
            url: request.url.clone(),
            body_digest: crate::digest::of_bytes(&request.body),
            body: request.body.to_vec(),
        };
        let answer = self.parts.store.sent(lease, sent.clone()).await;
        let answer = answer.map_err(|error| {
            self.note(ordinal, Answer::NotSent);
            unavailable(&error)
        })?;
        match answer {
            Leave::First => {}
            Leave::Again(before) if same_request(&before, &sent) => {}
            // What an earlier run sent has an outcome of its own that nobody knows: the exchange stays open.
            Leave::Again(_) => return Err(refusal("REQUEST_CHANGED")),
            Leave::Void => {
                self.note(ordinal, Answer::NotSent);
                return Err(refusal("LEASE_LOST"));
            }
        }
        HeaderValue::from_str(&format!("{}-{unsafe_ordinal}", lease.intent))
            .map_err(|_| refusal("KEY_UNUSABLE"))
    }

    fn note(&self, ordinal: u32, answer: Answer) {
        if let Some(exchange) = self
            .trace()
            .exchanges
            .iter_mut()
            .find(|exchange| exchange.ordinal == ordinal)
        {
            exchange.answer = Some(answer);
        }
    }

    /// A body must be read as what it was judged as, whatever its plugin says that it is.
    fn type_of_body(&self, grant: &HttpGrant) -> Option<(HeaderName, HeaderValue)> {
        let judged = grant.judged_as(&self.call.tool)?;
        Some((CONTENT_TYPE, HeaderValue::from_static(judged)))
    }

    fn credentials(&self, grant: &HttpGrant) -> Result<Vec<(HeaderName, HeaderValue)>, Refusal> {
        let Some(name) = &grant.credential else {
            return Ok(Vec::new());
        };
        self.parts
            .secrets
            .headers(&self.call.tenant, name)
            .ok_or_else(|| refusal("CREDENTIAL_MISSING"))
    }
}

#[async_trait]
impl Gate for CallGate {
    async fn http(&self, request: &OutboundHttp) -> Result<HttpApproval, Refusal> {
        let decided = self.decide(request);
        let (ordinal, decision) = decided.inspect_err(|_| self.excess.requests.one_more())?;
        self.record_http(request, &decision).await?;
        let (grant, unsafe_request) = match decision {
            CapabilityDecision::Allow {
                grant,
                unsafe_request,
                ..
            } => (grant, unsafe_request),
            CapabilityDecision::Deny(refusal) => return Err(refusal),
        };
        let mut headers = self.credentials(&grant)?;
        if unsafe_request || !grant.bodies.is_json() && !request.body.is_empty() {
            headers.extend(self.type_of_body(&grant));
        }
        if unsafe_request {
            headers.push((IDEMPOTENCY_KEY, self.remember(ordinal, request).await?));
        }
        Ok(HttpApproval {
            ordinal,
            headers,
            private_network: grant.private_network,
        })
    }

    async fn answered(&self, ordinal: u32, answer: Answer) {
        // What a plugin makes of it in words may be of anybody; what the host saw itself may be logged.
        if !matches!(answer, Answer::Status(200..=299)) {
            tracing::info!(
                tool = self.call.tool,
                ?answer,
                "a backend did not do as asked"
            );
        }
        self.note(ordinal, answer);
    }

    async fn complete(&self, request: CompletionRequest) -> Result<String, CompletionError> {
        self.complete_within_limits(request).await
    }

    async fn value(&self, key: &str) -> Result<Option<Vec<u8>>, KeyValueError> {
        self.value_of(key).await
    }

    async fn set_value(&self, key: &str, value: Option<Vec<u8>>) -> Result<(), KeyValueError> {
        self.change(key, value).await
    }

    async fn keys(&self, from: u64) -> Result<(Vec<String>, Option<u64>), KeyValueError> {
        self.page_of_keys(from).await
    }

    fn progress(&self, progress: Progress) {
        self.waiting.tell(progress);
    }

    fn scrub(&self, text: &str) -> String {
        self.parts.secrets.scrub(&self.call.tenant, text)
    }
}

/// Where a request goes, without what backends may read past: a query, the case of letters, a slash at the end.
fn target(request: &OutboundHttp) -> String {
    let place = request.url.split('?').next().unwrap_or_default();
    let place = place.trim_end_matches('/').to_ascii_lowercase();
    format!("{} {place}", request.method)
}

fn refusal(code: &str) -> Refusal {
    Refusal {
        code: code.to_owned(),
        say: "I can't do this right now.".to_owned(),
        hint: None,
        rules: vec!["gate".to_owned()],
    }
}

fn unavailable(error: &StoreError) -> Refusal {
    tracing::error!(%error, "the store failed under a capability call: it is refused");
    refusal("STORE_UNAVAILABLE")
}
