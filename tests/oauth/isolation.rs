//! What one subject has opened is worthless to every other: to another subject, another tenant, a key, and another issuer's subject.

use std::time::Duration;

use serde_json::{Value, json};

use super::guarded::{ACME, GLOBEX, Guarded, newest, older, opened, rpc};
use super::issuer::{Issuer, now};
use super::sarah;
use crate::tenants::ACME_HELPDESK;

/// Everybody who is not alice at acme: what they show, and where.
fn others(guarded: &Guarded) -> Vec<(&'static str, &'static str, String)> {
    let issuer = &guarded.issuer;
    vec![
        (
            "another subject",
            "acme",
            issuer.token("bob", ACME, "support"),
        ),
        (
            "nearly the same subject",
            "acme",
            issuer.token("alice ", ACME, "support"),
        ),
        (
            "her at another tenant",
            "globex",
            issuer.token("alice", GLOBEX, "support"),
        ),
        (
            "a supervisor",
            "acme",
            issuer.token("carol", ACME, "support:approve"),
        ),
        ("a key", "acme", ACME_HELPDESK.to_owned()),
    ]
}

#[tokio::test]
async fn a_session_is_its_subjects_alone() {
    let guarded = Guarded::open().await;
    let alice = guarded.alice("support");
    let session = opened(&guarded, "acme", &alice).await;
    let list = rpc("tools/list", json!({}));
    for (who, tenant, token) in others(&guarded) {
        for method in ["POST", "GET", "DELETE"] {
            let request = older(guarded.at(tenant, method, "/mcp", &token), Some(&session));
            let request = match method {
                "POST" => request.json(&list),
                _ => request,
            };
            let status = request.send().await.unwrap().status().as_u16();
            assert_eq!(status, 404, "{method} by {who}");
        }
        let call = json!({ "name": "get_customer", "arguments": sarah() });
        let request = older(guarded.at(tenant, "POST", "/mcp", &token), Some(&session));
        let called = request.json(&rpc("tools/call", call)).send().await.unwrap();
        assert_eq!(called.status().as_u16(), 404, "{who}");
    }
    guarded.nothing_was_sent();
    // Hers is still there: nobody has ended it. A token that was renewed is hers as well.
    let mut renewed = guarded.issuer.claims(ACME, "support");
    renewed["jti"] = "another".into();
    let renewed = guarded.issuer.signs(&renewed);
    for token in [&alice, &renewed] {
        let request = older(guarded.acme("POST", "/mcp", token), Some(&session));
        assert_eq!(
            request.json(&list).send().await.unwrap().status().as_u16(),
            200
        );
    }
    // With another role she is somebody else.
    let request = older(
        guarded.acme("POST", "/mcp", &guarded.alice("support:read")),
        Some(&session),
    );
    assert_eq!(
        request.json(&list).send().await.unwrap().status().as_u16(),
        404
    );
}

#[tokio::test]
async fn two_grants_of_one_subject_leave_each_others_sessions_alone() {
    let guarded = Guarded::open().await;
    let tokens = [guarded.alice("support"), guarded.alice("support:read")];
    let mut sessions = Vec::new();
    for token in &tokens {
        sessions.push(opened(&guarded, "acme", token).await);
    }
    for _ in 0..2 {
        for (token, session) in tokens.iter().zip(&sessions) {
            let request = older(guarded.acme("POST", "/mcp", token), Some(session));
            let listed = request.json(&rpc("tools/list", json!({}))).send().await;
            assert_eq!(listed.unwrap().status().as_u16(), 200);
        }
    }
    guarded.nothing_was_sent();
}

