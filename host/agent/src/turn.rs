//! A turn: one message of a customer in, one guarded reply out, every step an event that is stored and streamed.

mod answer;
mod converse;
mod handoff;
mod history;
mod locks;
mod steps;
mod words;

use std::sync::Arc;
use std::time::Duration;

use dispatch::policy::{Actor, Channel, ConsentFrom};
use dispatch::{Case, CaseStatus, DispatchError, EscalationRef, Event, PendingConsent, Secrets};
use thiserror::Error;
use tokio::sync::mpsc::UnboundedSender;

use self::locks::Locks;
use crate::guard::Evidence;
use crate::{Guard, Model, ModelError, PromptError, Tenant, Tenants, ToolHost, triggers};

/// Where a turn's events go as they happen; a receiver that went away does not stop the turn.
pub type EventSink = UnboundedSender<Event>;

/// How far a turn may go.
#[derive(Clone, Copy, Debug)]
pub struct TurnLimits {
    /// Replies of the model.
    pub steps: u32,
    /// Tokens, read and written.
    pub tokens: u64,
    /// How long. A tool that is running is not cut short.
    pub time: Duration,
    /// How often the same call with the same arguments may run.
    pub same_call: usize,
    /// Tokens of one reply.
    pub reply_tokens: u32,
    /// Messages of the case that the model reads, newest last.
    pub messages: usize,
}

impl Default for TurnLimits {
    fn default() -> Self {
        Self {
            steps: 16,
            tokens: 200_000,
            time: Duration::from_mins(2),
            same_call: 2,
            reply_tokens: 2_048,
            messages: 80,
        }
    }
}

/// What an agent is made of.
pub struct AgentParts {
    /// The only way to the world.
    pub host: Arc<dyn ToolHost>,
    /// Who decides what to say and which tools to ask for.
    pub model: Arc<dyn Model>,
    /// Whom it speaks for.
    pub tenants: Tenants,
    /// What must not leave.
    pub secrets: Arc<dyn Secrets>,
}

/// One message of a customer.
#[derive(Clone, Debug)]
pub struct TurnRequest {
    /// Whose customer.
    pub tenant: String,
    /// In which case.
    pub case: String,
    /// Where it came in.
    pub channel: Channel,
    /// As whom the agent acts at dispatch, such as `agent:offline`.
    pub actor: Actor,
    /// The customer's words.
    pub message: String,
}

/// A tool that was asked for, and how that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The tool.
    pub tool: String,
    /// [`dispatch::Outcome::word`].
    pub outcome: String,
}

/// How a turn ended.
#[derive(Clone, Debug)]
pub struct TurnResult {
    /// What the customer reads.
    pub response: String,
    /// Where the case stands.
    pub status: CaseStatus,
    /// The people who have it, where somebody has.
    pub escalation: Option<EscalationRef>,
    /// The tools of this turn, in order.
    pub actions: Vec<Action>,
    /// Why the model did not answer, where it did not; for operators, the customer has read an apology.
    pub failure: Option<ModelError>,
}

