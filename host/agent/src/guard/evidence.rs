//! What a case has shown to have happened: the effects that settled in it, and what its tools have released.

use std::collections::BTreeSet;

use dispatch::Event;
use serde_json::Value;

use super::claims::Claim;
use crate::{Tenant, pattern::pattern};

/// What may be claimed and quoted in a case.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    effects: BTreeSet<String>,
    recorded: BTreeSet<&'static str>,
    released: String,
    /// What articles say, in letters and digits only.
    articles: String,
    settled: String,
}

impl Evidence {
    /// Reads the case's events.
    pub fn of(events: &[Event], tenant: &Tenant) -> Self {
        let mut evidence = Self::default();
        for event in events {
            evidence.read(event, tenant);
        }
        evidence
    }

    fn read(&mut self, event: &Event, tenant: &Tenant) {
        match event {
            Event::ToolResult {
                tool,
                outcome,
                content,
                ..
            } => {
                let text = content.to_string();
                if matches!(outcome.as_str(), "ok" | "replayed") {
                    self.record(content);
                    if tenant.publishes(tool) {
                        self.articles.push_str(&letters(&text));
                    }
                    if let Some(claim) = tenant.claim(tool) {
                        self.effects.insert(claim.to_owned());
                        self.settled.push_str(&text);
                    }
                }
                self.released.push_str(&text);
            }
            Event::ToolCall { arguments, .. } => self.settled.push_str(&arguments.to_string()),
            Event::Escalation { .. } => {
                self.effects.insert("escalation".to_owned());
            }
            Event::Customer { text, .. } => self.released.push_str(text),
            _ => {}
        }
    }

    /// What a backend's own record says of the past: an order cancelled before this case began, say.
    fn record(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    self.recorded.extend(recorded(name, field));
                    self.record(field);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.record(item)),
            _ => {}
        }
    }

    /// Something in this case bears the claim out: an effect of its kind for what was done here, a record for what is so.
    /// Amounts and order numbers in the sentence must have been seen.
    pub fn supports(&self, claim: &Claim) -> bool {
        if self.quotes_article(claim) {
            return true;
        }
        let effect = self.effects.contains(claim.kind);
        let borne_out = effect || (!claim.own && self.recorded.contains(claim.kind));
        borne_out && self.knows_details(claim)
    }

    /// A tool has released this text to the customer, or the customer brought it up.
    pub fn released(&self, text: &str) -> bool {
        super::contains_whole(&self.released, text)
    }

    /// What an article says of refunds in general, said word for word, claims nothing of this case.
    fn quotes_article(&self, claim: &Claim) -> bool {
        const LONG_ENOUGH: usize = 16;
        let clause = letters(&claim.clause);
        !claim.own && clause.len() >= LONG_ENOUGH && self.articles.contains(&clause)
    }

    fn knows_details(&self, claim: &Claim) -> bool {
        DETAIL.find_iter(&claim.sentence).all(|detail| {
            let detail = detail.as_str();
            super::contains_whole(&self.released, detail)
                || super::contains_whole(&self.settled, detail)
        })
    }
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The claims that a field of a released record bears out.
fn recorded(name: &str, field: &Value) -> Option<&'static str> {
    let text = field.as_str().unwrap_or_default();
    match name {
        "status" if text == "cancelled" => Some("cancel"),
        "status" if text == "returned" => Some("return"),
        "refunded" | "refunds" if amounts_to_something(field) => Some("refund"),
        "refund_note" if text.to_lowercase().contains("refunded") => Some("refund"),
        _ => None,
    }
}

fn amounts_to_something(field: &Value) -> bool {
    match field {
        Value::Array(items) => !items.is_empty(),
        Value::Object(money) => money
            .get("amount")
            .and_then(Value::as_str)
            .is_some_and(|amount| amount.chars().any(|digit| ('1'..='9').contains(&digit))),
        _ => false,
    }
}

pattern!(DETAIL, r"\b\d+\.\d{2}\b|\b[A-Z]{2,5}-\d{2,}\b");
