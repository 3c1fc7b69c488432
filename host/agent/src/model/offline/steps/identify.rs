//! Finding out who the customer is and which order they mean, before anything else.

use serde_json::{Value, json};

use super::super::plan::{Context, Move, Seen};
use super::super::reply;
use super::super::results::{Read, read};
use super::super::state::Expects;

/// The customer's record; or the step that leads there.
pub(super) fn customer<'a>(context: &'a Context<'_>) -> Result<&'a Value, Move> {
    let Some(email) = context.state.email.as_deref() else {
        return match context.customer {
            Some(id) => by_id(context, id),
            None => Err(ask(context, "")),
        };
    };
    let asked = |seen: &&Seen<'_>| {
        seen.call.tool == "get_customer" && seen.argument("email").eq_ignore_ascii_case(email)
    };
    if let Some(seen) = context.now.iter().rev().find(asked) {
        return match read(seen.result) {
            Read::Done { output, .. } => Ok(output),
            Read::NotFound => Err(Move::ask(reply::unknown_email(email), Expects::Details)),
            Read::Not(said) => Err(not(said)),
        };
    }
    let known = context.before.iter().rev().find(asked);
    match known.map(|seen| read(seen.result)) {
        Some(Read::Done { output, .. }) => Ok(output),
        _ => Err(Move::call("get_customer", json!({ "email": email }))),
    }
}

fn by_id<'a>(context: &'a Context<'_>, id: &str) -> Result<&'a Value, Move> {
    let known = context
        .now
        .iter()
        .chain(context.before)
        .rev()
        .find(|seen| seen.call.tool == "get_customer" && seen.argument("id") == id);
    match known.map(|seen| read(seen.result)) {
        Some(Read::Done { output, .. }) => Ok(output),
        Some(Read::Not(said)) => Err(not(said)),
        Some(Read::NotFound) => Err(ask(context, "")),
        None => Err(Move::call("get_customer", json!({ "id": id }))),
    }
}

/// The order's record, read in this turn: it may have changed since an earlier one.
pub(super) fn order<'a>(context: &'a Context<'_>) -> Result<&'a Value, Move> {
    let customer = customer(context)?;
    let Some(order) = context.state.order.as_deref() else {
        return Err(ask(context, &reply::first_name(customer)));
    };
    let asked =
        |seen: &&Seen<'_>| seen.call.tool == "lookup_order" && seen.argument("order_id") == order;
    match context
        .now
        .iter()
        .rev()
        .find(asked)
        .map(|seen| read(seen.result))
    {
        Some(Read::Done { output, .. }) => Ok(output),
        Some(Read::NotFound) => Err(Move::ask(reply::unknown_order(order), Expects::Details)),
        Some(Read::Not(said)) => Err(not(said)),
        None => Err(Move::call("lookup_order", json!({ "order_id": order }))),
    }
}

/// Asks for what is missing, all at once.
fn ask(context: &Context<'_>, name: &str) -> Move {
    let email = context.state.email.is_none() && context.customer.is_none();
    let order = context.state.order.is_none();
    Move::ask(reply::missing(name, email, order), Expects::Details)
}

fn not(said: &str) -> Move {
    let said = if said.is_empty() {
        reply::NOT_POSSIBLE
    } else {
        said
    };
    Move::ask(said, Expects::Details)
}
