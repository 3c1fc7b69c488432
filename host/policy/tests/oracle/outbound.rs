//! The same for what a running plugin sends: one grant, requests inside and outside of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use policy::{
    Actor, BodyForm, BodyRule, Call, CapabilityDecision, Channel, Effect, HttpGrant, HttpRequest,
    PathPattern, Role, Rulebook, Scope,
};
use serde_json::json;

use crate::Tally;
use crate::generate::Dice;

const MOST_BYTES: usize = 1 << 20;

/// One outbound request, plainly.
#[derive(Debug)]
struct Sent {
    effect: Effect,
    tool: &'static str,
    method: &'static str,
    origin: &'static str,
    path: &'static str,
    /// What the body says of the amount, minor units.
    says: Option<i64>,
    /// There is no body at all.
    bare: bool,
    /// Spaces that make the body large.
    padding: usize,
    before: u32,
    most: u32,
}

/// What was permitted, minor units.
const PERMITTED: i64 = 4_999;

/// By the prose: the operator grants one backend, GET and POST under /orders and a search; only refunds go there, with the
/// permitted amount. Reads change nothing, and what only asks has no body. Requests and bytes are bounded.
fn expected(sent: &Sent) -> &'static str {
    let search = sent.path == "/search" && sent.method == "POST";
    let listed = sent.path == "/orders/7" && ["GET", "POST"].contains(&sent.method);
    let granted = sent.origin == "https://shop.example.com"
        && sent.tool == "process_refund"
        && (search || listed);
    let safe = sent.method == "GET" || search;
    if !granted {
        return "deny NOT_GRANTED";
    }
    if sent.effect == Effect::Read && !safe {
        return "deny READ_CANNOT_WRITE";
    }
    if sent.method == "GET" && !sent.bare {
        return "deny NOT_AS_PERMITTED";
    }
    if !safe && (sent.bare || sent.says != Some(PERMITTED)) {
        return "deny NOT_AS_PERMITTED";
    }
    if sent.before >= sent.most {
        return "deny HTTP_BUDGET";
    }
    if body(sent).len() > MOST_BYTES {
        return "deny HTTP_BODY";
    }
    if safe { "send" } else { "send, recorded" }
}

pub(crate) fn decide(rulebook: &Rulebook, dice: &mut Dice, tally: &mut Tally) {
    let sent = generate(dice);
    let call = Call {
        tenant: "demo".to_owned(),
        case: "case".to_owned(),
        actor: Actor {
            role: Role::Agent,
            subject: "agent".to_owned(),
        },
        channel: Channel::Chat,
        tool: sent.tool.to_owned(),
        plugin_digest: "d".repeat(64),
        arguments: json!({ "amount": { "amount": "49.99", "currency": "USD" } })
            .as_object()
            .cloned()
            .unwrap(),
    };
    let scope = Scope {
        effect: sent.effect,
        grants: Arc::from([grant()]),
        max_http_calls: sent.most,
    };
    let (url, body) = (format!("{}{}", sent.origin, sent.path), body(&sent));
    let request = HttpRequest {
        method: sent.method,
        url: &url,
        body: &body,
        calls_before: sent.before,
    };
    let (line, rules) = match rulebook.decide_http(&call, &scope, &request) {
        CapabilityDecision::Allow { unsafe_request, .. } => {
            let line = if unsafe_request {
                "send, recorded"
            } else {
                "send"
            };
            (line.to_owned(), vec!["http.granted".to_owned()])
        }
        CapabilityDecision::Deny(refusal) => (format!("deny {}", refusal.code), refusal.rules),
    };
    tally.compare(expected(&sent), &line, || format!("{sent:?}"));
    tally.decided(&line, &rules);
}

fn generate(dice: &mut Dice) -> Sent {
    Sent {
        effect: dice.pick(&[
            Effect::Read,
            Effect::Write,
            Effect::Write,
            Effect::Escalation,
        ]),
        tool: dice.pick(&[
            "process_refund",
            "process_refund",
            "process_refund",
            "process_refund",
            "add_credit",
        ]),
        method: dice.pick(&["GET", "POST", "POST", "POST", "PUT", "DELETE", "HEAD"]),
        origin: dice.pick(&[
            "https://shop.example.com",
            "https://shop.example.com",
            "https://shop.example.com",
            "https://shop.example.org",
            "http://shop.example.com",
        ]),
        path: dice.pick(&[
            "/orders/7",
            "/orders/7",
            "/search",
            "/orders",
            "/orders/7/8",
        ]),
        says: dice.pick(&[
            Some(PERMITTED),
            Some(PERMITTED),
            Some(PERMITTED),
            Some(5_000),
            None,
        ]),
        bare: dice.one_in(2),
        padding: if dice.one_in(50) {
            dice.pick(&[MOST_BYTES - 25, MOST_BYTES, MOST_BYTES + 1])
        } else {
            0
        },
        before: u32::try_from(dice.between(0, 8)).unwrap(),
        most: dice.pick(&[5, 6, 16]),
    }
}

fn body(sent: &Sent) -> Vec<u8> {
    if sent.bare {
        return Vec::new();
    }
    let mut body = match sent.says {
        Some(minor) => format!("{{\"minor\":{minor}}}"),
        None => "{}".to_owned(),
    };
    body.extend(std::iter::repeat_n(' ', sent.padding));
    body.into_bytes()
}

fn grant() -> HttpGrant {
    let pattern = |text: &str| PathPattern(text.to_owned());
    let amount = BodyRule {
        at: "/minor".to_owned(),
        is: "/amount".to_owned(),
        form: BodyForm::MinorUnits,
    };
    HttpGrant {
        origin: "https://shop.example.com".to_owned(),
        methods: vec!["GET".to_owned(), "POST".to_owned()],
        paths: vec![pattern("/orders/*")],
        safe_posts: vec![pattern("/search")],
        bodies: policy::BodyEncoding::Json,
        credential: None,
        nature: policy::Nature::Neither,
        private_network: false,
        tools: BTreeMap::from([("process_refund".to_owned(), vec![amount])]),
    }
}
