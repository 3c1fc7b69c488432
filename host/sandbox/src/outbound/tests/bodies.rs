//! What a body may be, and how long.

use dispatch::Answer;
use wasmtime_wasi_http::Error;

use super::backend::{Backend, Reply};
use super::gate::TestGate;
use super::{Caller, OK, TENANT, get, post};
use crate::Share;

#[tokio::test]
async fn bodies_have_limits() {
    let long = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n{}",
        "x".repeat(1_001)
    );
    let cut = Reply::Cut("HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\nonly this");
    let backend = Backend::start(vec![vec![Reply::Text(long)], vec![cut]]).await;
    let caller = Caller::new(TestGate::local());
    let failed = caller
        .send(post(&backend.url("/long"), "{}"))
        .await
        .unwrap_err();
    assert!(
        matches!(failed, Error::HttpResponseBodySize(Some(1_000))),
        "{failed:?}"
    );
    let failed = caller
        .send(post(&backend.url("/cut"), "{}"))
        .await
        .unwrap_err();
    assert!(
        matches!(failed, Error::HttpResponseIncomplete),
        "{failed:?}"
    );
    assert_eq!(
        caller.gate.answers(),
        [(1, Answer::Status(200)), (2, Answer::Status(201))]
    );

    let failed = caller
        .send(post(&backend.url("/mine"), &"x".repeat(1_001)))
        .await
        .unwrap_err();
    assert!(
        matches!(failed, Error::HttpRequestBodySize(Some(1_000))),
        "{failed:?}"
    );
    assert_eq!(
        caller.gate.asked().len(),
        2,
        "a body that is too long is not even judged"
    );
}

#[tokio::test]
async fn the_bodies_of_one_call_share_its_limits() {
    let half = || {
        Reply::Text(format!(
            "HTTP/1.1 200 OK\r\ncontent-length: 600\r\n\r\n{}",
            "x".repeat(600)
        ))
    };
    let backend = Backend::start(vec![vec![half(), half()], vec![OK]]).await;
    let caller = Caller::new(TestGate::local());
    caller.send(get(&backend.url("/"))).await.unwrap();
    let failed = caller.send(get(&backend.url("/"))).await.unwrap_err();
    assert!(
        matches!(failed, Error::HttpResponseBodySize(Some(1_000))),
        "{failed:?}"
    );
    let body = "x".repeat(600);
    caller.send(post(&backend.url("/"), &body)).await.unwrap();
    let failed = caller
        .send(post(&backend.url("/"), &body))
        .await
        .unwrap_err();
    assert!(
        matches!(failed, Error::HttpRequestBodySize(Some(1_000))),
        "{failed:?}"
    );
    assert_eq!(backend.requests().len(), 3, "the last was not even judged");
}

/// A plugin that dies while it writes leaves half a body, which ends as if it were whole.
#[tokio::test]
async fn half_of_a_body_is_no_body() {
    let backend = Backend::start(vec![vec![OK], vec![OK]]).await;
    let url = backend.url("/refunds");
    let caller = Caller::new(TestGate::local());
    let mut longer = post(&url, "{\"amount\"");
    longer
        .headers_mut()
        .insert("content-length", "16".parse().unwrap());
    let said = caller.send(longer).await;
    assert!(
        matches!(said, Err(Error::HttpRequestBodySize(Some(9)))),
        "{said:?}"
    );
    // Without a length it is whole as long as the plugin lives, and has come to its end by itself.
    caller.invocation.running().ends();
    assert_eq!(caller.send(post(&url, "{}")).await.unwrap().0, 200);
    drop(caller.invocation.running());
    let cut = caller.send(post(&url, "{\"amount\"")).await;
    assert!(matches!(cut, Err(Error::ConnectionTerminated)), "{cut:?}");
    assert_eq!(backend.requests().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_paid_for_as_far_as_it_was_read() {
    let body = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{}",
        "x".repeat(5_000)
    );
    let head = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x-many: y\r\n".repeat(1_000));
    // Each of these only announces another.
    let heads = format!(
        "{}HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(10_000)
    );
    let broken = format!(
        "HTTP/1.1 200 OK\r\nx-long: {}\r\nno field\r\n\r\n",
        "y".repeat(5_000)
    );
    for long in [body, head, heads, broken] {
        let backend = Backend::start(vec![vec![Reply::Text(long)]]).await;
        let caller = Caller::new(TestGate::local());
        let share = Share {
            egress_bytes_per_second: 1_000,
            ..Share::default()
        };
        caller.accounts.set(TENANT, share);
        let failed = caller.send(get(&backend.url("/"))).await.unwrap_err();
        assert!(
            matches!(
                failed,
                Error::HttpResponseBodySize(Some(1_000)) | Error::Hyper(_)
            ),
            "{failed:?}"
        );
        assert!(!caller.accounts.of(TENANT).transferred(0).is_zero());
    }
}
