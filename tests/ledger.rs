//! What waits for a person, as an operator sees and settles it: over HTTP, and with the program's own command.

use serde_json::{Value, json};

use crate::desk::{Answer, Desk, OPERATOR_KEY};
use crate::programs::{refuses, switchboard};

/// A desk whose backend, as far as the host is told, treats repeats like this.
async fn desk(nature: &str) -> Desk {
    Desk::open_with(|config| {
        config.demo_backend.nature = nature.to_owned().try_into().unwrap();
    })
    .await
}

/// Sarah's refund, whose answer is lost: before the shop acts, or after.
async fn lost(desk: &Desk, fault: &str) -> String {
    desk.know_sarah("mine").await;
    desk.shop
        .misbehaves("POST", "/refunds", 1, json!({ "kind": fault }))
        .await;
    let answer = refund(desk).await;
    assert_eq!(answer.body["outcome"], "unknown", "{answer:?}");
    answer.body["intent"].as_str().unwrap().to_owned()
}

async fn refund(desk: &Desk) -> Answer {
    let arguments = json!({ "order_id": "ORD-8842", "amount": { "amount": "49.99", "currency": "USD" },
        "reason": "arrived broken" });
    desk.tool("mine", "process_refund", arguments).await
}

async fn ledger(desk: &Desk, path: &str) -> Answer {
    let request = desk.http.get(desk.url(path)).bearer_auth(OPERATOR_KEY);
    Answer::of(request.send().await.unwrap()).await
}

async fn settle(desk: &Desk, id: &str, body: Value) -> Answer {
    let path = desk.url(&format!("/api/ledger/{id}/settle"));
    let request = desk.http.post(path).bearer_auth(OPERATOR_KEY);
    Answer::of(request.json(&body).send().await.unwrap()).await
}

#[tokio::test]
async fn what_waits_for_a_person_is_listed_shown_and_settled() {
    let desk = desk("neither").await;
    let id = lost(&desk, "act_then_drop").await;
    let open = ledger(&desk, "/api/ledger").await.expect(200);
    assert_eq!(open["intents"][0]["id"], id.as_str(), "{open:#}");
    assert_eq!(open["intents"][0]["state"], "unknown");
    let whole = ledger(&desk, &format!("/api/ledger/{id}"))
        .await
        .expect(200);
    assert_eq!(whole["requests"][0]["method"], "POST", "{whole:#}");
    assert!(
        whole["charges"]
            .as_array()
            .is_some_and(|charges| !charges.is_empty())
    );

    let done = json!({ "as": "done", "note": "the shop has it: RF-1" });
    let settled = settle(&desk, &id, done.clone()).await.expect(200);
    assert_eq!(
        (&settled["state"], &settled["id"]),
        (&json!("done"), &json!(id))
    );
    assert_eq!(settle(&desk, &id, done).await.status, 409, "it has an end");
    let again = refund(&desk).await;
    assert_eq!(again.body["outcome"], "replayed", "{again:?}");
    assert_eq!(desk.shop.refunds("ORD-8842").await, [4_999]);
}

#[tokio::test]
async fn what_did_not_happen_can_be_asked_for_again() {
    let desk = desk("neither").await;
    let id = lost(&desk, "drop_before").await;
    assert_eq!(refund(&desk).await.body["outcome"], "unknown");
    assert_eq!(
        desk.shop.refunds("ORD-8842").await,
        [0_i64; 0],
        "nothing is repeated blindly"
    );
    let failed = json!({ "as": "failed", "note": "the shop has nothing of it" });
    let settled = settle(&desk, &id, failed).await.expect(200);
    assert_eq!(settled["state"], "failed");
    assert_eq!(refund(&desk).await.body["outcome"], "ok");
    assert_eq!(desk.shop.refunds("ORD-8842").await, [4_999]);
}