/// Why there was no turn.
#[derive(Debug, Error)]
pub enum TurnError {
    /// No such tenant.
    #[error("there is no tenant {0}")]
    UnknownTenant(String),
    /// The host's own parts failed.
    #[error(transparent)]
    Host(#[from] DispatchError),
    /// The tenant's prompts do not work.
    #[error(transparent)]
    Prompt(#[from] PromptError),
}

/// Answers customers. One turn of a case at a time; different cases go on side by side.
pub struct Agent {
    parts: AgentParts,
    locks: Locks,
}

impl Agent {
    /// Puts one together.
    pub fn new(parts: AgentParts) -> Self {
        Self {
            parts,
            locks: Locks::default(),
        }
    }

    /// The model that answers.
    pub fn model(&self) -> &Arc<dyn Model> {
        &self.parts.model
    }

    /// Runs one turn to its end. Run it as a task of its own where the caller may go away: a turn that is dropped stops
    /// where it is, and the next message goes on from what is stored.
    pub async fn turn(
        &self,
        request: TurnRequest,
        events: EventSink,
    ) -> Result<TurnResult, TurnError> {
        let _one_at_a_time = self.locks.hold(&request.tenant, &request.case).await;
        let sink = events.clone();
        let result = self.turn_alone(request, events).await;
        if let Err(error) = &result {
            tracing::error!(%error, "a turn could not be finished");
            let message = words::SORRY.to_owned();
            // Nobody may be listening, and the caller hears of the error anyway.
            let _ = sink.send(Event::Error { message });
        }
        result
    }

    async fn turn_alone(
        &self,
        request: TurnRequest,
        events: EventSink,
    ) -> Result<TurnResult, TurnError> {
        let mut turn = Turn::open(&self.parts, request, events).await?;
        let ending = turn.run().await?;
        turn.close(ending).await
    }
}

/// How a turn ends: what the customer reads, and where the case then stands.
struct Ending {
    text: String,
    status: CaseStatus,
}

/// One turn under way.
struct Turn<'a> {
    parts: &'a AgentParts,
    tenant: Arc<Tenant>,
    guard: Guard,
    request: TurnRequest,
    case: Case,
    /// Everything that happened in the case, this turn included.
    history: Vec<Event>,
    /// Where this turn begins in `history`.
    start: usize,
    escalation: Option<EscalationRef>,
    actions: Vec<Action>,
    /// What the customer may hear of the last refusal in this turn; empty where there was none.
    refused: String,
    failure: Option<ModelError>,
    sink: EventSink,
}

impl<'a> Turn<'a> {
    async fn open(
        parts: &'a AgentParts,
        request: TurnRequest,
        sink: EventSink,
    ) -> Result<Self, TurnError> {
        let tenant = (parts.tenants)(&request.tenant)
            .ok_or_else(|| TurnError::UnknownTenant(request.tenant.clone()))?;
        let tools = parts.host.tools(&request.tenant, &request.case);
        let guard = Guard::new(&request.tenant, &tenant, &tools, parts.secrets.clone());
        let case = parts.host.case(&request.tenant, &request.case).await?;
        let history = parts.host.events(&request.case).await?;
        Ok(Self {
            parts,
            tenant,
            guard,
            case,
            start: history.len(),
            escalation: history::last_escalation(&history),
            history,
            request,
            actions: Vec::new(),
            refused: String::new(),
            failure: None,
            sink,
        })
    }

    /// What people must hear of comes first, then the host's own question, and only then the model.
    async fn run(&mut self) -> Result<Ending, TurnError> {
        let message = self.request.message.clone();
        let attempts = history::replies(&self.history);
        self.record(Event::Customer {
            text: message.clone(),
            channel: self.request.channel,
        })
        .await?;
        let trigger = triggers::screen(&message, attempts);
        if self.case.status == CaseStatus::Escalated {
            return match trigger {
                Some(trigger) if self.is_more_urgent(trigger.priority) => {
                    self.call_people(trigger).await
                }
                _ => Ok(self.with_colleague()),
            };
        }
        if let Some(trigger) = trigger {
            return self.call_people(trigger).await;
        }
        match self.question_put().await? {
            Some(question) => self.answered(question).await,
            None => self.converse().await,
        }
    }

    /// The question that the customer was shown last, where it still waits for an answer. A yes means nothing else.
    async fn question_put(&self) -> Result<Option<PendingConsent>, TurnError> {
        let before = self.history.get(..self.start).unwrap_or_default();
        let pending = self.questions_open().await?;
        Ok(history::shown_last(before, pending))
    }

    /// What waits for the customer's answer.
    async fn questions_open(&self) -> Result<Vec<PendingConsent>, TurnError> {
        let host = &self.parts.host;
        let mut pending = host
            .pending(&self.request.tenant, &self.request.case)
            .await?;
        pending.retain(|consent| consent.from == ConsentFrom::Customer);
        Ok(pending)
    }

    async fn close(mut self, ending: Ending) -> Result<TurnResult, TurnError> {
        let Ending { text, status } = ending;
        self.say(&text).await?;
        self.parts
            .host
            .set_status(&self.request.case, status)
            .await?;
        self.record(Event::Done { status }).await?;
        Ok(TurnResult {
            response: text,
            status,
            escalation: self.escalation,
            actions: self.actions,
            failure: self.failure,
        })
    }

    /// Stores the whole reply, and streams it in pieces.
    async fn say(&mut self, text: &str) -> Result<(), TurnError> {
        let whole = Event::Text {
            text: text.to_owned(),
        };
        self.parts
            .host
            .append(&self.request.case, whole.clone())
            .await?;
        self.history.push(whole);
        for text in words::pieces(text) {
            let _ = self.sink.send(Event::Text { text });
        }
        Ok(())
    }

    /// Stores an event, then streams it.
    async fn record(&mut self, event: Event) -> Result<(), TurnError> {
        self.parts
            .host
            .append(&self.request.case, event.clone())
            .await?;
        self.history.push(event.clone());
        let _ = self.sink.send(event);
        Ok(())
    }

    fn this_turn(&self) -> &[Event] {
        self.history.get(self.start..).unwrap_or_default()
    }

    fn evidence(&self) -> Evidence {
        Evidence::of(&self.history, &self.tenant)
    }
}

#[cfg(test)]
mod tests;
