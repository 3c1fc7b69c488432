//! Contacts of the inbox: people who write to the desk, with the vendor's own fields.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::customers::check_email;
use super::{Done, Found};
use crate::app::App;
use crate::idempotency::{Effect, Write};
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::request::{Id, Params, check_line};
use crate::store::record::{self, Record};

const MOST_FOUND: usize = 50;
const MOST_CUSTOM_FIELDS: usize = 50;

/// A person who writes to the desk.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contact {
    id: String,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    /// Texts, numbers and truth values by field name.
    #[serde(default)]
    custom: Map<String, Value>,
}

impl Record for Contact {
    const KIND: &'static str = "contact";

    fn id(&self) -> &str {
        &self.id
    }

    fn moments(&mut self) -> Vec<&mut Moment> {
        Vec::new()
    }
}

#[derive(Deserialize)]
pub(crate) struct Search {
    query: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Changes {
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    custom: Option<Map<String, Value>>,
}

/// `GET /contacts?query=`: those whose name or e-mail contains it, capitals aside; the first fifty.
pub(crate) async fn search(State(app): State<Arc<App>>, Params(search): Params<Search>) -> Found {
    let wanted = search.query.trim().to_lowercase();
    if wanted.is_empty() {
        return Err(Refusal::invalid("query must not be empty"));
    }
    let contacts: Vec<Contact> = app.store.read(record::all).await?;
    let found: Vec<_> = contacts
        .into_iter()
        .filter(|contact| contact.mentions(&wanted))
        .take(MOST_FOUND)
        .collect();
    Ok(Json(json!({ "contacts": found })))
}

/// `PATCH /contacts/{id}`: custom fields are merged; a null takes one away.
pub(crate) async fn change(State(app): State<Arc<App>>, Id(id): Id, write: Write<Changes>) -> Done {
    write
        .carry_out(&app, move |db, changes| {
            let mut contact: Contact = record::get(db, &id)?;
            apply(&mut contact, changes)?;
            record::update(db, &contact)?;
            Effect::changed(&contact)
        })
        .await
}

impl Contact {
    fn mentions(&self, wanted: &str) -> bool {
        [&self.name, &self.email]
            .into_iter()
            .flatten()
            .any(|text| text.to_lowercase().contains(wanted))
    }
}

fn apply(contact: &mut Contact, changes: Changes) -> Result<(), Refusal> {
    if let Some(name) = changes.name {
        check_line("name", &name)?;
        contact.name = Some(name);
    }
    if let Some(email) = changes.email {
        check_email(&email)?;
        contact.email = Some(email);
    }
    if let Some(phone) = changes.phone {
        check_line("phone", &phone)?;
        contact.phone = Some(phone);
    }
    changes
        .custom
        .into_iter()
        .flatten()
        .try_for_each(|(name, value)| set_custom(contact, name, value))
}

fn set_custom(contact: &mut Contact, name: String, value: Value) -> Result<(), Refusal> {
    check_line("custom", &name)?;
    match value {
        Value::Array(_) | Value::Object(_) => {
            return Err(Refusal::invalid(
                "custom fields are texts, numbers, truth values or null",
            ));
        }
        Value::Null => contact.custom.shift_remove(&name),
        value => contact.custom.insert(name, value),
    };
    if contact.custom.len() > MOST_CUSTOM_FIELDS {
        return Err(Refusal::invalid(format!(
            "a contact has at most {MOST_CUSTOM_FIELDS} custom fields"
        )));
    }
    Ok(())
}
