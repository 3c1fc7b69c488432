//! A customer as the backend writes one, and as the contract wants one.

use serde::{Deserialize, Serialize};

use crate::bindings::exports::switchboard::crm::crm::{Customer, Error};

/// What a customer is looked up by.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    Id(String),
    Email(String),
}

/// Exactly one of the two may be given.
pub(crate) fn lookup(id: Option<String>, email: Option<String>) -> Result<Lookup, Error> {
    match (id, email) {
        (Some(id), None) => Ok(Lookup::Id(id)),
        (None, Some(email)) => Ok(Lookup::Email(email)),
        _ => Err(Error::invalid_input("give exactly one of id and email")),
    }
}

/// The backend's answer to a search by e-mail address.
#[derive(Deserialize)]
pub(crate) struct Found {
    customers: Vec<Record>,
}

impl Found {
    /// The one customer with this address.
    pub(crate) fn only(self, email: &str) -> Result<Record, Error> {
        let mut customers = self.customers.into_iter();
        match (customers.next(), customers.next()) {
            (Some(record), None) => Ok(record),
            (None, _) => Err(Error::NotFound(format!(
                "no customer has the address {email}"
            ))),
            // Guessing between two accounts would show one person's data to the other.
            (Some(_), Some(_)) => Err(Error::Conflict(format!(
                "more than one customer has the address {email}; look up by id"
            ))),
        }
    }
}

/// A customer as the backend writes one.
#[derive(Deserialize)]
pub(crate) struct Record {
    id: String,
    name: String,
    email: String,
    phone: Option<String>,
    address: Option<String>,
    tier: Option<String>,
    created_at: Option<String>,
}

impl From<Record> for Customer {
    fn from(record: Record) -> Self {
        Self {
            id: record.id,
            name: record.name,
            email: record.email,
            phone: record.phone,
            address: record.address,
            tier: record.tier.unwrap_or_else(|| "standard".to_owned()),
            created_at: record.created_at,
        }
    }
}

/// The contact details to change: only what is there is sent.
#[derive(Debug, Serialize)]
pub(crate) struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

impl Details {
    /// At least one must be given.
    pub(crate) fn new(
        email: Option<String>,
        phone: Option<String>,
        address: Option<String>,
    ) -> Result<Self, Error> {
        if email.is_none() && phone.is_none() && address.is_none() {
            return Err(Error::invalid_input(
                "give at least one of email, phone and address",
            ));
        }
        Ok(Self {
            email,
            phone,
            address,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Details, Found, lookup};
    use crate::bindings::exports::switchboard::crm::crm::{Customer, Error};

    fn found(text: &str) -> Result<Customer, Error> {
        let found: Found = serde_json::from_str(text).unwrap();
        found.only("a@example.com").map(Customer::from)
    }

    #[test]
    fn a_lookup_wants_exactly_one_key() {
        assert!(lookup(None, None).is_err());
        assert!(lookup(Some("C-1".into()), Some("a@example.com".into())).is_err());
        assert!(lookup(Some("C-1".into()), None).is_ok());
    }

    #[test]
    fn an_address_must_name_one_customer() {
        let one = r#"{"id":"C-1","name":"A","email":"a@example.com"}"#;
        assert_eq!(
            found(&format!(r#"{{"customers":[{one}]}}"#)).unwrap().id,
            "C-1"
        );
        assert!(matches!(
            found(r#"{"customers":[]}"#),
            Err(Error::NotFound(_))
        ));
        assert!(matches!(
            found(&format!(r#"{{"customers":[{one},{one}]}}"#)),
            Err(Error::Conflict(_))
        ));
    }

    #[test]
    fn only_given_details_are_sent() {
        let details = Details::new(None, Some("+1 555 0100".into()), None).unwrap();
        assert_eq!(
            serde_json::to_string(&details).unwrap(),
            r#"{"phone":"+1 555 0100"}"#
        );
        assert!(Details::new(None, None, None).is_err());
    }
}
