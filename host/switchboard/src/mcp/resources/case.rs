//! A case for people: what was said and done in it, and what somebody who takes over must know.

use std::fmt::Write;

use dispatch::{AuditKind, AuditRecord, Case, Event, PendingConsent, StoreError, StoredEvent};
use policy::{Entity, Fact};
use rmcp::ErrorData;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::mcp::answer;
use crate::mcp::cases::Session;
use crate::mcp::desk::Desk;

/// How many of the newest steps are told.
const STEPS: u32 = 500;

/// Everything that is known of a case.
pub(super) struct Account {
    case: Case,
    facts: Vec<(Entity, Fact)>,
    steps: Vec<Step>,
    waiting: Vec<PendingConsent>,
}

/// One thing that was said or done.
struct Step {
    at: i64,
    who: String,
    what: Value,
}

impl Desk {
    /// The case that this session's calls are in.
    pub(in crate::mcp) async fn own_case(&self, session: &Session) -> Result<String, ErrorData> {
        self.case_of(session)
            .await
            .map_err(|error| answer::unreadable(&error))
    }

    /// None where the tenant has no such case.
    pub(super) async fn account(&self, case: &str) -> Result<Option<Account>, ErrorData> {
        self.read_case(case)
            .await
            .map_err(|error| answer::unreadable(&error))
    }

    async fn read_case(&self, case: &str) -> Result<Option<Account>, StoreError> {
        let (tenant, _) = self.caller();
        let store = self.store();
        let Some(case) = store.case(tenant, case).await? else {
            return Ok(None);
        };
        let facts = store.facts(&case.id).await?.into_iter().collect();
        let said = store.events(&case.id).await?;
        let done = store.records(Some(&case.id), STEPS).await?;
        Ok(Some(Account {
            facts,
            steps: steps(&said, &done),
            waiting: store.pending(tenant, Some(&case.id)).await?,
            case,
        }))
    }
}

/// In the order of time. A conversation's own events tell its calls as well; other calls are told by the audit log.
fn steps(said: &[StoredEvent], done: &[AuditRecord]) -> Vec<Step> {
    let mut steps: Vec<Step> = if said.iter().any(|one| is_call(&one.event)) {
        Vec::new()
    } else {
        done.iter().filter_map(of_record).collect()
    };
    steps.extend(said.iter().filter_map(of_event));
    steps.sort_by_key(|step| step.at);
    steps
}

fn is_call(event: &Event) -> bool {
    matches!(event, Event::ToolResult { .. })
}

fn of_record(record: &AuditRecord) -> Option<Step> {
    let entry = &record.entry;
    let tool = entry.tool.as_ref()?;
    let what = match entry.kind {
        AuditKind::Outcome => json!({ "tool": tool, "outcome": entry.detail.get("outcome"),
            "escalation": entry.detail.get("escalation") }),
        AuditKind::Consent => json!({ "tool": tool, "consent": entry.detail.get("answer")
            .unwrap_or(&json!("asked")), "from": entry.detail.get("from") }),
        _ => return None,
    };
    Some(Step {
        at: record.at_ms / 1000,
        who: entry.actor.clone(),
        what: without_nulls(what),
    })
}

fn of_event(stored: &StoredEvent) -> Option<Step> {
    let (who, what) = match &stored.event {
        Event::Customer { text, .. } => ("customer", json!({ "said": text })),
        Event::Text { text } => ("agent", json!({ "said": text })),
        Event::ToolResult { tool, outcome, .. } => {
            ("agent", json!({ "tool": tool, "outcome": outcome }))
        }
        Event::Escalation { id, priority, team } => {
            let called = json!({ "id": id, "priority": priority, "team": team });
            ("host", json!({ "escalation": called }))
        }
        Event::ConsentAsked { question, .. } => ("host", json!({ "asked": question })),
        Event::ConsentAnswered { granted, .. } => ("customer", json!({ "consent": granted })),
        Event::Error { message } => ("host", json!({ "error": message })),
        Event::ToolCall { .. } | Event::Done { .. } => return None,
    };
    Some(Step {
        at: stored.at,
        who: who.to_owned(),
        what,
    })
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, field| !field.is_null());
    }
    value
}

