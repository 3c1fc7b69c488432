//! Refunds and credits as the backend writes them, and as the contract wants them.

use serde::{Deserialize, Serialize};
use switchboard_sdk::Amount;

use crate::bindings::exports::switchboard::refunds::refunds::{
    Credit, Error, Money, Refund, RefundList, RefundStatus,
};

/// The body that asks for a refund.
#[derive(Serialize)]
pub(crate) struct NewRefund {
    pub(crate) order_id: String,
    pub(crate) amount: Amount,
    pub(crate) reason: String,
}

/// The body that asks for a credit.
#[derive(Serialize)]
pub(crate) struct NewCredit {
    pub(crate) customer_id: String,
    pub(crate) amount: Amount,
    pub(crate) reason: String,
}

/// What of an order says whose it is.
#[derive(Deserialize)]
pub(crate) struct Owned {
    id: String,
    customer_id: String,
}

/// The backend's answer to an order's refunds.
#[derive(Deserialize)]
pub(crate) struct RefundRecords {
    refunds: Vec<RefundRecord>,
}

/// A refund as the backend writes one.
#[derive(Deserialize)]
pub(crate) struct RefundRecord {
    id: String,
    order_id: String,
    customer_id: String,
    amount: Amount,
    reason: String,
    status: Status,
    created_at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Pending,
    Succeeded,
    Failed,
}

/// A credit as the backend writes one.
#[derive(Deserialize)]
pub(crate) struct CreditRecord {
    id: String,
    customer_id: String,
    amount: Amount,
    reason: String,
    created_at: String,
}

/// Refuses to pay out nothing or less. How much is too much, the host has judged.
pub(crate) fn positive(amount: Money) -> Result<Amount, Error> {
    if amount.minor_units > 0 {
        Ok(amount.into())
    } else {
        Err(Error::invalid_input("amount must be more than zero"))
    }
}

impl RefundRecords {
    /// The refunds as those of this order.
    pub(crate) fn of(self, order: Owned) -> RefundList {
        RefundList {
            order_id: order.id,
            customer_id: order.customer_id,
            refunds: self.refunds.into_iter().map(Refund::from).collect(),
        }
    }
}

impl From<RefundRecord> for Refund {
    fn from(record: RefundRecord) -> Self {
        Self {
            refund_id: record.id,
            order_id: record.order_id,
            customer_id: record.customer_id,
            amount: record.amount.into(),
            reason: record.reason,
            status: match record.status {
                Status::Pending => RefundStatus::Pending,
                Status::Succeeded => RefundStatus::Succeeded,
                Status::Failed => RefundStatus::Failed,
            },
            created_at: record.created_at,
        }
    }
}

impl From<CreditRecord> for Credit {
    fn from(record: CreditRecord) -> Self {
        Self {
            credit_id: record.id,
            customer_id: record.customer_id,
            amount: record.amount.into(),
            reason: record.reason,
            created_at: record.created_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NewRefund, positive};
    use crate::bindings::exports::switchboard::refunds::refunds::Money;

    fn dollars(minor_units: i64) -> Money {
        Money {
            minor_units,
            currency: "USD".into(),
        }
    }

    #[test]
    fn what_is_sent_is_exactly_what_was_asked() {
        let wanted = NewRefund {
            order_id: "ORD-1".into(),
            amount: positive(dollars(4999)).unwrap(),
            reason: "broken".into(),
        };
        assert_eq!(
            serde_json::to_string(&wanted).unwrap(),
            r#"{"order_id":"ORD-1","amount":{"minor":4999,"currency":"USD"},"reason":"broken"}"#
        );
    }

    #[test]
    fn nothing_or_less_is_never_paid_out() {
        assert!(positive(dollars(0)).is_err());
        assert!(positive(dollars(-1)).is_err());
    }
}
