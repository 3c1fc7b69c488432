//! Customers: who they are and how to reach them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Done, Found};
use crate::app::App;
use crate::idempotency::{Effect, Write};
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::request::{Id, Params, check_line};
use crate::store::record::{self, Record};

/// A customer account.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Customer {
    id: String,
    name: String,
    email: String,
    phone: Option<String>,
    /// On one line.
    address: Option<String>,
    /// `standard`, `plus` or `vip`.
    tier: String,
    created_at: Moment,
}

impl Record for Customer {
    const KIND: &'static str = "customer";

    fn id(&self) -> &str {
        &self.id
    }

    fn listed_under(&self) -> Option<String> {
        Some(self.email.to_lowercase())
    }

    fn moments(&mut self) -> Vec<&mut Moment> {
        vec![&mut self.created_at]
    }
}

#[derive(Deserialize)]
pub(crate) struct ByEmail {
    email: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Changes {
    email: Option<String>,
    phone: Option<String>,
    address: Option<String>,
}

/// `GET /customers/{id}`
pub(crate) async fn get(State(app): State<Arc<App>>, Id(id): Id) -> Found {
    let customer: Customer = app.store.read(move |db| record::get(db, &id)).await?;
    Ok(Json(json!(customer.shown())))
}

/// `GET /customers?email=`: none or one; capitals do not matter.
pub(crate) async fn find(State(app): State<Arc<App>>, Params(by): Params<ByEmail>) -> Found {
    let email = by.email.trim().to_lowercase();
    let customers: Vec<Customer> = app.store.read(move |db| record::listed(db, &email)).await?;
    Ok(Json(
        json!({ "customers": customers.into_iter().map(Record::shown).collect::<Vec<_>>() }),
    ))
}

/// `PATCH /customers/{id}`
pub(crate) async fn change(State(app): State<Arc<App>>, Id(id): Id, write: Write<Changes>) -> Done {
    write
        .carry_out(&app, move |db, changes| {
            let mut customer: Customer = record::get(db, &id)?;
            apply(db, &mut customer, changes)?;
            record::update(db, &customer)?;
            Effect::changed(&customer.shown())
        })
        .await
}

fn apply(db: &Connection, customer: &mut Customer, changes: Changes) -> Result<(), Refusal> {
    if let Some(email) = changes.email {
        check_email(&email)?;
        let namesakes: Vec<Customer> = record::listed(db, &email.to_lowercase())?;
        if namesakes.iter().any(|other| other.id != customer.id) {
            return Err(Refusal::not_eligible(
                "another customer uses this e-mail address",
            ));
        }
        customer.email = email;
    }
    if let Some(phone) = changes.phone {
        check_line("phone", &phone)?;
        customer.phone = Some(phone);
    }
    if let Some(address) = changes.address {
        check_line("address", &address)?;
        customer.address = Some(address);
    }
    Ok(())
}

/// Refuses what cannot be an e-mail address. Whether it is somebody's, only sending to it would show.
pub(crate) fn check_email(email: &str) -> Result<(), Refusal> {
    check_line("email", email)?;
    let is_plausible = email.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !host.contains('@') && !host.ends_with('.')
    });
    if is_plausible && !email.contains(char::is_whitespace) {
        Ok(())
    } else {
        Err(Refusal::invalid("email must look like name@example.com"))
    }
}
