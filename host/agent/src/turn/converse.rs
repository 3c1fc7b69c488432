//! The loop of a turn: the model asks for tools, reads their results, and at last says something that may leave.

use std::time::Instant;

use dispatch::policy::Level;
use dispatch::{CaseStatus, Event};
use serde::Serialize;
use time::OffsetDateTime;

use super::steps::{CLARIFY, clarify_offer};
use super::{Ending, Turn, TurnError, handoff, history, words};
use crate::pattern::pattern;
use crate::prompts::SYSTEM;
use crate::{Message, ModelError, ModelReply, ModelRequest, Offence, Stop, ToolOffer};

/// What a turn has used up, and what it may not do again.
pub(super) struct Bounds {
    started: Instant,
    steps: u32,
    tokens: u64,
    pub(super) broken_calls: u32,
}

/// What the system prompt is rendered with.
#[derive(Serialize)]
struct PromptValues<'a> {
    company: &'a str,
    today: String,
    customer: Option<&'a str>,
    level: &'static str,
    clarify_tool: &'static str,
}

impl Turn<'_> {
    /// Goes on until there is a reply, or until something ends the turn.
    pub(super) async fn converse(&mut self) -> Result<Ending, TurnError> {
        self.refresh_case().await?;
        let system = self.system_prompt()?;
        let tools = self.offers();
        let mut bounds = Bounds::new();
        let mut notes = Vec::new();
        while bounds.step(&self.tenant.limits) {
            let reply = match self.ask_model(&system, &tools, &notes, &bounds).await {
                Ok(reply) => reply,
                Err(error) => return self.model_failed(error).await,
            };
            bounds.tokens += reply.usage.input_tokens + reply.usage.output_tokens;
            if reply.calls.is_empty() {
                let last = !notes.is_empty();
                match self.guarded(&reply, last) {
                    Ok(ending) => return Ok(ending),
                    Err(objection) => notes.extend(objection),
                }
            } else if let Some(ending) = self.run_calls(reply, &mut bounds).await? {
                return Ok(ending);
            }
        }
        self.hand_over(handoff::NOT_FINISHED).await
    }

    /// A consent may have been answered, or an identity found, since the turn began.
    async fn refresh_case(&mut self) -> Result<(), TurnError> {
        self.case = self
            .parts
            .host
            .case(&self.request.tenant, &self.request.case)
            .await?;
        Ok(())
    }

    fn system_prompt(&self) -> Result<String, TurnError> {
        let values = PromptValues {
            company: &self.tenant.company,
            today: OffsetDateTime::now_utc().date().to_string(),
            customer: self.case.identity.customer.as_deref(),
            level: match self.case.identity.level {
                Level::Anonymous => "anonymous",
                Level::Claimed => "claimed",
                Level::Matched => "matched",
                Level::Verified => "verified",
            },
            clarify_tool: CLARIFY,
        };
        Ok(self.tenant.prompts.render(SYSTEM, values)?)
    }

    fn offers(&self) -> Vec<ToolOffer> {
        let request = &self.request;
        let specs = self.parts.host.tools(&request.tenant, &request.case);
        let offers = specs.into_iter().map(|spec| ToolOffer {
            name: spec.name,
            description: spec.description,
            input_schema: serde_json::Value::clone(&spec.input_schema),
        });
        offers.chain([clarify_offer()]).collect()
    }

    async fn ask_model(
        &self,
        system: &str,
        tools: &[ToolOffer],
        notes: &[Message],
        bounds: &Bounds,
    ) -> Result<ModelReply, ModelError> {
        let limits = &self.tenant.limits;
        let mut messages = history::messages(&self.history, limits.messages);
        messages.extend_from_slice(notes);
        let request = ModelRequest {
            system: system.to_owned(),
            messages,
            tools: tools.to_vec(),
            max_tokens: limits.reply_tokens,
            customer: self.case.identity.customer.clone(),
        };
        let left = limits.time.saturating_sub(bounds.started.elapsed());
        let model = self.tenant.model(&self.parts.model);
        tokio::time::timeout(left, model.respond(request))
            .await
            .unwrap_or(Err(ModelError::Late(millis(limits.time))))
    }

    /// The reply, if it may leave; otherwise the objection to it, or, for the last time, a safe text in its place.
    fn guarded(&self, reply: &ModelReply, last: bool) -> Result<Ending, Vec<Message>> {
        let text = final_text(reply);
        let offences = self.guard.check(&text, &self.evidence());
        if offences.is_empty() {
            let status = self.status_after(&text, reply);
            return Ok(Ending { text, status });
        }
        tracing::warn!(case = self.request.case, ?offences, "a reply was held back");
        if last {
            let text = words::SAFE.to_owned();
            return Ok(Ending {
                text,
                status: CaseStatus::Open,
            });
        }
        Err(objection(text, &offences))
    }

    async fn model_failed(&mut self, error: ModelError) -> Result<Ending, TurnError> {
        tracing::error!(case = self.request.case, %error, "the model gave no reply");
        self.failure = Some(error);
        let message = words::SORRY.to_owned();
        self.record(Event::Error {
            message: message.clone(),
        })
        .await?;
        Ok(Ending {
            text: message,
            status: CaseStatus::Open,
        })
    }

    /// Resolved when something was done or answered in this turn, and nothing is asked of the customer.
    fn status_after(&self, text: &str, reply: &ModelReply) -> CaseStatus {
        let asks = OFFER_OF_MORE.replace_all(text, "").contains('?');
        let settled = self.this_turn().iter().rev().find_map(|event| match event {
            Event::ToolResult { tool, outcome, .. } => Some(self.settles(tool, outcome)),
            _ => None,
        });
        if reply.stop == Stop::EndTurn && !asks && settled == Some(true) {
            CaseStatus::Resolved
        } else {
            CaseStatus::Open
        }
    }

    /// The last result of a turn settles the matter if it is an effect, or the answer to a question.
    fn settles(&self, tool: &str, outcome: &str) -> bool {
        let found = matches!(outcome, "ok" | "replayed");
        found && tool != CLARIFY && (self.tenant.writes(tool) || tool != "get_customer")
    }
}

