//! The input of a decision as people write it down: what they leave out is filled in.

use std::collections::BTreeMap;

use anyhow::{anyhow, bail};
use policy::{
    Actor, Call, Channel, Consent, DecisionInput, Entity, Fact, Facts, Identity, Level, Prior, Role,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

use crate::host::demo;

/// What an input looks like, for the command's help.
pub(super) const EXAMPLE: &str = r#"CALL.json holds the call and what the host knew. Only "call.tool" is required; a recorded decision has the same form, with every
field filled in. "now" and "established_at" (Unix seconds) are the present moment where they are left out.

  {
    "call": {
      "tool": "process_refund",
      "arguments": { "order_id": "ORD-8842", "amount": { "amount": "200.00", "currency": "USD" }, "reason": "broken" },
      "actor": { "role": "agent", "subject": "agent:offline" },
      "channel": "chat"
    },
    "facts": {
      "identity": { "level": "matched", "customer": "C-1001" },
      "entities": [
        { "kind": "order", "id": "ORD-8842", "attributes": {
            "owner": "C-1001", "status": "delivered", "refund_eligible": true, "delivered_at": "2026-11-15T12:00:00Z",
            "total": { "amount": "400.00", "currency": "USD" }, "refunded": { "amount": "0.00", "currency": "USD" } } }
      ],
      "spent": { "refund_customer_day": 0, "refund_tenant_day": 0 },
      "consent": null,
      "prior": "none"
    }
  }

  role: agent, supervisor, admin            level: anonymous, claimed, matched, verified
  channel: chat, mcp, http, terminal, host  consent: null, or { "from": "customer" or "staff", "by": "alice" }
  prior (what the ledger holds under the call's key): none, same, own, other
"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    call: WrittenCall,
    #[serde(default)]
    facts: WrittenFacts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCall {
    tool: String,
    #[serde(default)]
    arguments: Map<String, Value>,
    actor: Option<Actor>,
    channel: Option<Channel>,
    tenant: Option<String>,
    case: Option<String>,
    #[serde(default)]
    plugin_digest: String,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenFacts {
    now: Option<i64>,
    identity: WrittenIdentity,
    entities: Vec<WrittenEntity>,
    spent: BTreeMap<String, i64>,
    consent: Option<Consent>,
    prior: Prior,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenIdentity {
    level: Level,
    customer: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEntity {
    kind: String,
    id: String,
    established_at: Option<i64>,
    #[serde(default)]
    attributes: Map<String, Value>,
}

/// Reads an input; `now` (Unix seconds) stands where no time is written.
pub(super) fn read(text: &str, now: i64) -> anyhow::Result<DecisionInput<'static>> {
    let mut json = serde_json::Deserializer::from_str(text);
    let written: Result<Written, _> = serde_path_to_error::deserialize(&mut json);
    let written = written.map_err(|error| {
        let field = error.path().to_string();
        anyhow!("at {field}: {}", error.inner())
    })?;
    json.end()?;
    let now = written.facts.now.unwrap_or(now);
    Ok(DecisionInput {
        call: Cow::Owned(written.call.complete()),
        facts: Cow::Owned(written.facts.complete(now)?),
    })
}

impl WrittenCall {
    fn complete(self) -> Call {
        let somebody = || Actor {
            role: Role::Agent,
            subject: "agent".to_owned(),
        };
        Call {
            tenant: self.tenant.unwrap_or_else(|| demo::TENANT.to_owned()),
            case: self.case.unwrap_or_else(|| "case".to_owned()),
            actor: self.actor.unwrap_or_else(somebody),
            channel: self.channel.unwrap_or(Channel::Chat),
            tool: self.tool,
            plugin_digest: self.plugin_digest,
            arguments: self.arguments,
        }
    }
}

impl WrittenFacts {
    fn complete(self, now: i64) -> anyhow::Result<Facts> {
        let mut entities = BTreeMap::new();
        for (place, one) in self.entities.into_iter().enumerate() {
            let entity = Entity {
                kind: one.kind,
                id: one.id,
            };
            let fact = Fact {
                established_at: one.established_at.unwrap_or(now),
                attributes: one.attributes,
            };
            if entities.insert(entity, fact).is_some() {
                bail!("at facts.entities[{place}]: this entity is there already");
            }
        }
        Ok(Facts {
            now,
            identity: Identity {
                level: self.identity.level,
                customer: self.identity.customer,
            },
            entities,
            spent: self.spent,
            consent: self.consent,
            prior: self.prior,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        read(text, 5).unwrap_err().to_string()
    }

    #[test]
    fn the_example_of_the_help_is_an_input() {
        let from = EXAMPLE.find("  {").unwrap();
        let to = EXAMPLE.find("\n  }\n").unwrap() + 4;
        let input = read(&EXAMPLE[from..to], 5).unwrap();
        assert_eq!(input.call.tool, "process_refund");
        assert_eq!(input.facts.entities.len(), 1);
    }

    #[test]
    fn what_was_recorded_is_an_input_and_comes_back_the_same() {
        let written = r#"{ "call": { "tool": "get_ticket", "arguments": { "ticket_id": "T-1" } }, "facts": { "prior": "same",
            "entities": [{ "kind": "ticket", "id": "T-1", "attributes": { "owner": "C-1" } }] } }"#;
        let input = read(written, 5).unwrap();
        assert_eq!(input.facts.now, 5);
        let recorded = serde_json::to_string(&input).unwrap();
        assert_eq!(read(&recorded, 6).unwrap(), input);
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_field() {
        for (text, words) in [
            ("", vec!["EOF"]),
            ("{}", vec!["missing field `call`"]),
            (r#"{"call":{}}"#, vec!["call", "missing field `tool`"]),
            (
                r#"{"call":{"tool":"x","args":{}}}"#,
                vec!["call.args", "unknown field"],
            ),
            (
                r#"{"call":{"tool":"x"},"facts":{"identity":{"level":"sure"}}}"#,
                vec!["facts.identity.level", "`sure`", "`matched`"],
            ),
            (
                r#"{"call":{"tool":"x"},"facts":{"spent":{"day":"lots"}}}"#,
                vec!["facts.spent.day", "lots"],
            ),
            (
                r#"{"call":{"tool":"x"},"facts":{"entities":[{"kind":"order"}]}}"#,
                vec!["facts.entities[0]", "missing field `id`"],
            ),
            (
                r#"{"call":{"tool":"x"},"facts":{"entities":[{"kind":"a","id":"1"},{"kind":"a","id":"1"}]}}"#,
                vec!["facts.entities[1]", "already"],
            ),
            (r#"{"call":{"tool":"x"}} {}"#, vec!["trailing characters"]),
        ] {
            let refusal = refusal(text);
            for word in words {
                assert!(refusal.contains(word), "{text} is refused with {refusal:?}");
            }
        }
    }
}
