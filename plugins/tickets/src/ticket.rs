//! A ticket as the backend writes one, and as the contract wants one.

use serde::{Deserialize, Serialize};

use crate::bindings::exports::switchboard::tickets::tickets::{
    Error, Ticket, TicketMessage, TicketPriority, TicketStatus,
};

/// The body that opens a ticket.
#[derive(Serialize)]
pub(crate) struct NewTicket {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) customer_id: Option<String>,
    pub(crate) subject: String,
    pub(crate) description: String,
    pub(crate) priority: Priority,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) category: Option<String>,
}

/// The body that changes a ticket: only what is there is sent.
#[derive(Debug, Serialize)]
pub(crate) struct Changes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<Priority>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) assignee: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

impl Changes {
    /// At least one must be given.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        let is_empty = self.status.is_none()
            && self.priority.is_none()
            && self.assignee.is_none()
            && self.note.is_none();
        if is_empty {
            return Err(Error::invalid_input(
                "give at least one of status, priority, assignee and note",
            ));
        }
        Ok(self)
    }
}

/// A ticket as the backend writes one.
#[derive(Deserialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) customer_id: Option<String>,
    pub(crate) subject: String,
    pub(crate) description: String,
    pub(crate) status: Status,
    pub(crate) priority: Priority,
    category: Option<String>,
    assignee: Option<String>,
    #[serde(default)]
    pub(crate) messages: Vec<Message>,
    created_at: Option<String>,
}

/// One message of a ticket.
#[derive(Deserialize)]
pub(crate) struct Message {
    /// `customer` or `agent`.
    pub(crate) from: String,
    pub(crate) at: String,
    pub(crate) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Open,
    Pending,
    Resolved,
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Priority {
    Low,
    Normal,
    High,
    Urgent,
}

impl From<Record> for Ticket {
    fn from(record: Record) -> Self {
        Self {
            ticket_id: record.id,
            customer_id: record.customer_id,
            subject: record.subject,
            description: record.description,
            status: record.status.into(),
            priority: record.priority.into(),
            category: record.category,
            assignee: record.assignee,
            messages: record
                .messages
                .into_iter()
                .map(TicketMessage::from)
                .collect(),
            created_at: record.created_at,
        }
    }
}

impl From<Message> for TicketMessage {
    fn from(message: Message) -> Self {
        Self {
            author: message.from,
            at: message.at,
            text: message.text,
        }
    }
}

impl From<Status> for TicketStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Open => Self::Open,
            Status::Pending => Self::Pending,
            Status::Resolved => Self::Resolved,
            Status::Closed => Self::Closed,
        }
    }
}

impl From<TicketStatus> for Status {
    fn from(status: TicketStatus) -> Self {
        match status {
            TicketStatus::Open => Self::Open,
            TicketStatus::Pending => Self::Pending,
            TicketStatus::Resolved => Self::Resolved,
            TicketStatus::Closed => Self::Closed,
        }
    }
}

impl From<Priority> for TicketPriority {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::Low => Self::Low,
            Priority::Normal => Self::Normal,
            Priority::High => Self::High,
            Priority::Urgent => Self::Urgent,
        }
    }
}

impl From<TicketPriority> for Priority {
    fn from(priority: TicketPriority) -> Self {
        match priority {
            TicketPriority::Low => Self::Low,
            TicketPriority::Normal => Self::Normal,
            TicketPriority::High => Self::High,
            TicketPriority::Urgent => Self::Urgent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Changes, Status};

    #[test]
    fn only_given_changes_are_sent() {
        let changes = Changes {
            status: Some(Status::Resolved),
            priority: None,
            assignee: None,
            note: None,
        };
        let body = serde_json::to_string(&changes.checked().unwrap()).unwrap();
        assert_eq!(body, r#"{"status":"resolved"}"#);
    }

    #[test]
    fn a_change_of_nothing_is_refused() {
        let nothing = Changes {
            status: None,
            priority: None,
            assignee: None,
            note: None,
        };
        assert!(nothing.checked().is_err());
    }
}
