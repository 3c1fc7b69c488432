//! Versions held beside the live one: in a shadow, and on trial with a share of the cases. And one that is stopped while nothing can be
//! recorded.

use serde_json::{Value, json};

use super::parcel::{Bay, Parcel};
use crate::desk::Desk;
use crate::tenants::expect_refusal;

#[tokio::test]
async fn a_shadow_shows_what_differs_and_asks_nobody() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    for version in [Parcel::with_owner("1.1.0"), Parcel::lost("1.2.0")] {
        bay.install(&version, false).await.expect(200);
    }
    bay.found().await;
    desk.shop.forget_requests().await;
    let shadow = async |version: &str| {
        let version = json!({ "version": version });
        bay.post("shelf/shadow", version).await.expect(200)
    };
    let same = shadow("1.0.0").await;
    assert_eq!(same["tools"]["find_order"]["same"], 1, "{same}");
    let more = shadow("1.1.0").await;
    let shown = &more["differences"][0]["result"]["shown"][0];
    assert_eq!(
        (&shown["at"], &shown["is"]),
        (&json!("/owner"), &json!("\"C-1001\"")),
        "{more}"
    );
    let lost = shadow("1.2.0").await;
    let asked = lost["differences"][0]["capabilities"].to_string();
    assert!(asked.contains("/orders/not-ORD-8842"), "{lost}");
    assert!(desk.shop.requests().await.is_empty(), "nobody was asked");
    assert_eq!(bay.plugin("shelf").await["live"]["version"], "1.0.0");
}

#[tokio::test]
async fn a_version_on_trial_that_fails_is_rolled_back_by_itself() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    bay.install(&Parcel::lost("1.1.0"), false).await.expect(200);
    let tried = json!({ "version": "1.1.0", "per_mille": 1000 });
    bay.post("shelf/canary", tried).await.expect(200);
    assert_eq!(
        bay.plugin("shelf").await["live"]["version"],
        "1.0.0",
        "it is on trial"
    );
    let mut failed = 0;
    while bay.find().await.body["outcome"] != "ok" {
        failed += 1;
        assert!(failed < 100, "the trial does not end");
    }
    assert_eq!(failed, 20, "a trial ends with the first call that shows it");
    let told = bay
        .until_history("shelf", |told| told[0].starts_with("auto_rollback"))
        .await;
    assert!(
        told[0].starts_with("auto_rollback host:canary 1.1.0 → 1.0.0: 20 of 20 calls"),
        "{told:?}"
    );
    assert_eq!(bay.plugin("shelf").await["canary"], json!(null));
}

#[tokio::test]
async fn a_version_on_trial_that_is_refused_a_capability_is_rolled_back_by_itself() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    bay.install(&Parcel::trespassing("1.1.0"), false)
        .await
        .expect(200);
    // Nothing else can end it.
    let tolerance = json!({ "min_calls": 5, "traps_per_mille": 1000, "errors_per_mille": 1000 });
    let tried = json!({ "version": "1.1.0", "per_mille": 500, "tolerance": tolerance });
    bay.post("shelf/canary", tried).await.expect(200);
    desk.shop.forget_requests().await;
    let (mut refused, mut served) = (Vec::new(), 0);
    while refused.len() < 5 {
        let case = format!("case-{}", refused.len() + served);
        assert!(served < 100, "nobody sees the version on trial");
        let answer = bay.find_in(&case).await.body;
        match answer["outcome"].as_str() {
            Some("ok") => served += 1,
            Some("denied") => refused.push((case, answer)),
            _ => panic!("{answer}"),
        }
    }
    let told = bay
        .until_history("shelf", |told| told[0].starts_with("auto_rollback"))
        .await;
    let reason = format!("5 of 5 calls were refused a capability, against 0 of {served}");
    let turn = format!("auto_rollback host:canary 1.1.0 → 1.0.0: {reason}");
    assert_eq!(told[0], turn);
    assert_eq!(bay.plugin("shelf").await["canary"], json!(null));
    // Only the live version's requests have left, and every case has that one by now.
    let requests = desk.shop.requests().await;
    assert_eq!(requests.len(), served, "{requests:?}");
    let own = |request: &Value| request["path"] == "/orders/ORD-8842";
    assert!(requests.iter().all(own), "{requests:?}");
    for (case, answer) in refused {
        assert_eq!(answer["code"], "NOT_GRANTED", "{answer}");
        assert_eq!(bay.found_in(&case).await["number"], "ORD-8842");
    }
}

