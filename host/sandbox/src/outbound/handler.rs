//! What a plugin calls to send a request.

use http::{HeaderMap, Method};
use http_body_util::{BodyExt, Empty};
use url::Url;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::runtime;
use wasmtime_wasi_http::p2::bindings::LinkOptions;
use wasmtime_wasi_http::p2::bindings::http::types::{self, ErrorCode};
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostOutgoingRequest};
use wasmtime_wasi_http::{Error, RequestOptions, WasiHttp, WasiHttpView};

use super::{Outcome, Wanted, begin, end};
use crate::outset::Begun;
use crate::state::State;

/// As the interfaces that it stands beside are called.
const INTERFACE: &str = "wasi:http/outgoing-handler@0.2.12";

type Pending = Resource<HostFutureIncomingResponse>;

pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let options = LinkOptions::default();
    types::add_to_linker::<_, WasiHttp>(linker, &(&options).into(), State::http)?;
    let mut interface = linker.instance(INTERFACE)?;
    interface.func_wrap_async("handle", |store, (request, options)| {
        Box::new(async move { Ok((handle(store, request, options).await?,)) })
    })
}

/// An error of the host ends the call; what the plugin did wrong, or may not do, it is told.
async fn handle(
    mut store: StoreContextMut<'_, State>,
    request: Resource<HostOutgoingRequest>,
    options: Option<Resource<RequestOptions>>,
) -> wasmtime::Result<Result<Pending, ErrorCode>> {
    let table = store.data_mut().http().table;
    // Times are the host's to set.
    if let Some(options) = options {
        table.delete(options)?;
    }
    let wanted = match wanted(table.delete(request)?) {
        Ok(wanted) => wanted,
        Err(error) => return Ok(Err(error)),
    };
    let invocation = store.data().invocation.clone();
    let future = match begin(wanted, &invocation).await {
        Begun::Over(Some(Err(Error::HttpRequestDenied))) => {
            return Ok(Err(ErrorCode::HttpRequestDenied));
        }
        Begun::Over(Some(Err(error))) => HostFutureIncomingResponse::Ready(Err(error)),
        begun => pending(end(begun)),
    };
    Ok(Ok(store.data_mut().http().table.push(future)?))
}

fn pending(answered: impl Future<Output = Outcome> + Send + 'static) -> HostFutureIncomingResponse {
    HostFutureIncomingResponse::Pending(runtime::spawn(async {
        Ok((answered.await?, runtime::spawn(async {})))
    }))
}

fn wanted(request: HostOutgoingRequest) -> Result<Wanted, ErrorCode> {
    let scheme = match request.scheme {
        None | Some(types::Scheme::Https) => "https",
        Some(types::Scheme::Http) => "http",
        Some(types::Scheme::Other(_)) => return Err(ErrorCode::HttpProtocolError),
    };
    let authority = request.authority.unwrap_or_default();
    let path = request.path_with_query.unwrap_or_default();
    Ok(Wanted {
        method: method(request.method)?,
        url: url(scheme, &authority, &path).ok_or(ErrorCode::HttpRequestUriInvalid)?,
        headers: HeaderMap::from(request.headers),
        body: request
            .body
            .unwrap_or_else(|| Empty::new().map_err(|never| match never {}).boxed_unsync()),
    })
}

/// The parts together, if they are a URL.
pub(super) fn url(scheme: &str, authority: &str, path: &str) -> Option<Url> {
    // Else the path would be read as a part of the name, or as all of it.
    let is_apart = path.is_empty() || path.starts_with(['/', '?']);
    if authority.is_empty() || !is_apart {
        return None;
    }
    Url::parse(&format!("{scheme}://{authority}{path}")).ok()
}

fn method(method: types::Method) -> Result<Method, ErrorCode> {
    Ok(match method {
        types::Method::Get => Method::GET,
        types::Method::Head => Method::HEAD,
        types::Method::Post => Method::POST,
        types::Method::Put => Method::PUT,
        types::Method::Delete => Method::DELETE,
        types::Method::Connect => Method::CONNECT,
        types::Method::Options => Method::OPTIONS,
        types::Method::Trace => Method::TRACE,
        types::Method::Patch => Method::PATCH,
        types::Method::Other(name) => {
            Method::from_bytes(name.as_bytes()).map_err(|_| ErrorCode::HttpRequestMethodInvalid)?
        }
    })
}
