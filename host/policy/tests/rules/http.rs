//! What a running plugin may send: grants, origins, paths, methods and sums.

use std::collections::BTreeMap;
use std::sync::Arc;

use policy::{
    BodyForm, BodyRule, Call, CapabilityDecision, Effect, GrantError, HttpGrant, HttpRequest,
    Nature, PathPattern, Rulebook, Scope,
};

use serde_json::json;

use crate::scenario::SHIPPED;
use crate::shipped::{shipped_ids, without};

fn patterns(paths: &[&str]) -> Vec<PathPattern> {
    paths
        .iter()
        .map(|path| PathPattern((*path).to_owned()))
        .collect()
}

fn grant(origin: &str, methods: &[&str], paths: &[&str]) -> HttpGrant {
    HttpGrant {
        origin: origin.to_owned(),
        methods: methods.iter().map(|method| (*method).to_owned()).collect(),
        paths: patterns(paths),
        safe_posts: patterns(&["/search"]),
        bodies: policy::BodyEncoding::Json,
        credential: None,
        nature: Nature::Neither,
        private_network: false,
        tools: BTreeMap::new(),
    }
}

fn scope(effect: Effect) -> Scope {
    Scope {
        effect,
        grants: Arc::from([
            grant(
                "https://api.example.com",
                &["GET", "POST"],
                &["/orders/*", "/orders/*/cancel", "/own/{order_id}/cancel"],
            ),
            grant("http://127.0.0.1:9100", &["GET", "POST"], &["/files/**"]),
            grant("https://[2001:db8::1]:8443", &["GET"], &["/**"]),
        ]),
        max_http_calls: 3,
    }
}

fn request<'a>(method: &'a str, url: &'a str) -> HttpRequest<'a> {
    HttpRequest {
        method,
        url,
        body: b"",
        calls_before: 0,
    }
}

/// A cancellation of order 1.
fn call() -> Call {
    let arguments = json!({ "order_id": "1", "reason": "changed my mind" });
    crate::scenario::call("cancel_order", arguments).call
}

/// `safe`, `unsafe`, or the code of the refusal.
fn line(rulebook: &Rulebook, effect: Effect, request: &HttpRequest<'_>) -> String {
    match rulebook.decide_http(&call(), &scope(effect), request) {
        CapabilityDecision::Allow {
            unsafe_request: false,
            ..
        } => "safe".to_owned(),
        CapabilityDecision::Allow { .. } => "unsafe".to_owned(),
        CapabilityDecision::Deny(refusal) => refusal.code,
    }
}

fn check(effect: Effect, request: &HttpRequest<'_>, expect: &str) {
    assert_eq!(
        line(&SHIPPED, effect, request),
        expect,
        "{effect:?} {request:?}"
    );
}

#[test]
fn a_grant_covers_its_own_origin_and_no_other() {
    for (url, expect) in [
        ("https://api.example.com/orders/1", "safe"),
        ("https://api.example.com:443/orders/1", "safe"),
        (
            "https://API.example.com/orders/1?a=%2F..%2e#",
            "NOT_GRANTED",
        ),
        ("https://api.example.com/orders/1?a=%2F..%2e", "safe"),
        ("https://[2001:db8::1]:8443/any/thing", "safe"),
        ("https://[2001:db8:0::1]:8443/any/thing", "NOT_GRANTED"),
        ("http://api.example.com/orders/1", "NOT_GRANTED"),
        ("https://api.example.com:8443/orders/1", "NOT_GRANTED"),
        ("https://api.example.com./orders/1", "NOT_GRANTED"),
        ("https://api.example.com.evil.org/orders/1", "NOT_GRANTED"),
        (
            "https://evil.org/orders/1?https://api.example.com",
            "NOT_GRANTED",
        ),
        ("https://me@api.example.com/orders/1", "NOT_GRANTED"),
        ("https://api.example.com@evil.org/orders/1", "NOT_GRANTED"),
        ("https://api.example.com\\@evil.org/orders/1", "NOT_GRANTED"),
        ("https://api%2eexample.com/orders/1", "NOT_GRANTED"),
        ("https://ａpi.example.com/orders/1", "NOT_GRANTED"),
        ("https:api.example.com/orders/1", "NOT_GRANTED"),
        ("https:///api.example.com/orders/1", "NOT_GRANTED"),
        ("//api.example.com/orders/1", "NOT_GRANTED"),
        ("ftp://api.example.com/orders/1", "NOT_GRANTED"),
        ("file:///orders/1", "NOT_GRANTED"),
        ("", "NOT_GRANTED"),
    ] {
        check(Effect::Read, &request("GET", url), expect);
    }
}