#[tokio::test]
async fn the_ledger_is_staffs_and_takes_no_guesses() {
    let desk = desk("neither").await;
    let id = lost(&desk, "drop_before").await;
    for path in [
        "/api/ledger",
        "/api/ledger?state=all",
        &format!("/api/ledger/{id}"),
    ] {
        assert_eq!(desk.get(path).await.status, 401, "{path}");
    }
    let body = json!({ "as": "failed", "note": "x" });
    let path = format!("/api/ledger/{id}/settle");
    assert_eq!(desk.post(&path, body.clone()).await.status, 401);
    for body in [
        json!({ "as": "failed" }),
        json!({ "as": "failed", "note": " " }),
        json!({ "as": "perhaps", "note": "x" }),
    ] {
        assert_eq!(settle(&desk, &id, body).await.status, 400);
    }
    assert_eq!(settle(&desk, "no-such-intent", body).await.status, 404);
    assert_eq!(ledger(&desk, "/api/ledger?state=lost").await.status, 400);
    let shown = ledger(&desk, &format!("/api/ledger/{id}"))
        .await
        .expect(200);
    assert_eq!(shown["state"], "unknown", "{shown:#}");
    assert_eq!(desk.shop.refunds("ORD-8842").await, [0_i64; 0]);
}

#[tokio::test]
async fn a_shop_that_can_only_be_asked_is_asked_though_nobody_calls_again() {
    for (fault, end, then) in [
        ("act_then_drop", "done", "replayed"),
        ("drop_before", "failed", "ok"),
    ] {
        let desk = desk("queryable:1").await;
        let id = lost(&desk, fault).await;
        let path = format!("/api/ledger/{id}");
        let state = loop {
            let intent = ledger(&desk, &path).await.expect(200);
            match intent["state"].as_str().unwrap() {
                // The host looks by itself, once the shop has had its time.
                "unknown" => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                ended => break ended.to_owned(),
            }
        };
        assert_eq!(state, end, "{fault}");
        assert_eq!(refund(&desk).await.body["outcome"], then, "{fault}");
        assert_eq!(desk.shop.refunds("ORD-8842").await, [4_999], "{fault}");
    }
}

#[tokio::test]
async fn the_command_works_beside_a_running_host_and_without_one() {
    let desk = desk("neither").await;
    let id = lost(&desk, "act_then_drop").await;
    let address = desk.running.addr.to_string();
    let folder = desk.data.path().join("data");
    let run = move |arguments: &[&str]| {
        let mut command = switchboard();
        command
            .arg("ledger")
            .args(arguments)
            .arg("--data")
            .arg(&folder);
        command
            .env("LISTEN", &address)
            .env("SWITCHBOARD_OPERATOR_KEY", OPERATOR_KEY);
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };
    let text = |output: std::process::Output| {
        let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{}", told(&output.stderr));
        told(&output.stdout)
    };
    let listed = text(run(&["list"]).await.unwrap());
    assert!(
        listed.contains(&id) && listed.contains("unknown"),
        "{listed}"
    );
    let Desk { running, data, .. } = desk;
    running.shutdown().await;

    let shown = text(run(&["show", &id]).await.unwrap());
    assert!(
        shown.contains("process_refund") && shown.contains("requests"),
        "{shown}"
    );
    let settled = run(&[
        "settle",
        &id,
        "done",
        "--note",
        "the shop has it",
        "--by",
        "dana",
    ])
    .await;
    let settled = text(settled.unwrap());
    assert!(settled.contains("done"), "{settled}");
    refuses(
        &run(&["settle", &id, "failed", "--note", "no"])
            .await
            .unwrap(),
        &["an end already"],
    );
    refuses(
        &run(&["show", "no-such-intent"]).await.unwrap(),
        &["no intent"],
    );
    assert!(text(run(&["list"]).await.unwrap()).contains("none"));
    let whole = store::verify_audit(&data.path().join("data")).unwrap();
    assert!(whole.is_ok(), "{whole:?}");
}
