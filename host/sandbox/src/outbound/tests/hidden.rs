//! Backends that repeat what they were sent, the host's credential with it, and plugins that would have it in another form.

use http::HeaderName;

use super::backend::{Backend, Reply};
use super::gate::TestGate;
use super::*;

/// What the plugin gets of an answer with this body.
async fn seen(body: &'static [u8]) -> Vec<u8> {
    let backend = Backend::start(vec![vec![Reply::Body(body)]]).await;
    let caller = Caller::new(TestGate::local());
    let response = caller.response(get(&backend.url("/"))).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    body.to_vec()
}

/// A byte that is no text, which the plugin may have sent itself, hides nothing.
#[tokio::test]
async fn a_secret_among_bytes_that_are_no_text_stays_with_the_host() {
    for body in [
        b"\xff you sent s3cr3t-token".as_slice(),
        b"you sent \xe2s3cr3t-token\xe2",
        b"s3cr3t-token\0\xc3",
    ] {
        let seen = seen(body).await;
        let text = String::from_utf8_lossy(&seen);
        assert!(text.contains("[secret]"), "{text}");
        assert!(!text.contains("s3cr3t"), "{text}");
    }
    let picture = b"\x89PNG\r\n\x1a\n\xff\xd8";
    assert_eq!(seen(picture).await, picture);
}

/// Packed, or a piece at a time, a secret would be nobody's to find; and some servers read `_` in a name as `-`.
#[tokio::test]
async fn a_plugin_asks_for_whole_answers_as_they_are() {
    let backend = Backend::start(vec![vec![OK]]).await;
    let caller = Caller::new(TestGate::local().with_header("x-api-key", "of the host"));
    let mut request = get(&backend.url("/"));
    for name in [
        "accept-encoding",
        "range",
        "if-range",
        "x_http_method_override",
        "x-http_method-override",
        "x_forwarded_for",
        "content_length",
        "idempotency_key",
    ] {
        let value = "by the plugin".parse().unwrap();
        request
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    let caller_key = HeaderName::from_static("x_api_key");
    let value = "by the plugin".parse().unwrap();
    request.headers_mut().insert(caller_key, value);
    let own = "kept".parse().unwrap();
    request.headers_mut().insert("x_own", own);
    caller.send(request).await.unwrap();
    let seen = backend.requests();
    let sent = &seen[0];
    assert!(!sent.contains("by the plugin"), "{sent}");
    assert!(sent.contains("x-api-key: of the host\r\n"), "{sent}");
    assert!(sent.contains("x_own: kept\r\n"), "{sent}");
}
