//! One step of the loop: the calls of one reply, each through dispatch, and what their outcomes mean for the turn.

use dispatch::policy::ConsentFrom;
use dispatch::{CallRequest, CaseStatus, Event, Outcome};
use serde_json::{Value, json};

use super::converse::Bounds;
use super::{Action, Ending, Turn, TurnError, handoff, history, words};
use crate::{Arguments, ModelReply, ToolCall, ToolOffer};

/// The one tool that the turn itself offers: how a model says that it does not understand, so that the host can count it.
pub(super) const CLARIFY: &str = "ask_clarification";

/// How often in a row the customer is asked what they mean before people are called.
const CLARIFICATIONS: usize = 2;

/// How often arguments that are no JSON are put up with in one turn.
const BROKEN_CALLS: u32 = 2;

/// From this attempt on a failed tool counts as failed for good.
const ATTEMPTS: u32 = 3;

pub(super) fn clarify_offer() -> ToolOffer {
    ToolOffer {
        name: CLARIFY.to_owned(),
        description: "Asks the customer what they mean. Use it only when you cannot tell what they want; for a missing \
                      e-mail address or order number, simply ask in your reply."
            .to_owned(),
        input_schema: json!({
            "type": "object",
            "properties": {
                "question": { "type": "string", "description": "The question, in your own words." }
            },
            "required": ["question"],
            "additionalProperties": false,
        }),
    }
}

