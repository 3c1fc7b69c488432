//! An order as the backend writes one, and as the contract wants one.

use serde::{Deserialize, Serialize};
use switchboard_sdk::Amount;

use crate::bindings::exports::switchboard::orders::orders::{
    Order, OrderItem, OrderList, OrderStatus,
};

/// The body of a cancellation.
#[derive(Serialize)]
pub(crate) struct Because {
    pub(crate) reason: String,
}

/// The backend's answer to a customer's orders.
#[derive(Deserialize)]
pub(crate) struct Records {
    orders: Vec<Record>,
}

/// An order as the backend writes one.
#[derive(Deserialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) customer_id: String,
    status: Status,
    items: Vec<Item>,
    total: Amount,
    placed_at: String,
    shipped_at: Option<String>,
    delivered_at: Option<String>,
    refund_eligible: bool,
    refund_note: Option<String>,
    refunded: Amount,
}

#[derive(Deserialize)]
struct Item {
    sku: String,
    name: String,
    quantity: u32,
    unit_price: Amount,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Pending,
    Processing,
    Shipped,
    Delivered,
    Cancelled,
    Returned,
}

impl From<Records> for OrderList {
    fn from(records: Records) -> Self {
        Self {
            orders: records.orders.into_iter().map(Order::from).collect(),
        }
    }
}

impl From<Record> for Order {
    fn from(record: Record) -> Self {
        Self {
            order_id: record.id,
            customer_id: record.customer_id,
            status: record.status.into(),
            items: record.items.into_iter().map(OrderItem::from).collect(),
            total: record.total.into(),
            placed_at: record.placed_at,
            shipped_at: record.shipped_at,
            delivered_at: record.delivered_at,
            refund_eligible: record.refund_eligible,
            refund_note: record.refund_note,
            refunded: record.refunded.into(),
        }
    }
}

impl From<Item> for OrderItem {
    fn from(item: Item) -> Self {
        Self {
            sku: item.sku,
            name: item.name,
            quantity: item.quantity,
            unit_price: item.unit_price.into(),
        }
    }
}

impl From<Status> for OrderStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => Self::Pending,
            Status::Processing => Self::Processing,
            Status::Shipped => Self::Shipped,
            Status::Delivered => Self::Delivered,
            Status::Cancelled => Self::Cancelled,
            Status::Returned => Self::Returned,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Record;
    use crate::bindings::exports::switchboard::orders::orders::{Order, OrderStatus};

    #[test]
    fn an_order_keeps_its_money_in_minor_units() {
        let record: Record = serde_json::from_str(
            r#"{"id":"ORD-1","customer_id":"C-1","status":"delivered",
                "items":[{"sku":"B","name":"Blender","quantity":2,"unit_price":{"minor":2499,"currency":"USD"}}],
                "total":{"minor":4998,"currency":"USD"},"placed_at":"2026-11-01T00:00:00Z","shipped_at":null,
                "refund_eligible":false,"refund_note":"final sale","refunded":{"minor":0,"currency":"USD"}}"#,
        )
        .unwrap();
        let order = Order::from(record);
        assert_eq!(order.status, OrderStatus::Delivered);
        assert_eq!(order.items[0].unit_price.minor_units, 2499);
        assert_eq!(order.total.minor_units, 4998);
        assert_eq!(order.shipped_at, None);
        assert_eq!(order.refund_note.as_deref(), Some("final sale"));
    }

    #[test]
    fn a_status_that_the_contract_does_not_know_is_no_order() {
        let unknown = r#"{"id":"ORD-1","customer_id":"C-1","status":"teleported","items":[],
            "total":{"minor":0,"currency":"USD"},"placed_at":"","refund_eligible":true,
            "refunded":{"minor":0,"currency":"USD"}}"#;
        let Err(error) = serde_json::from_str::<Record>(unknown) else {
            panic!("an unknown status was read");
        };
        assert!(error.to_string().contains("teleported"), "{error}");
    }
}
