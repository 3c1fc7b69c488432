//! The demo data is what the stories rely on.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::shop::{Shop, usd};

const DAY_S: i64 = 86_400;

#[tokio::test]
async fn sarah_and_her_blender_are_as_promised() {
    let shop = Shop::open().await;
    let order = shop.get("/orders/ORD-8842").await.body;
    assert_eq!(order["customer_id"], "C-1001");
    assert_eq!((&order["total"], &order["refunded"]), (&usd(4999), &usd(0)));
    assert_eq!(
        (&order["status"], &order["refund_eligible"]),
        (&json!("delivered"), &json!(true))
    );
    assert_eq!(days_since(&order["delivered_at"]), 5);
    let customer =
        shop.get("/customers?email=sarah%40example.com").await.body["customers"][0].clone();
    assert_eq!(
        (&customer["id"], &customer["name"]),
        (&json!("C-1001"), &json!("Sarah Mitchell"))
    );
}

#[tokio::test]
async fn each_special_order_shows_what_it_is_for() {
    let shop = Shop::open().await;
    for (id, status, minor, currency, eligible) in [
        ("ORD-8824", "delivered", 4999, "USD", true),
        ("ORD-9001", "delivered", 28_900, "USD", true),
        ("ORD-9004", "delivered", 54_900, "USD", true),
        ("ORD-8150", "delivered", 15_000, "USD", true),
        ("ORD-8151", "delivered", 17_926, "USD", true),
        ("ORD-8152", "delivered", 15_010, "USD", true),
        ("ORD-8120", "delivered", 3950, "USD", true),
        ("ORD-8733", "delivered", 8900, "USD", false),
        ("ORD-8790", "delivered", 3998, "USD", false),
        ("ORD-8901", "shipped", 9900, "USD", false),
        ("ORD-8655", "delivered", 9780, "JPY", true),
        ("ORD-8677", "delivered", 5490, "EUR", true),
        ("ORD-9102", "pending", 3490, "USD", false),
        ("ORD-9110", "processing", 7400, "USD", false),
        ("ORD-8580", "returned", 6400, "USD", true),
        ("ORD-8333", "returned", 7995, "USD", false),
        ("ORD-8850", "cancelled", 21_900, "USD", true),
        ("ORD-8851", "cancelled", 3750, "USD", false),
        ("ORD-8888", "delivered", 14_550, "USD", true),
        ("ORD-8702", "delivered", 13_380, "USD", true),
    ] {
        let order = shop.get(&format!("/orders/{id}")).await.body;
        let told = json!([
            order["status"],
            order["total"]["minor"],
            order["total"]["currency"],
            order["refund_eligible"]
        ]);
        assert_eq!(
            told,
            json!([status, minor, currency, eligible]),
            "{id}: {}",
            order["refund_note"]
        );
        assert_eq!(
            order["refund_note"].is_null(),
            eligible && id != "ORD-8702",
            "{id}"
        );
    }
    for (id, days) in [
        ("ORD-8120", 45),
        ("ORD-8460", 29),
        ("ORD-8441", 31),
        ("ORD-9001", 3),
    ] {
        let order = shop.get(&format!("/orders/{id}")).await.body;
        assert_eq!(days_since(&order["delivered_at"]), days, "{id}");
    }
}

#[tokio::test]
async fn the_data_set_is_large_and_consistent() {
    let shop = Shop::open().await;
    let (mut customers, mut orders, mut statuses) = (0, HashSet::new(), HashSet::new());
    for number in 1001..1100 {
        let id = format!("C-{number}");
        let customer = shop.get(&format!("/customers/{id}")).await;
        if customer.status == 404 {
            break;
        }
        customers += 1;
        let listed = shop.get(&format!("/customers/{id}/orders")).await.body["orders"].clone();
        let listed = listed.as_array().unwrap();
        assert!(
            listed.is_sorted_by(
                |newer, older| seconds(&newer["placed_at"]) >= seconds(&older["placed_at"])
            ),
            "{id}"
        );
        for order in listed {
            check_order(&shop, &id, order).await;
            statuses.insert(order["status"].as_str().unwrap().to_owned());
            assert!(orders.insert(order["id"].as_str().unwrap().to_owned()));
        }
    }
    assert!(
        customers > 20 && orders.len() >= 60,
        "{customers} customers, {} orders",
        orders.len()
    );
    assert_eq!(statuses.len(), 6, "{statuses:?}");
    for refund in shop.get("/refunds").await.body["refunds"]
        .as_array()
        .unwrap()
    {
        let id = refund["order_id"].as_str().unwrap();
        let order = shop.get(&format!("/orders/{id}")).await.body;
        assert_eq!(refund["customer_id"], order["customer_id"]);
        assert_eq!(refund["amount"]["currency"], order["total"]["currency"]);
        assert!(
            seconds(&refund["created_at"]) > seconds(&order["placed_at"]),
            "{id}"
        );
    }
}

#[tokio::test]
async fn thirty_articles_are_long_enough_to_be_cut() {
    let shop = Shop::open().await;
    for number in 101..=130 {
        let article = shop.get(&format!("/articles/KB-{number}")).await.body;
        let body = article["body"].as_str().unwrap();
        assert!(
            body.chars().count() >= 600 && body.trim() == body,
            "KB-{number}"
        );
        assert!(
            article["url"].as_str().unwrap().starts_with("https://"),
            "KB-{number}"
        );
    }
}

async fn check_order(shop: &Shop, customer_id: &str, order: &Value) {
    let id = order["id"].as_str().unwrap();
    assert_eq!(order["customer_id"], *customer_id, "{id}");
    let now = now_s();
    let times: Vec<i64> = ["placed_at", "shipped_at", "delivered_at"]
        .iter()
        .filter_map(|at| seconds(&order[*at]))
        .collect();
    assert!(
        times.is_sorted() && times.iter().all(|at| *at < now),
        "{id}: {times:?}"
    );
    let expected_times = match order["status"].as_str().unwrap() {
        "shipped" => 2,
        "delivered" | "returned" => 3,
        _ => 1,
    };
    assert_eq!(times.len(), expected_times, "{id}");
    let shipments = shop.get(&format!("/shipments?order_id={id}")).await.body["shipments"].clone();
    let shipments = shipments.as_array().unwrap();
    let is_digital = id == "ORD-8799";
    assert_eq!(
        shipments.is_empty(),
        expected_times == 1 && id != "ORD-9105" || is_digital,
        "{id}"
    );
    for shipment in shipments {
        let events: Vec<i64> = shipment["events"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|e| seconds(&e["at"]))
            .collect();
        assert!(!events.is_empty() && events.is_sorted(), "{id}: {shipment}");
    }
}

fn seconds(at: &Value) -> Option<i64> {
    use time::format_description::well_known::Rfc3339;
    at.as_str().map(|at| {
        time::OffsetDateTime::parse(at, &Rfc3339)
            .unwrap()
            .unix_timestamp()
    })
}

fn now_s() -> i64 {
    time::OffsetDateTime::now_utc().unix_timestamp()
}

/// Calendar days (UTC) between then and now.
fn days_since(at: &Value) -> i64 {
    now_s().div_euclid(DAY_S) - seconds(at).unwrap().div_euclid(DAY_S)
}
