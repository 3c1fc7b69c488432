//! A person's yes over MCP: the client puts the host's question before them, by elicitation in the revisions that have sessions,
//! by a second round of the same request in the one that has none.
//!
//! What is asked and what a yes allows is the dispatcher's: the question names the exact effect, and the yes is bound to the
//! call. Whoever answers is whoever sits at the client, so what asks for staff is asked of a supervisor's client only.

use std::time::Duration;

use dispatch::{ConsentState, DispatchError, Outcome, PendingConsent};
use policy::{ConsentFrom, Refusal, Role};
use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ElicitRequest, ElicitRequestParams, ElicitResult,
    ElicitationAction, ElicitationSchema, InputRequest, InputRequests, InputRequiredResult,
    RequestStateCodec,
};
use serde_json::{Value, json};

use super::answer;
use super::cases::Session;
use super::desk::Desk;
use super::rounds::{self, About};
use super::visit::Visit;

/// The name of the question among a request's inputs.
const QUESTION: &str = "consent";

/// What a person said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Yes,
    No,
    /// They closed the question, or cannot be asked.
    Nothing,
}

impl Desk {
    /// Goes on with a call that waits for a yes: asks whoever sits at the client, if it is theirs to say and the client can ask.
    /// Otherwise the pending call is the answer, and says what to do.
    pub(super) async fn ask(
        &self,
        visit: &Visit,
        request: &CallToolRequestParams,
        outcome: Outcome,
    ) -> Result<CallToolResponse, ErrorData> {
        let tool = &request.name;
        let Outcome::Pending { consent, .. } = &outcome else {
            return Ok(answer::answer(tool, outcome)?.into());
        };
        let is_theirs = consent.from == ConsentFrom::Customer || self.actor().role > Role::Agent;
        if !(is_theirs && visit.can_elicit()) {
            return Ok(answer::answer(tool, outcome)?.into());
        }
        if visit.is_newest() {
            return self.second_round(visit, request, consent);
        }
        let said = elicited(visit, consent, self.seconds_left(consent)).await;
        let consent = consent.id.clone();
        let outcome = match said {
            Said::Nothing => outcome,
            said => self.act_on(visit, request, &consent, said).await?,
        };
        Ok(answer::answer(tool, outcome)?.into())
    }

    /// The second round of a call: what its client brings back. A state that this server has not sealed for this very call of
    /// this very caller is refused, and nothing runs.
    pub(super) async fn answered(
        &self,
        visit: &Visit,
        request: &CallToolRequestParams,
        sealed: &str,
    ) -> Result<CallToolResponse, ErrorData> {
        let about = self.about(&visit.session, request);
        let consent: String = rounds::open(self.states(), &about, sealed)?;
        let said = request
            .input_responses
            .as_ref()
            .and_then(|inputs| inputs.get(QUESTION))
            .and_then(|input| serde_json::from_value::<ElicitResult>(input.clone()).ok());
        let outcome = match said.as_ref().and_then(said_in) {
            Some(Said::Nothing) => self.closed(&consent).await?,
            Some(said) => {
                let outcome = self.act_on(visit, request, &consent, said).await?;
                return self.ask(visit, request, outcome).await;
            }
            // There is no answer in it: the question is put again.
            None => {
                let again = self.run(visit, request).await?;
                return self.ask(visit, request, again).await;
            }
        };
        Ok(answer::answer(&request.name, outcome)?.into())
    }

    /// The person has closed the question: it stays open as long as it was, and nothing runs.
    async fn closed(&self, consent: &str) -> Result<Outcome, ErrorData> {
        let asked = self.store().consent(self.caller().0, consent).await;
        let asked = asked.map_err(|error| answer::unreadable(&error))?;
        let open = asked.filter(|asked| asked.state == ConsentState::Pending);
        Ok(open.map_or_else(declined, |asked| Outcome::Pending {
            consent: Box::new(asked),
            escalation: None,
        }))
    }

