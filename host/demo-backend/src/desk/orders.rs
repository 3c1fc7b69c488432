//! Orders: what was bought, where it stands, cancelling it, and whether the shop's own records allow a refund.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::refunds::Refund;
use super::{Done, Found};
use crate::app::App;
use crate::desk::customers::Customer;
use crate::idempotency::{Effect, Write};
use crate::moment::Moment;
use crate::money::Money;
use crate::refusal::Refusal;
use crate::request::{Id, Params, check_text};
use crate::store::record::{self, Record};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Pending,
    Processing,
    Shipped,
    Delivered,
    Cancelled,
    Returned,
}

/// One line of an order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item {
    sku: String,
    name: String,
    quantity: u32,
    unit_price: Money,
}

/// An order as it is kept. All its items have one currency.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    id: String,
    pub(crate) customer_id: String,
    pub(crate) status: Status,
    items: Vec<Item>,
    placed_at: Moment,
    shipped_at: Option<Moment>,
    delivered_at: Option<Moment>,
    cancelled_at: Option<Moment>,
    cancel_reason: Option<String>,
    /// Whether the customer has been charged.
    paid: bool,
    #[serde(default)]
    pub(crate) final_sale: bool,
}

impl Record for Order {
    const KIND: &'static str = "order";

    fn id(&self) -> &str {
        &self.id
    }

    fn listed_under(&self) -> Option<String> {
        Some(self.customer_id.clone())
    }

    fn moments(&mut self) -> Vec<&mut Moment> {
        let later = [
            &mut self.shipped_at,
            &mut self.delivered_at,
            &mut self.cancelled_at,
        ];
        std::iter::once(&mut self.placed_at)
            .chain(later.into_iter().flatten())
            .collect()
    }
}

/// An order as it is shown.
#[derive(Serialize)]
struct Shown {
    id: String,
    customer_id: String,
    status: Status,
    items: Vec<Item>,
    total: Money,
    placed_at: Moment,
    shipped_at: Option<Moment>,
    delivered_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_reason: Option<String>,
    refund_eligible: bool,
    refund_note: Option<String>,
    refunded: Money,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cancellation {
    reason: String,
}

/// `GET /orders/{id}`
pub(crate) async fn get(State(app): State<Arc<App>>, Id(id): Id) -> Found {
    let order = app
        .store
        .read(move |db| show(db, record::get(db, &id)?))
        .await?;
    Ok(Json(json!(order)))
}

/// A part of a list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    #[serde(default)]
    offset: usize,
    limit: Option<usize>,
}

/// `GET /customers/{id}/orders`: newest first, all of them or the part between `offset` and `limit`.
pub(crate) async fn of_customer(
    State(app): State<Arc<App>>,
    Id(customer_id): Id,
    Params(part): Params<Part>,
) -> Found {
    let mut orders = app
        .store
        .read(move |db| {
            let _owner: Customer = record::get(db, &customer_id)?;
            let orders = record::listed(db, &customer_id)?;
            orders
                .into_iter()
                .map(|order| show(db, order))
                .collect::<Result<Vec<_>, _>>()
        })
        .await?;
    let today = record::today();
    orders.sort_by_key(|order| std::cmp::Reverse(order.placed_at.settled(today)));
    let orders = orders.into_iter().skip(part.offset);
    let orders: Vec<Shown> = orders.take(part.limit.unwrap_or(usize::MAX)).collect();
    Ok(Json(json!({ "orders": orders })))
}

/// `POST /orders/{id}/cancel`: only until the order is shipped.
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    Id(id): Id,
    write: Write<Cancellation>,
) -> Done {
    write
        .carry_out(&app, move |db, cancellation| {
            check_text("reason", &cancellation.reason)?;
            let mut order: Order = record::get(db, &id)?;
            check_cancellable(order.status)?;
            order.status = Status::Cancelled;
            order.cancelled_at = Some(Moment::now());
            order.cancel_reason = Some(cancellation.reason);
            record::update(db, &order)?;
            Effect::changed(&show(db, order)?)
        })
        .await
}

fn check_cancellable(status: Status) -> Result<(), Refusal> {
    match status {
        Status::Pending | Status::Processing => Ok(()),
        Status::Shipped => Err(Refusal::not_eligible(
            "the order has been shipped and can no longer be cancelled",
        )),
        Status::Delivered => Err(Refusal::not_eligible(
            "the order has been delivered and can no longer be cancelled",
        )),
        Status::Cancelled => Err(Refusal::not_eligible("the order is cancelled already")),
        Status::Returned => Err(Refusal::not_eligible("the order has been returned")),
    }
}

impl Order {
    /// The currency of all its items.
    pub(crate) fn currency(&self) -> &str {
        self.items
            .first()
            .map_or("USD", |item| &item.unit_price.currency)
    }

    fn total(&self) -> Money {
        let minor = self.items.iter().fold(0_i64, |sum, item| {
            sum.saturating_add(item.unit_price.times(item.quantity))
        });
        Money {
            minor,
            currency: self.currency().to_owned(),
        }
    }

    /// Why the shop's records forbid a refund, if they do. How long ago it was delivered is not the shop's question.
    fn why_not_refundable(&self, refunded: &Money) -> Option<String> {
        if self.final_sale {
            return Some("final sale: these items cannot be refunded".to_owned());
        }
        if !self.paid {
            return Some("the customer was never charged for this order".to_owned());
        }
        if refunded.minor >= self.total().minor {
            return Some(format!("already refunded: {refunded}"));
        }
        match self.status {
            Status::Delivered | Status::Returned | Status::Cancelled => None,
            Status::Pending | Status::Processing | Status::Shipped => {
                Some("not delivered yet".to_owned())
            }
        }
    }
}

fn show(db: &Connection, order: Order) -> Result<Shown, Refusal> {
    let refunds: Vec<Refund> = record::listed(db, &order.id)?;
    let minor = refunds
        .iter()
        .fold(0_i64, |sum, refund| sum.saturating_add(refund.amount.minor));
    let refunded = Money {
        minor,
        currency: order.currency().to_owned(),
    };
    let why_not = order.why_not_refundable(&refunded);
    let is_partial = why_not.is_none() && refunded.minor > 0;
    let partly =
        is_partial.then(|| format!("{refunded} of {} has been refunded already", order.total()));
    let total = order.total();
    let order = order.shown();
    Ok(Shown {
        total,
        refund_eligible: why_not.is_none(),
        refund_note: why_not.or(partly),
        refunded,
        id: order.id,
        customer_id: order.customer_id,
        status: order.status,
        items: order.items,
        placed_at: order.placed_at,
        shipped_at: order.shipped_at,
        delivered_at: order.delivered_at,
        cancelled_at: order.cancelled_at,
        cancel_reason: order.cancel_reason,
    })
}