#[test]
fn one_address_has_one_spelling() {
    for host in [
        "127.1",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "2130706433",
        "127.0.0.1.",
        "[::ffff:127.0.0.1]",
        "localhost",
    ] {
        let url = format!("http://{host}:9100/files/a");
        check(Effect::Read, &request("GET", &url), "NOT_GRANTED");
    }
    check(
        Effect::Read,
        &request("GET", "http://127.0.0.1:9100/files/a"),
        "safe",
    );
}

#[test]
fn a_path_is_matched_as_the_backend_reads_it() {
    for (path, expect) in [
        ("/orders/1", "safe"),
        ("/orders/a%20b", "safe"),
        ("/orders/", "NOT_GRANTED"),
        ("/orders", "NOT_GRANTED"),
        ("/orders/1/", "NOT_GRANTED"),
        ("/orders/1/refunds", "NOT_GRANTED"),
        ("/orders/*", "safe"),
        ("/orders/1/../../admin", "NOT_GRANTED"),
        ("/orders/..", "NOT_GRANTED"),
        ("/orders/.", "NOT_GRANTED"),
        ("/orders/..;x", "NOT_GRANTED"),
        ("/orders/%2e%2E", "NOT_GRANTED"),
        ("/orders/1%2Fcancel", "NOT_GRANTED"),
        ("/orders/1%5ccancel", "NOT_GRANTED"),
        ("/orders/1%252fcancel", "NOT_GRANTED"),
        ("/orders/1%00", "NOT_GRANTED"),
        ("/orders/1\\cancel", "NOT_GRANTED"),
        ("/orders//cancel", "NOT_GRANTED"),
        ("//orders/1", "NOT_GRANTED"),
        ("/ord\ners/1", "NOT_GRANTED"),
        ("/orders/1 2", "NOT_GRANTED"),
        ("/ORDERS/1", "NOT_GRANTED"),
    ] {
        let url = format!("https://api.example.com{path}");
        check(Effect::Read, &request("GET", &url), expect);
    }
}

#[test]
fn a_pattern_matches_whole_segments() {
    for (pattern, path, expect) in [
        ("/orders/*/cancel", "/orders/1/cancel", true),
        ("/orders/*/cancel", "/orders//cancel", false),
        ("/files/**", "/files/a/b/c", true),
        ("/files/**", "/files", true),
        ("/files/**", "/filesystem", false),
        ("/**", "/", true),
        ("/**", "/a/b", true),
        ("/", "/", true),
        ("/", "/a", false),
        ("/a*", "/ab", false),
        ("/orders/{order_id}", "/orders/1", true),
        ("/orders/{order_id}", "/orders/", false),
        ("/orders/{order_id}", "/orders/1/refunds", false),
        ("", "/", false),
        ("", "/a", false),
    ] {
        let matches = PathPattern(pattern.to_owned()).matches(path);
        assert_eq!(matches, expect, "{pattern} against {path}");
    }
}

#[test]
fn an_origin_that_says_more_than_an_origin_grants_nothing() {
    for origin in [
        "https://a.example/orders",
        "https://a.example?x",
        "https://u:p@a.example",
        "a.example",
        "",
    ] {
        let scope = Scope {
            effect: Effect::Write,
            grants: Arc::from([grant(origin, &["GET"], &["/**"])]),
            max_http_calls: 3,
        };
        let decision =
            SHIPPED.decide_http(&call(), &scope, &request("GET", "https://a.example/orders"));
        assert!(matches!(decision, CapabilityDecision::Deny(_)), "{origin}");
    }
}

