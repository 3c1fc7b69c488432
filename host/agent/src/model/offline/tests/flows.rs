//! Conversations with the planner against tools that answer from a small table.

use serde_json::{Value, json};

use crate::model::offline::Offline;
use crate::{Arguments, Message, Model, ModelReply, ModelRequest, ToolOffer, ToolResult};

const TOOLS: [&str; 13] = [
    "get_customer",
    "update_customer_info",
    "lookup_order",
    "get_customer_orders",
    "cancel_order",
    "get_tracking_info",
    "create_return",
    "process_refund",
    "list_refunds",
    "add_credit",
    "search_knowledge_base",
    "create_ticket",
    "escalate_to_human",
];

/// A conversation under way: what was called, and what was said last.
pub(super) struct Talk {
    messages: Vec<Message>,
    pub(super) calls: Vec<String>,
    pub(super) conflict: bool,
    refuses: Option<&'static str>,
}

impl Talk {
    pub(super) fn new() -> Self {
        Self {
            messages: Vec::new(),
            calls: Vec::new(),
            conflict: false,
            refuses: None,
        }
    }

    /// Says something; gives the reply, with the calls of this turn left in `calls`.
    pub(super) async fn say(&mut self, text: &str) -> String {
        self.calls.clear();
        self.messages.push(Message::Customer(text.to_owned()));
        for _ in 0..8 {
            let reply = self.respond().await;
            let Some(mut call) = reply.calls.into_iter().next() else {
                let text = reply.text;
                self.messages.push(Message::Assistant {
                    text: text.clone(),
                    calls: Vec::new(),
                });
                return text;
            };
            let Arguments::Json(arguments) = call.arguments.clone() else {
                panic!("broken")
            };
            if call.tool == "ask_clarification" {
                return format!("CLARIFY {}", arguments["question"].as_str().unwrap());
            }
            call.id = format!("call-{}", self.messages.len());
            self.calls
                .push(format!("{}{}", call.tool, short(&arguments)));
            let (outcome, content) = self.answer(&call.tool, &arguments);
            let result = ToolResult {
                id: call.id.clone(),
                tool: call.tool.clone(),
                outcome: outcome.to_owned(),
                content,
            };
            self.messages.push(Message::Assistant {
                text: String::new(),
                calls: vec![call],
            });
            self.messages.push(Message::Results(vec![result]));
        }
        panic!("no end: {:?}", self.calls);
    }

    async fn respond(&self) -> ModelReply {
        let offer = |name: &&str| ToolOffer {
            name: (*name).to_owned(),
            description: String::new(),
            input_schema: json!({}),
        };
        let request = ModelRequest {
            messages: self.messages.clone(),
            tools: TOOLS.iter().map(offer).collect(),
            ..ModelRequest::default()
        };
        Offline.respond(request).await.unwrap()
    }

    fn answer(&self, tool: &str, arguments: &Value) -> (&'static str, Value) {
        if self.refuses == Some(tool) {
            return ("denied", json!({ "message": "It is too late for that." }));
        }
        if self.conflict && tool == "process_refund" {
            return ("conflict", json!({ "message": "For the model." }));
        }
        match world(tool, arguments) {
            Some(output) => ("ok", json!({ "outcome": "ok", "result": output })),
            None => (
                "failed",
                json!({ "message": "Nothing was found: no such thing" }),
            ),
        }
    }
}

fn short(arguments: &Value) -> String {
    let fields = [
        "email", "order_id", "amount", "phone", "address", "priority",
    ];
    let found = fields.iter().filter_map(|name| arguments.get(name));
    found
        .map(|value| {
            format!(
                " {}",
                value.as_str().or(value["amount"].as_str()).unwrap_or("?")
            ) + match value["currency"].as_str() {
                None | Some("USD") => "",
                Some(other) => other,
            }
        })
        .collect::<Vec<_>>()
        .concat()
}

fn usd(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "USD" })
}

