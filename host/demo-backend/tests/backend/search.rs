//! Article search finds what customers mean, and takes whatever they write.

use reqwest::Method;
use serde_json::json;

use crate::shop::Shop;

#[tokio::test]
async fn search_finds_the_right_article() {
    let shop = Shop::open().await;
    let mut wrong = Vec::new();
    let questions = [
        ("how do I reset my password", "KB-121"),
        ("forgot password", "KB-121"),
        ("blender won't turn on", "KB-113"),
        ("my blender is leaking", "KB-115"),
        ("can I put the blender in the dishwasher", "KB-114"),
        ("which blender should I buy", "KB-116"),
        ("how long does shipping take", "KB-106"),
        ("where is my order", "KB-107"),
        ("what is your return policy", "KB-101"),
        ("when do I get my money back", "KB-102"),
        ("my item arrived broken", "KB-103"),
        ("cancel my subscription", "KB-127"),
        ("cancel order", "KB-109"),
        ("charged twice", "KB-125"),
        ("which payment methods do you accept", "KB-124"),
        ("warranty", "KB-112"),
        ("customs duties", "KB-111"),
        ("package says delivered but never arrived", "KB-108"),
        ("coupon code not working", "KB-126"),
        ("delete my account", "KB-123"),
        ("speak to a human", "KB-130"),
        ("vacuum battery does not charge", "KB-119"),
    ];
    for (question, right) in questions {
        let query = question.replace(' ', "+").replace('\'', "%27");
        let articles = shop
            .get(&format!("/articles/search?limit=3&q={query}"))
            .await
            .body["articles"]
            .clone();
        let found: Vec<(&str, f64)> = articles
            .as_array()
            .unwrap()
            .iter()
            .map(|article| {
                (
                    article["id"].as_str().unwrap(),
                    article["relevance"].as_f64().unwrap(),
                )
            })
            .collect();
        assert!(
            found.len() <= 3 && found.is_sorted_by(|(_, a), (_, b)| a >= b),
            "{question}: {found:?}"
        );
        if found
            .first()
            .is_none_or(|(id, relevance)| *id != right || !(0.5..=1.0).contains(relevance))
        {
            wrong.push((
                question,
                right,
                found
                    .iter()
                    .map(|(id, relevance)| format!("{id} {relevance}"))
                    .collect::<Vec<_>>(),
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn search_survives_any_text() {
    let shop = Shop::open().await;
    for nothing in [
        "",
        "the+of+and",
        "xylophone",
        "%22",
        "%22%22+OR",
        "*",
        "NEAR(",
        "%00",
        "%F0%9F%92%A9",
    ] {
        let found = shop.get(&format!("/articles/search?q={nothing}")).await;
        assert_eq!(
            (found.status.as_u16(), &found.body),
            (200, &json!({ "articles": [] })),
            "{nothing}"
        );
    }
    let operators = shop
        .get("/articles/search?q=blender+AND+NOT+body:x+%22+*")
        .await;
    assert_eq!(operators.status, 200);
    assert_eq!(
        shop.send(Method::POST, "/articles/search", "", &json!({}))
            .await
            .unwrap()
            .status,
        405
    );
}
