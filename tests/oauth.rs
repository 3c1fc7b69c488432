//! Access tokens: whom they name, what their scopes give, and that no other token is worth anything. Each refusal also shows that no
//! backend was called.

mod guarded;
mod isolation;
mod issuer;
mod provider;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::desk::Answer;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use guarded::{ACME, DEMO, GLOBEX, Guarded, challenge, newest, older, opened, rpc};
use issuer::{Issuer, new_key, now, signing};

fn sarah() -> Value {
    json!({ "email": "sarah@example.com" })
}

/// Everything that is no token of alice's for acme, by what is wrong with it.
fn worthless(issuer: &Issuer) -> Vec<(&'static str, String)> {
    let mut all = signed_and_wrong(issuer);
    all.extend(forged(issuer));
    all
}

/// What the issuer itself has signed, for something else.
fn signed_and_wrong(issuer: &Issuer) -> Vec<(&'static str, String)> {
    let good = issuer.claims(ACME, "support");
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        issuer.signs(&claims)
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        issuer.signs(&claims)
    };
    let of_kind = |kind: &str| {
        let typ = Some(kind.to_owned());
        let header = Header {
            typ,
            ..issuer.header()
        };
        issuer.signs_as(&header, &good)
    };
    vec![
        ("another issuer", with("iss", "https://id.example".into())),
        ("another resource", with("aud", GLOBEX.into())),
        ("the built-in tenant's", with("aud", DEMO.into())),
        ("a part of it", with("aud", "https://desk.example".into())),
        ("expired", with("exp", (now() - 31).into())),
        ("not yet valid", with("nbf", (now() + 60).into())),
        ("without an end", without("exp")),
        ("without a subject", without("sub")),
        ("without an audience", without("aud")),
        ("bound to a key", with("cnf", json!({ "jkt": "x" }))),
        ("a logout token", of_kind("logout+jwt")),
    ]
}

/// What the issuer has not signed.
fn forged(issuer: &Issuer) -> Vec<(&'static str, String)> {
    let good = issuer.claims(ACME, "support");
    let text = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = issuer.signs(&good);
    let (unsigned, signature) = signed.rsplit_once('.').unwrap();
    let (header, body) = unsigned.split_once('.').unwrap();
    let more = text(&issuer.claims(ACME, "support:approve"));
    let none = text(&json!({ "alg": "none", "typ": "at+jwt" }));
    let stranger = new_key();
    let by_stranger = jsonwebtoken::encode(&issuer.header(), &good, &signing(&stranger));
    let by_its_own_word = Header {
        jwk: serde_json::from_value(issuer::jwk(&stranger, "own")).unwrap(),
        kid: Some("own".to_owned()),
        ..issuer.header()
    };
    let by_its_own_word = jsonwebtoken::encode(&by_its_own_word, &good, &signing(&stranger));
    let unknown = Header {
        kid: Some("unknown".to_owned()),
        ..issuer.header()
    };
    let mut all = vec![
        ("unknown key id", issuer.signs_as(&unknown, &good)),
        ("another's signature", by_stranger.unwrap()),
        ("a key of its own", by_its_own_word.unwrap()),
        ("tampered", format!("{header}.{more}.{signature}")),
        ("without a signature", format!("{unsigned}.")),
        ("alg none", format!("{none}.{body}.")),
        ("alg none, signed", format!("{none}.{body}.{signature}")),
        ("nonsense", "nonsense".to_owned()),
        ("a session of the website", session_of_sarah()),
    ];
    for form in issuer.public_forms() {
        let header = Header {
            alg: Algorithm::HS256,
            ..issuer.header()
        };
        let forged = jsonwebtoken::encode(&header, &good, &EncodingKey::from_secret(&form));
        all.push(("signed with the public key", forged.unwrap()));
    }
    all
}

/// Signed by the built-in tenant's website, which is none of acme's.
fn session_of_sarah() -> String {
    let claims = switchboard::Claims {
        sub: "C-1001".to_owned(),
        tenant: "acme".to_owned(),
        exp: now() + 60,
    };
    switchboard::sign(
        &claims,
        &switchboard::Secret::new(crate::desk::SESSION_SECRET),
    )
    .unwrap()
}