impl Turn<'_> {
    /// Runs the calls of one reply, one after the other; the first that ends the turn leaves the rest undone.
    pub(super) async fn run_calls(
        &mut self,
        reply: ModelReply,
        bounds: &mut Bounds,
    ) -> Result<Option<Ending>, TurnError> {
        for call in reply.calls {
            let ending = self.run_call(call, bounds).await?;
            if ending.is_some() {
                return Ok(ending);
            }
        }
        Ok(None)
    }

    async fn run_call(
        &mut self,
        call: ToolCall,
        bounds: &mut Bounds,
    ) -> Result<Option<Ending>, TurnError> {
        let id = self.unique(call.id);
        let earlier = self.same_calls(&call.tool, &call.arguments);
        let asked = Event::ToolCall {
            id: id.clone(),
            tool: call.tool.clone(),
            arguments: call.arguments.to_value(),
        };
        self.record(asked).await?;
        match call.arguments {
            Arguments::Broken(_) => self.broken(id, call.tool, bounds).await,
            Arguments::Json(arguments) if call.tool == CLARIFY => {
                self.clarify(id, &arguments).await
            }
            Arguments::Json(_) if earlier >= self.tenant.limits.same_call => {
                self.repeated(id, call.tool, earlier).await
            }
            Arguments::Json(arguments) => {
                let request = self.call_request(&call.tool, arguments);
                let outcome = self.parts.host.call(request).await?;
                self.outcome(id, call.tool, outcome).await
            }
        }
    }

    fn call_request(&self, tool: &str, arguments: Value) -> CallRequest {
        CallRequest {
            tenant: self.request.tenant.clone(),
            case: self.request.case.clone(),
            actor: self.request.actor.clone(),
            channel: self.request.channel,
            tool: tool.to_owned(),
            arguments,
        }
    }

    /// Records an outcome, and says whether the turn ends with it.
    pub(super) async fn outcome(
        &mut self,
        id: String,
        tool: String,
        outcome: Outcome,
    ) -> Result<Option<Ending>, TurnError> {
        self.actions.push(Action {
            tool: tool.clone(),
            outcome: outcome.word().to_owned(),
        });
        self.result(id, tool, outcome.word(), outcome.for_model())
            .await?;
        if let Outcome::Denied { refusal, .. } | Outcome::Withheld { refusal, .. } = &outcome {
            self.refused.clone_from(&refusal.say);
        }
        if let Some(people) = outcome.escalation().cloned() {
            self.people_called(people.clone()).await?;
            let because = because(&outcome).unwrap_or(&self.refused);
            return Ok(Some(Ending {
                text: words::handed_over(because, &people),
                status: CaseStatus::Escalated,
            }));
        }
        match outcome {
            Outcome::Pending { consent, .. } if consent.from == ConsentFrom::Customer => {
                let question = consent.question;
                self.record(Event::ConsentAsked {
                    id: consent.id,
                    question: question.clone(),
                })
                .await?;
                Ok(Some(Ending {
                    text: question,
                    status: CaseStatus::AwaitingConsent,
                }))
            }
            Outcome::Pending { .. } => self.hand_over(handoff::STAFF_APPROVAL).await.map(Some),
            Outcome::Unknown { .. } => self.hand_over(handoff::TOOL_FAILED).await.map(Some),
            Outcome::Failed { attempts, .. } if attempts >= ATTEMPTS => {
                self.hand_over(handoff::TOOL_FAILED).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Arguments that are no JSON run nothing: the model is told, and has one more try.
    async fn broken(
        &mut self,
        id: String,
        tool: String,
        bounds: &mut Bounds,
    ) -> Result<Option<Ending>, TurnError> {
        bounds.broken_calls += 1;
        let message = "The arguments were no valid JSON, so nothing ran. Call the tool again with one valid JSON object.";
        self.result(id, tool, "invalid", json!({ "message": message }))
            .await?;
        if bounds.broken_calls < BROKEN_CALLS {
            return Ok(None);
        }
        self.hand_over(handoff::NOT_FINISHED).await.map(Some)
    }

    async fn clarify(
        &mut self,
        id: String,
        arguments: &Value,
    ) -> Result<Option<Ending>, TurnError> {
        let failed = history::clarifications(self.before_this_call());
        self.result(id, CLARIFY.to_owned(), "ok", json!({})).await?;
        if failed >= CLARIFICATIONS {
            return self.hand_over(handoff::NOT_UNDERSTOOD).await.map(Some);
        }
        let question = arguments
            .get("question")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let clean =
            !question.trim().is_empty() && self.guard.check(question, &self.evidence()).is_empty();
        let text = if clean { question } else { words::SAFE };
        Ok(Some(Ending {
            text: text.to_owned(),
            status: CaseStatus::Open,
        }))
    }

    fn before_this_call(&self) -> &[Event] {
        self.history.get(..=self.start).unwrap_or_default()
    }

    /// The same call again gets no further answer; one that insists ends the turn.
    async fn repeated(
        &mut self,
        id: String,
        tool: String,
        earlier: usize,
    ) -> Result<Option<Ending>, TurnError> {
        let message = "You have made this very call before in this turn; its result stands above. Go on from there.";
        self.result(id, tool, "repeated", json!({ "message": message }))
            .await?;
        if earlier > self.tenant.limits.same_call {
            return self.hand_over(handoff::NOT_FINISHED).await.map(Some);
        }
        Ok(None)
    }

    async fn result(
        &mut self,
        id: String,
        tool: String,
        outcome: &str,
        content: Value,
    ) -> Result<(), TurnError> {
        let outcome = outcome.to_owned();
        self.record(Event::ToolResult {
            id,
            tool,
            outcome,
            content,
        })
        .await
    }

    fn same_calls(&self, tool: &str, arguments: &Arguments) -> usize {
        let wanted = arguments.to_value();
        let same = |event: &&Event| matches!(event, Event::ToolCall { tool: t, arguments: a, .. } if t == tool && *a == wanted);
        self.this_turn().iter().filter(same).count()
    }

    /// Some servers begin to count anew with every reply; ids must be unique in the conversation.
    fn unique(&self, id: String) -> String {
        let taken = self
            .history
            .iter()
            .any(|event| matches!(event, Event::ToolCall { id: other, .. } if *other == id));
        if taken || id.is_empty() {
            format!("call-{}", uuid::Uuid::now_v7().simple())
        } else {
            id
        }
    }
}

/// What the customer may hear of why people were called; none where an earlier refusal of this turn says it.
fn because(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Pending { .. } => Some(handoff::STAFF_APPROVAL.say),
        Outcome::Unknown { .. } => {
            Some("I could not confirm whether this went through, so I have not repeated it.")
        }
        Outcome::Failed { .. } => Some(handoff::TOOL_FAILED.say),
        _ => None,
    }
}
