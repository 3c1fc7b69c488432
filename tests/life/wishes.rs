//! What a plugin wishes to be granted: what no operator can accept, what a further version wishes beyond, and a folder where nobody
//! looks at it.

use serde_json::json;

use super::{Bay, Parcel};
use crate::desk::Desk;
use crate::tenants::expect_refusal;

const FORGED: [(&str, &str); 4] = [
    ("identity = \"claims\"", "identity"),
    ("identity = \"matches\"", "identity"),
    (
        "establishes = [{ kind = \"order\", id = \"/number\", attributes = { owner = \"/owner\" } }]",
        "establishes",
    ),
    ("budgets = [\"refund_tenant_day\"]", "budgets"),
];

/// Who a customer is, what is so of an order and what is drawn on: an author who could say so would forge it.
#[tokio::test]
async fn what_an_operator_alone_can_say_cannot_be_accepted() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    for (line, key) in FORGED {
        let refused = bay.install(&Parcel::saying("1.0.0", line), true).await;
        expect_refusal(&refused, 422, &format!("key tool.find_order.{key}"));
        expect_refusal(&refused, 422, "only the operator's tools.toml can say so");
        assert!(bay.plugin("shelf").await.is_null(), "{line}");
        assert_eq!(bay.find().await.status, 404);
    }
    bay.install(&Parcel::version("1.0.0"), true)
        .await
        .expect(200);
    for (line, _) in FORGED {
        let refused = bay.install(&Parcel::saying("1.1.0", line), false).await;
        expect_refusal(&refused, 422, "only the operator's tools.toml can say so");
    }
    let shelf = bay.plugin("shelf").await;
    assert_eq!(shelf["versions"].as_array().unwrap().len(), 1, "{shelf}");
    let audit = desk.audit().await;
    let refused = audit.matches("plugin_refused").count();
    assert_eq!(refused, 2 * FORGED.len(), "each of them is on record");
    assert!(desk.shop.requests().await.is_empty());
}

/// Without its owner a result is shown to whoever asks: that is more, though the manifest says less.
#[tokio::test]
async fn a_version_that_drops_whose_a_result_is_says_so_and_waits() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    bay.install(&Parcel::judged_by_owner("1.0.0"), true)
        .await
        .expect(200);
    bay.install(&Parcel::with_owner("1.1.0"), false)
        .await
        .expect(200);
    let swap = json!({ "version": "1.1.0" });
    let dropped = "- the tool find_order: owner is said no more (was [\"/owner\"])\nLook at it";
    expect_refusal(&bay.post("shelf/swap", swap).await, 409, dropped);
    assert_eq!(bay.plugin("shelf").await["live"]["version"], "1.0.0");
    assert!(desk.shop.requests().await.is_empty());
    let accepted = json!({ "version": "1.1.0", "accept": true });
    bay.post("shelf/swap", accepted).await.expect(200);
    assert_eq!(bay.found().await["owner"], "C-1001");
}

#[tokio::test]
async fn a_folder_grants_a_further_version_what_the_live_one_has_and_nothing_beyond() {
    let desk = Desk::open().await;
    let bay = Bay::of(&desk);
    let folder = desk.data.path().join("data/install");
    std::fs::create_dir(&folder).unwrap();
    Parcel::version("1.0.0").put_into(&folder);
    bay.until_history("shelf", |told| !told.is_empty()).await;
    for (further, words) in [
        (Parcel::reaching_further("1.1.0"), "/customers/*"),
        (
            Parcel::opened_wider("1.2.0"),
            "open_to = \"claimed\" (was \"anyone\")",
        ),
        (
            Parcel::saying("1.3.0", "identity = \"claims\""),
            "key tool.find_order.identity",
        ),
    ] {
        further.put_into(&folder);
        bay.until_refused(&folder, words).await;
        let shelf = bay.plugin("shelf").await;
        assert_eq!(shelf["live"]["version"], "1.0.0", "{shelf}");
        assert_eq!(shelf["versions"].as_array().unwrap().len(), 1, "{shelf}");
    }
    Parcel::with_owner("1.4.0").put_into(&folder);
    let is_known = |told: &[String]| told[0].starts_with("install host:install-folder - → 1.4.0");
    bay.until_history("shelf", is_known).await;
    bay.post("shelf/swap", json!({ "version": "1.4.0" }))
        .await
        .expect(200);
    // Nor does it come back by itself once it was taken out of service.
    assert_eq!(bay.remove("shelf").await.status, 204);
    Parcel::reaching_further("1.5.0").put_into(&folder);
    bay.until_refused(&folder, "shelf 1.5.0 asks for more")
        .await;
    assert_eq!(bay.plugin("shelf").await["live"], json!(null));
    assert!(desk.shop.requests().await.is_empty());
}