#[tokio::test]
async fn a_subject_of_another_issuer_is_another() {
    let guarded = Guarded::open().await;
    let alice = guarded.alice("support");
    let session = opened(&guarded, "acme", &alice).await;
    guarded
        .calls(&alice, Some("c"), "get_customer", sarah())
        .await;
    let other = Issuer::open().await;
    guarded.takes_tokens("acme", &other.url, ACME).await;
    guarded.sent.lock().unwrap().clear();
    let namesake = other.token("alice", ACME, "support");
    let list = rpc("tools/list", json!({}));
    let request = older(guarded.acme("POST", "/mcp", &namesake), Some(&session));
    assert_eq!(
        request.json(&list).send().await.unwrap().status().as_u16(),
        404
    );
    // Nor is her case there, whatever it is called.
    let looked = guarded
        .calls(
            &namesake,
            Some("c"),
            "lookup_order",
            json!({ "order_id": "ORD-8842" }),
        )
        .await;
    let looked: Value = looked.json().await.unwrap();
    assert_eq!(looked["outcome"], "denied", "{looked}");
    // And hers counts no more.
    let request = older(guarded.acme("POST", "/mcp", &alice), Some(&session));
    assert_eq!(
        request.json(&list).send().await.unwrap().status().as_u16(),
        401
    );
    guarded.nothing_was_sent();
}

#[tokio::test]
async fn a_case_of_one_subject_is_no_case_of_another() {
    let guarded = Guarded::open().await;
    let issuer = &guarded.issuer;
    let alice = guarded.alice("support");
    // Whatever her case could be taken for as a part of a subject.
    let case = format!("c@{}", issuer.url);
    let namesake = format!("alice@{}:c", issuer.url);
    guarded
        .calls(&alice, Some(&case), "get_customer", sarah())
        .await;
    guarded.sent.lock().unwrap().clear();
    let strangers = [
        issuer.token("bob", ACME, "support"),
        issuer.token(&namesake, ACME, "support"),
        issuer.token("key:helpdesk", ACME, "support"),
        issuer.token("helpdesk", ACME, "support"),
        ACME_HELPDESK.to_owned(),
    ];
    let order = json!({ "order_id": "ORD-8842" });
    for token in strangers {
        for case in [Some(case.as_str()), None] {
            let looked = guarded.calls(&token, case, "lookup_order", order.clone());
            let looked: Value = looked.await.json().await.unwrap();
            assert_eq!(looked["outcome"], "denied", "{token} {looked}");
        }
    }
    guarded.nothing_was_sent();
    let hers = guarded.calls(&alice, Some(&case), "lookup_order", order);
    assert_eq!(hers.await.status().as_u16(), 200);
}

/// A stream of what there is to hear, in the newest revision.
struct Listening {
    response: reqwest::Response,
    heard: String,
}

impl Listening {
    async fn open(guarded: &Guarded, tenant: &str, token: &str, session: Option<&str>) -> Self {
        let wants = json!({ "notifications": { "toolsListChanged": true } });
        let mut request = guarded.at(tenant, "POST", "/mcp", token);
        if let Some(id) = session {
            request = request.header("mcp-session-id", id);
        }
        let response = newest(request, "subscriptions/listen", wants);
        let response = response.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        let mut listening = Self {
            response,
            heard: String::new(),
        };
        listening.until("subscriptions/acknowledged").await;
        listening
    }

