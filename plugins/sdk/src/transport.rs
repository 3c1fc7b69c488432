//! One blocking HTTP exchange over `wasi:http`.

use wasip2::{
    http::{
        outgoing_handler,
        types::{
            ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method,
            OutgoingBody, OutgoingRequest, Scheme,
        },
    },
    io::streams::StreamError,
};

use crate::{answer::Answer, types::Error};

/// A larger answer is refused rather than held in the sandbox's memory.
const ANSWER_LIMIT_BYTES: usize = 1024 * 1024;
/// The most that `blocking-write-and-flush` takes at once.
const WRITE_CHUNK_BYTES: usize = 4096;
const READ_CHUNK_BYTES: u64 = 64 * 1024;

/// Where requests go: the parts of the base URL.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    https: bool,
    authority: String,
    prefix: String,
}

/// What is asked of the backend.
#[derive(Debug)]
pub struct Request {
    /// How.
    pub method: Method,
    /// Path and query below the base URL, percent-encoded.
    pub route: String,
    /// Further header fields. Those that say who asks, and `Idempotency-Key`, are the host's to set, whatever stands here.
    pub headers: Vec<(String, String)>,
    /// A JSON text, unless `headers` has another `content-type`.
    pub body: Option<Vec<u8>>,
}

impl Target {
    /// `http://host:port` or `https://host/prefix`; a query or a fragment is refused.
    pub(crate) fn parse(base_url: &str) -> Result<Self, Error> {
        let refused = || Error::unavailable("the plugin's setting base_url is no http(s) URL");
        let (scheme, rest) = base_url.split_once("://").ok_or_else(refused)?;
        let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let https = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(refused()),
        };
        if authority.is_empty() || rest.contains(['?', '#', '@', ' ']) {
            return Err(refused());
        }
        Ok(Self {
            https,
            authority: authority.to_owned(),
            prefix: prefix.trim_end_matches('/').to_owned(),
        })
    }
}

/// Sends the request and waits for the whole answer. Fails with `unavailable` where there is none.
pub(crate) fn send(target: &Target, request: &Request) -> Result<Answer, Error> {
    exchange(target, request)
        .map_err(|error| Error::unavailable(format_args!("no answer from the backend: {error}")))
}

/// Why an exchange failed; only ever shown to the operator.
#[derive(Debug)]
enum Broken {
    Code(ErrorCode),
    Stream,
    Unsupported,
    TooLarge,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // What `{code}` writes too, through one more formatter.
            Self::Code(code) => write!(to, "{code:?}"),
            Self::Stream => to.write_str("the connection broke"),
            Self::Unsupported => to.write_str("the host does not take such a request"),
            Self::TooLarge => write!(to, "it is larger than {ANSWER_LIMIT_BYTES} bytes"),
        }
    }
}

impl From<ErrorCode> for Broken {
    fn from(code: ErrorCode) -> Self {
        Self::Code(code)
    }
}

impl From<StreamError> for Broken {
    fn from(_: StreamError) -> Self {
        Self::Stream
    }
}

/// What the host answers where a call is out of order.
impl From<()> for Broken {
    fn from((): ()) -> Self {
        Self::Unsupported
    }
}

fn exchange(target: &Target, request: &Request) -> Result<Answer, Broken> {
    let pending = start(prepare(target, request)?, request.body.as_deref())?;
    pending.subscribe().block();
    let response = pending.get().ok_or(Broken::Unsupported)???;
    Ok(Answer {
        status: response.status(),
        retry_after_seconds: retry_after_seconds(&response),
        link: header(&response, "link"),
        body: read_body(&response)?,
    })
}

fn prepare(target: &Target, request: &Request) -> Result<OutgoingRequest, Broken> {
    let mut headers = vec![("accept".to_owned(), b"application/json".to_vec())];
    for (name, value) in &request.headers {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        headers.push((name.clone(), value.clone().into_bytes()));
    }
    if let Some(body) = &request.body {
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            headers.push(("content-type".to_owned(), b"application/json".to_vec()));
        }
        headers.push(("content-length".to_owned(), body.len().to_string().into()));
    }
    let headers = Fields::from_list(&headers).map_err(|_| Broken::Unsupported)?;
    let path = format!("{}{}", target.prefix, request.route);
    // What is not said is `GET`, over `https`.
    let outgoing = OutgoingRequest::new(headers);
    if !matches!(request.method, Method::Get) {
        outgoing.set_method(&request.method)?;
    }
    if !target.https {
        outgoing.set_scheme(Some(&Scheme::Http))?;
    }
    outgoing.set_authority(Some(&target.authority))?;
    outgoing.set_path_with_query(Some(&path))?;
    Ok(outgoing)
}

/// A request without a body needs none of the handles of one.
fn start(
    outgoing: OutgoingRequest,
    bytes: Option<&[u8]>,
) -> Result<FutureIncomingResponse, Broken> {
    let Some(bytes) = bytes else {
        return Ok(outgoing_handler::handle(outgoing, None)?);
    };
    let body = outgoing.body()?;
    let pending = outgoing_handler::handle(outgoing, None)?;
    // Only now: before the request is under way nobody takes the bytes.
    write_body(body, bytes)?;
    Ok(pending)
}

fn write_body(body: OutgoingBody, bytes: &[u8]) -> Result<(), Broken> {
    let stream = body.write()?;
    for chunk in bytes.chunks(WRITE_CHUNK_BYTES) {
        stream.blocking_write_and_flush(chunk)?;
    }
    drop(stream);
    Ok(OutgoingBody::finish(body, None)?)
}

fn read_body(response: &IncomingResponse) -> Result<Vec<u8>, Broken> {
    let body: IncomingBody = response.consume()?;
    let stream = body.stream()?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(READ_CHUNK_BYTES) {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(StreamError::Closed) => return Ok(bytes),
            Err(error) => return Err(error.into()),
        }
        if bytes.len() > ANSWER_LIMIT_BYTES {
            return Err(Broken::TooLarge);
        }
    }
}

fn retry_after_seconds(response: &IncomingResponse) -> Option<u32> {
    header(response, "retry-after")?.trim().parse().ok()
}

/// The first field of that name, where it is text.
fn header(response: &IncomingResponse, name: &str) -> Option<String> {
    let first = response.headers().get(name).into_iter().next()?;
    String::from_utf8(first).ok()
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn a_base_url_is_taken_apart() {
        let target = Target::parse("http://127.0.0.1:9100/v1/").unwrap();
        assert_eq!(
            target,
            Target {
                https: false,
                authority: "127.0.0.1:9100".into(),
                prefix: "/v1".into()
            }
        );
        assert!(Target::parse("https://desk.example").unwrap().https);
    }

    #[test]
    fn anything_but_a_plain_http_url_is_refused() {
        for wrong in [
            "",
            "127.0.0.1:9100",
            "ftp://a",
            "http:///x",
            "http://a/?q=1",
            "http://user@a",
        ] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }
}
