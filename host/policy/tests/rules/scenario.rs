//! The vocabulary of the tables: one call, what the host knows, and the decision in one line.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use policy::{
    Actor, Call, Channel, Consent, ConsentFrom, Decision, Entity, Fact, Facts, Identity, Level,
    Prior, Priority, Role, Rulebook, RulebookSource, Settings, ToolRule,
};
use serde_json::{Map, Value, json};

/// 2026-11-20T12:00:00Z.
pub(crate) const NOW: i64 = 1_795_176_000;

/// The customer whose case it is.
pub(crate) const SARAH: &str = "CUS-1";
/// Somebody else.
pub(crate) const BOB: &str = "CUS-2";

#[derive(serde::Deserialize)]
struct Contract {
    tool: BTreeMap<String, ToolRule>,
}

/// The built-in classification, as the product has it.
pub(crate) fn contract() -> BTreeMap<String, ToolRule> {
    let text = include_str!("../../../../wit/contract.toml");
    toml::from_str::<Contract>(text)
        .expect("the contract reads")
        .tool
}

pub(crate) fn source() -> RulebookSource {
    RulebookSource::shipped(contract(), Settings::default())
}

pub(crate) static SHIPPED: LazyLock<Rulebook> =
    LazyLock::new(|| Rulebook::load(source()).unwrap_or_else(|error| panic!("{error}")));

/// One call and everything that its decision depends on.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) call: Call,
    pub(crate) facts: Facts,
}

/// An anonymous customer's agent calls a tool on the web chat.
pub(crate) fn call(tool: &str, arguments: Value) -> Scenario {
    let Value::Object(arguments) = arguments else {
        panic!("arguments are an object");
    };
    Scenario {
        call: Call {
            tenant: "demo".to_owned(),
            case: "case-1".to_owned(),
            actor: Actor {
                role: Role::Agent,
                subject: "agent:offline".to_owned(),
            },
            channel: Channel::Chat,
            tool: tool.to_owned(),
            plugin_digest: "d".repeat(64),
            arguments,
        },
        facts: Facts {
            now: NOW,
            ..Facts::default()
        },
    }
}

/// A refund of the order ORD-1 for a matched Sarah, its order not looked up yet.
pub(crate) fn refund(amount: &str) -> Scenario {
    let arguments = json!({ "order_id": "ORD-1", "amount": usd(amount), "reason": "broken" });
    call("process_refund", arguments).matched(SARAH)
}

pub(crate) fn usd(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "USD" })
}

/// What a lookup says of Sarah's order: 400.00, delivered five days ago, refundable; with these changes (null removes).
pub(crate) fn order(changes: Value) -> Value {
    let mut order = json!({
        "owner": SARAH,
        "status": "delivered",
        "total": usd("400.00"),
        "refunded": usd("0.00"),
        "refund_eligible": true,
        "delivered_at": "2026-11-15T12:00:00Z",
    });
    let changes = changes.as_object().expect("changes are an object").clone();
    order.as_object_mut().expect("an object").extend(changes);
    order
}

impl Scenario {
    pub(crate) fn identity(mut self, level: Level, customer: Option<&str>) -> Self {
        self.facts.identity = Identity {
            level,
            customer: customer.map(str::to_owned),
        };
        self
    }

    pub(crate) fn anonymous(self) -> Self {
        self.identity(Level::Anonymous, None)
    }

    pub(crate) fn claimed(self, customer: &str) -> Self {
        self.identity(Level::Claimed, Some(customer))
    }

    pub(crate) fn matched(self, customer: &str) -> Self {
        self.identity(Level::Matched, Some(customer))
    }

    pub(crate) fn staff(mut self) -> Self {
        self.call.actor = Actor {
            role: Role::Supervisor,
            subject: "user:alice".to_owned(),
        };
        self
    }

    /// The case has established this of an entity, a minute ago.
    pub(crate) fn seen(self, kind: &str, id: &str, attributes: Value) -> Self {
        self.seen_ago(60, kind, id, attributes)
    }

    pub(crate) fn seen_ago(
        mut self,
        seconds: i64,
        kind: &str,
        id: &str,
        attributes: Value,
    ) -> Self {
        let entity = Entity {
            kind: kind.to_owned(),
            id: id.to_owned(),
        };
        let attributes: Map<String, Value> = attributes.as_object().expect("an object").clone();
        let fact = Fact {
            established_at: NOW - seconds,
            attributes: attributes
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .collect(),
        };
        self.facts.entities.insert(entity, fact);
        self
    }

    /// Sarah's order ORD-1 was looked up, with these changes.
    pub(crate) fn looked_up(self, changes: Value) -> Self {
        self.seen("order", "ORD-1", order(changes))
    }

    pub(crate) fn spent(mut self, budget: &str, minor: i64) -> Self {
        self.facts.spent.insert(budget.to_owned(), minor);
        self
    }

    pub(crate) fn consent(mut self, from: ConsentFrom) -> Self {
        self.facts.consent = Some(Consent {
            from,
            by: "somebody".to_owned(),
        });
        self
    }

    pub(crate) fn prior(mut self, prior: Prior) -> Self {
        self.facts.prior = prior;
        self
    }

    pub(crate) fn decide(&self, rulebook: &Rulebook) -> Decision {
        rulebook.decide(self.call.clone(), &self.facts, &Arc::from([]))
    }
}

/// A decision in one line: `allow`, `replay`, `deny CODE`, `escalate P1 CODE`, `ask staff P2 CODE`.
pub(crate) fn line(decision: &Decision) -> String {
    match decision {
        Decision::Allow(_) => "allow".to_owned(),
        Decision::Replay => "replay".to_owned(),
        Decision::Deny(refusal) => format!("deny {}", refusal.code),
        Decision::Escalate { priority, refusal } => {
            format!("escalate {priority:?} {}", refusal.code)
        }
        Decision::NeedsConsent {
            from,
            priority,
            refusal,
        } => {
            let from = match from {
                ConsentFrom::Customer => "customer",
                ConsentFrom::Staff => "staff",
            };
            let priority = priority.map_or(String::new(), |at: Priority| format!("{at:?} "));
            format!("ask {from} {priority}{}", refusal.code)
        }
    }
}

/// The ids of the rules that decided against it.
pub(crate) fn rules(decision: &Decision) -> Vec<String> {
    match decision {
        Decision::Allow(_) | Decision::Replay => vec![],
        Decision::Deny(refusal)
        | Decision::Escalate { refusal, .. }
        | Decision::NeedsConsent { refusal, .. } => refusal.rules.clone(),
    }
}

/// Asserts the shipped rulebook's decision.
pub(crate) fn check(name: &str, scenario: &Scenario, expect: &str) {
    let decision = scenario.decide(&SHIPPED);
    assert_eq!(line(&decision), expect, "{name}: {decision:#?}");
}
