//! Order numbers are not to be guessed: wrong ones are counted, in a case and for a customer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use dispatch::{InvokeError, ToolError};
use serde_json::json;

use crate::world::{World, answers, code, contract, grant, not_found};

/// C-1 owns ORD-1; C-2 owns ORD-2; ORD-BUSY does not answer. Every lookup that reaches the backend is counted.
fn shop() -> (World, Arc<AtomicU32>) {
    let looked_up = Arc::<AtomicU32>::default();
    let count = looked_up.clone();
    let world = World::new(answers(move |call| {
        let argument = |name: &str| call.arguments[name].as_str().unwrap_or_default().to_owned();
        if call.tool == "get_customer" {
            let email = argument("email");
            return Ok(json!({ "id": email.split('@').next(), "name": "S" }));
        }
        count.fetch_add(1, Ordering::Relaxed);
        let order = argument("order_id");
        match order.as_str() {
            "ORD-1" => Ok(json!({ "order_id": order, "customer_id": "C-1" })),
            "ORD-2" => Ok(json!({ "order_id": order, "customer_id": "C-2" })),
            "ORD-BUSY" => Err(InvokeError::Tool(ToolError::Unavailable {
                message: String::new(),
                retry_after_seconds: None,
            })),
            _ => Err(not_found("no such order")),
        }
    }));
    (world, looked_up)
}

async fn claims(world: &World, session: &str, customer: &str) -> String {
    let case = world.case(session).await;
    let email = format!("{customer}@example.com");
    world
        .call(&case, "get_customer", json!({ "email": email }))
        .await;
    case
}

async fn guess(world: &World, case: &str, order: &str) -> String {
    let outcome = world
        .call(case, "lookup_order", json!({ "order_id": order }))
        .await;
    match code(&outcome) {
        "" => outcome.word().to_owned(),
        code => code.to_owned(),
    }
}

#[tokio::test]
async fn after_five_wrong_numbers_a_case_guesses_no_more() {
    let (world, looked_up) = shop();
    let case = claims(&world, "s", "C-1").await;
    for order in ["ORD-7", "ORD-8", "ORD-9", "ORD-10"] {
        assert_eq!(guess(&world, &case, order).await, "failed");
    }
    assert_eq!(guess(&world, &case, "ORD-2").await, "NOT_OWNER");
    let before = looked_up.load(Ordering::Relaxed);
    let outcome = world
        .call(&case, "lookup_order", json!({ "order_id": "ORD-1" }))
        .await;
    assert_eq!(code(&outcome), "BUDGET_EXCEEDED", "not even the right one");
    let people = outcome.escalation().unwrap();
    assert_eq!(format!("{:?}", people.priority), "P2");
    assert_eq!(
        looked_up.load(Ordering::Relaxed),
        before,
        "the backend was not asked"
    );
    world.later(86_400);
    assert_eq!(guess(&world, &case, "ORD-1").await, "ok", "the next day");
}

#[tokio::test]
async fn a_right_number_and_a_backend_that_does_not_answer_cost_nothing() {
    let (world, _) = shop();
    let case = claims(&world, "s", "C-1").await;
    for _ in 0..6 {
        assert_eq!(guess(&world, &case, "ORD-BUSY").await, "failed");
    }
    for _ in 0..4 {
        guess(&world, &case, "ORD-7").await;
    }
    assert_eq!(guess(&world, &case, "ORD-1").await, "ok");
    for _ in 0..6 {
        assert_eq!(
            guess(&world, &case, "ORD-7").await,
            "failed",
            "matched, it is no guess"
        );
    }
}

#[tokio::test]
async fn a_customer_is_guessed_at_from_many_cases_no_more_than_from_one() {
    let (world, _) = shop();
    for attacker in 0..5 {
        let case = claims(&world, &format!("a{attacker}"), "C-1").await;
        for _ in 0..4 {
            assert_eq!(guess(&world, &case, "ORD-7").await, "failed");
        }
    }
    let fresh = claims(&world, "fresh", "C-1").await;
    assert_eq!(guess(&world, &fresh, "ORD-7").await, "BUDGET_EXCEEDED");
    let other = claims(&world, "other", "C-2").await;
    assert_eq!(
        guess(&world, &other, "ORD-2").await,
        "ok",
        "others are none the worse for it"
    );
}

#[tokio::test]
async fn many_guesses_at_once_pass_no_limit_together() {
    let (world, looked_up) = shop();
    let case = claims(&world, "s", "C-1").await;
    let orders: Vec<_> = (100..164).map(|number| format!("ORD-{number}")).collect();
    let guesses = orders.iter().map(|order| guess(&world, &case, order));
    let all = futures::future::join_all(guesses).await;
    let tried = all.iter().filter(|outcome| *outcome == "failed").count();
    assert_eq!(
        (tried, looked_up.load(Ordering::Relaxed)),
        (5, 5),
        "{all:?}"
    );
}

#[tokio::test]
async fn guesses_survive_a_restart() {
    let (world, _) = shop();
    let case = claims(&world, "s", "C-1").await;
    for _ in 0..5 {
        guess(&world, &case, "ORD-7").await;
    }
    let world = world.restart().await;
    assert_eq!(guess(&world, &case, "ORD-1").await, "BUDGET_EXCEEDED");
}

#[tokio::test]
async fn a_read_with_a_rate_runs_so_many_times_and_a_silent_backend_costs_none() {
    let asked = Arc::<AtomicU32>::default();
    let count = asked.clone();
    let plugin = answers(move |call| {
        count.fetch_add(1, Ordering::Relaxed);
        if call.arguments["query"] == "silence" {
            return Err(InvokeError::Tool(ToolError::Unavailable {
                message: String::new(),
                retry_after_seconds: None,
            }));
        }
        Ok(json!({ "articles": [] }))
    });
    let mut tools = contract();
    let search = tools.get_mut("search_knowledge_base").unwrap();
    search.rates.push("guesses_case_day".into());
    let world = World::with_tools(plugin, vec![grant(&[])], tools);
    let case = world.case("s").await;
    let search = async |query: &str| {
        let arguments = json!({ "query": query });
        world.call(&case, "search_knowledge_base", arguments).await
    };
    assert_eq!(search("silence").await.word(), "failed");
    let before = asked.load(Ordering::Relaxed);
    for _ in 0..5 {
        assert_eq!(search("returns").await.word(), "ok");
    }
    assert_eq!(code(&search("returns").await), "BUDGET_EXCEEDED");
    assert_eq!(asked.load(Ordering::Relaxed), before + 5);
    let other = world.case("other").await;
    let free = json!({ "query": "returns" });
    let free = world.call(&other, "search_knowledge_base", free).await;
    assert_eq!(free.word(), "ok");
}
