//! Refunds and goodwill credit: `switchboard:refunds` over the demo backend.

mod payment;

switchboard_sdk::plugin!(world: "demo:refunds/plugin", wit: ["../../wit/refunds", "wit"]);

use bindings::exports::switchboard::refunds::refunds::{
    Credit, CustomerId, Error, Guest, Money, OrderId, Refund, RefundList,
};
use payment::{CreditRecord, NewCredit, NewRefund, Owned, RefundRecord, RefundRecords};
use switchboard_sdk::{Backend, Route};

struct Refunds;

bindings::export!(Refunds with_types_in bindings);

impl Guest for Refunds {
    fn process_refund(order_id: OrderId, amount: Money, reason: String) -> Result<Refund, Error> {
        let wanted = NewRefund {
            order_id,
            amount: payment::positive(amount)?,
            reason,
        };
        let record: RefundRecord = Backend::configured()?.post(&Route::to("refunds"), &wanted)?;
        Ok(record.into())
    }

    fn list_refunds(order_id: OrderId) -> Result<RefundList, Error> {
        let backend = Backend::configured()?;
        // An order without refunds has an owner too, and an unknown order is told from one without refunds.
        let order: Owned = backend.get(&Route::to("orders").segment(&order_id))?;
        let route = Route::to("refunds").query("order_id", &order_id);
        let records: RefundRecords = backend.get(&route)?;
        Ok(records.of(order))
    }

    fn add_credit(customer_id: CustomerId, amount: Money, reason: String) -> Result<Credit, Error> {
        let wanted = NewCredit {
            customer_id,
            amount: payment::positive(amount)?,
            reason,
        };
        let record: CreditRecord = Backend::configured()?.post(&Route::to("credits"), &wanted)?;
        Ok(record.into())
    }
}
