//! One request and its answer: whole body → gate → checked address → send → tell the gate what became of it. Or, in a replay:
//! whole body → recording.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use dispatch::{Answer, Gate, HttpApproval, OutboundHttp};
use http::header::{CONNECTION, CONTENT_LENGTH};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use url::Url;
use wasmtime_wasi_http::{Error, WasiBody};

use super::connector::{Channel, Destination, prohibited};
use super::headers;
use super::recorded::Received;
use super::{Outcome, Wanted};
use crate::invocation::Invocation;
use crate::reach::{Out, Reach};
use crate::shadow::Asked;

/// Methods that change nothing, so that sending one twice does no harm.
pub(crate) const SAFE: [Method; 3] = [Method::GET, Method::HEAD, Method::OPTIONS];

/// Carries out one request of a plugin.
pub(super) async fn exchange(wanted: Wanted, invocation: &Invocation) -> Outcome {
    let Wanted {
        method,
        url,
        headers,
        body,
    } = wanted;
    let destination = Destination::of(&url, invocation.account.tenant())?;
    let body = until_stopped(invocation, whole_body(body, invocation)).await??;
    check_whole(&headers, &body, invocation)?;
    let bytes = url.as_str().len() + headers::bytes(&headers) + body.len();
    let headers = headers::plugins(headers);
    let asked = Asked::Http {
        method: method.clone(),
        url: url.to_string(),
        headers: headers.clone(),
        body: body.clone(),
    };
    let answer = match &invocation.reach {
        Reach::Out(out) => {
            let trip = Trip {
                invocation,
                out,
                destination: &destination,
                safe: SAFE.contains(&method),
            };
            let outbound = OutboundHttp {
                method,
                url: url.to_string(),
                body,
            };
            // Boxed, for it is long, and would be a part of several futures.
            let made = Box::pin(trip.make(outbound, &url, &headers, bytes));
            out.record(asked, made).await?
        }
        Reach::Replay(replay) => received(replay.answer(asked), invocation)?,
    };
    Ok(answer.map(|body| {
        Full::new(body)
            .map_err(|never| match never {})
            .boxed_unsync()
    }))
}

/// An answer that has arrived, where its body may still be that long.
fn received(answer: Result<Received, Error>, invocation: &Invocation) -> Result<Received, Error> {
    let answer = answer?;
    let limit = u64::try_from(invocation.limits.response_bytes).ok();
    let fits = invocation.response_bytes.take(answer.body().len());
    fits.then_some(answer)
        .ok_or(Error::HttpResponseBodySize(limit))
}

async fn whole_body(body: WasiBody, invocation: &Invocation) -> Result<Bytes, Error> {
    let limit = u64::try_from(invocation.limits.request_bytes).ok();
    let allowance = &invocation.request_bytes;
    match Limited::new(body, allowance.left()).collect().await {
        Ok(body) => {
            let body = body.to_bytes();
            let fits = allowance.take(body.len());
            fits.then_some(body)
                .ok_or(Error::HttpRequestBodySize(limit))
        }
        Err(error) if error.is::<LengthLimitError>() => Err(Error::HttpRequestBodySize(limit)),
        Err(_) => Err(Error::ConnectionTerminated),
    }
}

/// Half of a body must not go out as if it were all of it: a plugin that dies while it writes leaves one that simply ends.
fn check_whole(headers: &HeaderMap, body: &Bytes, invocation: &Invocation) -> Result<(), Error> {
    let said = headers.get(CONTENT_LENGTH);
    let said = said.map(|length| length.to_str().ok()?.parse::<usize>().ok());
    match said {
        Some(Some(length)) if length == body.len() => Ok(()),
        Some(_) => Err(Error::HttpRequestBodySize(u64::try_from(body.len()).ok())),
        None if invocation.is_cut() => Err(Error::ConnectionTerminated),
        None => Ok(()),
    }
}