/// What is said of one trial holds for that one, also after a start, and is told wherever the trial is.
#[tokio::test]
async fn a_trial_ends_as_its_operator_said() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    bay.install(&Parcel::lost("1.1.0"), false).await.expect(200);
    let terms = |tolerance: Value| json!({ "version": "1.1.0", "per_mille": 1000, "tolerance": tolerance, "reason": "why not" });
    let strict = terms(json!({ "min_calls": 3, "errors_per_mille": 0 }));
    let tried = bay.post("shelf/canary", strict).await.expect(200);
    assert_eq!(
        tried["canary"]["tolerance"],
        json!({ "min_calls": 3, "traps_per_mille": 20, "errors_per_mille": 0, "denials_per_mille": 20 })
    );
    assert_eq!(
        bay.history("shelf").await[0],
        "canary user:operator 1.0.0 → 1.1.0: why not (100.0 % of the cases; ends from call 3 on beyond 2.0 % traps, 0.0 % errors or 2.0 % denials)"
    );
    let desk = desk.started_again().await;
    let bay = Bay::of(&desk);
    let failed = until_it_ends(&bay).await;
    assert_eq!(failed, 3, "it ends with the call that was said");
    // And one that tolerates every error goes on.
    let lenient = terms(json!({ "min_calls": 1, "errors_per_mille": 1000 }));
    bay.post("shelf/canary", lenient).await.expect(200);
    for _ in 0..30 {
        assert_ne!(bay.find().await.body["outcome"], "ok");
    }
    assert!(bay.plugin("shelf").await["canary"].is_object());
}

/// Calls of the plugin that go wrong before its trial has ended.
async fn until_it_ends(bay: &Bay<'_>) -> u32 {
    let mut failed = 0;
    while bay.find().await.body["outcome"] != "ok" {
        failed += 1;
        assert!(failed < 100, "the trial does not end");
    }
    bay.until_history("shelf", |told| told[0].starts_with("auto_rollback"))
        .await;
    failed
}

#[tokio::test]
async fn terms_that_make_no_sense_are_refused_by_name_and_begin_no_trial() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    bay.install(&Parcel::version("1.1.0"), false)
        .await
        .expect(200);
    let history = bay.history("shelf").await;
    desk.shop.forget_requests().await;
    for (figure, value, status) in [
        ("min_calls", json!(0), 422),
        ("min_calls", json!(1_000_001), 422),
        ("traps_per_mille", json!(1001), 422),
        ("errors_per_mille", json!(1001), 422),
        ("denials_per_mille", json!(u64::MAX), 422),
        ("traps_per_mille", json!(-1), 400),
        ("errors_per_mille", json!(2.5), 400),
        ("denials_per_mille", json!("NaN"), 400),
        ("denials_per_mille", json!(null), 400),
        ("trap_per_mille", json!(20), 400),
    ] {
        let tolerance = json!({ figure: value });
        let body = json!({ "version": "1.1.0", "per_mille": 50, "tolerance": tolerance });
        let refused = bay.post("shelf/canary", body).await;
        assert_eq!(refused.status, status, "{figure}: {refused:?}");
        if status == 422 {
            let found = format!("tolerance.{figure}: expected ");
            expect_refusal(&refused, 422, &found);
            expect_refusal(&refused, 422, &format!("found {value}"));
        }
    }
    assert_eq!(bay.plugin("shelf").await["canary"], json!(null));
    assert_eq!(bay.history("shelf").await, history);
    assert!(desk.shop.requests().await.is_empty());
}

