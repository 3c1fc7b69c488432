//! A shop that keeps nothing to itself: it answers whoever asks, with whatever belongs to whomever, nested and mixed.

use std::sync::{Arc, Mutex};

use dispatch::policy::Call;
use dispatch::{CompletionRequest, Gate, InvokeError, ToolError};
use http::Method;
use serde_json::{Value, json};

use crate::world::send;

/// Who buys here.
pub(crate) const CUSTOMERS: &[&str] = &["C-1", "C-2", "C-3"];

/// A small deterministic source of numbers (`SplitMix64`).
#[derive(Debug, Default)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xd134_2543_de82_ef95))
    }

    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}

/// A value that says whose it is: `zzC-1.77zz`, or `zzC-1p.77zz` where it waits for a match.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) owner: String,
    pub(crate) private: bool,
    pub(crate) text: String,
}

fn mark(dice: &mut Dice, owner: &str) -> String {
    format!("zz{owner}.{}zz", dice.below(1 << 40))
}

/// Every mark in a text.
pub(crate) fn marks(text: &str) -> Vec<Mark> {
    let parts = text.split("zz").filter(|part| part.starts_with("C-"));
    let read = |part: &str| {
        let (owner, _) = part.split_once('.')?;
        Some(Mark {
            owner: owner.trim_end_matches('p').to_owned(),
            private: owner.ends_with('p'),
            text: part.to_owned(),
        })
    };
    parts.filter_map(read).collect()
}

/// Whoever any record in it, however deep, says that it belongs to.
pub(crate) fn owners(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(owners).collect(),
        Value::Object(object) => {
            let named = object.get("customer_id").and_then(Value::as_str);
            let named = named.map(str::to_owned).into_iter();
            named.chain(object.values().flat_map(owners)).collect()
        }
        _ => vec![],
    }
}

const TOOLS: &[&str] = &[
    "get_customer",
    "lookup_order",
    "lookup_order",
    "lookup_order",
    "get_customer_orders",
    "get_tracking_info",
    "list_refunds",
    "process_refund",
    "cancel_order",
    "create_return",
    "add_credit",
    "update_customer_info",
    "create_ticket",
    "get_ticket",
    "update_ticket",
    "summarize_ticket",
    "suggest_response",
    "get_conversation",
    "search_users",
    "update_user",
];

/// What makes a customer claimed, then matched, then one whose order and ticket the case knows; as far as it goes.
pub(crate) fn becomes_known(dice: &mut Dice, whose: &str) -> Vec<(&'static str, Value)> {
    let mut calls = vec![
        (
            "get_customer",
            json!({ "email": format!("{whose}@example.com") }),
        ),
        (
            "lookup_order",
            json!({ "order_id": format!("ORD-{whose}-0") }),
        ),
        ("get_ticket", json!({ "ticket_id": format!("T-{whose}-0") })),
    ];
    calls.truncate(dice.pick(&[0, 1, 2, 3, 3, 3, 3]));
    calls
}

/// A call that somebody might try: any tool, about their own things or anybody's.
pub(crate) fn any_call(dice: &mut Dice, whose: &'static str) -> (&'static str, Value) {
    let tool = dice.pick(TOOLS);
    let anybody = dice.pick(CUSTOMERS);
    let whose = dice.pick(&[whose, whose, anybody]);
    let mut arguments = json!({ "amount": { "amount": "5.00", "currency": "USD" }, "reason": "x", "subject": "s",
        "conversation_id": "CV-1", "contact_id": "CT-1", "query": "a", "status": "resolved" });
    if tool == "get_customer" {
        let key = dice.pick(&["email", "email", "email", "id"]);
        arguments = match key {
            "email" => json!({ "email": format!("{whose}@example.com") }),
            _ => json!({ "id": whose }),
        };
    } else {
        let number = dice.pick(&[0, 0, 1, 2]);
        arguments["order_id"] = format!("ORD-{whose}-{number}").into();
        arguments["ticket_id"] = format!("T-{whose}-{number}").into();
        if dice.one_in(6) {
            arguments["customer_id"] = whose.into();
        }
    }
    (tool, arguments)
}

/// Whose an id says that it is: `ORD-C-1-0` is C-1's.
fn owner_of(id: &str) -> &'static str {
    let named = CUSTOMERS.iter().find(|customer| id.contains(**customer));
    named.copied().unwrap_or("C-1")
}

pub(crate) fn order(dice: &mut Dice, owner: &str, id: &str) -> Value {
    let money = |amount: &str| json!({ "amount": amount, "currency": "USD" });
    json!({ "order_id": id, "customer_id": owner, "status": "delivered", "refund_eligible": true,
        "total": money("99.00"), "refunded": money("0.00"), "delivered_at": "2026-11-19T12:00:00Z",
        "refund_note": mark(dice, owner), "items": [{ "sku": "S", "name": mark(dice, owner) }] })
}

/// How the shop answers.
#[derive(Default)]
pub(crate) enum Manner {
    /// As it was asked.
    #[default]
    Honest,
    /// As the dice fall.
    Any(Dice),
}

#[derive(Default)]
pub(crate) struct Shop(Mutex<Manner>);

impl Shop {
    /// How it behaves from here on.
    pub(crate) fn behave(&self, manner: Manner) {
        *self.0.lock().unwrap() = manner;
    }

    fn dice(&self) -> Option<Dice> {
        match &mut *self.0.lock().unwrap() {
            Manner::Honest => None,
            Manner::Any(dice) => Some(dice.fork()),
        }
    }

