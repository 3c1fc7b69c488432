//! The flows: for each thing that a customer may want, the next step from what is known.

mod flows;
mod identify;

use serde_json::json;

use super::plan::{Context, Move, Seen};
use super::reply;
use super::results::{Read, read};
use super::state::{Expects, Task};
use super::understand::Intent;

/// What a flow comes to: `Err` carries the move that must come first.
type Flow = Result<Move, Move>;

/// The next step for this task.
pub(super) fn step(context: &Context<'_>, task: &Task) -> Move {
    let flow = match task {
        Task::Refund => flows::refund(context),
        Task::Complaint => flows::complaint(context),
        Task::RefundStatus => flows::refund_status(context),
        Task::Status => flows::status(context),
        Task::OrderList => flows::order_list(context),
        Task::Cancel => flows::cancel(context),
        Task::Return => flows::give_back(context),
        Task::Credit => flows::credit(context),
        Task::Update => flows::update(context),
        Task::Ticket => Ok(ticket(context)),
        Task::Person => Ok(person(context)),
        Task::Question => Ok(question(context)),
        Task::NothingYet => nothing_yet(context),
        Task::RefuseDelivery => Ok(Move::say(reply::REFUSE_DELIVERY)),
        Task::Declined => Ok(Move::say(reply::DECLINED)),
        Task::Small(small) => Ok(Move::say(politely(*small))),
        Task::Unclear => Ok(Move::clarify(unclear(context))),
    };
    flow.unwrap_or_else(|first| first)
}

/// Says how a call ended.
pub(super) fn report(seen: &Seen<'_>) -> Move {
    if seen.result.outcome == "conflict" {
        return Move::ask(reply::CONFLICT, Expects::TicketYes);
    }
    Move::say(match read(seen.result) {
        Read::Done { output, again } => reply::done(&seen.call.tool, output, again),
        Read::NotFound | Read::Not("") => reply::NOT_POSSIBLE.to_owned(),
        Read::Not(said) => said.to_owned(),
    })
}

/// Calls a tool that changes something, then says how that ended; a refusal goes to people.
fn effect(context: &Context<'_>, tool: &str, arguments: serde_json::Value) -> Move {
    if !context.offers(tool) {
        return Move::ask(reply::NO_SUCH_TOOL, Expects::TicketYes);
    }
    let Some(seen) = context.done_now(tool) else {
        return Move::call(tool, arguments);
    };
    if seen.result.outcome == "conflict" {
        return Move::ask(reply::CONFLICT, Expects::TicketYes);
    }
    match read(seen.result) {
        Read::Done { .. } => report(seen),
        Read::Not(said) if said.ends_with('?') => Move::ask(said, Expects::Details),
        Read::Not(said) => refused(context, said),
        Read::NotFound => refused(context, ""),
    }
}

/// A refusal is explained and handed to people, who may decide otherwise.
fn refused(context: &Context<'_>, said: &str) -> Move {
    let said = if said.is_empty() {
        reply::NOT_POSSIBLE
    } else {
        said
    };
    if !context.offers("escalate_to_human") || context.done_now("escalate_to_human").is_some() {
        return Move::say(said);
    }
    let mut arguments = json!({
        "reason": "A request was refused by the rules",
        "priority": "p3",
        "team": "billing",
        "summary": format!("The customer wrote: {} It was refused with: {said}", context.state.reason),
    });
    if let Some(order) = &context.state.order {
        arguments["order_id"] = json!(order);
    }
    Move::call("escalate_to_human", arguments)
}

fn ticket(context: &Context<'_>) -> Move {
    let state = context.state;
    if context.done_now("create_ticket").is_none()
        && state.expects == Expects::Nothing
        && is_bare(&state.reason)
    {
        return Move::ask(reply::WHAT_TICKET, Expects::TicketText);
    }
    let subject: String = state.reason.chars().take(80).collect();
    let mut description = state.reason.clone();
    if let Some(order) = &state.order {
        description = format!("{description}\nOrder: {order}");
    }
    if let Some(email) = &state.email {
        description = format!("{description}\nE-mail: {email}");
    }
    let arguments = json!({ "subject": subject, "description": description, "priority": "normal" });
    effect(context, "create_ticket", arguments)
}

/// "Open a ticket please" says nothing about what for.
fn is_bare(reason: &str) -> bool {
    reason.split_whitespace().count() <= 7
}

fn person(context: &Context<'_>) -> Move {
    hand_over(context, "The customer asks for a person", "p1", "general")
}

fn hand_over(context: &Context<'_>, reason: &str, priority: &str, team: &str) -> Move {
    let mut arguments = json!({
        "reason": reason,
        "priority": priority,
        "team": team,
        "summary": format!("The customer wrote: {}", context.state.reason),
    });
    if let Some(order) = &context.state.order {
        arguments["order_id"] = json!(order);
    }
    effect(context, "escalate_to_human", arguments)
}

fn question(context: &Context<'_>) -> Move {
    let Some(seen) = context.done_now("search_knowledge_base") else {
        let query = reply::keywords(&context.state.reason).join(" ");
        let query = if query.is_empty() {
            context.state.reason.clone()
        } else {
            query
        };
        return Move::call(
            "search_knowledge_base",
            json!({ "query": query, "limit": 3 }),
        );
    };
    let answer = match read(seen.result) {
        Read::Done { output, .. } => reply::article(&context.state.reason, output),
        Read::NotFound | Read::Not(_) => None,
    };
    match answer {
        Some(answer) => Move::say(answer),
        None => Move::ask(reply::NO_ARTICLE, Expects::TicketYes),
    }
}

fn nothing_yet(context: &Context<'_>) -> Flow {
    let name = match &context.state.email {
        Some(_) => reply::first_name(identify::customer(context)?),
        None => String::new(),
    };
    Ok(Move::say(reply::what_for(
        &name,
        context.state.order.as_deref(),
    )))
}

fn politely(small: Intent) -> &'static str {
    match small {
        Intent::WhoAreYou => reply::WHO_I_AM,
        Intent::Thanks => reply::WELCOME,
        Intent::Goodbye => reply::GOODBYE,
        _ => reply::HELLO,
    }
}

fn unclear(context: &Context<'_>) -> &'static str {
    match context.state.expects {
        Expects::Details => reply::UNCLEAR_DETAILS,
        Expects::Choice => reply::UNCLEAR_CHOICE,
        Expects::RefundYes | Expects::ReturnYes | Expects::CancelYes | Expects::TicketYes => {
            reply::UNCLEAR_YES_NO
        }
        Expects::Nothing | Expects::NewValue | Expects::TicketText => reply::UNCLEAR,
    }
}
