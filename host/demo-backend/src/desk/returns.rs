//! Returns: prepaid labels for sending an order back. The label behind `label_url` is really there to be printed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::orders::{self, Order};
use super::{Done, Found};
use crate::app::App;
use crate::idempotency::{Effect, Write};
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::request::{Id, Params, check_text};
use crate::store::record::{self, Record};

/// How long a label can be used.
const LABEL_DAYS: i64 = 30;
const CARRIER: &str = "UPS";
const RETURNS_CENTRE: &str = "Brightcart Returns, 400 Dock Road, Reno, NV 89502";

/// A return that was announced, with its label.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Return {
    id: String,
    order_id: String,
    customer_id: String,
    reason: String,
    label_url: String,
    carrier: String,
    tracking_number: String,
    created_at: Moment,
    expires_at: Moment,
}

impl Record for Return {
    const KIND: &'static str = "return";

    fn id(&self) -> &str {
        &self.id
    }

    fn listed_under(&self) -> Option<String> {
        Some(self.order_id.clone())
    }

    fn moments(&mut self) -> Vec<&mut Moment> {
        vec![&mut self.created_at, &mut self.expires_at]
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReturn {
    order_id: String,
    reason: String,
}

#[derive(Deserialize)]
pub(crate) struct OfOrder {
    order_id: Option<String>,
}

/// `POST /returns`: for what has left the warehouse. Asked twice, it makes two labels.
pub(crate) async fn create(State(app): State<Arc<App>>, write: Write<NewReturn>) -> Done {
    let base_url = app.base_url.clone();
    write
        .carry_out(&app, move |db, wanted| announce(db, wanted, &base_url))
        .await
}

/// `GET /returns?order_id=`: oldest first; of all orders where none is named.
pub(crate) async fn list(State(app): State<Arc<App>>, Params(of): Params<OfOrder>) -> Found {
    let returns = app.store.read(move |db| {
        of.order_id
            .map_or_else(|| record::all(db), |id| record::listed(db, &id))
    });
    let returns: Vec<Return> = returns.await?.into_iter().map(Record::shown).collect();
    Ok(Json(json!({ "returns": returns })))
}

/// `GET /returns/{id}/label`: the label itself, as a picture to print.
pub(crate) async fn label(State(app): State<Arc<App>>, Id(id): Id) -> Result<Response, Refusal> {
    let announced: Return = app.store.read(move |db| record::get(db, &id)).await?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], draw(&announced)).into_response())
}

fn announce(db: &Connection, wanted: NewReturn, base_url: &str) -> Result<Effect, Refusal> {
    check_text("reason", &wanted.reason)?;
    let order: Order = record::get(db, &wanted.order_id)?;
    check_returnable(&order)?;
    let id = record::next_id::<Return>(db, "RT")?;
    let now = Moment::now();
    let announced = Return {
        label_url: format!("{base_url}/returns/{id}/label"),
        tracking_number: tracking_number(&id),
        carrier: CARRIER.to_owned(),
        order_id: wanted.order_id,
        customer_id: order.customer_id,
        reason: wanted.reason,
        created_at: now,
        expires_at: now.days_later(LABEL_DAYS),
        id,
    };
    record::insert(db, &announced)?;
    Effect::created(&announced)
}

fn check_returnable(order: &Order) -> Result<(), Refusal> {
    use orders::Status::{Cancelled, Delivered, Pending, Processing, Returned, Shipped};
    match order.status {
        Shipped | Delivered if order.final_sale => Err(Refusal::not_eligible(
            "final sale: these items cannot be sent back",
        )),
        Shipped | Delivered => Ok(()),
        Pending | Processing => Err(Refusal::not_eligible(
            "the order has not been shipped; it can be cancelled",
        )),
        Cancelled => Err(Refusal::not_eligible(
            "the order was cancelled and never shipped",
        )),
        Returned => Err(Refusal::not_eligible("the order has been returned already")),
    }
}

fn tracking_number(return_id: &str) -> String {
    let digits: String = return_id.chars().filter(char::is_ascii_digit).collect();
    format!("1ZR8846W90{digits:0>8}")
}

/// Every value drawn here was made by this service or names a record of it, so none needs escaping.
fn draw(announced: &Return) -> String {
    let Return {
        id,
        order_id,
        carrier,
        tracking_number,
        expires_at,
        ..
    } = announced;
    let bars = tracking_number.bytes().enumerate().map(|(place, byte)| {
        let (x, width) = (30 + place * 20, 3 + byte % 11);
        format!("<rect x='{x}' y='115' width='{width}' height='90'/>")
    });
    let lines = [
        (45, 22, format!("{carrier} prepaid return")),
        (75, 15, RETURNS_CENTRE.to_owned()),
        (100, 15, format!("Order {order_id} · return {id}")),
        (235, 16, tracking_number.clone()),
        (265, 12, format!("Usable until {expires_at}")),
    ]
    .map(|(y, size, text)| format!("<text x='30' y='{y}' font-size='{size}'>{text}</text>"));
    let content = bars.chain(lines).collect::<Vec<_>>().concat();
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='440' height='290' font-family='sans-serif'>\
         <rect width='440' height='290' fill='white' stroke='black'/>{content}</svg>"
    )
}