#[tokio::test]
async fn every_other_token_is_refused_before_anything_is_done() {
    let guarded = Guarded::open().await;
    let call = json!({ "name": "get_customer", "arguments": sarah() });
    for (what, token) in worthless(&guarded.issuer) {
        let over_http = guarded.calls(&token, None, "get_customer", sarah()).await;
        let mcp = || guarded.acme("POST", "/mcp", &token);
        let in_newest = newest(mcp(), "tools/call", call.clone())
            .send()
            .await
            .unwrap();
        let in_older = older(mcp(), None).json(&rpc("tools/call", call.clone()));
        for response in [over_http, in_newest, in_older.send().await.unwrap()] {
            assert_eq!(response.status().as_u16(), 401, "{what}: {response:?}");
            let told = challenge(&response);
            assert!(told.contains(r#"error="invalid_token""#), "{what}: {told}");
            let body = response.text().await.unwrap();
            assert!(!body.contains(&token) && !body.contains("C-1001"), "{body}");
        }
    }
    guarded.nothing_was_sent();
    // And the same call with what is right.
    let right = guarded
        .calls(&guarded.alice("support"), None, "get_customer", sarah())
        .await;
    assert_eq!(right.status().as_u16(), 200, "{right:?}");
    assert!(!guarded.sent.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_client_is_told_where_tokens_are_to_be_had() {
    let guarded = Guarded::open().await;
    let desk = &guarded.town.desk;
    let bare = |tenant: &str| desk.http.post(desk.url(&format!("{tenant}/mcp"))).send();
    let acme = bare("/t/acme").await.unwrap();
    assert_eq!(acme.status().as_u16(), 401);
    assert_eq!(
        challenge(&acme),
        r#"Bearer resource_metadata="https://desk.example/.well-known/oauth-protected-resource/t/acme/mcp", scope="support support:read""#
    );
    let demo = bare("").await.unwrap();
    assert_eq!(
        challenge(&demo),
        r#"Bearer resource_metadata="https://desk.example/.well-known/oauth-protected-resource/mcp", scope="support support:read""#
    );
    let over_http = desk
        .http
        .get(desk.url("/t/acme/api/tools"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (over_http.status().as_u16(), challenge(&over_http)),
        (401, challenge(&acme))
    );
    for (path, resource) in [
        ("/.well-known/oauth-protected-resource", DEMO),
        ("/.well-known/oauth-protected-resource/mcp", DEMO),
        ("/.well-known/oauth-protected-resource/t/acme/mcp", ACME),
        ("/.well-known/oauth-protected-resource/t/globex/mcp", GLOBEX),
    ] {
        let told = desk.get(path).await.expect(200);
        assert_eq!(told["resource"], resource, "{path}");
        assert_eq!(told["authorization_servers"], json!([guarded.issuer.url]));
        assert_eq!(
            told["scopes_supported"],
            json!(["support", "support:approve", "support:read"])
        );
        assert_eq!(told["bearer_methods_supported"], json!(["header"]));
    }
    desk.get("/.well-known/oauth-protected-resource/t/initech/mcp")
        .await
        .expect(404);
    guarded.nothing_was_sent();
}

#[tokio::test]
async fn a_tenant_with_keys_alone_asks_for_a_key() {
    let town = crate::tenants::Town::open().await;
    let desk = &town.desk;
    let issuer = Issuer::open().await;
    let token = issuer.token("alice", ACME, "support");
    for shown in [None, Some("nonsense"), Some(token.as_str())] {
        let mut request = desk.http.post(desk.url("/t/acme/mcp"));
        if let Some(shown) = shown {
            request = request.bearer_auth(shown);
        }
        let response = request.send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), challenge(&response)),
            (401, "Bearer"),
            "{shown:?}"
        );
    }
    desk.get("/.well-known/oauth-protected-resource/t/acme/mcp")
        .await
        .expect(404);
    desk.get("/.well-known/oauth-protected-resource")
        .await
        .expect(404);
    assert_eq!(issuer.fetches(), 0);
    assert_eq!(town.acme().shop.requests().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_token_whose_scopes_give_nothing_is_told_which_would() {
    let guarded = Guarded::open().await;
    for scope in ["", "openid profile", "Support"] {
        let token = guarded.alice(scope);
        let over_http = guarded.calls(&token, None, "get_customer", sarah()).await;
        let over_mcp = newest(
            guarded.acme("POST", "/mcp", &token),
            "tools/list",
            json!({}),
        );
        for response in [over_http, over_mcp.send().await.unwrap()] {
            assert_eq!(response.status().as_u16(), 403, "{scope:?}");
            let told = challenge(&response);
            assert!(told.contains(r#"error="insufficient_scope""#), "{told}");
            assert!(told.contains(r#"scope="support support:read""#), "{told}");
            assert!(told.contains("resource_metadata="), "{told}");
        }
    }
    guarded.nothing_was_sent();
}

#[tokio::test]
async fn scopes_give_a_role_and_tools() {
    let guarded = Guarded::open().await;
    let agent = guarded.alice("openid support");
    let refused = Answer::of(
        guarded
            .acme("GET", "/api/approvals", &agent)
            .send()
            .await
            .unwrap(),
    );
    refused.await.expect(403);
    let supervisor = guarded.alice("support:approve");
    let listed = Answer::of(
        guarded
            .acme("GET", "/api/approvals", &supervisor)
            .send()
            .await
            .unwrap(),
    );
    listed.await.expect(200);
    // Neither is whoever runs the program.
    let operators = guarded
        .acme("GET", "/api/tenants", &supervisor)
        .send()
        .await
        .unwrap();
    assert_eq!(operators.status().as_u16(), 401);

    let reader = guarded.alice("support:read");
    let listed = newest(
        guarded.acme("POST", "/mcp", &reader),
        "tools/list",
        json!({}),
    );
    let listed = listed.send().await.unwrap().text().await.unwrap();
    assert!(
        listed.contains("\"get_customer\"") && !listed.contains("\"lookup_order\""),
        "{listed}"
    );
    let call = json!({ "name": "lookup_order", "arguments": { "order_id": "ORD-8842" } });
    let refused = newest(
        guarded.acme("POST", "/mcp", &reader),
        "tools/call",
        call.clone(),
    );
    let refused = refused.send().await.unwrap().text().await.unwrap();
    assert!(refused.contains("may not call lookup_order"), "{refused}");
    let refused = guarded
        .calls(&reader, None, "lookup_order", call["arguments"].clone())
        .await;
    assert_eq!(refused.status().as_u16(), 403);
    assert!(
        refused
            .text()
            .await
            .unwrap()
            .contains("the token of alice is not for the tool")
    );
    guarded.nothing_was_sent();
}

#[tokio::test]
async fn a_token_goes_nowhere_from_here() {
    let guarded = Guarded::open().await;
    let token = guarded.alice("support");
    guarded
        .calls(&token, Some("c"), "get_customer", sarah())
        .await;
    let looked = guarded
        .calls(
            &token,
            Some("c"),
            "lookup_order",
            json!({ "order_id": "ORD-8842" }),
        )
        .await;
    assert_eq!(looked.status().as_u16(), 200);
    let call = json!({ "name": "get_customer", "arguments": sarah() });
    let called = newest(guarded.acme("POST", "/mcp", &token), "tools/call", call)
        .send()
        .await
        .unwrap();
    assert!(called.text().await.unwrap().contains("C-1001"));
    let session = opened(&guarded, "acme", &token).await;
    let call = json!({ "name": "get_customer", "arguments": sarah() });
    let request = older(guarded.acme("POST", "/mcp", &token), Some(&session));
    let called = request.json(&rpc("tools/call", call)).send().await.unwrap();
    assert!(called.text().await.unwrap().contains("C-1001"));

    let sent = String::from_utf8(guarded.sent.lock().unwrap().clone()).unwrap();
    // The wire was listened to, and what the operator gave the plugin for its shop is on it.
    assert!(sent.matches("GET /customers").count() >= 3, "{sent}");
    assert!(sent.contains("token-of-acmes-shop"), "{sent}");
    let audit = guarded.town.desk.audit().await;
    assert!(
        audit.contains("token:alice@"),
        "the audit log names who asked"
    );
    for part in token.split('.').chain([token.as_str()]) {
        assert!(!sent.contains(part) && !audit.contains(part), "{part}");
    }
}

#[tokio::test]
async fn keys_are_fetched_when_they_are_needed_and_no_more() {
    let mut guarded = Guarded::open().await;
    assert_eq!(
        guarded.issuer.fetches(),
        0,
        "nothing is fetched before a token comes"
    );
    let first = guarded.alice("support");
    let list = async |token: &str| {
        let request = guarded.acme("GET", "/api/tools", token);
        request.send().await.unwrap().status().as_u16()
    };
    for _ in 0..5 {
        assert_eq!(list(&first).await, 200);
    }
    assert_eq!(guarded.issuer.fetches(), 1);
    guarded.issuer.rotates();
    let list = async |guarded: &Guarded, token: &str| {
        let request = guarded.acme("GET", "/api/tools", token);
        request.send().await.unwrap().status().as_u16()
    };
    let second = guarded.alice("support");
    assert_eq!(list(&guarded, &second).await, 200, "another key is found");
    assert_eq!(list(&guarded, &first).await, 401, "the one before is gone");
    for nth in 0..30 {
        let kid = Some(format!("garbage-{nth}"));
        let header = Header {
            kid,
            ..guarded.issuer.header()
        };
        let garbage = guarded
            .issuer
            .signs_as(&header, &guarded.issuer.claims(ACME, "support"));
        assert_eq!(list(&guarded, &garbage).await, 401);
    }
    assert!(
        guarded.issuer.fetches() <= 3,
        "{}",
        guarded.issuer.fetches()
    );
    guarded.issuer.breaks_down();
    assert_eq!(
        list(&guarded, &second).await,
        200,
        "what is known goes on counting"
    );
    guarded.nothing_was_sent();
}

#[tokio::test]
async fn without_the_issuers_keys_no_token_counts_and_clients_are_told_to_wait() {
    let guarded = Guarded::open().await;
    guarded.issuer.breaks_down();
    let token = guarded.alice("support");
    for _ in 0..5 {
        let response = guarded.calls(&token, None, "get_customer", sarah()).await;
        assert_eq!(response.status().as_u16(), 503, "{response:?}");
        assert!(response.headers().contains_key("retry-after"));
    }
    assert!(
        guarded.issuer.fetches() <= 3,
        "{}",
        guarded.issuer.fetches()
    );
    guarded.nothing_was_sent();
}

#[tokio::test]
async fn settings_that_do_not_fit_are_refused_where_they_stand() {
    let guarded = Guarded::open().await;
    let text = guarded.town.text("acme", "tenant.toml");
    let wrong = text.replace(ACME, "http://desk.example/t/acme/mcp");
    guarded.town.edit("acme", "tenant.toml", &wrong);
    let refused = guarded
        .town
        .operator("POST", "/api/tenants/acme/reload", "")
        .await;
    let said = refused.body.to_string();
    assert_ne!(refused.status, 200, "{said}");
    for word in ["tenant.toml", "oauth.resource", "use https"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    // Nor can two tenants take the same tokens.
    let shared = text.replace(ACME, GLOBEX);
    guarded.town.edit("acme", "tenant.toml", &shared);
    let refused = guarded
        .town
        .operator("POST", "/api/tenants/acme/reload", "")
        .await;
    let said = refused.body.to_string();
    assert!(said.contains("are those of globex already"), "{said}");
    // What was live before keeps serving.
    let listed = guarded.acme("GET", "/api/tools", &guarded.alice("support"));
    assert_eq!(listed.send().await.unwrap().status().as_u16(), 200);
}
