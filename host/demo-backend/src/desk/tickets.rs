//! Support tickets: opened, read, moved on, noted upon.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::customers::Customer;
use super::{Done, Found};
use crate::app::App;
use crate::idempotency::{Effect, Write};
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::request::{Id, check_line, check_text};
use crate::store::record::{self, Record};

/// A ticket takes no more messages than this.
const MOST_MESSAGES: usize = 500;

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Open,
    Pending,
    Resolved,
    Closed,
}

/// How urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Priority {
    Low,
    Normal,
    High,
    Urgent,
}

/// One message of a ticket; `from` is `customer` or `agent`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    from: String,
    at: Moment,
    text: String,
}

/// A support ticket.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ticket {
    id: String,
    customer_id: Option<String>,
    subject: String,
    description: String,
    status: Status,
    priority: Priority,
    category: Option<String>,
    assignee: Option<String>,
    messages: Vec<Message>,
    created_at: Moment,
    updated_at: Moment,
}

impl Record for Ticket {
    const KIND: &'static str = "ticket";

    fn id(&self) -> &str {
        &self.id
    }

    fn listed_under(&self) -> Option<String> {
        self.customer_id.clone()
    }

    fn moments(&mut self) -> Vec<&mut Moment> {
        let written = self.messages.iter_mut().map(|message| &mut message.at);
        written
            .chain([&mut self.created_at, &mut self.updated_at])
            .collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTicket {
    customer_id: Option<String>,
    subject: String,
    description: String,
    priority: Priority,
    category: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Changes {
    status: Option<Status>,
    priority: Option<Priority>,
    assignee: Option<String>,
    note: Option<String>,
}

/// `GET /tickets/{id}`
pub(crate) async fn get(State(app): State<Arc<App>>, Id(id): Id) -> Found {
    let ticket: Ticket = app.store.read(move |db| record::get(db, &id)).await?;
    Ok(Json(json!(ticket.shown())))
}

/// `POST /tickets`
pub(crate) async fn create(State(app): State<Arc<App>>, write: Write<NewTicket>) -> Done {
    write.carry_out(&app, open).await
}

/// `PATCH /tickets/{id}`
pub(crate) async fn change(State(app): State<Arc<App>>, Id(id): Id, write: Write<Changes>) -> Done {
    write
        .carry_out(&app, move |db, changes| {
            let mut ticket: Ticket = record::get(db, &id)?;
            apply(&mut ticket, changes)?;
            record::update(db, &ticket)?;
            Effect::changed(&ticket.shown())
        })
        .await
}

fn open(db: &Connection, wanted: NewTicket) -> Result<Effect, Refusal> {
    check_line("subject", &wanted.subject)?;
    check_text("description", &wanted.description)?;
    if let Some(category) = &wanted.category {
        check_line("category", category)?;
    }
    if let Some(customer_id) = &wanted.customer_id {
        let _author: Customer = record::get(db, customer_id)?;
    }
    let now = Moment::now();
    let ticket = Ticket {
        id: record::next_id::<Ticket>(db, "T")?,
        messages: vec![Message {
            from: "customer".to_owned(),
            at: now,
            text: wanted.description.clone(),
        }],
        customer_id: wanted.customer_id,
        subject: wanted.subject,
        description: wanted.description,
        status: Status::Open,
        priority: wanted.priority,
        category: wanted.category,
        assignee: None,
        created_at: now,
        updated_at: now,
    };
    record::insert(db, &ticket)?;
    Effect::created(&ticket)
}

fn apply(ticket: &mut Ticket, changes: Changes) -> Result<(), Refusal> {
    let now = Moment::now();
    if let Some(assignee) = changes.assignee {
        check_line("assignee", &assignee)?;
        ticket.assignee = Some(assignee);
    }
    if let Some(note) = changes.note {
        check_text("note", &note)?;
        if ticket.messages.len() >= MOST_MESSAGES {
            return Err(Refusal::not_eligible("the ticket is full; open a new one"));
        }
        ticket.messages.push(Message {
            from: "agent".to_owned(),
            at: now,
            text: note,
        });
    }
    ticket.status = changes.status.unwrap_or(ticket.status);
    ticket.priority = changes.priority.unwrap_or(ticket.priority);
    ticket.updated_at = now;
    Ok(())
}
