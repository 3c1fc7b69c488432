//! Customer records: `switchboard:crm` over the demo backend.

mod customer;

switchboard_sdk::plugin!(world: "demo:crm/plugin", wit: ["../../wit/crm", "wit"]);

use bindings::exports::switchboard::crm::crm::{Customer, CustomerId, Email, Error, Guest};
use customer::{Details, Found, Lookup, Record};
use switchboard_sdk::{Backend, Route};

struct Crm;

bindings::export!(Crm with_types_in bindings);

impl Guest for Crm {
    fn get_customer(id: Option<CustomerId>, email: Option<Email>) -> Result<Customer, Error> {
        let backend = Backend::configured()?;
        let record = match customer::lookup(id, email)? {
            Lookup::Id(id) => backend.get::<Record>(&at(&id))?,
            Lookup::Email(email) => backend
                .get::<Found>(&Route::to("customers").query("email", &email))?
                .only(&email)?,
        };
        Ok(record.into())
    }

    fn update_customer_info(
        customer_id: CustomerId,
        email: Option<Email>,
        phone: Option<String>,
        address: Option<String>,
    ) -> Result<Customer, Error> {
        let details = Details::new(email, phone, address)?;
        let record: Record = Backend::configured()?.patch(&at(&customer_id), &details)?;
        Ok(record.into())
    }
}

fn at(customer_id: &str) -> Route {
    Route::to("customers").segment(customer_id)
}