/// The request as it leaves: the URL that was judged, the plugin's header fields, and the host's over them.
fn assemble(
    outbound: OutboundHttp,
    url: &Url,
    headers: &HeaderMap,
    destination: &Destination,
    approval: HttpApproval,
) -> Result<Request<Full<Bytes>>, Error> {
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let authority = HeaderValue::from_str(&destination.authority());
    let authority = authority.map_err(|_| Error::HttpRequestUriInvalid)?;
    let mut request = Request::new(Full::new(outbound.body));
    *request.method_mut() = outbound.method;
    *request.uri_mut() = Uri::try_from(target).map_err(|_| Error::HttpRequestUriInvalid)?;
    *request.headers_mut() = headers::outgoing(headers, approval.headers, authority);
    if !SAFE.contains(request.method()) {
        // Its connection carries nothing else. A backend that knows so takes no body that it left unread for the next request.
        let close = HeaderValue::from_static("close");
        request.headers_mut().insert(CONNECTION, close);
    }
    Ok(request)
}

/// The way of one request to one destination.
struct Trip<'a> {
    invocation: &'a Invocation,
    out: &'a Out,
    destination: &'a Destination,
    safe: bool,
}

type Head = Result<(Response<Incoming>, Channel), Error>;

impl Trip<'_> {
    /// There and back: the gate hears of it before and after.
    async fn make(
        &self,
        outbound: OutboundHttp,
        url: &Url,
        headers: &HeaderMap,
        bytes: usize,
    ) -> Result<Received, Error> {
        // Before the gate is asked: what it approves is sent at once, or not at all.
        pay(self.invocation, bytes).await?;
        let gate = &self.out.gate;
        let approval = gate.http(&outbound).await.map_err(|refusal| {
            self.invocation.refuse(refusal);
            Error::HttpRequestDenied
        })?;
        let (ordinal, private_network) = (approval.ordinal, approval.private_network);
        let request = assemble(outbound, url, headers, self.destination, approval);
        let (answer, head) = match request {
            Ok(request) => self.send(request, private_network).await,
            Err(error) => (Answer::NotSent, Err(error)),
        };
        // Told as soon as it is known: the status decides, whatever happens to the body.
        gate.answered(ordinal, answer).await;
        let (response, channel) = head?;
        self.receive(response, channel).await
    }

    /// Sends, and says precisely what is known then: only a connection that never stood means that nothing was sent.
    async fn send(&self, request: Request<Full<Bytes>>, private_network: bool) -> (Answer, Head) {
        let addresses = match self.resolve(private_network).await {
            Ok(addresses) => addresses,
            Err(error) => return (Answer::NotSent, Err(error)),
        };
        // A kept connection may turn out to be closed by the other side after the request was written, and then nobody
        // knows whether it arrived. A safe request is simply sent again; any other gets a connection of its own, so that
        // no layer is ever tempted to send it twice.
        let mut unsent = Answer::NotSent;
        if self.safe
            && let Some(kept) = self.out.connector.kept(self.destination, &addresses)
        {
            match self.ask(kept, request.clone()).await {
                Ok(head) => return (Answer::Status(head.0.status().as_u16()), Ok(head)),
                Err(Error::Hyper(_)) => unsent = Answer::Nothing,
                Err(error) => return (Answer::Nothing, Err(error)),
            }
        }
        let channel = match self.connect(&addresses).await {
            Ok(channel) => channel,
            Err(error) => return (unsent, Err(error)),
        };
        match self.ask(channel, request).await {
            Ok(head) => (Answer::Status(head.0.status().as_u16()), Ok(head)),
            Err(error) => (Answer::Nothing, Err(error)),
        }
    }

    async fn resolve(&self, private_network: bool) -> Result<Vec<SocketAddr>, Error> {
        let connector = &self.out.connector;
        let resolving = connector.resolve(self.destination, private_network);
        let addresses = until_stopped(self.invocation, resolving).await?;
        if matches!(addresses, Err(Error::DestinationIpProhibited)) {
            self.invocation.refuse(prohibited());
        }
        addresses
    }

    async fn connect(&self, addresses: &[SocketAddr]) -> Result<Channel, Error> {
        let invocation = self.invocation;
        let connecting = self.out.connector.connect(self.destination, addresses);
        until_stopped(invocation, timeout(invocation.limits.connect(), connecting))
            .await?
            .unwrap_or(Err(Error::ConnectionTimeout))
    }

    async fn ask(&self, mut channel: Channel, request: Request<Full<Bytes>>) -> Head {
        let asking = timeout(self.invocation.limits.answer(), channel.send(request));
        let failure = match until_stopped(self.invocation, asking).await {
            Ok(Ok(Ok(response))) => return Ok((response, channel)),
            Ok(Ok(Err(error))) => Error::Hyper(error),
            Ok(Err(_)) => Error::HttpResponseTimeout,
            Err(stopped) => stopped,
        };
        // What came of an answer without a head was read all the same. The next bytes wait for it.
        self.invocation.account.transferred(channel.received());
        Err(failure)
    }

    /// Reads the whole body; the plugin gets all of it or an error, and in neither case a secret.
    async fn receive(
        &self,
        response: Response<Incoming>,
        channel: Channel,
    ) -> Result<Received, Error> {
        let (mut parts, body) = response.into_parts();
        pay(self.invocation, headers::bytes(&parts.headers)).await?;
        let body = self.read(body).await?;
        if self.safe {
            self.out.connector.keep(self.destination, channel);
        }
        let gate = &*self.out.gate;
        parts.headers = headers::incoming(parts.headers, gate);
        let (body, was_scrubbed) = without_secrets(body, gate);
        if was_scrubbed && parts.headers.contains_key(CONTENT_LENGTH) {
            let length = HeaderValue::from(body.len());
            parts.headers.insert(CONTENT_LENGTH, length);
        }
        Ok(Response::from_parts(parts, body))
    }

    /// The whole body. Whatever arrives is paid for when it does, so that one without an end comes no faster than the share.
    async fn read(&self, mut body: Incoming) -> Result<Bytes, Error> {
        let invocation = self.invocation;
        let limits = &invocation.limits;
        let allowance = &invocation.response_bytes;
        let too_long = || Error::HttpResponseBodySize(u64::try_from(limits.response_bytes).ok());
        let mut deadline = Instant::now() + limits.answer();
        let mut whole = BytesMut::new();
        loop {
            let next = timeout_at(deadline, body.frame());
            let frame = match until_stopped(invocation, next).await? {
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(_))) => return Err(Error::HttpResponseIncomplete),
                Ok(None) => break,
                Err(_) => return Err(Error::HttpResponseTimeout),
            };
            if let Ok(bytes) = frame.into_data() {
                let pause = invocation.account.transferred(bytes.len());
                if whole.len() + bytes.len() > allowance.left() {
                    return Err(too_long());
                }
                stand_back(invocation, pause).await?;
                // The backend is not late while the tenant is.
                deadline += pause;
                whole.extend_from_slice(&bytes);
            }
        }
        let fits = allowance.take(whole.len());
        fits.then(|| whole.freeze()).ok_or_else(too_long)
    }
}

/// The body without the secrets that the backend repeats, and whether there were any. What is no text is passed on as it is, unless
/// there is one among it.
fn without_secrets(body: Bytes, gate: &dyn Gate) -> (Bytes, bool) {
    let text = String::from_utf8_lossy(&body);
    let scrubbed = gate.scrub(&text);
    if scrubbed == text {
        drop(text);
        return (body, false);
    }
    (scrubbed.into(), true)
}

/// Takes bytes from the tenant's share, and stands back until they are there.
async fn pay(invocation: &Invocation, bytes: usize) -> Result<(), Error> {
    stand_back(invocation, invocation.account.transferred(bytes)).await
}

async fn stand_back(invocation: &Invocation, pause: Duration) -> Result<(), Error> {
    if pause.is_zero() {
        return Ok(());
    }
    until_stopped(invocation, sleep(pause)).await
}

/// Runs until the invocation is stopped.
async fn until_stopped<T>(
    invocation: &Invocation,
    work: impl Future<Output = T>,
) -> Result<T, Error> {
    invocation
        .stop
        .run_until_cancelled(work)
        .await
        .ok_or(Error::ConnectionTerminated)
}
