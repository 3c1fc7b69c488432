//! Floods: of host calls, handles, header fields, random bytes, log lines and requests.

use std::hint::black_box;

use wasip2::clocks::monotonic_clock;
use wasip2::http::types::Fields;
use wasip2::random::random;

use crate::bindings::exports::acme::hostile::attacks::Error;
use crate::{held, wire};

pub(crate) fn host_calls() -> Result<String, Error> {
    loop {
        black_box(monotonic_clock::now());
    }
}

pub(crate) fn handles() -> Result<String, Error> {
    loop {
        std::mem::forget(Fields::new());
    }
}

/// Adds fields until there is no more room.
pub(crate) fn headers(value_bytes: usize) -> Result<String, Error> {
    let fields = Fields::new();
    let value = vec![b'x'; value_bytes];
    for number in 0_u64.. {
        if let Err(error) = fields.append(&format!("x-{number}"), &value) {
            return held(format!("{error:?} after {number} fields"));
        }
    }
    Ok("all of them".to_owned())
}

pub(crate) fn random() -> Result<String, Error> {
    loop {
        black_box(random::get_random_bytes(60_000));
    }
}

pub(crate) fn random_at_once(bytes: usize) -> Result<String, Error> {
    Ok(random::get_random_bytes(bytes as u64).len().to_string())
}

pub(crate) fn log() -> Result<String, Error> {
    loop {
        eprintln!("{}", "a line of the log, over and over, ".repeat(100));
    }
}

/// Sends requests, and goes on when it may send no more.
pub(crate) fn refused_requests() -> Result<String, Error> {
    loop {
        let _ = black_box(wire::get("/ok"));
    }
}

/// Sends requests until it may send no more.
pub(crate) fn requests() -> Result<String, Error> {
    for _ in 0..10_000 {
        wire::get("/ok")?;
    }
    Ok("all of them".to_owned())
}
