//! Every capability call is decided and on record: requests and completions, the allowed and the refused.

use std::sync::Arc;

use dispatch::policy::Role;
use dispatch::{Answer, CompletionRequest, Gate, InvokeError};
use http::Method;
use serde_json::{Value, json};

use crate::world::{Plugin, World, code, send};

async fn ask(gate: &Arc<dyn Gate>, prompt: &str) -> Result<String, String> {
    let asked = CompletionRequest {
        prompt: prompt.into(),
        max_tokens: 1_000_000,
    };
    gate.complete(asked)
        .await
        .map_err(|error| error.to_string())
}

/// Somebody's ticket, summarised by a model that is asked as often as the plugin likes.
fn summaries(owner: &'static str, times: u32) -> Plugin {
    Arc::new(move |call, gate| {
        Box::pin(async move {
            let ticket = json!({ "ticket_id": call.arguments.get("ticket_id"), "customer_id": owner, "status": "open" });
            if call.tool == "summarize_ticket" {
                for _ in 0..times {
                    let _ = ask(&gate, "the ticket says PRIVATE-WORDS").await;
                }
            }
            match call.tool.as_str() {
                "get_customer" => Ok(json!({ "id": "C-1" })),
                "lookup_order" => Ok(json!({ "order_id": "ORD-1", "customer_id": "C-1" })),
                _ => Ok(ticket),
            }
        })
    })
}

async fn sarahs_case(world: &World) -> String {
    let case = world.case("s").await;
    world
        .call(&case, "get_customer", json!({ "email": "s@example.com" }))
        .await;
    world
        .call(&case, "lookup_order", json!({ "order_id": "ORD-1" }))
        .await;
    case
}

fn decisions(on_record: &[Value]) -> Vec<&str> {
    let models = on_record.iter().filter(|one| one["capability"] == "model");
    models
        .map(|one| one["code"].as_str().unwrap_or("allow"))
        .collect()
}

#[tokio::test]
async fn a_model_is_asked_about_a_ticket_only_once_it_is_known_to_be_the_customers() {
    let world = World::new(summaries("C-1", 1));
    let case = sarahs_case(&world).await;
    let ticket = json!({ "ticket_id": "T-1" });
    assert_eq!(
        world
            .call(&case, "summarize_ticket", ticket.clone())
            .await
            .word(),
        "ok"
    );
    assert_eq!(world.model.asked(), Vec::<String>::new());
    world.call(&case, "get_ticket", ticket.clone()).await;
    world.call(&case, "summarize_ticket", ticket).await;
    assert_eq!(world.model.asked().len(), 1);
    let on_record = world.capabilities(&case).await;
    assert_eq!(decisions(&on_record), ["NOT_RELEASED", "allow"]);
}

#[tokio::test]
async fn a_model_never_hears_of_another_customers_ticket() {
    let world = World::new(summaries("C-2", 1));
    let case = sarahs_case(&world).await;
    for tool in [
        "summarize_ticket",
        "get_ticket",
        "summarize_ticket",
        "suggest_response",
    ] {
        let outcome = world.call(&case, tool, json!({ "ticket_id": "T-2" })).await;
        assert_eq!(code(&outcome), "NOT_OWNER", "{outcome:?}");
    }
    assert_eq!(world.model.asked(), Vec::<String>::new());
    let staff = world.call_as(
        Role::Supervisor,
        &case,
        "summarize_ticket",
        json!({ "ticket_id": "T-2" }),
    );
    assert_eq!(staff.await.word(), "ok");
    assert_eq!(world.model.asked().len(), 1);
}

#[tokio::test]
async fn completions_have_a_budget() {
    let world = World::new(summaries("C-1", 3));
    let case = sarahs_case(&world).await;
    world
        .call(&case, "get_ticket", json!({ "ticket_id": "T-1" }))
        .await;
    world
        .call(&case, "summarize_ticket", json!({ "ticket_id": "T-1" }))
        .await;
    assert_eq!(world.model.asked().len(), 2);
    let on_record = world.capabilities(&case).await;
    assert_eq!(decisions(&on_record), ["allow", "allow", "MODEL_BUDGET"]);
}

#[tokio::test]
async fn requests_have_a_budget_and_each_is_on_record() {
    let plugin: Plugin = Arc::new(|_, gate| {
        Box::pin(async move {
            for _ in 0..16 {
                send(&gate, Method::GET, "/articles", &Value::Null).await?;
            }
            send(&gate, Method::POST, "/search", &json!({})).await?;
            Ok(json!({}))
        })
    });
    let world = World::new(plugin);
    let case = world.case("s").await;
    let outcome = world.call(&case, "search_knowledge_base", json!({})).await;
    assert_eq!(code(&outcome), "HTTP_BUDGET");
    let on_record = world.capabilities(&case).await;
    assert_eq!(on_record.len(), 17);
    assert!(on_record[..16].iter().all(|one| one["decision"] == "allow"));
    assert_eq!(on_record[16]["rules"], json!(["http.budget"]));
}

/// What a plugin says in words goes to nobody but staff: whose data it tells, nobody can check.
#[tokio::test]
async fn an_error_text_is_for_staff() {
    let plugin: Plugin = Arc::new(|call, gate| {
        Box::pin(async move {
            if call.tool == "get_customer" {
                return Ok(json!({ "id": "C-1" }));
            }
            gate.answered(1, Answer::Status(404)).await;
            Err(crate::world::not_found("ORD-1 is TOM's, 812.34"))
        })
    });
    let (traces, _guard) = crate::world::Traces::capture();
    let world = World::new(plugin);
    let case = world.case("s").await;
    world
        .call(&case, "get_customer", json!({ "email": "s@example.com" }))
        .await;
    let order = json!({ "order_id": "ORD-1" });
    let outcome = world.call(&case, "lookup_order", order.clone()).await;
    let dispatch::Outcome::Failed { error, .. } = &outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(error.to_string(), "not found: there is no such thing");
    let staff = world
        .call_as(Role::Supervisor, &case, "lookup_order", order)
        .await;
    assert!(format!("{staff:?}").contains("TOM"));
    let logged = traces.take();
    assert!(
        logged.contains("not found") && logged.contains("Status(404)"),
        "{logged}"
    );
    assert!(!logged.contains("TOM"), "{logged}");
    let shown = InvokeError::from(dispatch::ToolError::Conflict {
        message: "TOM".into(),
    });
    assert!(!shown.to_string().contains("TOM"));
}

#[tokio::test]
async fn a_call_has_so_many_uses_of_its_keys() {
    let world = World::new(Arc::new(|call, gate| {
        Box::pin(async move {
            if call.tool != "get_customer" {
                return Ok(json!({}));
            }
            for _ in 0..200 {
                assert_eq!(gate.value("points").await, Ok(None));
            }
            let one_more = gate.value("points").await.unwrap_err().to_string();
            assert!(one_more.contains("at most 200 uses"), "{one_more}");
            Ok(json!({ "id": "C-1" }))
        })
    }));
    let case = world.case("s").await;
    let customer = json!({ "email": "s@example.com" });
    let ended = world.call(&case, "get_customer", customer).await;
    assert_eq!(ended.word(), "ok", "{ended:?}");
    let on_record = world.capabilities(&case).await;
    let refused = on_record.iter().filter(|one| one["decision"] == "deny");
    let codes: Vec<&Value> = refused.map(|one| &one["code"]).collect();
    assert_eq!(codes, ["KEY_VALUE_BUDGET"]);
}
