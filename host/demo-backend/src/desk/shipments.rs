//! Shipments: the parcels of an order and what the carrier reports of them. Nothing here changes through the API.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Found;
use crate::app::App;
use crate::moment::Moment;
use crate::request::Params;
use crate::store::record::{self, Record};

/// Where a parcel stands.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    LabelCreated,
    InTransit,
    OutForDelivery,
    Delivered,
    Exception,
}

/// One entry of a parcel's history.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    at: Moment,
    location: String,
    description: String,
}

/// One parcel.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shipment {
    id: String,
    order_id: String,
    carrier: String,
    tracking_number: String,
    status: Status,
    estimated_delivery: Option<Moment>,
    events: Vec<Event>,
}

impl Record for Shipment {
    const KIND: &'static str = "shipment";

    fn id(&self) -> &str {
        &self.id
    }

    fn listed_under(&self) -> Option<String> {
        Some(self.order_id.clone())
    }

    fn moments(&mut self) -> Vec<&mut Moment> {
        self.events
            .iter_mut()
            .map(|event| &mut event.at)
            .chain(&mut self.estimated_delivery)
            .collect()
    }
}

#[derive(Deserialize)]
pub(crate) struct OfOrder {
    order_id: String,
}

/// `GET /shipments?order_id=`: none while nothing has been shipped.
pub(crate) async fn list(State(app): State<Arc<App>>, Params(of): Params<OfOrder>) -> Found {
    let shipments: Vec<Shipment> = app
        .store
        .read(move |db| record::listed(db, &of.order_id))
        .await?;
    Ok(Json(
        json!({ "shipments": shipments.into_iter().map(Record::shown).collect::<Vec<_>>() }),
    ))
}
