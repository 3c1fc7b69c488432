//! Starting and stopping: what cannot work says so, and what stops can be started again.

use demo_backend::{Backend, StartError};
use serde_json::json;

use crate::shop::{Shop, options};

#[tokio::test]
async fn a_taken_port_is_named() {
    let shop = Shop::open().await;
    let other_folder = tempfile::tempdir().unwrap();
    let mut options = options(other_folder.path());
    options.listen = shop.addr();
    let refused = shop.start_another(options).await.unwrap_err();
    assert!(
        matches!(refused, StartError::Listen { addr, .. } if addr == shop.addr()),
        "{refused}"
    );
    assert!(refused.to_string().contains("port 0"), "{refused}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_named() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("not-a-folder");
    std::fs::write(&file, "something of somebody's").unwrap();
    let refused = Backend::start(options(&file)).await.unwrap_err();
    assert!(matches!(refused, StartError::Data { .. }), "{refused}");
    assert!(refused.to_string().contains("not-a-folder"), "{refused}");
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        "something of somebody's"
    );
}

#[tokio::test]
async fn a_store_that_is_none_is_left_alone() {
    let shop = Shop::open().await;
    let folder = shop.shut_down().await;
    let store = folder.path().join("demo-backend.sqlite");
    std::fs::write(
        &store,
        "this is not a database, and long enough for SQLite to see that at once",
    )
    .unwrap();
    let refused = Backend::start(options(folder.path())).await.unwrap_err();
    assert!(
        matches!(refused, StartError::DamagedData { .. }),
        "{refused}"
    );
    assert!(
        refused.to_string().contains("Move that folder away"),
        "{refused}"
    );
    assert!(
        std::fs::read_to_string(&store)
            .unwrap()
            .starts_with("this is not")
    );
}

#[tokio::test]
async fn a_newer_store_is_left_alone() {
    let shop = Shop::open().await;
    let store = shop.folder().join("demo-backend.sqlite");
    let folder = shop.shut_down().await;
    rusqlite::Connection::open(&store)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let refused = Backend::start(options(folder.path())).await.unwrap_err();
    assert!(matches!(refused, StartError::NewerData { .. }), "{refused}");
    assert!(refused.to_string().contains("version 99"), "{refused}");
}

#[tokio::test]
async fn what_was_changed_outlives_a_restart_and_seeding_again() {
    let shop = Shop::open().await;
    shop.post(
        "/orders/ORD-9110/cancel",
        &json!({ "reason": "changed my mind" }),
    )
    .await;
    shop.patch("/customers/C-1001", &json!({ "phone": "+1 503 555 0199" }))
        .await;
    let ticket = shop
        .post(
            "/tickets",
            &json!({ "subject": "s", "description": "d", "priority": "low" }),
        )
        .await;
    let cancelled = shop.get("/orders/ORD-9110").await.body;
    let shop = shop.reopen().await;
    assert_eq!(shop.get("/orders/ORD-9110").await.body, cancelled);
    assert_eq!(
        shop.get("/customers/C-1001").await.body["phone"],
        "+1 503 555 0199"
    );
    assert_eq!(shop.get("/tickets/T-1001").await.body, ticket.body);
    let next = shop
        .post(
            "/tickets",
            &json!({ "subject": "s", "description": "d", "priority": "low" }),
        )
        .await;
    assert_eq!(next.body["id"], "T-1002");
}
