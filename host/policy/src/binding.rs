//! Body rules: what the body of a request must say, so that what is sent is what was permitted.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{BodyEncoding, Money, form, pointer, unambiguous};

/// One value in the body of an unsafe request that must be the permitted one. A value that the permit lacks must be absent
/// from the body as well, or null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyRule {
    /// JSON pointer into the request's body; into `a[b]` of a form it is `/a/b`.
    pub at: String,
    /// JSON pointer into the permitted arguments, those that the host filled in (`customer_id`) included.
    pub is: String,
    /// How the backend writes it.
    #[serde(default)]
    pub form: BodyForm,
}

/// How a backend writes a permitted value. In a form all of them are texts: a number or a truth value is as JSON writes it.
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

    fn holds(&self, body: &Body, permitted: &Map<String, Value>) -> bool {
        let (Body::Json(tree) | Body::Form(tree)) = body;
        let sent = tree.pointer(&self.at).filter(|value| !value.is_null());
        match (pointer::lookup(permitted, &self.is), sent, body) {
            // Some parsers take `Amount` for the amount that was not permitted.
            (None, None, _) => !unambiguous::says_at(tree, &self.at),
            (Some(permitted), Some(sent), Body::Json(_)) => self.form.agrees(permitted, sent),
            (Some(permitted), Some(sent), Body::Form(_)) => self.form.agrees_in(permitted, sent),
            _ => false,
        }
    }
}

/// A body that every parser of its encoding reads alike.
enum Body {
    Json(Value),
    /// Its values are texts.
    Form(Value),
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

    /// The same for what a form says, which is texts alone.
    fn agrees_in(self, permitted: &Value, sent: &Value) -> bool {
        if self == Self::Same {
            return is_same_in_a_form(permitted, sent);
        }
        let (Ok(money), Some(sent)) = (Money::parse(permitted), sent.as_str()) else {
            return false;
        };
        match self {
            Self::MinorUnits => *sent == money.minor.to_string(),
            Self::Decimal => *sent == money.decimal(),
            Self::DecimalNumber => {
                let is_plain = |byte: u8| byte.is_ascii_digit() || byte == b'.' || byte == b'-';
                let amount = serde_json::json!({ "amount": sent, "currency": money.currency });
                sent.bytes().all(is_plain) && Money::parse(&amount).as_ref() == Ok(&money)
            }
            Self::Currency => *sent == money.currency,
            Self::Same => false,
        }
    }
}

/// Whether the texts of a form say a value: lists item by item, records field by field, and nothing besides.
fn is_same_in_a_form(permitted: &Value, sent: &Value) -> bool {
    match (permitted, sent) {
        (Value::String(permitted), Value::String(sent)) => permitted == sent,
        (Value::Bool(permitted), Value::String(sent)) => permitted.to_string() == *sent,
        (Value::Number(permitted), Value::String(sent)) => permitted.to_string() == *sent,
        (Value::Array(permitted), Value::Array(sent)) => {
            let mut pairs = permitted.iter().zip(sent);
            permitted.len() == sent.len() && pairs.all(|(one, other)| is_same_in_a_form(one, other))
        }
        (Value::Object(permitted), Value::Object(sent)) => {
            let said = |(name, one): (&String, &Value)| {
                let other = sent.get(name);
                other.is_some_and(|other| is_same_in_a_form(one, other))
            };
            permitted.len() == sent.len() && permitted.iter().all(said)
        }
        _ => false,
    }
}

/// The first rule that a body breaks, by its pointer. Where the body is not what its grant says it is, or two parsers could read
/// it differently: the whole of JSON (an empty pointer), or in words what is wrong with a form. A form is read whether or not a
/// rule asks: its grant is for forms alone.
pub(crate) fn broken(
    rules: &[BodyRule],
    bodies: BodyEncoding,
    body: &[u8],
    permitted: &Map<String, Value>,
) -> Option<String> {
    let body = match bodies {
        BodyEncoding::Json if rules.is_empty() => return None,
        BodyEncoding::Json => match unambiguous::parse(body) {
            Some(tree) => Body::Json(tree),
            None => return Some(String::new()),
        },
        BodyEncoding::Form => match form::read_form(body) {
            Ok(tree) => Body::Form(tree),
            Err(fault) => return Some(format!("not a form to be sent: {fault}")),
        },
    };
    let broken = rules.iter().find(|rule| !rule.holds(&body, permitted))?;
    Some(broken.at.clone())
}