impl Bounds {
    fn new() -> Self {
        Self {
            started: Instant::now(),
            steps: 0,
            tokens: 0,
            broken_calls: 0,
        }
    }

    /// Takes one more step, if there is room for one.
    fn step(&mut self, limits: &super::TurnLimits) -> bool {
        self.steps += 1;
        self.steps <= limits.steps
            && self.tokens < limits.tokens
            && self.started.elapsed() < limits.time
    }
}

/// What the model meant to say, made whole where it was refused or cut.
fn final_text(reply: &ModelReply) -> String {
    let text = reply.text.trim();
    match reply.stop {
        Stop::Refusal => words::DECLINED.to_owned(),
        Stop::Length => whole_sentences(text).unwrap_or_else(|| words::CUT_SHORT.to_owned()),
        Stop::EndTurn | Stop::ToolUse if text.is_empty() => words::SAFE.to_owned(),
        Stop::EndTurn | Stop::ToolUse => text.to_owned(),
    }
}

/// The text up to its last whole sentence.
fn whole_sentences(text: &str) -> Option<String> {
    let end = text.rfind(['.', '!', '?'])?;
    Some(text.get(..=end)?.to_owned())
}

fn objection(draft: String, offences: &[Offence]) -> Vec<Message> {
    let advice: Vec<String> = offences.iter().map(Offence::advice).collect();
    let note = format!(
        "Your draft was not sent to the customer. {} Write the reply again, or call the tool that is missing first.",
        advice.join(" ")
    );
    let draft = Message::Assistant {
        text: draft,
        calls: Vec::new(),
    };
    vec![draft, Message::Note(note)]
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pattern!(
    OFFER_OF_MORE,
    r"(?i)[^.!?\n]*\b(?:anything|something|what) else\b[^.!?\n]*\?"
);

#[cfg(test)]
mod tests {
    use super::{OFFER_OF_MORE, whole_sentences};

    #[test]
    fn an_offer_of_more_help_is_no_question_about_the_matter() {
        let asks = |text| OFFER_OF_MORE.replace_all(text, "").contains('?');
        assert!(!asks(
            "It is done. Is there anything else I can help you with?"
        ));
        assert!(asks("I found it. Shall I refund it? Anything else?"));
    }

    #[test]
    fn a_cut_text_ends_with_a_whole_sentence() {
        assert_eq!(
            whole_sentences("It is here. And the").as_deref(),
            Some("It is here.")
        );
        assert_eq!(whole_sentences("And the"), None);
    }
}
