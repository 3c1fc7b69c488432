//! What a client asks, and what the answer must be.

use serde_json::{Value, json};

/// One request, but for what its era adds.
pub(super) struct Ask {
    pub(super) method: &'static str,
    pub(super) params: Value,
    pub(super) expected: Expected,
    /// The rules want it before the others.
    pub(super) opens: bool,
}

/// What the answer must be.
pub(super) enum Expected {
    /// A result with something at this pointer.
    Result(&'static str),
    /// A tool's result with one of these outcomes.
    Outcome(&'static [&'static str]),
    /// An error with this code.
    Error(i64),
}

use Expected::{Error, Outcome, Result};

/// What a call is that found no place.
pub(super) const NO_PLACE: &str = "failed";

const OK: Expected = Outcome(&["ok"]);

/// What comes first, because the rules want it so.
pub(super) fn opening() -> [Ask; 2] {
    [
        tool("get_customer", &json!({ "email": "sarah@example.com" }), OK),
        tool("lookup_order", &json!({ "order_id": "ORD-8842" }), OK),
    ]
    .map(|ask| Ask { opens: true, ..ask })
}

/// Everything else, in any order.
pub(super) fn all() -> Vec<Ask> {
    let order = || json!({ "order_id": "ORD-8842" });
    let refund = json!({ "order_id": "ORD-8842", "amount": { "amount": "49.99", "currency": "USD" }, "reason": "broken" });
    vec![
        tool(
            "classify_inquiry",
            &json!({ "text": "Where is my parcel?" }),
            OK,
        ),
        tool("analyze_sentiment", &json!({ "text": "Thank you!" }), OK),
        tool("search_knowledge_base", &json!({ "query": "return" }), OK),
        tool("get_customer_orders", &json!({}), OK),
        tool("get_tracking_info", &order(), OK),
        tool("list_refunds", &order(), OK),
        // All clients want the same refund at once: one gets it, and whoever comes meanwhile is told so.
        tool(
            "process_refund",
            &refund,
            Outcome(&["ok", "replayed", "in_flight"]),
        ),
        tool(
            "search_users",
            &json!({ "query": "Sarah" }),
            Outcome(&["denied"]),
        ),
        tool(
            "lookup_order",
            &json!({ "order_id": 7 }),
            Outcome(&["invalid"]),
        ),
        tool("drop_tables", &json!({}), Error(-32602)),
        ask("tools/list", json!({}), Result("/tools/0/inputSchema")),
        ask("prompts/list", json!({}), Result("/prompts/0/name")),
        ask(
            "prompts/get",
            json!({ "name": "product_question", "arguments": { "question": "Is it quiet?" } }),
            Result("/messages/0/content"),
        ),
        ask(
            "prompts/get",
            json!({ "name": "drop_tables" }),
            Error(-32602),
        ),
        ask("resources/list", json!({}), Result("/resources/0/uri")),
        ask(
            "resources/templates/list",
            json!({}),
            Result("/resourceTemplates/0/uriTemplate"),
        ),
        ask(
            "resources/read",
            json!({ "uri": "switchboard://rulebook" }),
            Result("/contents/0/text"),
        ),
        ask(
            "resources/read",
            json!({ "uri": "switchboard://case/transcript" }),
            Result("/contents/0/text"),
        ),
        ask(
            "resources/read",
            json!({ "uri": "switchboard://nothing" }),
            Error(-32602),
        ),
        ask(
            "completion/complete",
            json!({ "ref": { "type": "ref/prompt", "name": "product_question" }, "argument": { "name": "question", "value": "b" } }),
            Result("/completion/values"),
        ),
        ask("tables/drop", json!({}), Error(-32601)),
    ]
}

fn tool(name: &str, arguments: &Value, expected: Expected) -> Ask {
    let params = json!({ "name": name, "arguments": arguments });
    ask("tools/call", params, expected)
}

fn ask(method: &'static str, params: Value, expected: Expected) -> Ask {
    Ask {
        method,
        params,
        expected,
        opens: false,
    }
}

impl Ask {
    /// What the newer revision repeats in a header.
    pub(super) fn name(&self) -> Option<&str> {
        let key = if self.method == "resources/read" {
            "uri"
        } else {
            "name"
        };
        self.params.get(key)?.as_str()
    }

    /// What the answer was, in one word; or why it is not as it must be.
    pub(super) fn judge(&self, answer: &Value) -> std::result::Result<String, String> {
        let kind = match &self.expected {
            Result(pointer) => answer["result"]
                .pointer(pointer)
                .map(|_| "result".to_owned()),
            // A host that has no place for a call says so, as it must: how often that may be is the campaign's to judge.
            Outcome(outcomes) => tool_outcome(&answer["result"])
                .filter(|outcome| outcome == NO_PLACE || outcomes.contains(&outcome.as_str())),
            Error(code) => (answer["error"]["code"] == *code
                && answer["error"]["message"].is_string())
            .then(|| code.to_string()),
        };
        kind.ok_or_else(|| format!("{} {}: {answer}", self.method, self.params))
    }
}

/// The outcome of a call, if its parts agree.
fn tool_outcome(result: &Value) -> Option<String> {
    let outcome = result["_meta"]["switchboard/outcome"].as_str()?;
    let text = result["content"][0]["text"].as_str()?;
    let same = serde_json::from_str::<Value>(text).ok()? == result["structuredContent"];
    let refused = result["isError"] == true;
    (same && refused != ["ok", "replayed"].contains(&outcome)).then(|| outcome.to_owned())
}
