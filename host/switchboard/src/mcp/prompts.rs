//! The support flows as prompts: the tenant's own texts, with what the client already knows beside them as data.

use std::collections::BTreeMap;

use agent::Tenant;
use rmcp::ErrorData;
use rmcp::model::{
    GetPromptRequestParams, GetPromptResult, Prompt, PromptArgument, PromptMessage, Role,
};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::answer;

/// The template around every flow.
const FRAME: &str = "mcp.md";

/// The longest value of an argument, in characters.
const LONGEST: usize = 4_000;

struct Flow {
    name: &'static str,
    title: &'static str,
    docs: &'static str,
    /// Its text among the tenant's prompts.
    file: &'static str,
    arguments: &'static [Argument],
}

struct Argument {
    name: &'static str,
    docs: &'static str,
    required: bool,
}

const fn needed(name: &'static str, docs: &'static str) -> Argument {
    Argument {
        name,
        docs,
        required: true,
    }
}

const fn known(name: &'static str, docs: &'static str) -> Argument {
    Argument {
        name,
        docs,
        required: false,
    }
}

const EMAIL: &str = "The e-mail address of the customer's account.";
const ORDER: &str = "The order's number, such as ORD-8842.";

/// In the order of their names.
const FLOWS: [Flow; 5] = [
    Flow {
        name: "escalation",
        title: "Hand over to a person",
        docs: "Hands a conversation to people, with everything that they need to know.",
        file: "escalation.md",
        arguments: &[
            needed("reason", "Why a person must take over."),
            known("email", EMAIL),
            known("order_id", ORDER),
            known(
                "priority",
                "p1 (at once), p2 (today) or p3 (when there is time).",
            ),
        ],
    },
    Flow {
        name: "order_inquiry",
        title: "Order inquiry",
        docs: "Where is it, cancel it, send it back: everything about one order but the money.",
        file: "order_inquiry.md",
        arguments: &[
            needed("email", EMAIL),
            known("order_id", ORDER),
            known("question", "What the customer wants to know or have done."),
        ],
    },
    Flow {
        name: "product_question",
        title: "Product question",
        docs: "Answers a question from the knowledge base, and from nothing else.",
        file: "product_question.md",
        arguments: &[needed("question", "The customer's question.")],
    },
    Flow {
        name: "refund",
        title: "Refund",
        docs: "Pays back an order, or a part of it, once.",
        file: "refund.md",
        arguments: &[
            needed("email", EMAIL),
            needed("order_id", ORDER),
            known("reason", "What went wrong, in the customer's words."),
        ],
    },
    Flow {
        name: "ticket_triage",
        title: "Ticket triage",
        docs: "Sorts one ticket: what it is about, how urgent it is, what to do next.",
        file: "ticket_triage.md",
        arguments: &[needed("ticket_id", "The ticket's number, such as T-902.")],
    },
];

/// What suggestions there can be for an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suggested {
    /// These words.
    Words(&'static [&'static str]),
    /// What the case has established of this kind of entity.
    Established(&'static str),
    /// Nothing: free text.
    Nothing,
}

#[derive(Serialize)]
struct Values<'a> {
    company: &'a str,
    today: String,
    flow: &'static str,
    known: BTreeMap<&'a str, &'a str>,
    // What a flow of the tenant's own may use, as it may in a conversation.
    customer: Option<&'a str>,
    level: &'static str,
    clarify_tool: &'static str,
}

/// All of them.
pub(super) fn list() -> Vec<Prompt> {
    FLOWS.iter().map(described).collect()
}

/// One of them, filled in.
pub(super) fn fill(
    tenant: &Tenant,
    request: &GetPromptRequestParams,
) -> Result<GetPromptResult, ErrorData> {
    let flow = find(&request.name)?;
    let given = given(flow, request)?;
    let values = Values {
        company: &tenant.company,
        today: OffsetDateTime::now_utc().date().to_string(),
        flow: flow.file,
        known: given
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect(),
        customer: None,
        level: "anonymous",
        clarify_tool: "(ask the customer)",
    };
    let text = tenant.prompts.render(FRAME, &values).map_err(|error| {
        tracing::error!(prompt = flow.name, %error, "a prompt does not work");
        ErrorData::internal_error(
            "This prompt does not work at the moment; the operator's log says why.",
            None,
        )
    })?;
    let message = PromptMessage::new_text(Role::User, text);
    Ok(GetPromptResult::new(vec![message]).with_description(flow.docs))
}

/// What can be suggested for an argument of a prompt.
pub(super) fn suggested(prompt: &str, argument: &str) -> Result<Suggested, ErrorData> {
    let flow = find(prompt)?;
    if !flow.arguments.iter().any(|known| known.name == argument) {
        return Err(answer::invalid_params(format!(
            "the prompt {} has no argument {argument}",
            flow.name
        )));
    }
    Ok(match argument {
        "order_id" => Suggested::Established("order"),
        "ticket_id" => Suggested::Established("ticket"),
        "priority" => Suggested::Words(&["p1", "p2", "p3"]),
        _ => Suggested::Nothing,
    })
}

fn find(name: &str) -> Result<&'static Flow, ErrorData> {
    let flow = FLOWS.iter().find(|flow| flow.name == name);
    flow.ok_or_else(|| answer::unknown("prompt", name, "prompts/list"))
}

fn described(flow: &Flow) -> Prompt {
    let argument = |argument: &Argument| {
        PromptArgument::new(argument.name)
            .with_description(argument.docs)
            .with_required(argument.required)
    };
    let arguments = flow.arguments.iter().map(argument).collect();
    Prompt::new(flow.name, Some(flow.docs), Some(arguments)).with_title(flow.title)
}

/// The arguments that the client gave, in the flow's own order.
fn given(
    flow: &'static Flow,
    request: &GetPromptRequestParams,
) -> Result<Vec<(&'static str, String)>, ErrorData> {
    let arguments = request.arguments.clone().unwrap_or_default();
    let is_known = |name: &String| flow.arguments.iter().any(|one| one.name == *name);
    if let Some(unknown) = arguments.keys().find(|name| !is_known(name)) {
        let shown: String = unknown.chars().take(64).collect();
        return Err(answer::invalid_params(format!(
            "the prompt {} has no argument {shown}",
            flow.name
        )));
    }
    let mut given = Vec::new();
    for argument in flow.arguments {
        match arguments.get(argument.name) {
            Some(Value::String(text)) if text.chars().count() <= LONGEST => {
                given.push((argument.name, text.clone()));
            }
            None if !argument.required => (),
            _ => {
                return Err(answer::invalid_params(format!(
                    "the prompt {} needs {} as a text of at most {LONGEST} characters: {}",
                    flow.name, argument.name, argument.docs
                )));
            }
        }
    }
    Ok(given)
}
