//! The hand-off: everything that a colleague must know so that the customer need not repeat it.

use std::fmt::Write;

use dispatch::policy::{Identity, Level, Priority};
use dispatch::{EscalationRef, EscalationRequest, Event};

use super::{Action, Ending, Turn, TurnError, words};
use crate::model::offline;
use crate::triggers::{Trigger, TriggerKind};
use dispatch::CaseStatus;

/// Why the host itself calls people.
pub(super) struct Reason {
    pub(super) priority: Priority,
    pub(super) team: &'static str,
    /// In few words, for the colleague.
    pub(super) why: &'static str,
    /// What the customer hears before the reference.
    pub(super) say: &'static str,
}

/// Two clarifications failed.
pub(super) const NOT_UNDERSTOOD: Reason = Reason {
    priority: Priority::P3,
    team: "general",
    why: "Two clarifications have failed.",
    say: "I'm sorry, I still don't understand what you need, and I don't want to keep you waiting.",
};

/// A tool failed after its retries.
pub(super) const TOOL_FAILED: Reason = Reason {
    priority: Priority::P2,
    team: "technical",
    why: "A tool failed after its retries.",
    say: "I'm sorry, one of our systems does not answer right now, so I could not finish this.",
};

/// The model did not come to an end, or not to usable calls.
pub(super) const NOT_FINISHED: Reason = Reason {
    priority: Priority::P2,
    team: "technical",
    why: "The assistant could not finish within its limits.",
    say: "I'm sorry, I could not finish this.",
};

/// Staff must say yes first.
pub(super) const STAFF_APPROVAL: Reason = Reason {
    priority: Priority::P2,
    team: "billing",
    why: "A request needs a colleague's approval.",
    say: "This needs a colleague's approval first; nothing has been done yet.",
};

impl Turn<'_> {
    /// Something the customer said calls for people before anything else happens.
    pub(super) async fn call_people(&mut self, trigger: Trigger) -> Result<Ending, TurnError> {
        let say = match trigger.kind {
            TriggerKind::Person => "Of course.",
            TriggerKind::Legal | TriggerKind::Security => {
                "Thank you for telling me; this is for my colleagues to look at."
            }
            TriggerKind::Distress | TriggerKind::Anger => {
                "I'm sorry that this has gone so badly for you."
            }
        };
        self.hand_over(Reason {
            priority: trigger.priority,
            team: trigger.team,
            why: trigger.reason,
            say,
        })
        .await
    }

    /// Calls people, with the whole package, and leaves the case to them.
    pub(super) async fn hand_over(&mut self, reason: Reason) -> Result<Ending, TurnError> {
        let identity = self
            .parts
            .host
            .case(&self.request.tenant, &self.request.case)
            .await?
            .identity;
        let request = EscalationRequest {
            tenant: self.request.tenant.clone(),
            case: self.request.case.clone(),
            priority: reason.priority,
            team: reason.team.to_owned(),
            reason: reason.why.to_owned(),
            summary: summary(&identity, &self.history, reason.why),
            order: mentioned(&self.history).1.pop(),
        };
        let escalation = self.parts.host.escalate(request).await?;
        self.actions.push(Action {
            tool: "escalate_to_human".to_owned(),
            outcome: "ok".to_owned(),
        });
        self.people_called(escalation.clone()).await?;
        Ok(Ending {
            text: words::handed_over(reason.say, &escalation),
            status: CaseStatus::Escalated,
        })
    }

    /// Records people who were called, by this turn or by dispatch.
    pub(super) async fn people_called(
        &mut self,
        escalation: EscalationRef,
    ) -> Result<(), TurnError> {
        let event = Event::Escalation {
            id: escalation.id.clone(),
            priority: escalation.priority,
            team: escalation.team.clone(),
        };
        self.escalation = Some(escalation);
        self.record(event).await
    }

    /// People have it: the agent is silent about the matter.
    pub(super) fn with_colleague(&self) -> Ending {
        Ending {
            text: words::with_colleague(self.escalation.as_ref()),
            status: CaseStatus::Escalated,
        }
    }

    pub(super) fn is_more_urgent(&self, priority: Priority) -> bool {
        self.escalation
            .as_ref()
            .is_none_or(|escalation| priority < escalation.priority)
    }
}

/// The package, in lines that a person reads top down.
pub(super) fn summary(identity: &Identity, events: &[Event], why: &str) -> String {
    let (emails, orders) = mentioned(events);
    let mut text = format!("Why: {why}\nCustomer: {}\n", who(identity));
    if !emails.is_empty() || !orders.is_empty() {
        let given = [emails, orders].concat().join(", ");
        let _ = writeln!(text, "Given by the customer: {given}");
    }
    text.push_str("Said by the customer:\n");
    for said in newest_said(events) {
        let _ = writeln!(text, "- {}", shortened(said));
    }
    text.push_str(&tried(events));
    let open = newest_said(events).pop().unwrap_or_default();
    let _ = write!(text, "Open question: {}", shortened(open));
    text
}

fn who(identity: &Identity) -> String {
    let level = match identity.level {
        Level::Anonymous => "not identified",
        Level::Claimed => "claimed by e-mail or id only",
        Level::Matched => "matched by e-mail and order number",
        Level::Verified => "verified by a signed session",
    };
    match &identity.customer {
        Some(customer) => format!("{customer}, {level}"),
        None => level.to_owned(),
    }
}

fn tried(events: &[Event]) -> String {
    let lines: Vec<String> = events
        .iter()
        .filter_map(|event| match event {
            Event::ToolResult { tool, outcome, .. } => Some(format!("- {tool}: {outcome}\n")),
            _ => None,
        })
        .collect();
    match lines.as_slice() {
        [] => "Tried: nothing yet\n".to_owned(),
        lines => {
            let newest = lines.iter().skip(lines.len().saturating_sub(12));
            format!("Tried:\n{}", newest.map(String::as_str).collect::<String>())
        }
    }
}

/// The customer's last messages, oldest first.
fn newest_said(events: &[Event]) -> Vec<&str> {
    let said: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            Event::Customer { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    said.iter()
        .copied()
        .skip(said.len().saturating_sub(6))
        .collect()
}

fn shortened(text: &str) -> String {
    const CHARACTERS: usize = 600;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// E-mail addresses and order numbers in the customer's own words, each once.
fn mentioned(events: &[Event]) -> (Vec<String>, Vec<String>) {
    let (mut emails, mut orders) = (Vec::new(), Vec::new());
    for event in events {
        if let Event::Customer { text, .. } = event {
            let details = offline::details(text);
            emails.extend(
                details
                    .emails
                    .into_iter()
                    .filter(|found| !emails.contains(found))
                    .collect::<Vec<_>>(),
            );
            orders.extend(
                details
                    .orders
                    .into_iter()
                    .filter(|found| !orders.contains(found))
                    .collect::<Vec<_>>(),
            );
        }
    }
    (emails, orders)
}
