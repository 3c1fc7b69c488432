//! The way out, against loopback servers: what is sent, what is not, and what the gate hears of it.

mod addresses;
mod backend;
mod bodies;
mod gate;
mod hidden;
mod recorded;

use std::sync::Arc;

use bytes::Bytes;
use dispatch::Answer;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use wasmtime_wasi_http::{Error, WasiBody};

use self::backend::{Backend, Reply};
use self::gate::TestGate;
use super::handler::url;
use super::{Connector, Outcome, Wanted, begin, end};
use crate::invocation::Invocation;
use crate::lane::{self, Lane};
use crate::outset::{self, Begun, beside};
use crate::reach::{Out, Reach};
use crate::shadow::Tape;
use crate::share::Accounts;
use crate::{Capacity, Limits, Share};

const OK: Reply = Reply::Raw("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");

const TENANT: &str = "acme";

/// One plugin call that makes requests.
struct Caller {
    gate: Arc<TestGate>,
    invocation: Arc<Invocation>,
    connector: Arc<Connector>,
    accounts: Accounts,
}

impl Caller {
    fn new(gate: TestGate) -> Self {
        Self::over(gate, Connector::default())
    }

    fn over(gate: TestGate, connector: Connector) -> Self {
        Self::of(TENANT, gate, Arc::new(connector))
    }

    fn of(tenant: &str, gate: TestGate, connector: Arc<Connector>) -> Self {
        Self::recorded(tenant, gate, connector, Arc::new(Tape::of(0)))
    }

    fn recorded(tenant: &str, gate: TestGate, connector: Arc<Connector>, tape: Arc<Tape>) -> Self {
        let limits = Limits {
            request_bytes: 1_000,
            response_bytes: 1_000,
            ..Limits::default()
        };
        let gate = Arc::new(gate);
        let accounts = Accounts::new(&Capacity::default());
        let account = accounts.of(tenant);
        let reach = Reach::Out(Out {
            gate: gate.clone(),
            connector: connector.clone(),
            tape,
        });
        let invocation = Invocation::new(reach, Arc::new(limits), account);
        Self {
            gate,
            invocation,
            connector,
            accounts,
        }
    }

