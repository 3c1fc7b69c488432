//! The customer's answer to the host's own question: read by rules, carried out at dispatch, never left to a model.

use dispatch::policy::{Actor, Role};
use dispatch::{CaseStatus, DispatchError, Event, PendingConsent};
use serde_json::Value;

use super::{Ending, Turn, TurnError, words};
use crate::{Answer, read_answer};

impl Turn<'_> {
    /// The message that came while this question was open.
    pub(super) async fn answered(&mut self, asked: PendingConsent) -> Result<Ending, TurnError> {
        match read_answer(&self.request.message) {
            Answer::Yes => self.granted(asked).await,
            Answer::No => self.declined(asked).await,
            Answer::Unclear => Ok(Ending {
                text: words::ask_again(&asked.question),
                status: CaseStatus::AwaitingConsent,
            }),
            Answer::Other => self.something_else(asked).await,
        }
    }

    /// Yes: that call alone is resumed, and the model says how it ended.
    async fn granted(&mut self, asked: PendingConsent) -> Result<Ending, TurnError> {
        let outcome = match self.answer(&asked, true).await {
            Ok(Some(outcome)) => outcome,
            Ok(None) | Err(DispatchError::NotPending(_)) => return Ok(question_gone()),
            Err(error) => return Err(error.into()),
        };
        self.record_answer(&asked, true).await?;
        let id = format!("consent-{}", asked.id);
        let tool = asked.call.tool.clone();
        let arguments = Value::Object(asked.call.arguments.clone());
        self.record(Event::ToolCall {
            id: id.clone(),
            tool: tool.clone(),
            arguments,
        })
        .await?;
        let ending = match self.outcome(id, tool, outcome).await? {
            Some(ending) => ending,
            None => self.converse().await?,
        };
        self.with_next_question(ending, &asked).await
    }

    async fn declined(&mut self, asked: PendingConsent) -> Result<Ending, TurnError> {
        match self.answer(&asked, false).await {
            Ok(_) => {}
            Err(DispatchError::NotPending(_)) => return Ok(question_gone()),
            Err(error) => return Err(error.into()),
        }
        self.record_answer(&asked, false).await?;
        let ending = Ending {
            text: words::NOT_DONE.to_owned(),
            status: CaseStatus::Open,
        };
        self.with_next_question(ending, &asked).await
    }

    /// One question is answered; the oldest that is left is put again, or a later yes would mean nothing.
    async fn with_next_question(
        &self,
        ending: Ending,
        answered: &PendingConsent,
    ) -> Result<Ending, TurnError> {
        let left = self.questions_open().await?;
        let next = left
            .into_iter()
            .filter(|consent| consent.id != answered.id)
            .min_by_key(|consent| consent.created_at);
        Ok(match next {
            Some(next) => still_open(ending, &next),
            None => ending,
        })
    }

    /// Another request is worked on; the question stays open, and the customer is told so.
    async fn something_else(&mut self, asked: PendingConsent) -> Result<Ending, TurnError> {
        let ending = self.converse().await?;
        Ok(still_open(ending, &asked))
    }

    async fn answer(
        &self,
        asked: &PendingConsent,
        granted: bool,
    ) -> Result<Option<dispatch::Outcome>, DispatchError> {
        let customer = self.case.identity.customer.as_deref().unwrap_or("unknown");
        let by = Actor {
            role: Role::Agent,
            subject: format!("customer:{customer}"),
        };
        let host = &self.parts.host;
        host.answer_consent(&self.request.tenant, &asked.id, granted, &by)
            .await
    }

    async fn record_answer(
        &mut self,
        asked: &PendingConsent,
        granted: bool,
    ) -> Result<(), TurnError> {
        let id = asked.id.clone();
        self.record(Event::ConsentAnswered { id, granted }).await
    }
}

/// The reply with a question that still waits, unless people have the case or another question was just put.
fn still_open(ending: Ending, waits: &PendingConsent) -> Ending {
    if matches!(
        ending.status,
        CaseStatus::Escalated | CaseStatus::AwaitingConsent
    ) {
        return ending;
    }
    Ending {
        text: words::still_open(&ending.text, &waits.question),
        status: CaseStatus::AwaitingConsent,
    }
}

fn question_gone() -> Ending {
    Ending {
        text: words::QUESTION_GONE.to_owned(),
        status: CaseStatus::Open,
    }
}
