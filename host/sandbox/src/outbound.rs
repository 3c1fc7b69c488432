//! `wasi:http/outgoing-handler`: every request of a plugin goes whole through the gate, and out from here, or is answered from a
//! recording.

mod connector;
mod exchange;
mod handler;
mod headers;
mod metered;
mod network;
mod recorded;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::{HeaderMap, Method, Request, Response};
use url::Url;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

pub(crate) use connector::Connector;
pub(crate) use exchange::SAFE;
pub(crate) use handler::add_to_linker;
pub(crate) use recorded::{Failure, Received};

use crate::invocation::Invocation;
use crate::outset::{self, Begun};

/// What came of a request.
type Outcome = Result<Response<WasiBody>, Error>;

/// What a plugin wants to be sent.
struct Wanted {
    method: Method,
    /// Read once, in the form that the rules judge and that then goes out: what is judged is what is sent.
    url: Url,
    headers: HeaderMap,
    body: WasiBody,
}

/// Begins a request: to be awaited as what the call asks for.
async fn begin(wanted: Wanted, invocation: &Arc<Invocation>) -> Begun<Outcome> {
    let owned = invocation.clone();
    outset::begin(invocation, async move {
        exchange::exchange(wanted, &owned).await
    })
    .await
}

/// The end of a request. One that panicked has told so: that ends the request and not the call.
async fn end(begun: Begun<Outcome>) -> Outcome {
    begun
        .end()
        .await
        .unwrap_or(Err(Error::ConnectionTerminated))
}

/// What `wasi:http` asks of its host: nothing is sent by it.
pub(crate) struct NoOtherWay;

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(Response<WasiBody>, Io), Error>;

impl WasiHttpHooks for NoOtherWay {
    /// Plugins are given [`handler`]'s way out, and never come here.
    fn send_request(
        &mut self,
        _: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Io,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
