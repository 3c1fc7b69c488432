//! What a recording keeps of a request and its answer: what the plugin wrote and saw, and nothing that the host added.

use std::sync::Arc;

use http::header::{AUTHORIZATION, COOKIE};

use super::backend::{Backend, Reply};
use super::gate::TestGate;
use super::{Caller, OK, TENANT, post};
use crate::shadow::Tape;

/// Everything on the tape, as text.
fn text(tape: &Tape) -> String {
    format!("{:?}", tape.unwind().unwrap().exchanges)
}

#[tokio::test]
async fn no_credential_is_recorded() {
    let answer = Reply::Raw(
        "HTTP/1.1 200 OK\r\nset-cookie: session=1\r\nx-key: s3cr3t-token\r\ncontent-length: 16\r\n\r\nkey s3cr3t-token",
    );
    let backend = Backend::start(vec![vec![answer]]).await;
    let gate = TestGate::local()
        .with_header("authorization", "Bearer of the host")
        .with_header("idempotency-key", "intent-1");
    let tape = Arc::new(Tape::of(10_000));
    let caller = Caller::recorded(TENANT, gate, Arc::default(), tape.clone());
    let mut request = post(&backend.url("/refunds"), "{}");
    for (name, value) in [
        (AUTHORIZATION, "Bearer of the plugin"),
        (COOKIE, "session=plugin"),
        (http::header::ACCEPT, "text/plain"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let (_, seen) = caller.send(request).await.unwrap();
    assert!(backend.requests()[0].contains("Bearer of the host"));
    let recorded = text(&tape);
    for kept in ["/refunds", "text/plain", "key [secret]", "200", &seen] {
        assert!(recorded.contains(kept), "{kept}: {recorded}");
    }
    for foreign in ["Bearer", "intent-1", "s3cr3t", "session", "host:", "plugin"] {
        assert!(!recorded.contains(foreign), "{foreign}: {recorded}");
    }
}

#[tokio::test]
async fn what_is_longer_than_the_tape_leaves_nothing_on_it() {
    let backend = Backend::start(vec![vec![OK], vec![OK]]).await;
    let tape = Arc::new(Tape::of(1_000));
    let caller = Caller::recorded(TENANT, TestGate::local(), Arc::default(), tape.clone());
    let url = backend.url("/refunds");
    caller.send(post(&url, "{}")).await.unwrap();
    caller.send(post(&url, &"x".repeat(900))).await.unwrap();
    assert!(tape.unwind().is_err());
    assert_eq!(backend.requests().len(), 2, "recording is no limit");
}
