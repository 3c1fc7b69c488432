//! Asking a client: in the middle of the call in the revisions that have sessions, by another round of the same request, with a
//! sealed state, in the one that has none.

#![expect(
    deprecated,
    reason = "the suite asks for sampling and roots, which the newest revision is about to lose"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use rmcp::ErrorData;
use rmcp::model::{
    ClientCapabilities, ElicitRequestParams, EnumSchema, InputRequest, InputRequests,
    InputRequiredResult, InputResponses, PrimitiveSchemaDefinition, RequestStateCodec,
};
use rmcp::service::ServiceError;
use serde_json::{Value, json};

use super::player::Question;
use super::tools::Scene;
use crate::mcp::rounds::{self as sealed, About};
use crate::mcp::visit::Visit;

/// How long a client has for its answer.
const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// How often one call may ask its client, where the client is asked in the middle of it.
pub(super) const MOST_ROUNDS: usize = 10;

pub(super) const NO_ANSWER: &str =
    "the client was asked ten times, and what it answered does not fit";

/// `of` is the method and the parameters that name what is asked for.
pub(super) fn about(principal: &str, visit: &Visit, of: &Value) -> About {
    let conversation = visit.session.handle();
    About::new(&json!(["conformance", principal, conversation, of]))
}

/// What has become of a question.
pub(super) enum Asked {
    /// The client brings its answers with the same request again.
    Later(InputRequiredResult),
    /// It has answered.
    Now(Scene),
}

/// What a client has brought with its request. A state that this server has not sealed for this very request is refused.
pub(super) fn opened(
    states: &RequestStateCodec,
    visit: &Visit,
    about: &About,
    (answers, state): (Option<InputResponses>, Option<String>),
) -> Result<Scene, ErrorData> {
    let open = |brought: String| sealed::open(states, about, &brought);
    let state = state.map(open).transpose()?;
    Ok(Scene {
        answers: answers.unwrap_or_default(),
        state,
        can: json!(visit.capabilities()),
    })
}

/// Asks the client, if it can be asked all of it.
pub(super) async fn ask(
    states: &RequestStateCodec,
    visit: &Visit,
    about: &About,
    (inputs, state): Question,
) -> Result<Asked, ErrorData> {
    let inputs = read_all(inputs)?;
    can_be_asked(visit, &inputs)?;
    if visit.is_newest() {
        let seal = |state| sealed::seal(states, about, &state, LONGEST_WAIT);
        let sealed = state.map(seal).transpose()?;
        return Ok(Asked::Later(InputRequiredResult::new(Some(inputs), sealed)));
    }
    let mut answers = BTreeMap::new();
    for (name, input) in inputs {
        answers.insert(name, answered(visit, input).await?);
    }
    let can = json!(visit.capabilities());
    Ok(Asked::Now(Scene {
        answers,
        state,
        can,
    }))
}

/// The inputs as rmcp knows them.
pub(super) fn read_all(inputs: BTreeMap<String, Value>) -> Result<InputRequests, ErrorData> {
    let inputs = inputs.into_iter();
    let read = inputs.map(|(name, input)| Ok((name, read(input).map_err(broken)?)));
    read.collect()
}

/// An error where the client has not said that it can be asked all of this.
pub(super) fn can_be_asked(visit: &Visit, inputs: &InputRequests) -> Result<(), ErrorData> {
    let missing = missing(visit, inputs);
    if missing == ClientCapabilities::default() {
        return Ok(());
    }
    Err(ErrorData::missing_required_client_capability(missing))
}

/// An input as rmcp knows it, which takes a choice with `enumNames` for one without: the shape with the fewest fields comes
/// first with it.
fn read(input: Value) -> Result<InputRequest, serde_json::Error> {
    let fields = input["params"]["requestedSchema"]["properties"].clone();
    let mut read: InputRequest = serde_json::from_value(input)?;
    let InputRequest::Elicitation(request) = &mut read else {
        return Ok(read);
    };
    let ElicitRequestParams::FormElicitationParams {
        requested_schema, ..
    } = &mut request.params
    else {
        return Ok(read);
    };
    for (name, field) in fields.as_object().into_iter().flatten() {
        if field.get("enumNames").is_some() {
            let named = EnumSchema::Legacy(serde_json::from_value(field.clone())?);
            requested_schema
                .properties
                .insert(name.clone(), PrimitiveSchemaDefinition::Enum(named));
        }
    }
    Ok(read)
}

/// What the client would have to be able to do, and has not said that it can.
fn missing(visit: &Visit, inputs: &InputRequests) -> ClientCapabilities {
    let can = visit.capabilities();
    let mut missing = ClientCapabilities::default();
    for input in inputs.values() {
        match input {
            InputRequest::CreateMessage(_) if can.sampling.is_none() => {
                missing.sampling = Some(<_>::default());
            }
            InputRequest::Elicitation(_) if !visit.can_elicit() => {
                missing.elicitation = Some(<_>::default());
            }
            InputRequest::ListRoots(_) if can.roots.is_none() => {
                missing.roots = Some(<_>::default());
            }
            _ => (),
        }
    }
    missing
}

async fn answered(visit: &Visit, input: InputRequest) -> Result<Value, ErrorData> {
    let Some(peer) = visit.peer() else {
        return Err(broken("nobody can be asked in the middle of this call"));
    };
    let asked = async {
        let answer = match input {
            InputRequest::CreateMessage(request) => {
                json!(peer.create_message(request.params).await?)
            }
            InputRequest::Elicitation(request) => {
                json!(peer.create_elicitation(request.params).await?)
            }
            InputRequest::ListRoots(_) => json!(peer.list_roots().await?),
            _ => Value::Null,
        };
        Ok::<_, ServiceError>(answer)
    };
    tokio::select! {
        answer = asked => answer.map_err(broken),
        () = visit.gone().cancelled() => Err(broken("the request was cancelled")),
        () = tokio::time::sleep(LONGEST_WAIT) => Err(broken("the client does not answer")),
    }
}

/// The fixture, the connection or the client is at fault, and there is nobody to whom it matters but whoever runs the suite.
pub(super) fn broken(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}
