//! Orders and parcels: `switchboard:orders` and `switchboard:shipping` over the demo backend.

mod order;
mod parcel;

switchboard_sdk::plugin!(world: "demo:orders/plugin", wit: ["../../wit/orders", "../../wit/shipping", "wit"]);

use bindings::exports::switchboard::{
    orders::orders::{self, CustomerId, Error, Order, OrderId, OrderList},
    shipping::shipping::{self, ReturnLabel, Tracking},
};
use order::Because;
use switchboard_sdk::{Backend, Route};

struct Plugin;

bindings::export!(Plugin with_types_in bindings);

impl orders::Guest for Plugin {
    fn lookup_order(order_id: OrderId) -> Result<Order, Error> {
        let record: order::Record = Backend::configured()?.get(&at(&order_id))?;
        Ok(record.into())
    }

    fn get_customer_orders(customer_id: CustomerId) -> Result<OrderList, Error> {
        let route = Route::to("customers")
            .segment(&customer_id)
            .segment("orders");
        let records: order::Records = Backend::configured()?.get(&route)?;
        Ok(records.into())
    }

    fn cancel_order(order_id: OrderId, reason: String) -> Result<Order, Error> {
        let route = at(&order_id).segment("cancel");
        let record: order::Record = Backend::configured()?.post(&route, &Because { reason })?;
        Ok(record.into())
    }
}

impl shipping::Guest for Plugin {
    fn get_tracking_info(order_id: OrderId) -> Result<Tracking, Error> {
        let backend = Backend::configured()?;
        // The parcels do not say whose they are; the order does, and an unknown order is told from an unshipped one.
        let order: order::Record = backend.get(&at(&order_id))?;
        let route = Route::to("shipments").query("order_id", &order_id);
        let parcels: parcel::Records = backend.get(&route)?;
        Ok(parcels.of(order))
    }

    fn create_return(order_id: OrderId, reason: String) -> Result<ReturnLabel, Error> {
        let wanted = parcel::NewReturn { order_id, reason };
        let record: parcel::ReturnRecord =
            Backend::configured()?.post(&Route::to("returns"), &wanted)?;
        Ok(record.into())
    }
}

fn at(order_id: &str) -> Route {
    Route::to("orders").segment(order_id)
}
