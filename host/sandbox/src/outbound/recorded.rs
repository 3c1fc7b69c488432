//! The answers of backends as a recording keeps them, and as it gives them again.

use std::io::ErrorKind;

use bytes::Bytes;
use http::Response;
use wasmtime_wasi_http::Error;
use wasmtime_wasi_http::p2::bindings::http::types::{DnsErrorPayload, ErrorCode};

use crate::shadow::{Answered, Recordable};

/// An answer, its body whole.
pub(crate) type Received = Response<Bytes>;
/// What the plugin sees of an error.
pub(crate) type Failure = ErrorCode;

impl Recordable for Result<Received, Error> {
    fn recorded(&self) -> Answered {
        Answered::Http(match self {
            Ok(answer) => Ok(answer.clone()),
            Err(error) => Err(seen(error)),
        })
    }

    fn again(answered: &Answered) -> Option<Self> {
        match answered {
            Answered::Http(answer) => Some(answer.clone().map_err(Error::from)),
            _ => None,
        }
    }

    fn unanswered() -> Self {
        Err(Error::ConnectionRefused)
    }
}

/// The error as `wasi:http` tells a plugin of it; of those that come up here once a request was whole.
fn seen(error: &Error) -> Failure {
    match error {
        Error::Hyper(_) => ErrorCode::HttpProtocolError,
        Error::Connect(error) if error.kind() == ErrorKind::AddrNotAvailable => {
            ErrorCode::DnsError(DnsErrorPayload {
                rcode: Some("address not available".to_owned()),
                info_code: None,
            })
        }
        Error::Connect(_) => ErrorCode::ConnectionRefused,
        Error::Tls(_) => ErrorCode::TlsProtocolError,
        Error::DestinationNotFound => ErrorCode::DestinationNotFound,
        Error::DestinationIpProhibited => ErrorCode::DestinationIpProhibited,
        Error::ConnectionTerminated => ErrorCode::ConnectionTerminated,
        Error::ConnectionTimeout => ErrorCode::ConnectionTimeout,
        Error::HttpRequestDenied => ErrorCode::HttpRequestDenied,
        Error::HttpRequestUriInvalid => ErrorCode::HttpRequestUriInvalid,
        Error::HttpResponseBodySize(size) => ErrorCode::HttpResponseBodySize(*size),
        Error::HttpResponseIncomplete => ErrorCode::HttpResponseIncomplete,
        Error::HttpResponseTimeout => ErrorCode::HttpResponseTimeout,
        Error::InternalError(text) => ErrorCode::InternalError(text.clone()),
        other => ErrorCode::InternalError(Some(other.to_string())),
    }
}
