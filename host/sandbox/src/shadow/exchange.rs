//! One use of a capability as it is recorded: what the plugin asked for, and what it was given.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::key_value::{self, Keys};
use crate::model::ModelError;
use crate::outbound::{Failure, Received, SAFE};

/// What an entry takes beside the texts in it, about.
const ENTRY_BYTES: usize = 128;
/// Likewise a header field, or a key in a list.
const ITEM_BYTES: usize = 32;

/// What a plugin asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A request as the plugin made it, without anything that the host adds.
    Http {
        method: Method,
        url: String,
        headers: HeaderMap,
        body: Bytes,
    },
    /// The value of a key, or whether there is one.
    Value { key: String },
    /// Another value for a key; none deletes it.
    SetValue { key: String, value: Option<Vec<u8>> },
    /// The keys from a place on.
    Keys { from: u64 },
    /// A completion of the model.
    Completion { prompt: String, max_tokens: u32 },
}

impl Asked {
    /// Whether the answer to this one answers the other, too. A read is known by where it goes; of a write every byte counts.
    pub(crate) fn is_answered_like(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Http {
                    method, url, body, ..
                },
                Self::Http {
                    method: others_method,
                    url: others_url,
                    body: others_body,
                    ..
                },
            ) => {
                let reads = SAFE.contains(method);
                method == others_method && url == others_url && (reads || body == others_body)
            }
            _ => self == other,
        }
    }

    /// What it takes to keep it, about.
    pub(crate) fn bytes(&self) -> usize {
        let texts = match self {
            Self::Http {
                url, headers, body, ..
            } => url.len() + of_headers(headers) + body.len(),
            Self::Value { key } => key.len(),
            Self::SetValue { key, value } => key.len() + value.as_ref().map_or(0, Vec::len),
            Self::Keys { .. } => 0,
            Self::Completion { prompt, .. } => prompt.len(),
        };
        ENTRY_BYTES + texts
    }
}

/// What the plugin was given, exactly: without the secrets that were taken out of it.
#[derive(Clone, Debug)]
pub(crate) enum Answered {
    Http(Result<Received, Failure>),
    Value(Result<Option<Vec<u8>>, key_value::Error>),
    SetValue(Result<(), key_value::Error>),
    Keys(Result<Keys, key_value::Error>),
    Completion(Result<String, ModelError>),
}

impl Answered {
    /// What it takes to keep it, about.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Http(Ok(answer)) => of_headers(answer.headers()) + answer.body().len(),
            Self::Value(Ok(Some(value))) => value.len(),
            Self::Keys(Ok(keys)) => keys.keys.iter().map(|key| key.len() + ITEM_BYTES).sum(),
            Self::Completion(Ok(text)) => text.len(),
            // Errors are short, and of no plugin's making.
            _ => 0,
        }
    }

    /// The same in memory of its own: an answer from the network is a small part of a large buffer.
    pub(crate) fn detached(self) -> Self {
        let Self::Http(Ok(answer)) = self else {
            return self;
        };
        let mut kept = Received::new(Bytes::copy_from_slice(answer.body()));
        *kept.status_mut() = answer.status();
        for (name, value) in answer.headers() {
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                kept.headers_mut().append(name.clone(), value);
            }
        }
        Self::Http(Ok(kept))
    }
}

/// An answer of a capability, which can be recorded and given again.
pub(crate) trait Recordable: Sized {
    /// As it is kept.
    fn recorded(&self) -> Answered;

    /// As it is given again; none where it answers something else.
    fn again(answered: &Answered) -> Option<Self>;

    /// What a plugin gets that asks for something that is not recorded: nobody answers.
    fn unanswered() -> Self;
}

/// One use of a capability.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) asked: Asked,
    /// None until it is answered.
    pub(crate) answered: Option<Answered>,
}

impl Exchange {
    /// What it takes to keep it, about.
    pub(crate) fn bytes(&self) -> usize {
        self.asked.bytes() + self.answered.as_ref().map_or(0, Answered::bytes)
    }
}

fn of_headers(headers: &HeaderMap) -> usize {
    let field =
        |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + ITEM_BYTES;
    headers.iter().map(field).sum()
}