/// What is written wrongly would silently grant nothing: it is named instead.
#[test]
fn grants_that_cannot_cover_anything_are_named() {
    let origin = "https://a.example";
    assert_eq!(
        grant(origin, &["GET"], &["/", "/a/*/b", "/**"]).check(),
        Ok(())
    );
    for bad in [
        "https://a.example/v1",
        "a.example",
        "HTTPS://a.example.",
        "http://127.1",
    ] {
        let refused = grant(bad, &["GET"], &["/"]).check();
        assert_eq!(refused, Err(GrantError::Origin(bad.to_owned())));
    }
    let refused = grant(origin, &["GET", "post"], &["/"]).check();
    assert_eq!(refused, Err(GrantError::Method("post".to_owned())));
    for bad in [
        "orders/*",
        "/orders/a*",
        "/orders/a{order_id}",
        "/orders/{}",
        "/orders/{order id}",
        "/**/orders",
        "/a/../b",
        "/a//b",
        "",
    ] {
        let refused = grant(origin, &["GET"], &["/ok", bad]).check();
        assert_eq!(refused, Err(GrantError::Path(bad.to_owned())));
    }
    for (at, is) in [("amount", "/amount"), ("/amount", ""), ("", "/amount")] {
        let rule = BodyRule {
            at: at.to_owned(),
            is: is.to_owned(),
            form: BodyForm::Same,
        };
        let mut grant = grant(origin, &["POST"], &["/refunds"]);
        grant.tools = [("process_refund".to_owned(), vec![rule])].into();
        assert_eq!(
            grant.check(),
            Err(GrantError::Body(format!("{at} is {is}")))
        );
    }
}

/// A byte more than a body may have.
static LONG: [u8; (1 << 20) + 1] = [b' '; (1 << 20) + 1];

fn rules_table() -> Vec<(Effect, HttpRequest<'static>, &'static str)> {
    let cancel = "https://api.example.com/orders/1/cancel";
    let search = "https://api.example.com/search";
    let called = |calls_before| HttpRequest {
        calls_before,
        ..request("GET", cancel)
    };
    let asking = |method| HttpRequest {
        body: b"POST /orders/1/cancel HTTP/1.1\r\n\r\n",
        ..request(method, cancel)
    };
    let sized = |bytes| HttpRequest {
        body: &LONG[..bytes],
        ..request("POST", cancel)
    };
    vec![
        (Effect::Read, request("GET", cancel), "safe"),
        (Effect::Read, request("POST", cancel), "READ_CANNOT_WRITE"),
        (Effect::Read, request("POST", search), "safe"),
        (Effect::Write, request("POST", search), "safe"),
        (Effect::Write, request("POST", cancel), "unsafe"),
        (Effect::Escalation, request("POST", cancel), "unsafe"),
        (Effect::Write, request("DELETE", cancel), "NOT_GRANTED"),
        (Effect::Write, request("post", cancel), "NOT_GRANTED"),
        (Effect::Write, request("HEAD", cancel), "NOT_GRANTED"),
        (Effect::Read, request("GET", search), "NOT_GRANTED"),
        (Effect::Read, asking("GET"), "NOT_AS_PERMITTED"),
        (Effect::Write, asking("GET"), "NOT_AS_PERMITTED"),
        (Effect::Write, asking("POST"), "unsafe"),
        (Effect::Read, called(2), "safe"),
        (Effect::Read, called(3), "HTTP_BUDGET"),
        (Effect::Read, called(u32::MAX), "HTTP_BUDGET"),
        (Effect::Write, sized(1 << 20), "unsafe"),
        (Effect::Write, sized((1 << 20) + 1), "HTTP_BODY"),
        (
            Effect::Write,
            request("POST", "https://api.example.com/own/1/cancel"),
            "unsafe",
        ),
        (
            Effect::Write,
            request("POST", "https://api.example.com/own/2/cancel"),
            "NOT_AS_PERMITTED",
        ),
    ]
}

#[test]
fn the_rules_hold() {
    for (effect, request, expect) in rules_table() {
        check(effect, &request, expect);
    }
}

#[test]
fn every_capability_rule_decides_something() {
    let lines = |rulebook: &Rulebook| -> Vec<String> {
        let table = rules_table();
        let told = table
            .iter()
            .map(|(effect, request, _)| line(rulebook, *effect, request));
        told.collect()
    };
    for id in shipped_ids().iter().filter(|id| id.starts_with("http.")) {
        let mutant = Rulebook::load(without(id)).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert!(
            lines(&mutant) != lines(&SHIPPED),
            "no case needs the rule {id}"
        );
    }
}
