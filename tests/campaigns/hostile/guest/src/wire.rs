//! Requests that do not end, and writes that fail on the way.

use wasip2::clocks::monotonic_clock;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use wasip2::io::streams::StreamError;

use crate::bindings::exports::acme::hostile::attacks::Error;
use crate::held;

/// Where a write fails.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fails {
    InTheBody,
    BeforeTheAnswer,
    AfterTheAnswer,
    Never,
}

pub(crate) fn get(path: &str) -> Result<String, Error> {
    let request = request(&Method::Get, path, 0)?;
    let body = request.body().map_err(|()| odd())?;
    let pending = outgoing_handler::handle(request, None).or_else(refused)?;
    OutgoingBody::finish(body, None).or_else(refused)?;
    read(&answered(&pending)?)
}

/// Begins a body, and never goes on with it.
pub(crate) fn body_never_ends() -> Result<String, Error> {
    let request = request(&Method::Post, "/pay", 1_000)?;
    let body = request.body().map_err(|()| odd())?;
    let _pending = outgoing_handler::handle(request, None).or_else(refused)?;
    let stream = body.write().map_err(|()| odd())?;
    stream.blocking_write_and_flush(b"{").or_else(refused)?;
    loop {
        monotonic_clock::subscribe_duration(3_600_000_000_000).block();
    }
}

pub(crate) fn post(order: &str, says_length: bool, fails: Fails) -> Result<String, Error> {
    let text = format!("{{\"order\":\"{order}\"}}");
    let length = if says_length { text.len() } else { 0 };
    let request = request(&Method::Post, "/pay", length)?;
    let body = request.body().map_err(|()| odd())?;
    let pending = outgoing_handler::handle(request, None).or_else(refused)?;
    let stream = body.write().map_err(|()| odd())?;
    let (first, rest) = text.as_bytes().split_at(text.len() / 2);
    stream.blocking_write_and_flush(first).or_else(refused)?;
    assert!(fails != Fails::InTheBody, "half of the body is written");
    stream.blocking_write_and_flush(rest).or_else(refused)?;
    drop(stream);
    OutgoingBody::finish(body, None).or_else(refused)?;
    assert!(
        fails != Fails::BeforeTheAnswer,
        "nobody waits for the answer"
    );
    let answer = answered(&pending)?;
    assert!(fails != Fails::AfterTheAnswer, "nobody reads the answer");
    read(&answer)
}

fn request(method: &Method, path: &str, length: usize) -> Result<OutgoingRequest, Error> {
    let headers = [("content-length".to_owned(), length.to_string().into_bytes())];
    let headers = Fields::from_list(if length == 0 { &[] } else { &headers }).map_err(|_| odd())?;
    let request = OutgoingRequest::new(headers);
    let base = wasip2_setting()?;
    request.set_method(method).map_err(|()| odd())?;
    request
        .set_scheme(Some(&Scheme::Http))
        .map_err(|()| odd())?;
    request.set_authority(Some(&base)).map_err(|()| odd())?;
    request
        .set_path_with_query(Some(path))
        .map_err(|()| odd())?;
    Ok(request)
}

/// The backend's host and port, as the operator has set it.
fn wasip2_setting() -> Result<String, Error> {
    let url = switchboard_sdk::bindings::wasi::config::store::get("base_url");
    let url = url.ok().flatten().ok_or_else(odd)?;
    Ok(url.trim_start_matches("http://").to_owned())
}

fn answered(pending: &FutureIncomingResponse) -> Result<IncomingResponse, Error> {
    pending.subscribe().block();
    let answer = pending.get().ok_or_else(odd)?.map_err(|()| odd())?;
    answer.or_else(refused)
}

fn read(answer: &IncomingResponse) -> Result<String, Error> {
    let body = answer.consume().map_err(|()| odd())?;
    let stream = body.stream().map_err(|()| odd())?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) => return refused(error),
        }
    }
}

fn odd() -> Error {
    Error::Unavailable(switchboard_sdk::types::Unavailable {
        reason: "the host takes no such request".to_owned(),
        retry_after_seconds: None,
    })
}

fn refused<T>(error: impl std::fmt::Debug) -> Result<T, Error> {
    let held = held(format!("{error:?}"));
    Err(held.err().unwrap_or_else(odd))
}