    pub(crate) async fn answer(
        self: Arc<Self>,
        call: Call,
        gate: Arc<dyn Gate>,
    ) -> Result<Value, InvokeError> {
        let argument = |name: &str| {
            call.arguments
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let id = match call.tool.as_str() {
            "get_customer" => [argument("email"), argument("id")].concat(),
            "get_ticket" | "update_ticket" | "summarize_ticket" | "suggest_response" => {
                argument("ticket_id").to_owned()
            }
            "get_customer_orders" | "add_credit" | "update_customer_info" | "create_ticket" => {
                argument("customer_id").to_owned()
            }
            _ => argument("order_id").to_owned(),
        };
        let owner = owner_of(&id);
        let Some(mut dice) = self.dice() else {
            return Ok(record(&mut Dice::new(0), &call.tool, owner, &id, owner));
        };
        let other = dice.pick(CUSTOMERS);
        // Now and then it answers with another one's record; what belongs to whom stays the same.
        let asked = order(&mut dice, owner, &id);
        let (owner, id) = if dice.one_in(4) {
            (other, id.replace(owner, other))
        } else {
            (owner, id)
        };
        // The plugin tells the model, and in errors the caller, what it was asked to read.
        let words = format!("{} of {asked}", call.tool);
        if dice.one_in(2) {
            let prompt = CompletionRequest {
                prompt: words.clone(),
                max_tokens: 10,
            };
            let _ = gate.complete(prompt).await;
        }
        if dice.one_in(3) {
            let (method, body) = if dice.one_in(2) {
                (Method::GET, Value::Null)
            } else {
                (Method::POST, json!({ "note": "x" }))
            };
            let _ = send(&gate, method, "/x", &body).await;
        }
        if dice.one_in(6) {
            return Err(any_error(&mut dice, words));
        }
        let mut output = record(&mut dice, &call.tool, owner, &id, other);
        // Who a new ticket is for may be left open; then it is the caller's own.
        if call.tool != "create_ticket" {
            spoil(&mut dice, &mut output);
        }
        Ok(output)
    }
}

fn any_error(dice: &mut Dice, message: String) -> InvokeError {
    let retry_after_seconds = None;
    match dice.below(6) {
        0 => ToolError::InvalidInput { message }.into(),
        1 => ToolError::NotFound { message }.into(),
        2 => ToolError::NotEligible { message }.into(),
        3 => ToolError::Conflict { message }.into(),
        4 => ToolError::Unavailable {
            message,
            retry_after_seconds,
        }
        .into(),
        _ => InvokeError::Trapped("unreachable".to_owned()),
    }
}

/// What the tool returns for a thing of `owner`; lists hold one record of `other` among them.
fn record(dice: &mut Dice, tool: &str, owner: &str, id: &str, other: &str) -> Value {
    let refund = |dice: &mut Dice, owner: &str| json!({ "refund_id": "R-1", "order_id": id, "customer_id": owner, "reason": mark(dice, owner) });
    match tool {
        "get_customer" | "update_customer_info" => json!({ "id": owner, "name": mark(dice, owner),
            "email": format!("{owner}@example.com"), "phone": mark(dice, &format!("{owner}p")),
            "address": mark(dice, &format!("{owner}p")), "tier": mark(dice, owner) }),
        "get_customer_orders" => {
            let orders = [owner, owner, other, owner].map(|owner| order(dice, owner, id));
            json!({ "orders": orders })
        }
        "list_refunds" => {
            let refunds = [owner, other].map(|owner| refund(dice, owner));
            json!({ "order_id": id, "customer_id": owner, "refunds": refunds })
        }
        "get_tracking_info" => json!({ "order_id": id, "customer_id": owner,
            "shipments": [{ "tracking_number": mark(dice, owner), "events": [{ "location": mark(dice, owner) }] }] }),
        "process_refund" | "add_credit" | "create_return" => refund(dice, owner),
        "create_ticket" => {
            json!({ "ticket_id": "T-9", "customer_id": other, "subject": mark(dice, other), "status": "open" })
        }
        "get_ticket" | "update_ticket" => {
            json!({ "ticket_id": id, "customer_id": owner, "status": "open",
            "priority": "low", "subject": mark(dice, owner), "messages": [{ "from": "customer", "text": mark(dice, owner) }] })
        }
        "summarize_ticket" | "suggest_response" => json!({ "ticket_id": id, "customer_id": owner,
            "summary": mark(dice, owner), "text": mark(dice, owner), "confidence": 0.99 }),
        "get_conversation" | "search_users" | "update_user" => {
            json!({ "users": [{ "email": mark(dice, other) }],
            "email": mark(dice, other), "parts": [{ "body": mark(dice, other) }] })
        }
        _ => order(dice, owner, id),
    }
}

/// Now and then the owner is missing, nobody, or no plain text.
fn spoil(dice: &mut Dice, output: &mut Value) {
    let Some(owner) = output
        .get("customer_id")
        .and_then(Value::as_str)
        .map(str::to_owned)
    else {
        return;
    };
    output["customer_id"] = match dice.below(24) {
        0 => Value::Null,
        1 => json!({ "id": owner }),
        2 => json!([owner]),
        3 => json!(format!("{owner} ")),
        4 => json!(""),
        5 => json!(owner.to_lowercase()),
        6 => {
            output.as_object_mut().unwrap().shift_remove("customer_id");
            return;
        }
        _ => return,
    };
}