#[tokio::test]
async fn a_trial_that_goes_well_is_promoted() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    bay.install(&Parcel::with_owner("1.1.0"), false)
        .await
        .expect(200);
    expect_refusal(&bay.post("shelf/promote", json!({})).await, 409, "on trial");
    let tried = json!({ "version": "1.1.0", "per_mille": 500 });
    bay.post("shelf/canary", tried).await.expect(200);
    let mut owners = 0;
    for case in 0..40 {
        let case = format!("case-{case}");
        let first = bay.found_in(&case).await["owner"].clone();
        assert_eq!(
            bay.found_in(&case).await["owner"],
            first,
            "a case sees one version"
        );
        owners += u32::from(!first.is_null());
    }
    assert!(
        (5..36).contains(&owners),
        "{owners} of 40 cases saw the version on trial"
    );
    bay.post("shelf/promote", json!({})).await.expect(200);
    for case in 0..10 {
        assert_eq!(
            bay.found_in(&format!("case-{case}")).await["owner"],
            "C-1001"
        );
    }
}

/// What a case is shown is what its calls run, on either side of a trial.
#[tokio::test]
async fn a_case_is_shown_the_tools_of_the_version_that_it_uses() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    bay.install(&Parcel::renamed("1.1.0"), false)
        .await
        .expect(200);
    let tried = json!({ "version": "1.1.0", "per_mille": 500, "accept": true });
    bay.post("shelf/canary", tried).await.expect(200);
    let listed = async |query: &str| {
        let listed = desk.get(&format!("/api/tools{query}")).await.expect(200);
        let tools = listed["tools"].as_array().unwrap().clone();
        let of_shelf = |tool: &Value| tool["plugin"]["name"] == "shelf";
        tools.into_iter().filter(of_shelf).collect::<Vec<Value>>()
    };
    let mut on_trial = 0;
    for case in 0..40 {
        let case = format!("case-{case}");
        let shown = listed(&format!("?case={case}")).await;
        let find = shown.iter().find(|tool| tool["name"] == "find_order");
        let fields = find.unwrap()["input_schema"]["properties"]
            .as_object()
            .unwrap();
        let (number, _) = fields.iter().next().unwrap();
        let said = json!({ number.as_str(): "ORD-8842" });
        desk.tool(&case, "find_order", said.clone())
            .await
            .expect(200);
        let is_new = number == "order";
        assert_eq!(shown.len(), 1 + usize::from(is_new), "{shown:?}");
        if is_new {
            desk.tool(&case, "find_again", said).await.expect(200);
            on_trial += 1;
        }
    }
    assert!((5..36).contains(&on_trial), "{on_trial} of 40");
    let most = listed("").await;
    assert_eq!(
        (most.len(), &most[0]["plugin"]["version"]),
        (1, &json!("1.0.0"))
    );
}

/// What stops a version waits for no record; nobody is told that there is one where there is none, and it can be taken back.
#[tokio::test]
async fn a_kill_that_cannot_be_recorded_says_so_and_can_be_taken_back() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    let history = bay.history("shelf").await;
    let file = desk.data.path().join("data/switchboard.sqlite");
    let books = rusqlite::Connection::open(file).unwrap();
    let full = "CREATE TRIGGER full BEFORE INSERT ON plugin_history BEGIN SELECT RAISE(ABORT, 'full'); END";
    books.execute_batch(full).unwrap();
    let killed = bay.post("shelf/kill", json!({})).await;
    expect_refusal(
        &killed,
        500,
        "version 1.0.0 of shelf is stopped, but that could not be recorded",
    );
    desk.shop.forget_requests().await;
    assert_eq!(bay.find().await.body["code"], "PLUGIN_STOPPED");
    assert!(desk.shop.requests().await.is_empty());
    let shown = bay.plugin("shelf").await;
    assert_eq!(shown["killed"], json!([shown["live"]["digest"]]));
    assert_eq!(bay.history("shelf").await, history);
    books.execute_batch("DROP TRIGGER full").unwrap();
    bay.post("shelf/revive", json!({})).await.expect(200);
    bay.found().await;
    assert_eq!(bay.plugin("shelf").await["killed"], json!([]));
    expect_refusal(
        &bay.post("shelf/revive", json!({})).await,
        409,
        "is not stopped",
    );
}
