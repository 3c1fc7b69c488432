//! Types as a description writes them: `string`, `money`, `list<order>`.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// How deep lists may nest.
const MAX_DEPTH: usize = 4;

/// The type of a parameter, a field or a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// An id: 1 to 128 printable ASCII characters without spaces.
    Id,
    /// The id of a customer. As a parameter, which must be called `customer_id`, the host fills it in.
    CustomerId,
    /// An e-mail address.
    Email,
    /// A moment as RFC 3339.
    Timestamp,
    /// A whole number of 64 bits.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
    /// An amount in a currency.
    Money,
    /// A list of one type.
    List(Box<Kind>),
    /// A type of the description's own.
    Named(String),
}

/// A text that is no type.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no type; a type is string, id, customer-id, email, timestamp, integer, number, boolean, money, list<…> or the name of a type of yours"
)]
pub struct KindError(String);

const PLAIN: [(&str, Kind); 9] = [
    ("string", Kind::Text),
    ("id", Kind::Id),
    ("customer-id", Kind::CustomerId),
    ("email", Kind::Email),
    ("timestamp", Kind::Timestamp),
    ("integer", Kind::Integer),
    ("number", Kind::Number),
    ("boolean", Kind::Boolean),
    ("money", Kind::Money),
];

impl Kind {
    /// Whether its values are written as one piece of text: in a path, a query or a header field.
    pub fn is_scalar(&self) -> bool {
        !matches!(self, Self::Money | Self::List(_) | Self::Named(_))
    }

    fn at_depth(text: &str, depth: usize) -> Option<Self> {
        let text = text.trim();
        if let Some((_, kind)) = PLAIN.iter().find(|(name, _)| *name == text) {
            return Some(kind.clone());
        }
        match text.strip_prefix("list<") {
            Some(rest) if depth < MAX_DEPTH => {
                let item = Self::at_depth(rest.strip_suffix('>')?, depth + 1)?;
                Some(Self::List(Box::new(item)))
            }
            Some(_) => None,
            None => crate::check::is_name(text).then(|| Self::Named(text.to_owned())),
        }
    }
}

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        Self::at_depth(text, 0).ok_or_else(|| KindError(text.chars().take(60).collect()))
    }
}

impl Display for Kind {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(item) => write!(to, "list<{item}>"),
            Self::Named(name) => to.write_str(name),
            plain => {
                let name = PLAIN.iter().find(|(_, kind)| kind == plain);
                to.write_str(name.map_or("", |(name, _)| name))
            }
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
