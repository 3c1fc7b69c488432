//! Escalations: what waits for a person, and for which one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Done, Found};
use crate::app::App;
use crate::idempotency::{Effect, Write};
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::request::{Id, check_line, check_text};
use crate::store::record::{self, Record};

/// How soon a person must look.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Priority {
    P1,
    P2,
    P3,
}

/// Something in a person's queue.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Escalation {
    id: String,
    /// `open`; people move it on elsewhere.
    status: String,
    reason: String,
    priority: Priority,
    team: String,
    summary: String,
    customer_id: Option<String>,
    order_id: Option<String>,
    case_id: Option<String>,
    created_at: Moment,
}

impl Record for Escalation {
    const KIND: &'static str = "escalation";

    fn id(&self) -> &str {
        &self.id
    }

    fn moments(&mut self) -> Vec<&mut Moment> {
        vec![&mut self.created_at]
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEscalation {
    reason: String,
    priority: Priority,
    team: String,
    summary: String,
    customer_id: Option<String>,
    order_id: Option<String>,
    case_id: Option<String>,
}

/// `GET /escalations/{id}`
pub(crate) async fn get(State(app): State<Arc<App>>, Id(id): Id) -> Found {
    let escalation: Escalation = app.store.read(move |db| record::get(db, &id)).await?;
    Ok(Json(json!(escalation.shown())))
}

/// `GET /escalations`: oldest first.
pub(crate) async fn list(State(app): State<Arc<App>>) -> Found {
    let escalations: Vec<Escalation> = app.store.read(record::all).await?;
    Ok(Json(
        json!({ "escalations": escalations.into_iter().map(Record::shown).collect::<Vec<_>>() }),
    ))
}

/// `POST /escalations`: takes ids that it does not know, because a cry for help is never turned away over an id.
pub(crate) async fn create(State(app): State<Arc<App>>, write: Write<NewEscalation>) -> Done {
    write.carry_out(&app, queue).await
}

fn queue(db: &Connection, wanted: NewEscalation) -> Result<Effect, Refusal> {
    check_text("reason", &wanted.reason)?;
    check_line("team", &wanted.team)?;
    check_text("summary", &wanted.summary)?;
    let ids = [
        ("customer_id", &wanted.customer_id),
        ("order_id", &wanted.order_id),
        ("case_id", &wanted.case_id),
    ];
    for (field, id) in ids {
        id.as_ref().map_or(Ok(()), |id| check_line(field, id))?;
    }
    let escalation = Escalation {
        id: record::next_id::<Escalation>(db, "E")?,
        status: "open".to_owned(),
        reason: wanted.reason,
        priority: wanted.priority,
        team: wanted.team,
        summary: wanted.summary,
        customer_id: wanted.customer_id,
        order_id: wanted.order_id,
        case_id: wanted.case_id,
        created_at: Moment::now(),
    };
    record::insert(db, &escalation)?;
    Effect::created(&escalation)
}