    /// Everything heard up to these words.
    async fn until(&mut self, words: &str) -> &str {
        while !self.heard.contains(words) {
            let chunk = self.response.chunk().await.unwrap();
            let chunk = chunk.unwrap_or_else(|| panic!("{words}: {}", self.heard));
            self.heard.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        &self.heard
    }
}

#[tokio::test]
async fn a_subscription_is_its_subjects_alone() {
    let guarded = Guarded::open().await;
    let alice = guarded.alice("support");
    let bob = guarded.issuer.token("bob", ACME, "support");
    let her_elsewhere = guarded.issuer.token("alice", GLOBEX, "support");
    let session = opened(&guarded, "acme", &alice).await;
    let mut hers = Listening::open(&guarded, "acme", &alice, None).await;
    // With her session's id, too, one hears of one's own tenant alone.
    let mut elsewhere = Listening::open(&guarded, "globex", &her_elsewhere, Some(&session)).await;
    // Nor does anybody end what she hears by its request's id, which is the first one's of everybody.
    for (tenant, token) in [("acme", &bob), ("globex", &her_elsewhere)] {
        let cancels = newest(
            guarded.at(tenant, "POST", "/mcp", token),
            "notifications/cancelled",
            json!({ "requestId": 1, "reason": "not mine" }),
        );
        cancels.send().await.unwrap();
    }
    let without_refunds = async |tenant: &str| {
        let text = guarded.town.text(tenant, "plugins.toml");
        let less = text.split("[refunds]").next().unwrap();
        guarded.town.edit(tenant, "plugins.toml", less);
        let path = format!("/api/tenants/{tenant}/reload");
        guarded.town.operator("POST", &path, "").await.expect(200);
    };
    without_refunds("acme").await;
    hers.until("tools/list_changed").await;
    without_refunds("globex").await;
    let heard = elsewhere.until("tools/list_changed").await;
    assert_eq!(heard.matches("list_changed").count(), 1, "{heard}");
    guarded.nothing_was_sent();
}

#[tokio::test]
async fn nobody_hears_more_than_their_token_lasts() {
    let guarded = Guarded::open().await;
    // Two clocks may differ by half a minute, so that this one is refused in six seconds.
    let mut claims = guarded.issuer.claims(ACME, "support");
    claims["exp"] = (now() - 24).into();
    let token = guarded.issuer.signs(&claims);
    let session = opened(&guarded, "acme", &token).await;
    let stream = older(guarded.acme("GET", "/mcp", &token), Some(&session));
    let stream = stream.send().await.unwrap();
    let wants = json!({ "notifications": { "toolsListChanged": true } });
    let listening = newest(
        guarded.acme("POST", "/mcp", &token),
        "subscriptions/listen",
        wants,
    );
    let listening = listening.send().await.unwrap();
    assert_eq!(
        (stream.status().as_u16(), listening.status().as_u16()),
        (200, 200)
    );
    // Both end by themselves, or this never does.
    let _ = (stream.text().await, listening.text().await);
    let list = rpc("tools/list", json!({}));
    let status = async || {
        let request = older(guarded.acme("POST", "/mcp", &token), Some(&session));
        request.json(&list).send().await.unwrap().status().as_u16()
    };
    while status().await == 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(status().await, 401);
    // A new one of hers finds what she had opened.
    let request = older(
        guarded.acme("POST", "/mcp", &guarded.alice("support")),
        Some(&session),
    );
    assert_eq!(
        request.json(&list).send().await.unwrap().status().as_u16(),
        200
    );
    guarded.nothing_was_sent();
}

#[tokio::test]
async fn so_many_subjects_have_room_and_no_more() {
    let guarded = Guarded::open().await;
    let token = |nth: usize| {
        guarded
            .issuer
            .token(&format!("agent-{nth}"), ACME, "support")
    };
    let by_key = opened(&guarded, "acme", ACME_HELPDESK).await;
    let longest_ago = opened(&guarded, "acme", &token(0)).await;
    let recent = opened(&guarded, "acme", &token(1)).await;
    let status = async |token: String, session: &str| {
        let request = older(guarded.acme("POST", "/mcp", &token), Some(session));
        let list = rpc("tools/list", json!({}));
        request.json(&list).send().await.unwrap().status().as_u16()
    };
    for nth in 2..260 {
        // The second of them comes now and then.
        if nth % 100 == 0 {
            assert_eq!(status(token(1), &recent).await, 200);
        }
        let list = newest(
            guarded.acme("POST", "/mcp", &token(nth)),
            "tools/list",
            json!({}),
        );
        assert_eq!(list.send().await.unwrap().status().as_u16(), 200);
    }
    assert_eq!(status(token(1), &recent).await, 200);
    assert_eq!(status(ACME_HELPDESK.to_owned(), &by_key).await, 200);
    assert_eq!(status(token(0), &longest_ago).await, 404);
}
