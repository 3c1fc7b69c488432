//! What a client of the revision without sessions carries from one round of a request to the next: sealed by this server, and
//! good for that very request of that very caller.

use std::time::Duration;

use rmcp::ErrorData;
use rmcp::model::{RequestStateCodec, SealOptions};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer;

/// What a state is good for: one that was sealed for another request is worthless.
pub(super) struct About(Vec<u8>);

impl About {
    /// Everything by which one request differs from others.
    pub(super) fn new(what: &Value) -> Self {
        Self(what.to_string().into_bytes())
    }
}

/// Seals a state, which the client brings back within `ttl`.
pub(super) fn seal(
    states: &RequestStateCodec,
    about: &About,
    state: &impl Serialize,
    ttl: Duration,
) -> Result<String, ErrorData> {
    let options = SealOptions::new().associated_data(&about.0).ttl(ttl);
    states.seal_json_with(state, &options).map_err(|error| {
        tracing::error!(%error, "a request state cannot be sealed");
        ErrorData::internal_error("The host cannot ask anything now. Nothing was run.", None)
    })
}

/// Opens what a client has brought. What this server has not sealed for this very request is refused.
pub(super) fn open<T: DeserializeOwned>(
    states: &RequestStateCodec,
    about: &About,
    sealed: &str,
) -> Result<T, ErrorData> {
    states.open_json_with(sealed, &about.0).map_err(|error| {
        tracing::info!(%error, "a request state that does not hold");
        answer::invalid_params(BAD_STATE)
    })
}

const BAD_STATE: &str = "requestState does not belong to this request, or has expired: send the request again without \
    requestState and inputResponses";
