//! The tools that are measured, and the very bytes that call them.

use std::net::SocketAddr;

use anyhow::bail;
use serde_json::{Value, json};

use super::load;

/// One tool under measurement.
pub(super) struct Subject {
    pub(super) tool: &'static str,
    /// The first goal is stated of it: a read tool that asks no backend, so that the host's own work is what is measured.
    pub(super) is_primary: bool,
    arguments: Value,
    /// What a case must have established before.
    before: Vec<(&'static str, Value)>,
}

/// The tools to measure: all, or those asked for.
pub(super) fn chosen(tools: &[String]) -> anyhow::Result<Vec<Subject>> {
    let mut subjects = all();
    let known: Vec<_> = subjects.iter().map(|subject| subject.tool).collect();
    if let Some(unknown) = tools.iter().find(|tool| !known.contains(&tool.as_str())) {
        bail!(
            "there is no benchmark of {unknown}; choose from {}",
            known.join(", ")
        );
    }
    subjects.retain(|subject| tools.is_empty() || tools.iter().any(|t| t == subject.tool));
    Ok(subjects)
}

fn all() -> Vec<Subject> {
    let sarah = json!({ "email": "sarah@example.com" });
    vec![
        Subject {
            tool: "classify_inquiry",
            is_primary: true,
            arguments: json!({ "text": "My blender arrived broken. I want a refund for ORD-8842." }),
            before: vec![],
        },
        Subject {
            tool: "search_knowledge_base",
            is_primary: false,
            arguments: json!({ "query": "return a broken blender", "limit": 3 }),
            before: vec![],
        },
        Subject {
            tool: "lookup_order",
            is_primary: false,
            arguments: json!({ "order_id": "ORD-8842" }),
            before: vec![("get_customer", sarah)],
        },
    ]
}

impl Subject {
    /// One request for each connection, each in a case of its own.
    pub(super) fn requests(&self, server: SocketAddr, connections: usize) -> Vec<Vec<u8>> {
        let request = |n| call(server, &case(n), self.tool, &self.arguments);
        (0..connections).map(request).collect()
    }

    /// Brings the connections' cases to the point from which the tool may be called.
    pub(super) async fn prepare(&self, ours: SocketAddr, connections: usize) -> anyhow::Result<()> {
        for case in (0..connections).map(case) {
            for (tool, arguments) in &self.before {
                load::once(ours, &call(ours, &case, tool, arguments)).await?;
            }
        }
        Ok(())
    }
}

fn case(connection: usize) -> String {
    format!("bench-{connection}")
}

/// A `tools/call` of the newest revision, whole.
fn call(server: SocketAddr, case: &str, tool: &str, arguments: &Value) -> Vec<u8> {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "switchboard/case": case,
    });
    let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let body = body.to_string();
    format!(
        "POST /mcp HTTP/1.1\r\nhost: {server}\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\nmcp-protocol-version: 2026-07-28\r\n\
         mcp-method: tools/call\r\nmcp-name: {tool}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
