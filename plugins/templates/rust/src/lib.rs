//! Loyalty points of Acme's members, as tools of a support desk.

mod member;

switchboard_sdk::plugin!(world: "acme:loyalty/plugin", folder: "wit");

use bindings::exports::acme::loyalty::loyalty::{Balance, CustomerId, Error, Guest, Redemption};
use member::{Booking, Member, Order};
use switchboard_sdk::{Backend, Route};

struct Loyalty;

bindings::export!(Loyalty with_types_in bindings);

impl Guest for Loyalty {
    fn get_points(customer_id: CustomerId) -> Result<Balance, Error> {
        let route = Route::to("members").segment(&customer_id);
        let member: Member = Backend::configured()?.get(&route)?;
        Ok(member.into())
    }

    // One request that changes something, whose bytes follow from the arguments alone: then the host can send it again under
    // the same key, and points are taken once.
    fn redeem_points(customer_id: CustomerId, points: u32, reward: String) -> Result<Redemption, Error> {
        let route = Route::to("members").segment(&customer_id).segment("redemptions");
        let booking: Booking = Backend::configured()?.post(&route, &Order { points, reward })?;
        Ok(booking.into())
    }
}
