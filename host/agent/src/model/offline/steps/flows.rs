//! The flows around an order: each begins with who and which, and then acts on what the record says.

use serde_json::{Value, json};

use super::super::amount::Amount;
use super::super::plan::{Context, Move};
use super::super::reply;
use super::super::results::{Read, list, minor, read, text};
use super::super::state::Expects;
use super::{Flow, effect, hand_over, identify};
use crate::pattern::pattern;

/// The credit that makes up for an inconvenience where the customer names no amount.
const USUAL_CREDIT: &str = "10.00";

/// The full amount, or the part that the customer named. Whether it may be refunded is the rules' question, not ours.
pub(super) fn refund(context: &Context<'_>) -> Flow {
    if let Some(question) = amount_unclear(context) {
        return Ok(question);
    }
    let order = identify::order(context)?;
    let left = left_to_refund(order);
    let amount = match &context.state.amount {
        Some(asked) => stated(asked, order),
        None => json!({ "amount": left, "currency": text(&order["total"], "currency") }),
    };
    if context.done_now("process_refund").is_none() && is_above_total(&amount, order) {
        return Ok(Move::ask(reply::too_much(order), Expects::RefundYes));
    }
    let arguments = json!({
        "order_id": text(order, "order_id"),
        "amount": amount,
        "reason": reason(context),
    });
    if reply::is_refunded_in_full(order)
        && context
            .done_now("process_refund")
            .is_some_and(|seen| matches!(read(seen.result), Read::Not(_)))
    {
        return Ok(Move::say(reply::refunded_before(order)));
    }
    Ok(effect(context, "process_refund", arguments))
}

/// A negative amount, or a part of which nobody said how much it is, is asked back.
fn amount_unclear(context: &Context<'_>) -> Option<Move> {
    let unclear = match &context.state.amount {
        Some(amount) => amount.is_negative,
        None => PART.is_match(&context.state.reason),
    };
    unclear.then(|| Move::ask(reply::WHICH_AMOUNT, Expects::Details))
}

/// The amount as the customer stated it, in the currency that they named.
fn stated(amount: &Amount, order: &Value) -> Value {
    let currency = amount.currency(text(&order["total"], "currency"));
    let total = text(&order["total"], "amount");
    let same = minor(&amount.value) == minor(total);
    let value = if same { total } else { &amount.value };
    json!({ "amount": value, "currency": currency })
}

fn is_above_total(amount: &Value, order: &Value) -> bool {
    let total = &order["total"];
    amount["currency"] == total["currency"]
        && minor(text(amount, "amount")) > minor(text(total, "amount"))
}

/// What has not gone back yet; the total where all of it has, for the rules to answer.
fn left_to_refund(order: &Value) -> String {
    let total = text(&order["total"], "amount");
    let refunded = minor(text(&order["refunded"], "amount")).unwrap_or(0);
    match minor(total).and_then(|paid| paid.checked_sub(refunded)) {
        Some(left) if left > 0 && refunded > 0 => format!("{}.{:02}", left / 100, left % 100),
        _ => total.to_owned(),
    }
}

/// Something is wrong: a refund is offered where the record allows one, and never made unasked.
pub(super) fn complaint(context: &Context<'_>) -> Flow {
    let order = identify::order(context)?;
    if order["refund_eligible"] == Value::Bool(true) {
        return Ok(Move::ask(reply::offer_refund(order), Expects::RefundYes));
    }
    match text(order, "status") {
        "shipped" => status(context),
        _ => Ok(Move::ask(
            reply::complaint_without_refund(order),
            Expects::TicketYes,
        )),
    }
}

pub(super) fn refund_status(context: &Context<'_>) -> Flow {
    let order = identify::order(context)?;
    let id = text(order, "order_id");
    let Some(seen) = context.done_now("list_refunds") else {
        return Err(Move::call("list_refunds", json!({ "order_id": id })));
    };
    Ok(match read(seen.result) {
        Read::Done { output, .. } => Move::say(reply::refunds(id, output)),
        Read::NotFound | Read::Not("") => Move::say(reply::NOT_POSSIBLE),
        Read::Not(said) => Move::say(said),
    })
}

