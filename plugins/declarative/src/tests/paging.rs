//! Pages: each style from its first page to its last, and no further than allowed.

use described::Task;
use serde_json::{Value, json};
use switchboard_sdk::Answer;

use super::{Backend, named, ok, task};

fn listing(pages: &Value) -> Task {
    let tool = json!({
        "method": "GET", "path": "/orders", "result": "orders", "pages": pages,
        "parameters": { "status": { "type": "string", "in": "query", "optional": true } },
    });
    let types = json!({ "orders": { "fields": {
        "orders": { "type": "list<integer>", "at": "/items" },
        "total": { "type": "integer", "optional": true },
        "more": { "type": "boolean" },
    } } });
    task(&tool, &types, &json!({}))
}

fn page(items: &[i64]) -> Value {
    json!({ "items": items, "more": "the backend's own word" })
}

fn linked(items: &[i64], link: &str) -> Answer {
    Answer {
        link: Some(link.to_owned()),
        ..ok(&page(items))
    }
}

/// The items, whether there may be more, and what was asked.
fn all(pages: &Value, answers: Vec<Answer>) -> (Value, Value, Vec<String>) {
    let backend = Backend::answering(answers);
    let result = backend
        .call(&listing(pages), &json!({ "status": "a&b" }))
        .unwrap();
    (
        result["orders"].clone(),
        result["more"].clone(),
        backend.asked(),
    )
}

#[test]
fn by_number_until_a_page_is_short() {
    let pages = json!({ "style": "page", "list": "orders", "more": "more", "parameter": "p", "size_parameter": "n", "size": 2, "max": 5 });
    let (orders, more, asked) = all(&pages, vec![ok(&page(&[1, 2])), ok(&page(&[3]))]);
    assert_eq!((orders, more), (json!([1, 2, 3]), json!(false)));
    assert_eq!(
        asked,
        [
            "Get /orders?status=a%26b&n=2&p=1",
            "Get /orders?status=a%26b&n=2&p=2"
        ]
    );
}

#[test]
fn by_offset_until_a_page_is_empty() {
    let pages = json!({ "style": "offset", "list": "orders", "more": "more", "parameter": "skip", "max": 5 });
    let (orders, more, asked) = all(
        &pages,
        vec![ok(&page(&[1, 2])), ok(&page(&[3])), ok(&page(&[]))],
    );
    assert_eq!((orders, more), (json!([1, 2, 3]), json!(false)));
    assert_eq!(
        asked[1..],
        [
            "Get /orders?status=a%26b&skip=2",
            "Get /orders?status=a%26b&skip=3"
        ]
    );
}

#[test]
fn by_cursor_until_there_is_none() {
    let pages = json!({ "style": "cursor", "list": "orders", "more": "more", "parameter": "after", "next": "/next", "max": 5 });
    for end in [json!(null), json!("")] {
        let first = json!({ "items": [1], "next": "c/1", "total": 2 });
        let second = json!({ "items": [2], "next": end, "total": 9 });
        let backend = Backend::answering([ok(&first), ok(&second)]);
        let result = backend.call(&listing(&pages), &json!({})).unwrap();
        assert_eq!(
            result,
            json!({ "orders": [1, 2], "total": 2, "more": false })
        );
        assert_eq!(backend.asked(), ["Get /orders", "Get /orders?after=c%2F1"]);
    }
}

#[test]
fn by_link_to_the_same_path_only() {
    let pages = json!({ "style": "link", "list": "orders", "more": "more", "max": 5 });
    let next = "<https://shop.example/v1/orders?page=1>; rel=\"first\", <https://shop.example/v1/orders?page=2&x=%20>; rel=\"next\"";
    let (orders, more, asked) = all(
        &pages,
        vec![linked(&[1], next), linked(&[2], "<?page=1>; rel=prev")],
    );
    assert_eq!((orders, more), (json!([1, 2]), json!(false)));
    assert_eq!(asked[1], "Get /orders?page=2&x=%20");
    for elsewhere in [
        "https://evil.example/steal?page=2",
        "?page=2#x",
        "?a b",
        "/orders",
        "?a\\b",
    ] {
        let link = format!("<{elsewhere}>; rel=\"next\"");
        let backend = Backend::answering([linked(&[1], &link), ok(&page(&[2]))]);
        let error = backend.call(&listing(&pages), &json!({})).unwrap_err();
        assert!(named(&error).contains("leads elsewhere"), "{elsewhere}");
        assert_eq!(backend.asked().len(), 1, "{elsewhere}");
    }
}

/// As many APIs write it: the next page's address in the body, null at the end.
#[test]
fn by_a_link_in_the_body_to_the_same_path_only() {
    let pages = json!({ "style": "link", "list": "orders", "more": "more", "next": "/links/next", "max": 5 });
    let linked = |items: &[i64], next: Value| {
        let body = json!({ "items": items, "links": { "next": next } });
        // The header's link is not the one that the description speaks of.
        Answer {
            link: Some("<?page=9>; rel=next".to_owned()),
            ..ok(&body)
        }
    };
    let next = json!("https://shop.example/v1/orders?page=2");
    let (orders, more, asked) = all(&pages, vec![linked(&[1], next), linked(&[2], Value::Null)]);
    assert_eq!((orders, more), (json!([1, 2]), json!(false)));
    assert_eq!(asked, ["Get /orders?status=a%26b", "Get /orders?page=2"]);
    for elsewhere in [json!("https://evil.example/steal?page=2"), json!(2)] {
        let backend = Backend::answering([linked(&[1], elsewhere.clone()), ok(&page(&[2]))]);
        let error = backend.call(&listing(&pages), &json!({})).unwrap_err();
        assert!(named(&error).contains("leads elsewhere"), "{elsewhere}");
        assert_eq!(backend.asked().len(), 1, "{elsewhere}");
    }
}

/// A backend that always has another page: what was read is given, and said not to be all.
#[test]
fn no_more_pages_than_allowed() {
    for pages in [
        json!({ "style": "page", "list": "orders", "more": "more", "parameter": "p", "max": 3 }),
        json!({ "style": "offset", "list": "orders", "more": "more", "parameter": "p", "max": 3 }),
        json!({ "style": "cursor", "list": "orders", "more": "more", "parameter": "p", "next": "/items/0", "max": 3 }),
    ] {
        let endless = (0..9).map(|_| ok(&page(&[7])));
        let (orders, more, asked) = all(&pages, endless.collect());
        assert_eq!((orders, more), (json!([7, 7, 7]), json!(true)));
        assert_eq!(asked.len(), 3);
    }
}

/// Half a list is no answer.
#[test]
fn a_page_that_fails_fails_the_call() {
    let pages =
        json!({ "style": "page", "list": "orders", "more": "more", "parameter": "p", "max": 3 });
    let gone = Answer {
        status: 503,
        ..Answer::default()
    };
    let backend = Backend::answering([ok(&page(&[1])), gone]);
    let error = backend.call(&listing(&pages), &json!({})).unwrap_err();
    assert_eq!(named(&error), "unavailable: HTTP 503 None");
}
