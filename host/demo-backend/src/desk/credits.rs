//! Goodwill credits on a customer's account. As naive as refunds: whoever exists is credited.

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
use crate::money::Money;
use crate::refusal::Refusal;
use crate::request::{Params, check_text};
use crate::store::record::{self, Record};

/// A credit that was booked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credit {
    id: String,
    customer_id: String,
    amount: Money,
    reason: String,
    created_at: Moment,
}

impl Record for Credit {
    const KIND: &'static str = "credit";

    fn id(&self) -> &str {
        &self.id
    }

    fn listed_under(&self) -> Option<String> {
        Some(self.customer_id.clone())
    }

    fn moments(&mut self) -> Vec<&mut Moment> {
        vec![&mut self.created_at]
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCredit {
    customer_id: String,
    amount: Money,
    reason: String,
}

#[derive(Deserialize)]
pub(crate) struct OfCustomer {
    customer_id: Option<String>,
}

/// `POST /credits`
pub(crate) async fn create(State(app): State<Arc<App>>, write: Write<NewCredit>) -> Done {
    write.carry_out(&app, book).await
}

/// `GET /credits?customer_id=`: oldest first; of all customers where none is named.
pub(crate) async fn list(State(app): State<Arc<App>>, Params(of): Params<OfCustomer>) -> Found {
    let credits = app.store.read(move |db| {
        of.customer_id
            .map_or_else(|| record::all(db), |id| record::listed(db, &id))
    });
    let credits: Vec<Credit> = credits.await?.into_iter().map(Record::shown).collect();
    Ok(Json(json!({ "credits": credits })))
}

fn book(db: &Connection, wanted: NewCredit) -> Result<Effect, Refusal> {
    wanted.amount.payable()?;
    check_text("reason", &wanted.reason)?;
    let _account: Customer = record::get(db, &wanted.customer_id)?;
    let credit = Credit {
        id: record::next_id::<Credit>(db, "CR")?,
        customer_id: wanted.customer_id,
        amount: wanted.amount,
        reason: wanted.reason,
        created_at: Moment::now(),
    };
    record::insert(db, &credit)?;
    Effect::created(&credit)
}
