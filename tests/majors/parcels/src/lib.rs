//! Parcels of the demo backend behind a second major of `switchboard:shipping`.

switchboard_sdk::plugin!(world: "demo:parcels/plugin", common: "../../../wit/common", wit: ["../wit", "wit"]);

use bindings::exports::switchboard::shipping::shipping::{
    Error, Guest, OrderId, Parcel, ParcelStatus, ReturnLabel, ReturnReason, Service, Timestamp,
    Tracking, TrackingEvent,
};
use serde::{Deserialize, Serialize};
use switchboard_sdk::types::Money;
use switchboard_sdk::{Backend, Route};

struct Parcels;

bindings::export!(Parcels with_types_in bindings);

impl Guest for Parcels {
    fn track_order(order: OrderId) -> Result<Tracking, Error> {
        let backend = Backend::configured()?;
        let placed: Order = backend.get(&Route::to("orders").segment(&order))?;
        let sent: Shipments = backend.get(&Route::to("shipments").query("order_id", &order))?;
        Ok(Tracking {
            order: placed.id,
            customer_id: placed.customer_id,
            parcels: sent.shipments.into_iter().map(Parcel::from).collect(),
        })
    }

    fn create_return(
        order: OrderId,
        reason: ReturnReason,
        comment: String,
    ) -> Result<ReturnLabel, Error> {
        let wanted = Wanted {
            order_id: order,
            reason: comment,
        };
        let made: Label = Backend::configured()?.post(&Route::to("returns"), &wanted)?;
        Ok(ReturnLabel {
            return_id: made.id,
            order: made.order_id,
            reason,
            cost: Money {
                minor_units: 0,
                currency: "USD".to_owned(),
            },
            customer_id: made.customer_id,
            label_url: made.label_url,
            carrier: made.carrier,
            tracking_number: made.tracking_number,
            expires_at: made.expires_at,
        })
    }

    fn postpone_delivery(_: OrderId, _: Timestamp) -> Result<Tracking, Error> {
        Err(Error::NotEligible(
            "this shop's carriers do not wait".to_owned(),
        ))
    }
}

#[derive(Deserialize)]
struct Order {
    id: String,
    customer_id: String,
}

#[derive(Deserialize)]
struct Shipments {
    shipments: Vec<Shipment>,
}

#[derive(Deserialize)]
struct Shipment {
    id: String,
    carrier: String,
    tracking_number: String,
    status: String,
    estimated_delivery: Option<String>,
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    at: String,
    location: String,
    description: String,
}

#[derive(Serialize)]
struct Wanted {
    order_id: String,
    reason: String,
}

#[derive(Deserialize)]
struct Label {
    id: String,
    order_id: String,
    customer_id: String,
    label_url: String,
    carrier: String,
    tracking_number: String,
    expires_at: String,
}

impl From<Shipment> for Parcel {
    fn from(shipment: Shipment) -> Self {
        Self {
            id: shipment.id,
            service: Service::Standard,
            carrier: shipment.carrier,
            tracking_number: shipment.tracking_number,
            status: match shipment.status.as_str() {
                "label_created" => ParcelStatus::Announced,
                "in_transit" => ParcelStatus::InTransit,
                "out_for_delivery" => ParcelStatus::OutForDelivery,
                "delivered" => ParcelStatus::Delivered,
                _ => ParcelStatus::Problem,
            },
            estimated_delivery: shipment.estimated_delivery,
            events: shipment
                .events
                .into_iter()
                .map(TrackingEvent::from)
                .collect(),
        }
    }
}

impl From<Event> for TrackingEvent {
    fn from(event: Event) -> Self {
        Self {
            at: event.at,
            location: event.location,
            description: event.description,
        }
    }
}