pub(super) fn status(context: &Context<'_>) -> Flow {
    let order = identify::order(context)?;
    let travels = matches!(text(order, "status"), "shipped" | "delivered");
    if !travels || !context.offers("get_tracking_info") {
        return Ok(Move::say(reply::status(order, &[])));
    }
    let Some(seen) = context.done_now("get_tracking_info") else {
        return Err(Move::call(
            "get_tracking_info",
            json!({ "order_id": text(order, "order_id") }),
        ));
    };
    let shipments = match read(seen.result) {
        Read::Done { output, .. } => list(output, "shipments"),
        Read::NotFound | Read::Not(_) => &[],
    };
    Ok(Move::say(reply::status(order, shipments)))
}

/// With an order number at hand it is looked up first: that is what makes sure who is asking.
pub(super) fn order_list(context: &Context<'_>) -> Flow {
    if context.state.order.is_some() {
        identify::order(context)?;
    } else {
        identify::customer(context)?;
    }
    let Some(seen) = context.done_now("get_customer_orders") else {
        return Err(Move::call("get_customer_orders", json!({})));
    };
    Ok(match read(seen.result) {
        Read::Done { output, .. } => Move::say(reply::orders(list(output, "orders"))),
        Read::Not(said) if !said.is_empty() => {
            Move::ask(reply::or_a_colleague(said), Expects::Details)
        }
        Read::NotFound | Read::Not(_) => Move::say(reply::NOT_POSSIBLE),
    })
}

pub(super) fn cancel(context: &Context<'_>) -> Flow {
    let order = identify::order(context)?;
    let id = text(order, "order_id");
    if context.done_now("cancel_order").is_some()
        || matches!(text(order, "status"), "pending" | "processing")
    {
        let arguments = json!({ "order_id": id, "reason": reason(context) });
        return Ok(effect(context, "cancel_order", arguments));
    }
    Ok(match text(order, "status") {
        "shipped" => Move::ask(reply::shipped_options(id), Expects::Choice),
        "delivered" => Move::ask(reply::delivered_instead(order), Expects::ReturnYes),
        _ => Move::say(reply::status(order, &[])),
    })
}

pub(super) fn give_back(context: &Context<'_>) -> Flow {
    let order = identify::order(context)?;
    let id = text(order, "order_id");
    match text(order, "status") {
        "pending" | "processing" => Ok(Move::ask(reply::cancel_instead(id), Expects::CancelYes)),
        "cancelled" | "returned" => Ok(Move::say(reply::status(order, &[]))),
        _ => {
            let arguments = json!({ "order_id": id, "reason": reason(context) });
            Ok(effect(context, "create_return", arguments))
        }
    }
}

pub(super) fn credit(context: &Context<'_>) -> Flow {
    if let Some(question) = amount_unclear(context) {
        return Ok(question);
    }
    let order = identify::order(context)?;
    if !context.state.is_wronged {
        return Ok(hand_over(
            context,
            "The customer asks for goodwill credit",
            "p3",
            "billing",
        ));
    }
    let amount = match &context.state.amount {
        Some(asked) => stated(asked, order),
        None => json!({ "amount": USUAL_CREDIT, "currency": text(&order["total"], "currency") }),
    };
    let arguments = json!({ "amount": amount, "reason": reason(context) });
    Ok(effect(context, "add_credit", arguments))
}

pub(super) fn update(context: &Context<'_>) -> Flow {
    let new = &context.state.new;
    let given = [
        ("email", &new.email),
        ("phone", &new.phone),
        ("address", &new.address),
    ];
    let arguments: serde_json::Map<String, Value> = given
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value.clone()?))))
        .collect();
    if arguments.is_empty() {
        return Ok(Move::ask(
            reply::which_value(&context.state.reason),
            Expects::NewValue,
        ));
    }
    identify::order(context)?;
    Ok(effect(
        context,
        "update_customer_info",
        Value::Object(arguments),
    ))
}

/// The customer's own words, as far as a backend has room for them.
fn reason(context: &Context<'_>) -> String {
    let words = context
        .state
        .reason
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let said: String = words.chars().take(300).collect();
    if said.is_empty() {
        "asked for by the customer".to_owned()
    } else {
        said
    }
}

pattern!(
    PART,
    r"(?i)\b(?:half|part of|partial(?:ly)?|a third|two thirds|a quarter|some of)\b|\d ?(?:%|percent)"
);
