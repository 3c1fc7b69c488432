//! `wasi:http/outgoing-handler`: every request of a plugin goes whole through the gate, and out from here, or is answered from a
//! recording.

mod connector;
mod exchange;
mod headers;
mod network;
mod recorded;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::Request;
use tokio::sync::oneshot;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::invocation::Invocation;
pub(crate) use connector::Connector;
pub(crate) use exchange::SAFE;
use exchange::exchange;
pub(crate) use recorded::{Failure, Received};

/// The hooks of one call.
pub(crate) struct Outbound {
    invocation: Arc<Invocation>,
}

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(http::Response<WasiBody>, Io), Error>;

impl Outbound {
    pub(crate) fn new(invocation: Arc<Invocation>) -> Self {
        Self { invocation }
    }
}

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Io,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let (answer, answered) = oneshot::channel();
        let invocation = self.invocation.clone();
        self.invocation.requests.spawn(async move {
            let outcome = exchange(request, &invocation).await;
            // A plugin that dropped its handle does not want to know.
            drop(answer.send(outcome));
        });
        Box::new(async move {
            let response = answered.await.unwrap_or(Err(Error::ConnectionTerminated))?;
            Ok((response, Box::new(async { Ok(()) }) as Io))
        })
    }
}