fn world(tool: &str, arguments: &Value) -> Option<Value> {
    let order = arguments["order_id"].as_str().unwrap_or_default();
    Some(match tool {
        "get_customer" if arguments["email"] == "sarah@example.com" => {
            json!({ "id": "C-1", "name": "Sarah Jones" })
        }
        "lookup_order" => {
            let (status, total, refunded, eligible) = match order {
                "ORD-8842" => ("delivered", "49.99", "0.00", true),
                "ORD-8843" => ("delivered", "49.99", "20.00", true),
                "ORD-8850" => ("pending", "20.00", "0.00", false),
                "ORD-8860" | "ORD-8861" => ("shipped", "30.00", "0.00", false),
                _ => return None,
            };
            json!({
                "order_id": order, "customer_id": "C-1", "status": status, "total": usd(total), "refunded": usd(refunded),
                "refund_eligible": eligible, "items": [{ "name": "Blender" }], "delivered_at": "2026-11-10T09:00:00Z",
            })
        }
        "get_customer_orders" => {
            json!({ "orders": [{ "order_id": "ORD-8842", "status": "delivered", "total": usd("49.99") }] })
        }
        "get_tracking_info" if order == "ORD-8861" => json!({ "order_id": order, "shipments": [
            { "carrier": "UPS", "tracking_number": "1Z998", "status": "exception" },
        ] }),
        "get_tracking_info" => json!({ "order_id": order, "shipments": [
            { "carrier": "UPS", "tracking_number": "1Z999", "status": "in_transit", "estimated_delivery": "2026-11-24T00:00:00Z" },
        ] }),
        "process_refund" => {
            json!({ "refund_id": "R-1", "order_id": order, "amount": arguments["amount"], "status": "succeeded" })
        }
        "create_return" => {
            json!({ "order_id": order, "label_url": "https://labels.example/1", "carrier": "UPS" })
        }
        "cancel_order" => json!({ "order_id": order, "status": "cancelled" }),
        "add_credit" => json!({ "amount": arguments["amount"] }),
        "update_customer_info" => json!({ "id": "C-1" }),
        "create_ticket" => json!({ "ticket_id": "T-7" }),
        "list_refunds" => json!({ "order_id": order, "refunds": [] }),
        "search_knowledge_base" => json!({ "articles": [
            { "title": "Cleaning", "excerpt": "Use warm water.", "url": "https://help.example/clean", "relevance": 0.9 },
            { "title": "The capital of blenders", "excerpt": "", "url": "https://help.example/capital", "relevance": 0.1 },
        ] }),
        "escalate_to_human" => json!({ "escalation_id": "E-1" }),
        _ => return None,
    })
}

const REFUNDED: [&str; 3] = [
    "get_customer sarah@example.com",
    "lookup_order ORD-8842",
    "process_refund ORD-8842 49.99",
];

#[tokio::test]
async fn a_refund_in_one_turn() {
    let mut talk = Talk::new();
    let said = talk
        .say("Hi, email sarah@example.com. My blender arrived broken, order ORD-8842. I want a refund.")
        .await;
    assert_eq!(talk.calls, REFUNDED);
    assert!(
        said.contains("refunded 49.99 USD for order ORD-8842"),
        "{said}"
    );
}

#[tokio::test]
async fn a_refund_over_several_turns_with_a_correction() {
    let mut talk = Talk::new();
    let said = talk.say("my blendr came smashed, I want a refudn").await;
    assert!(
        said.contains("e-mail address") && said.contains("order number"),
        "{said}"
    );
    talk.say("sarah@example.com").await;
    assert_eq!(talk.calls, ["get_customer sarah@example.com"]);
    let said = talk.say("9999").await;
    assert!(said.contains("ORD-9999"), "{said}");
    talk.say("sorry, I meant 8842").await;
    assert_eq!(
        talk.calls,
        ["lookup_order ORD-8842", "process_refund ORD-8842 49.99"]
    );
}

#[tokio::test]
async fn an_unknown_email_is_asked_for_again() {
    let mut talk = Talk::new();
    let said = talk.say("refund order 8842, I'm sara@example.com").await;
    assert!(said.contains("sara@example.com"), "{said}");
    talk.say("oops: sarah@example.com").await;
    assert_eq!(talk.calls, REFUNDED);
}

#[tokio::test]
async fn part_of_it_and_too_much_of_it() {
    let mut talk = Talk::new();
    talk.say("refund me $20 of order 8842, sarah@example.com")
        .await;
    assert_eq!(talk.calls.last().unwrap(), "process_refund ORD-8842 20.00");
    let mut talk = Talk::new();
    let said = talk
        .say("refund me $500 for order 8842, sarah@example.com")
        .await;
    assert!(said.contains("49.99"), "{said}");
    talk.say("ok yes").await;
    assert_eq!(talk.calls.last().unwrap(), "process_refund ORD-8842 49.99");
}

#[tokio::test]
async fn a_complaint_is_offered_a_refund_and_never_given_one_unasked() {
    let mut talk = Talk::new();
    let said = talk
        .say("My blender from order 8842 arrived broken, I'm sarah@example.com")
        .await;
    assert!(said.contains("Would you like me to"), "{said}");
    assert_eq!(talk.calls.len(), 2);
    let said = talk.say("no thanks").await;
    assert!(
        talk.calls.is_empty() && said.contains("leave everything"),
        "{said}"
    );
    let mut talk = Talk::new();
    talk.say("My blender from order 8842 arrived broken, I'm sarah@example.com")
        .await;
    talk.say("yes please").await;
    assert_eq!(talk.calls.last().unwrap(), "process_refund ORD-8842 49.99");
}

