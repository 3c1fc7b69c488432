//! Parcels and return labels as the backend writes them, and as the contract wants them.

use serde::{Deserialize, Serialize};

use crate::{
    bindings::exports::switchboard::shipping::shipping::{
        ReturnLabel, Shipment, ShipmentStatus, Tracking, TrackingEvent,
    },
    order,
};

/// The body that asks for a return label.
#[derive(Serialize)]
pub(crate) struct NewReturn {
    pub(crate) order_id: String,
    pub(crate) reason: String,
}

/// A return label as the backend writes one.
#[derive(Deserialize)]
pub(crate) struct ReturnRecord {
    id: String,
    order_id: String,
    customer_id: String,
    label_url: String,
    carrier: String,
    tracking_number: String,
    expires_at: String,
}

/// The backend's answer to an order's parcels.
#[derive(Deserialize)]
pub(crate) struct Records {
    shipments: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    id: String,
    carrier: String,
    tracking_number: String,
    status: Status,
    estimated_delivery: Option<String>,
    events: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    LabelCreated,
    InTransit,
    OutForDelivery,
    Delivered,
    Exception,
}

#[derive(Deserialize)]
struct Event {
    at: String,
    location: String,
    description: String,
}

impl Records {
    /// The parcels as those of this order.
    pub(crate) fn of(self, order: order::Record) -> Tracking {
        Tracking {
            order_id: order.id,
            customer_id: order.customer_id,
            shipments: self.shipments.into_iter().map(Shipment::from).collect(),
        }
    }
}

impl From<Record> for Shipment {
    fn from(record: Record) -> Self {
        Self {
            shipment_id: record.id,
            carrier: record.carrier,
            tracking_number: record.tracking_number,
            status: record.status.into(),
            estimated_delivery: record.estimated_delivery,
            events: record.events.into_iter().map(TrackingEvent::from).collect(),
        }
    }
}

impl From<Status> for ShipmentStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::LabelCreated => Self::LabelCreated,
            Status::InTransit => Self::InTransit,
            Status::OutForDelivery => Self::OutForDelivery,
            Status::Delivered => Self::Delivered,
            Status::Exception => Self::Exception,
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

impl From<ReturnRecord> for ReturnLabel {
    fn from(record: ReturnRecord) -> Self {
        Self {
            return_id: record.id,
            order_id: record.order_id,
            customer_id: record.customer_id,
            label_url: record.label_url,
            carrier: record.carrier,
            tracking_number: record.tracking_number,
            expires_at: record.expires_at,
        }
    }
}
