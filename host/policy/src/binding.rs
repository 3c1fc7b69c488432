//! Body rules: what the body of a request must say, so that what is sent is what was permitted.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Money, pointer, unambiguous};

/// One value in the body of an unsafe request that must be the permitted one. A value that the permit lacks must be absent
/// from the body as well, or null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyRule {
    /// JSON pointer into the request's body.
    pub at: String,
    /// JSON pointer into the permitted arguments, those that the host filled in (`customer_id`) included.
    pub is: String,
    /// How the backend writes it.
    #[serde(default)]
    pub form: BodyForm,
}

/// How a backend writes a permitted value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyForm {
    /// As it is in the arguments: the same JSON value.
    #[default]
    Same,
    /// Money as an integer of minor units: 4999.
    MinorUnits,
    /// Money as a string with all decimals of its currency: "49.99".
    Decimal,
    /// Money as a number: 49.99.
    DecimalNumber,
    /// Money's ISO 4217 code alone: "USD".
    Currency,
}

impl BodyRule {
    /// Whether both pointers lead into something.
    pub(crate) fn is_plain(&self) -> bool {
        self.at.starts_with('/') && self.is.starts_with('/')
    }

    fn holds(&self, body: &Value, permitted: &Map<String, Value>) -> bool {
        let sent = body.pointer(&self.at).filter(|value| !value.is_null());
        match (pointer::lookup(permitted, &self.is), sent) {
            (None, None) => true,
            (Some(permitted), Some(sent)) => self.form.agrees(permitted, sent),
            _ => false,
        }
    }
}

impl BodyForm {
    fn agrees(self, permitted: &Value, sent: &Value) -> bool {
        if self == Self::Same {
            return permitted == sent;
        }
        let Ok(money) = Money::parse(permitted) else {
            return false;
        };
        match (self, sent) {
            (Self::MinorUnits, Value::Number(sent)) => sent.as_i64() == Some(money.minor),
            (Self::Decimal, Value::String(sent)) => *sent == money.decimal(),
            // Its digits are read as they stand: no float is computed.
            (Self::DecimalNumber, Value::Number(sent)) => {
                let amount =
                    serde_json::json!({ "amount": sent.to_string(), "currency": money.currency });
                Money::parse(&amount).as_ref() == Ok(&money)
            }
            (Self::Currency, Value::String(sent)) => *sent == money.currency,
            _ => false,
        }
    }
}

/// The first rule that a body breaks, by its pointer; the whole body (an empty pointer) where it is not JSON, or JSON that
/// two parsers could read differently.
pub(crate) fn broken<'a>(
    rules: &'a [BodyRule],
    body: &[u8],
    permitted: &Map<String, Value>,
) -> Option<&'a str> {
    if rules.is_empty() {
        return None;
    }
    let Some(body) = unambiguous::parse(body) else {
        return Some("");
    };
    let broken = rules.iter().find(|rule| !rule.holds(&body, permitted))?;
    Some(&broken.at)
}