#[tokio::test]
async fn after_a_refund_another_number_alone_refunds_nothing() {
    let mut talk = Talk::new();
    talk.say("refund ORD-8842 please, sarah@example.com").await;
    talk.say("and order 8850").await;
    assert!(talk.calls.is_empty(), "{:?}", talk.calls);
}

#[tokio::test]
async fn a_refused_refund_goes_to_people() {
    let mut talk = Talk::new();
    talk.refuses = Some("process_refund");
    let said = talk.say("refund ORD-8842 please, sarah@example.com").await;
    assert_eq!(talk.calls.last().unwrap(), "escalate_to_human ORD-8842 p3");
    assert!(said.contains("too late"), "{said}");
}

#[tokio::test]
async fn tracking_and_status() {
    let mut talk = Talk::new();
    let said = talk.say("where is order #8860? sarah@example.com").await;
    assert!(
        said.contains("UPS") && said.contains("1Z999") && said.contains("24 November 2026"),
        "{said}"
    );
    let said = talk.say("and ORD-8850?").await;
    assert!(said.contains("has not been shipped"), "{said}");
}

#[tokio::test]
async fn the_ways_out_of_a_shipped_order() {
    let choices = [
        ("the return label please", "create_return ORD-8860"),
        ("2", "create_return ORD-8860"),
        ("ok the credit", "add_credit 10.00"),
        ("4", "escalate_to_human ORD-8860 p1"),
    ];
    for (choice, call) in choices {
        let mut talk = Talk::new();
        let said = talk.say("cancel order 8860, sarah@example.com").await;
        assert!(
            !talk.calls.iter().any(|call| call.starts_with("cancel")),
            "{:?}",
            talk.calls
        );
        assert!(
            said.contains("return label") && said.contains("supervisor"),
            "{said}"
        );
        talk.say(choice).await;
        assert_eq!(
            talk.calls.last().map(String::as_str),
            Some(call),
            "{choice}"
        );
    }
    let mut talk = Talk::new();
    talk.say("cancel order 8860, sarah@example.com").await;
    talk.say("I'll refuse it").await;
    assert!(talk.calls.is_empty());
}

#[tokio::test]
async fn cancelling_and_returning() {
    let mut talk = Talk::new();
    talk.say("please cancel 8850, I'm sarah@example.com").await;
    assert_eq!(talk.calls.last().unwrap(), "cancel_order ORD-8850");
    let mut talk = Talk::new();
    let said = talk
        .say("I want to send order 8842 back. sarah@example.com")
        .await;
    assert_eq!(talk.calls.last().unwrap(), "create_return ORD-8842");
    assert!(said.contains("https://labels.example/1"), "{said}");
}

#[tokio::test]
async fn contact_details() {
    let mut talk = Talk::new();
    talk.say("Please change my address to 12 Elm Street, Springfield. Email sarah@example.com, order 8842").await;
    assert_eq!(
        talk.calls.last().unwrap(),
        "update_customer_info 12 Elm Street, Springfield"
    );
    let mut talk = Talk::new();
    talk.say("I want to update my phone number").await;
    talk.say("+1 555 010 9999").await;
    talk.say("sarah@example.com and order 8842").await;
    assert_eq!(
        talk.calls.last().unwrap(),
        "update_customer_info +1 555 010 9999"
    );
    let mut talk = Talk::new();
    talk.say("change my email from sarah@example.com to new@example.com, order 8842")
        .await;
    assert_eq!(
        talk.calls,
        [
            "get_customer sarah@example.com",
            "lookup_order ORD-8842",
            "update_customer_info new@example.com"
        ]
    );
}

#[tokio::test]
async fn questions_are_answered_from_articles_or_not_at_all() {
    let mut talk = Talk::new();
    let said = talk.say("How do I clean the blender?").await;
    assert!(
        said.contains("warm water") && said.contains("https://help.example/clean"),
        "{said}"
    );
    let said = talk.say("Do you sponsor football clubs?").await;
    assert!(
        !said.contains("warm water") && said.contains("ticket"),
        "{said}"
    );
    talk.say("yes").await;
    assert_eq!(talk.calls.len(), 1, "{:?}", talk.calls);
}

#[tokio::test]
async fn what_it_is_and_what_it_does_not_understand() {
    let mut talk = Talk::new();
    let said = talk.say("Are you ChatGPT?").await;
    assert!(said.contains("no language model"), "{said}");
    let said = talk.say("flurb the gronk").await;
    assert!(said.starts_with("CLARIFY"), "{said}");
}

#[tokio::test]
async fn small_talk_does_not_lose_the_thread() {
    let mut talk = Talk::new();
    talk.say("I want a refund for order 8842").await;
    talk.say("are you a bot?").await;
    talk.say("ok. sarah@example.com").await;
    assert_eq!(talk.calls, REFUNDED);
}

#[tokio::test]
async fn there_is_no_completion() {
    assert!(Offline.complete("Say hi".to_owned(), 10).await.is_err());
}