    /// Does what was said. Where the question is not open any more (it was answered before, by this client or another) the call
    /// is made as any other: what was done already is given again.
    async fn act_on(
        &self,
        visit: &Visit,
        request: &CallToolRequestParams,
        consent: &str,
        said: Said,
    ) -> Result<Outcome, ErrorData> {
        let granted = said == Said::Yes;
        match self.answer_consent(consent, granted).await {
            Ok(Some(outcome)) => Ok(outcome),
            Ok(None) => Ok(declined()),
            // A no that comes twice, or late, is a no.
            Err(DispatchError::NotPending(_)) if !granted => Ok(declined()),
            Err(DispatchError::NotPending(_)) => self.run(visit, request).await,
            Err(error) => Err(answer::host_failed(&request.name, &error)),
        }
    }

    /// The question as an input that the client brings back with the same request.
    fn second_round(
        &self,
        visit: &Visit,
        request: &CallToolRequestParams,
        consent: &PendingConsent,
    ) -> Result<CallToolResponse, ErrorData> {
        let about = self.about(&visit.session, request);
        let left = self.seconds_left(consent);
        let sealed = rounds::seal(self.states(), &about, &consent.id, left)?;
        let question = InputRequest::Elicitation(ElicitRequest::new(form(consent)?));
        let inputs = InputRequests::from([(QUESTION.to_owned(), question)]);
        Ok(InputRequiredResult::new(Some(inputs), Some(sealed)).into())
    }

    /// What a request state is good for: this call, by this caller, in this conversation.
    fn about(&self, session: &Session, request: &CallToolRequestParams) -> About {
        let (tenant, principal) = self.caller();
        let conversation = session.handle();
        About::new(&json!([
            tenant,
            principal,
            conversation,
            request.name,
            request.arguments
        ]))
    }

    fn seconds_left(&self, consent: &PendingConsent) -> Duration {
        let left = consent.expires_at.saturating_sub(self.now());
        Duration::from_secs(u64::try_from(left).unwrap_or(0))
    }
}

/// Asks in the middle of the call, and waits as long as the question is good for.
async fn elicited(visit: &Visit, consent: &PendingConsent, longest: Duration) -> Said {
    let (Ok(form), Some(peer)) = (form(consent), visit.peer()) else {
        return Said::Nothing;
    };
    let answered = tokio::select! {
        answered = peer.create_elicitation_with_timeout(form, Some(longest)) => answered,
        () = visit.gone().cancelled() => return Said::Nothing,
    };
    match answered {
        Ok(answered) => said_in(&answered).unwrap_or(Said::Nothing),
        Err(error) => {
            tracing::info!(%error, consent = consent.id, "a client gave no answer to a question");
            Said::Nothing
        }
    }
}

/// The host's question, to be answered with yes or no.
fn form(consent: &PendingConsent) -> Result<ElicitRequestParams, ErrorData> {
    let schema = json!({
        "type": "object",
        "properties": { "confirm": { "type": "boolean", "title": "Yes, go ahead" } },
        "required": ["confirm"],
    });
    let requested_schema: ElicitationSchema = serde_json::from_value(schema)
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    Ok(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: consent.question.clone(),
        requested_schema,
    })
}

/// What a person's answer means; none if it does not fit the question.
fn said_in(answered: &ElicitResult) -> Option<Said> {
    let confirmed = || {
        answered
            .content
            .as_ref()?
            .get("confirm")
            .and_then(Value::as_bool)
    };
    match answered.action {
        ElicitationAction::Accept => confirmed().map(|yes| if yes { Said::Yes } else { Said::No }),
        ElicitationAction::Decline => Some(Said::No),
        ElicitationAction::Cancel => Some(Said::Nothing),
        _ => None,
    }
}

/// They said no.
fn declined() -> Outcome {
    let refusal = Refusal {
        code: "CONSENT_DECLINED".to_owned(),
        say: "All right, I have not done it.".to_owned(),
        hint: Some("the person said no: do not call it again unless they ask for it".to_owned()),
        rules: vec!["consent".to_owned()],
    };
    Outcome::Denied {
        refusal,
        escalation: None,
    }
}

/// Seals what a client of the revision without sessions carries from one round to the next.
pub(crate) fn states(key: &[u8]) -> RequestStateCodec {
    RequestStateCodec::new_unchecked(key)
}
