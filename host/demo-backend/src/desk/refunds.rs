//! Refunds: money paid back. Naive on purpose: any amount, any number of times, as long as the order exists.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::orders::Order;
use super::{Done, Found};
use crate::app::App;
use crate::idempotency::{Effect, Write};
use crate::moment::Moment;
use crate::money::Money;
use crate::refusal::Refusal;
use crate::request::{Params, check_text};
use crate::store::record::{self, Record};

/// A refund that was paid.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refund {
    id: String,
    order_id: String,
    customer_id: String,
    pub(crate) amount: Money,
    reason: String,
    status: String,
    created_at: Moment,
}

impl Record for Refund {
    const KIND: &'static str = "refund";

    fn id(&self) -> &str {
        &self.id
    }

    fn listed_under(&self) -> Option<String> {
        Some(self.order_id.clone())
    }

    fn moments(&mut self) -> Vec<&mut Moment> {
        vec![&mut self.created_at]
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRefund {
    order_id: String,
    amount: Money,
    reason: String,
}

#[derive(Deserialize)]
pub(crate) struct OfOrder {
    order_id: Option<String>,
}

/// `POST /refunds`
pub(crate) async fn create(State(app): State<Arc<App>>, write: Write<NewRefund>) -> Done {
    write.carry_out(&app, pay).await
}

/// `GET /refunds?order_id=`: oldest first; of all orders where none is named.
pub(crate) async fn list(State(app): State<Arc<App>>, Params(of): Params<OfOrder>) -> Found {
    let refunds = app.store.read(move |db| {
        of.order_id
            .map_or_else(|| record::all(db), |id| record::listed(db, &id))
    });
    let mut refunds: Vec<Refund> = refunds.await?.into_iter().map(Record::shown).collect();
    let today = record::today();
    refunds.sort_by_key(|refund| refund.created_at.settled(today));
    Ok(Json(json!({ "refunds": refunds })))
}

fn pay(db: &Connection, wanted: NewRefund) -> Result<Effect, Refusal> {
    wanted.amount.payable()?;
    check_text("reason", &wanted.reason)?;
    let order: Order = record::get(db, &wanted.order_id)?;
    if wanted.amount.currency != order.currency() {
        return Err(Refusal::not_eligible(format!(
            "the order was paid in {}",
            order.currency()
        )));
    }
    let refund = Refund {
        id: record::next_id::<Refund>(db, "RF")?,
        order_id: wanted.order_id,
        customer_id: order.customer_id,
        amount: wanted.amount,
        reason: wanted.reason,
        status: "succeeded".to_owned(),
        created_at: Moment::now(),
    };
    record::insert(db, &refund)?;
    Effect::created(&refund)
}