impl Account {
    fn is_the_customers(&self, entity: &Entity, fact: &Fact) -> bool {
        let Some(customer) = self.case.identity.customer.as_deref() else {
            return false;
        };
        let owner = fact.attributes.get("owner").and_then(Value::as_str);
        owner == Some(customer) || (entity.kind == "customer" && entity.id == customer)
    }

    /// For a person who reads.
    pub(super) fn transcript(&self, for_staff: bool) -> String {
        let Case {
            id,
            identity,
            created_at,
            ..
        } = &self.case;
        let customer = identity.customer.as_deref().unwrap_or("not known");
        let mut text = format!(
            "# Case {id}\n\nCustomer: {customer} ({}). Status: {}. Opened: {}.\n\n",
            word(identity.level),
            word(self.case.status),
            clock(*created_at)
        );
        for Step { at, who, what } in &self.steps {
            let who = shown(who, for_staff);
            let _ = writeln!(text, "- {} {who}: {}", clock(*at), in_line(what));
        }
        for consent in &self.waiting {
            let question = one_line(&consent.question);
            let _ = writeln!(text, "- waits for {}: {question}", word(consent.from));
        }
        text
    }

    /// For a program that shows it to whoever takes over.
    ///
    /// What the host has seen is not what whoever calls may see: a result that was withheld has established facts all the same.
    /// So an agent's client reads which of the customer's own things are known, and staff read what is known of all of them.
    pub(super) fn handoff(&self, for_staff: bool) -> String {
        let established = self.facts.iter().filter_map(|(entity, fact)| {
            let known =
                json!({ "kind": entity.kind, "id": entity.id, "at": clock(fact.established_at) });
            if for_staff {
                let mut known = known;
                known["known"] = Value::Object(fact.attributes.clone());
                return Some(known);
            }
            self.is_the_customers(entity, fact).then_some(known)
        });
        let steps = self.steps.iter().map(|step| {
            let mut told = json!({ "at": clock(step.at), "by": shown(&step.who, for_staff) });
            if let (Some(told), Some(what)) = (told.as_object_mut(), step.what.as_object()) {
                told.extend(what.clone());
            }
            told
        });
        let waiting = self.waiting.iter().map(|consent| {
            json!({ "id": consent.id, "from": consent.from, "tool": consent.call.tool,
                "question": consent.question, "expires_at": clock(consent.expires_at) })
        });
        let package = json!({
            "case": self.case.id,
            "status": self.case.status,
            "opened_at": clock(self.case.created_at),
            "customer": { "id": self.case.identity.customer, "level": self.case.identity.level },
            "established": established.collect::<Vec<_>>(),
            "steps": steps.collect::<Vec<_>>(),
            "waiting": waiting.collect::<Vec<_>>(),
        });
        format!("{package:#}")
    }
}

/// Who did it. Which colleague it was is their own affair.
fn shown(who: &str, for_staff: bool) -> &str {
    if for_staff || !who.starts_with("user:") {
        who
    } else {
        "a colleague"
    }
}

/// Without anything that could pass for a line of its own: what customers and plugins write is part of it.
fn one_line(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.replace(breaks, " ")
}

/// A step's fields in one line: `tool: get_customer, outcome: ok`.
fn in_line(what: &Value) -> String {
    let fields = what.as_object().into_iter().flatten();
    let in_words = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name}: {}", one_line(text)),
        other => format!("{name}: {}", one_line(&other.to_string())),
    };
    fields.map(in_words).collect::<Vec<_>>().join(", ")
}

fn word(value: impl serde::Serialize) -> String {
    let word = serde_json::to_value(value).unwrap_or_default();
    word.as_str().unwrap_or_default().replace('_', " ")
}

fn clock(seconds: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(seconds).ok();
    at.and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default()
}
