//! An escalation as the backend writes one, and as the contract wants one.

use serde::{Deserialize, Serialize};

use crate::bindings::exports::switchboard::escalations::escalations::{
    Escalation, EscalationPriority,
};

/// The body that calls a person.
#[derive(Serialize)]
pub(crate) struct NewEscalation {
    pub(crate) reason: String,
    pub(crate) priority: Priority,
    pub(crate) team: String,
    pub(crate) summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) customer_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order_id: Option<String>,
}

/// An escalation as the backend writes one.
#[derive(Deserialize)]
pub(crate) struct Record {
    id: String,
    priority: Priority,
    team: String,
    status: String,
}

/// The backend writes them in capitals.
#[derive(Deserialize, Serialize)]
pub(crate) enum Priority {
    P1,
    P2,
    P3,
}

impl From<EscalationPriority> for Priority {
    fn from(priority: EscalationPriority) -> Self {
        match priority {
            EscalationPriority::P1 => Self::P1,
            EscalationPriority::P2 => Self::P2,
            EscalationPriority::P3 => Self::P3,
        }
    }
}

impl From<Record> for Escalation {
    fn from(record: Record) -> Self {
        Self {
            escalation_id: record.id,
            priority: match record.priority {
                Priority::P1 => EscalationPriority::P1,
                Priority::P2 => EscalationPriority::P2,
                Priority::P3 => EscalationPriority::P3,
            },
            team: record.team,
            status: record.status,
        }
    }
}