    /// Sends as `wasi:http` would, and gives status and body.
    async fn send(&self, request: Request<Full<Bytes>>) -> Result<(u16, String), Error> {
        let response = self.response(request).await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    async fn response(&self, request: Request<Full<Bytes>>) -> Result<Response<WasiBody>, Error> {
        end(self.begin(request).await).await
    }

    /// As a plugin's call does.
    async fn begin(&self, request: Request<Full<Bytes>>) -> Begun<Outcome> {
        let (parts, body) = request.into_parts();
        let authority = parts.uri.authority().unwrap().as_str();
        let path = parts.uri.path_and_query().unwrap().as_str();
        let Some(url) = url(parts.uri.scheme_str().unwrap(), authority, path) else {
            return Begun::Over(Some(Err(Error::HttpRequestUriInvalid)));
        };
        let wanted = Wanted {
            method: parts.method,
            url,
            headers: parts.headers,
            body: body.map_err(|never| match never {}).boxed_unsync(),
        };
        beside(&self.invocation, begin(wanted, &self.invocation)).await
    }
}

fn get(url: &str) -> Request<Full<Bytes>> {
    request(Method::GET, url, "")
}

fn post(url: &str, body: &str) -> Request<Full<Bytes>> {
    request(Method::POST, url, body)
}

fn request(method: Method, url: &str, body: &str) -> Request<Full<Bytes>> {
    let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
    Request::builder()
        .method(method)
        .uri(url)
        .body(body)
        .unwrap()
}

#[tokio::test]
async fn the_host_decides_about_its_own_header_fields() {
    let backend = Backend::start(vec![vec![OK]]).await;
    let gate = TestGate::local().with_header("authorization", "Bearer of the host");
    let caller = Caller::new(gate.with_header("idempotency-key", "intent-1"));
    let mut request = post(&backend.url("/refunds?x=1"), "{}");
    for (name, value) in [
        ("authorization", "Bearer of the plugin"),
        ("cookie", "session=1"),
        ("idempotency-key", "chosen by the plugin"),
        ("host", "elsewhere.example"),
        ("x-http-method", "DELETE by the plugin"),
        ("x-http-method-override", "DELETE by the plugin"),
        ("x-method-override", "DELETE by the plugin"),
        ("x-original-url", "/admin by the plugin"),
        ("x-rewrite-url", "/admin by the plugin"),
        ("x-forwarded-user", "somebody by the plugin"),
        ("x-real-ip", "an address by the plugin"),
        ("content-encoding", "gzip by the plugin"),
        ("x-own", "kept"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    assert_eq!(caller.send(request).await.unwrap(), (200, "hi".to_owned()));
    let seen = backend.requests();
    let [sent] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    assert!(sent.starts_with("POST /refunds?x=1 HTTP/1.1\r\n"), "{sent}");
    assert!(
        sent.contains(&format!("host: {}\r\n", backend.authority())),
        "{sent}"
    );
    assert!(
        sent.contains("authorization: Bearer of the host\r\n"),
        "{sent}"
    );
    assert!(sent.contains("idempotency-key: intent-1\r\n"), "{sent}");
    assert!(sent.contains("x-own: kept\r\n"), "{sent}");
    assert!(
        !sent.contains("of the plugin") && !sent.contains("by the plugin"),
        "{sent}"
    );
    assert!(
        !sent.contains("cookie") && !sent.contains("elsewhere"),
        "{sent}"
    );
    assert_eq!(caller.gate.answers(), [(1, Answer::Status(200))]);
}

#[tokio::test]
async fn a_session_of_the_backend_stays_with_the_host() {
    let reply =
        Reply::Raw("HTTP/1.1 200 OK\r\nset-cookie: s=1\r\nx-other: 2\r\ncontent-length: 0\r\n\r\n");
    let backend = Backend::start(vec![vec![reply]]).await;
    let caller = Caller::new(TestGate::local());
    let response = caller.response(get(&backend.url("/"))).await.unwrap();
    assert!(!response.headers().contains_key("set-cookie"));
    assert!(response.headers().contains_key("x-other"));
}

/// A backend that repeats what it was sent, the host's credential with it.
#[tokio::test]
async fn a_secret_that_the_backend_repeats_stays_with_the_host() {
    let echo = Reply::Raw(
        "HTTP/1.1 200 OK\r\nx-echo: Bearer s3cr3t-token\r\ncontent-length: 22\r\n\r\nyou sent s3cr3t-token.",
    );
    let backend = Backend::start(vec![vec![echo]]).await;
    let caller = Caller::new(TestGate::local());
    let response = caller.response(get(&backend.url("/"))).await.unwrap();
    assert_eq!(response.headers()["x-echo"], "Bearer [secret]");
    assert_eq!(response.headers()["content-length"], "18");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "you sent [secret].");
}

#[tokio::test]
async fn what_is_judged_is_what_is_sent() {
    let backend = Backend::start(vec![vec![OK]]).await;
    let caller = Caller::new(TestGate::local());
    let url = backend.url("/orders/%2e%2e/admin/../refunds");
    caller.send(get(&url)).await.unwrap();
    assert_eq!(caller.gate.asked(), [backend.url("/refunds")]);
    assert!(backend.requests()[0].starts_with("GET /refunds HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_any_other() {
    let target = Backend::start(vec![vec![OK]]).await;
    let head = format!(
        "HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
        target.url("/")
    );
    let backend = Backend::start(vec![vec![Reply::Text(head)]]).await;
    let caller = Caller::new(TestGate::local());
    assert_eq!(caller.send(get(&backend.url("/"))).await.unwrap().0, 302);
    assert!(target.requests().is_empty());
}

#[tokio::test]
async fn a_private_address_needs_its_own_grant() {
    let backend = Backend::start(vec![vec![OK]]).await;
    let caller = Caller::new(TestGate::public());
    for url in [
        backend.url("/"),
        format!("http://localhost:{}/", backend.port()),
    ] {
        let refused = caller.send(get(&url)).await.unwrap_err();
        assert!(
            matches!(refused, Error::DestinationIpProhibited),
            "{refused:?}"
        );
    }
    assert_eq!(
        caller.gate.answers(),
        [(1, Answer::NotSent), (2, Answer::NotSent)]
    );
    assert_eq!(
        caller.invocation.refusal().unwrap().code,
        "ADDRESS_PROHIBITED"
    );
    assert_eq!(backend.connections(), 0);
}

#[tokio::test]
async fn no_grant_reaches_metadata_services() {
    let caller = Caller::new(TestGate::local());
    for url in [
        "http://169.254.169.254/latest/meta-data",
        "http://[::ffff:169.254.169.254]/",
        "http://0.0.0.0/",
    ] {
        let refused = caller.send(get(url)).await.unwrap_err();
        assert!(
            matches!(refused, Error::DestinationIpProhibited),
            "{url}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn a_refusal_reaches_nobody_and_is_remembered() {
    let backend = Backend::start(vec![vec![OK]]).await;
    let caller = Caller::new(TestGate::refusing("HTTP_NOT_GRANTED"));
    let refused = caller
        .send(post(&backend.url("/"), "{}"))
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::HttpRequestDenied), "{refused:?}");
    assert_eq!(
        caller.invocation.refusal().unwrap().code,
        "HTTP_NOT_GRANTED"
    );
    assert!(caller.gate.answers().is_empty());
    assert_eq!(backend.connections(), 0);
}

#[tokio::test]
async fn urls_with_two_readings_are_not_sent() {
    let backend = Backend::start(vec![vec![OK]]).await;
    let caller = Caller::new(TestGate::local());
    let url = format!("http://trusted.example@{}/", backend.authority());
    let refused = caller.send(get(&url)).await.unwrap_err();
    assert!(
        matches!(refused, Error::HttpRequestUriInvalid),
        "{refused:?}"
    );
    assert!(caller.gate.asked().is_empty());
    assert_eq!(backend.connections(), 0);
}

#[tokio::test]
async fn a_connection_that_never_stood_sent_nothing() {
    let url = Backend::start(vec![]).await.gone().await;
    let caller = Caller::new(TestGate::local());
    let failed = caller.send(post(&url, "{}")).await.unwrap_err();
    assert!(matches!(failed, Error::Connect(_)), "{failed:?}");
    assert_eq!(caller.gate.answers(), [(1, Answer::NotSent)]);
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_nothing_known() {
    let backend = Backend::start(vec![vec![Reply::Close]]).await;
    let caller = Caller::new(TestGate::local());
    caller
        .send(post(&backend.url("/"), "{}"))
        .await
        .unwrap_err();
    assert_eq!(caller.gate.answers(), [(1, Answer::Nothing)]);
    assert_eq!(backend.requests().len(), 1);
}

#[tokio::test]
async fn the_deadline_ends_a_request_and_says_so() {
    let backend = Backend::start(vec![vec![Reply::Silence]]).await;
    let caller = Caller::new(TestGate::local());
    let url = backend.url("/");
    let sending = caller.send(post(&url, "{}"));
    let stopping = async {
        backend.received().await;
        caller.invocation.stop.cancel();
    };
    let (outcome, ()) = tokio::join!(sending, stopping);
    assert!(matches!(outcome, Err(Error::ConnectionTerminated)));
    assert_eq!(caller.gate.answers(), [(1, Answer::Nothing)]);
}

#[tokio::test]
async fn a_gate_that_breaks_ends_the_request_alone() {
    let caller = Caller::new(TestGate::panicking());
    let ended = caller.send(get("http://127.0.0.1:1/")).await;
    assert!(
        matches!(ended, Err(Error::ConnectionTerminated)),
        "{ended:?}"
    );
    caller.invocation.settle().await;
}

/// What it starts would stand back with the lane's threads: a thread that resolves a name, and every later name.
#[tokio::test]
async fn what_a_call_in_the_slow_lane_starts_runs_where_the_call_came_from() {
    let caller = Caller::new(TestGate::local());
    let (invocation, account) = (caller.invocation.clone(), caller.accounts.of(TENANT));
    let call = async move {
        // Computes until it is taken over.
        while !lane::stands_back() {
            (0..100_000).for_each(|n| _ = std::hint::black_box(n));
            tokio::task::yield_now().await;
        }
        let work = lane::at_home(async { lane::stands_back() });
        let begun = beside(&invocation, outset::begin(&invocation, work)).await;
        (begun.end().await, lane::stands_back())
    };
    let lane = Lane::start().unwrap();
    let (work, call) = lane.run(call, account, Arc::default()).await;
    assert_eq!((work, call), (Some(Some(false)), true));
}

#[tokio::test]
async fn a_request_outlives_the_handle_that_the_plugin_drops() {
    let backend = Backend::start(vec![vec![OK]]).await;
    let caller = Caller::new(TestGate::local());
    drop(caller.begin(post(&backend.url("/"), "{}")).await);
    caller.invocation.settle().await;
    assert_eq!(caller.gate.answers(), [(1, Answer::Status(200))]);
}

#[tokio::test]
async fn safe_requests_share_a_connection_and_others_do_not() {
    let backend = Backend::start(vec![vec![OK, OK, OK, OK], vec![OK], vec![OK]]).await;
    let caller = Caller::new(TestGate::local());
    for _ in 0..2 {
        caller.send(get(&backend.url("/"))).await.unwrap();
    }
    assert_eq!(backend.connections(), 1);
    for _ in 0..2 {
        caller.send(post(&backend.url("/"), "{}")).await.unwrap();
    }
    assert_eq!(backend.connections(), 3);
    let closes = |request: &String| request.contains("connection: close");
    let closing: Vec<bool> = backend.requests().iter().map(closes).collect();
    assert_eq!(
        closing,
        [false, false, true, true],
        "what is not safe to send twice says that nothing else comes"
    );
}

/// Whatever one of them has left on a connection is not before another's request.
#[tokio::test]
async fn tenants_share_no_connection() {
    let backend = Backend::start(vec![vec![OK, OK], vec![OK]]).await;
    let url = backend.url("/");
    let connector = Arc::new(Connector::default());
    for (tenant, connections) in [(TENANT, 1), ("initech", 2), (TENANT, 2)] {
        let caller = Caller::of(tenant, TestGate::local(), connector.clone());
        caller.send(get(&url)).await.unwrap();
        assert_eq!(backend.connections(), connections, "{tenant}");
    }
}

#[tokio::test]
async fn a_stale_connection_costs_a_safe_request_nothing() {
    let backend = Backend::start(vec![vec![OK, Reply::Close], vec![OK]]).await;
    let caller = Caller::new(TestGate::local());
    for _ in 0..2 {
        assert_eq!(caller.send(get(&backend.url("/"))).await.unwrap().0, 200);
    }
    assert_eq!(
        backend.requests().len(),
        3,
        "the second was written twice, which a read may be"
    );
    assert_eq!(
        caller.gate.answers(),
        [(1, Answer::Status(200)), (2, Answer::Status(200))]
    );
}

#[tokio::test]
async fn a_kept_connection_serves_only_the_addresses_that_were_judged() {
    let backend = Backend::start(vec![vec![OK]]).await;
    let caller = Caller::new(TestGate::local());
    let url = backend.url("/");
    caller.send(get(&url)).await.unwrap();
    let destination = super::connector::Destination::of(&url.parse().unwrap(), TENANT).unwrap();
    let elsewhere = [([127, 0, 0, 2], backend.port()).into()];
    assert!(caller.connector.kept(&destination, &elsewhere).is_none());
}

/// A tenant whose bytes are used up sends nothing until they flow in again; its neighbour does.
#[tokio::test]
async fn bytes_beyond_the_share_wait_before_anybody_hears_of_them() {
    let backend = Backend::start(vec![vec![OK, OK]]).await;
    let url = backend.url("/refunds");
    let one_byte = Share {
        egress_bytes_per_second: 1,
        ..Share::default()
    };
    let caller = Caller::new(TestGate::local());
    caller.accounts.set(TENANT, one_byte);
    let stop = caller.invocation.stop.clone();
    let (waited, sent) = tokio::join!(caller.send(post(&url, "{}")), async {
        let neighbour = Caller::new(TestGate::local());
        let sent = neighbour.send(get(&url)).await;
        stop.cancel();
        sent
    });
    assert_eq!(sent.unwrap().0, 200);
    assert!(
        matches!(waited, Err(Error::ConnectionTerminated)),
        "{waited:?}"
    );
    assert_eq!(caller.gate.answers(), []);
    assert!(
        backend
            .requests()
            .iter()
            .all(|request| request.starts_with("GET"))
    );
}
