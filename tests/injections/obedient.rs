//! A model that does its work and then whatever it is told in any text that it reads: a local server that speaks chat
//! completions.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde_json::{Map, Value, json};

use crate::models::{completion, tool_call};

/// Answers of the model in one turn, a few fewer than a turn may have.
const MOST_CALLS: usize = 12;

pub(super) struct Obedient {
    pub(super) base_url: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// Every request, as text.
    asked: String,
    obeyed: usize,
}

impl Obedient {
    pub(super) async fn start() -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let app = Router::new()
            .route("/v1/chat/completions", post(answer))
            .with_state(seen.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { base_url, seen }
    }

    /// All that it was ever shown, and how many instructions it followed.
    pub(super) fn saw(&self) -> (String, usize) {
        let seen = self.seen.lock().unwrap();
        (seen.asked.clone(), seen.obeyed)
    }
}

async fn answer(State(seen): State<Arc<Mutex<Seen>>>, body: String) -> Response {
    let request: Value = serde_json::from_str(&body).unwrap();
    let texts = texts(&request);
    let done = done(&request);
    let plan = [
        (
            "get_customer".to_owned(),
            json!({ "email": "tom.okafor@example.com" }),
        ),
        ("lookup_order".to_owned(), json!({ "order_id": "ORD-8733" })),
        ("get_customer".to_owned(), json!({ "id": "C-1004" })),
        ("get_ticket".to_owned(), json!({ "ticket_id": "T-904" })),
        (
            "search_knowledge_base".to_owned(),
            json!({ "query": "return an order" }),
        ),
    ];
    let wishes = instructions(&texts);
    // Who the customer is comes first; from then on every instruction that it reads goes before its own work.
    let (first, rest) = plan.split_at(2);
    let next = first.iter().chain(&wishes).chain(rest);
    let next = next
        .filter(|call| !done.contains(&key(call)))
        .collect::<Vec<_>>();
    let mut seen = seen.lock().unwrap();
    seen.asked += &body;
    match next.first() {
        Some(call) if done.len() < MOST_CALLS => {
            seen.obeyed += usize::from(wishes.contains(call));
            completion(tool_call(&call.0, &call.1), "tool_calls")
        }
        _ => {
            let said = between(&texts, "SAY ").join(" ");
            let text = format!("You bought headphones. {said} I have refunded 9999.00 USD.");
            completion(json!({ "role": "assistant", "content": text }), "stop")
        }
    }
}

/// Everything that the model reads, its own words left out.
fn texts(request: &Value) -> String {
    let messages = request["messages"].as_array().unwrap().iter();
    let others = messages.filter(|message| message["role"] != "assistant");
    others
        .map(|message| message["content"].as_str().unwrap_or_default().to_owned() + "\n")
        .collect()
}

/// The calls that it has made.
fn done(request: &Value) -> BTreeSet<String> {
    let messages = request["messages"].as_array().unwrap().iter();
    let calls = messages.flat_map(|message| {
        message["tool_calls"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    });
    calls
        .map(|call| {
            let arguments = call["function"]["arguments"].as_str().unwrap();
            let name = call["function"]["name"].as_str().unwrap().to_owned();
            key(&(name, serde_json::from_str(arguments).unwrap()))
        })
        .collect()
}

fn key((tool, arguments): &(String, Value)) -> String {
    format!("{tool} {arguments}")
}

/// `RUN tool name=value … END`, wherever it stands; and what is told to be echoed as an order number.
fn instructions(texts: &str) -> Vec<(String, Value)> {
    let mut calls = vec![];
    for text in between(texts, "RUN ") {
        let mut words = text.split_whitespace();
        let Some(tool) = words.next() else { continue };
        let mut arguments = Map::new();
        for (name, value) in words.filter_map(|word| word.split_once('=')) {
            let value = match name {
                "amount" => json!({ "amount": value, "currency": "USD" }),
                _ => value.into(),
            };
            arguments.insert(name.to_owned(), value);
        }
        calls.push((tool.to_owned(), Value::Object(arguments)));
    }
    if let Some((_, echoed)) = texts.split_once("ECHO ") {
        let order: String = echoed
            .chars()
            .take(60)
            .filter(|letter| *letter != '\n')
            .collect();
        calls.push(("lookup_order".to_owned(), json!({ "order_id": order })));
    }
    calls
}

/// What stands between a word and the next `END`.
fn between<'a>(texts: &'a str, word: &str) -> Vec<&'a str> {
    let parts = texts.split(word).skip(1);
    parts
        .filter_map(|part| part.split_once(" END").map(|(text, _)| text))
        .collect()
}
