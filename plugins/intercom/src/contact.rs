//! A contact as the backend writes one, and as the contract wants one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use switchboard_sdk::Route;

use crate::bindings::exports::switchboard::conversations::conversations::{
    Attribute, Error, User, UserList,
};

/// Shorter ones would list everybody.
const SHORTEST_QUERY_CHARACTERS: usize = 2;

/// The search's route, or what is wrong with the question.
pub(crate) fn search(query: &str) -> Result<Route, Error> {
    let query = query.trim();
    if query.chars().count() < SHORTEST_QUERY_CHARACTERS {
        return Err(Error::invalid_input(
            "query must have at least two characters",
        ));
    }
    Ok(Route::to("contacts").query("query", query))
}

/// The backend's answer to a search.
#[derive(Deserialize)]
pub(crate) struct Found {
    contacts: Vec<Record>,
}

/// A contact as the backend writes one.
#[derive(Deserialize)]
pub(crate) struct Record {
    id: String,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    #[serde(default)]
    custom: BTreeMap<String, Value>,
}

impl From<Found> for UserList {
    fn from(found: Found) -> Self {
        Self {
            users: found.contacts.into_iter().map(User::from).collect(),
        }
    }
}

impl From<Record> for User {
    fn from(record: Record) -> Self {
        let custom: Vec<_> = record.custom.into_iter().map(attribute).collect();
        Self {
            contact_id: record.id,
            name: record.name,
            email: record.email,
            phone: record.phone,
            custom: (!custom.is_empty()).then_some(custom),
        }
    }
}

fn attribute((name, value): (String, Value)) -> Attribute {
    let value = match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Attribute { name, value }
}

/// The details to change: only what is there is sent.
#[derive(Debug, Serialize)]
pub(crate) struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    custom: BTreeMap<String, String>,
}

impl Details {
    /// At least one must be given.
    pub(crate) fn new(
        name: Option<String>,
        email: Option<String>,
        phone: Option<String>,
        custom: Option<Vec<Attribute>>,
    ) -> Result<Self, Error> {
        let custom: BTreeMap<_, _> = custom
            .unwrap_or_default()
            .into_iter()
            .map(|attribute| (attribute.name, attribute.value))
            .collect();
        if name.is_none() && email.is_none() && phone.is_none() && custom.is_empty() {
            return Err(Error::invalid_input(
                "give at least one of name, email, phone and custom",
            ));
        }
        Ok(Self {
            name,
            email,
            phone,
            custom,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Details, Record, search};
    use crate::bindings::exports::switchboard::conversations::conversations::{Attribute, User};

    #[test]
    fn a_search_needs_two_characters() {
        assert!(search(" a ").is_err());
        assert_eq!(search("sa").unwrap().to_string(), "/contacts?query=sa");
    }

    #[test]
    fn fields_of_any_kind_are_shown_as_text() {
        let record = json!({"id": "CT-1", "custom": {"plan": "pro", "seats": 3, "beta": true}});
        let user = User::from(serde_json::from_value::<Record>(record).unwrap());
        let custom = user.custom.unwrap();
        let shown: Vec<_> = custom
            .iter()
            .map(|field| (field.name.as_str(), field.value.as_str()))
            .collect();
        assert_eq!(shown, [("beta", "true"), ("plan", "pro"), ("seats", "3")]);
    }

    #[test]
    fn only_given_details_are_sent() {
        let plan = Attribute {
            name: "plan".into(),
            value: "pro".into(),
        };
        let details = Details::new(None, None, None, Some(vec![plan])).unwrap();
        assert_eq!(
            serde_json::to_value(details).unwrap(),
            json!({"custom": {"plan": "pro"}})
        );
        assert!(Details::new(None, None, None, Some(vec![])).is_err());
    }
}
