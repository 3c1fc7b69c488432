//! The yardstick: rmcp with the same tool list and one constant answer, and nothing else.

use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde::Deserialize;

/// Serves `/mcp` with these tools; every call gets the result that `answer`, a JSON-RPC response, carries.
pub(super) fn router(tools: Vec<Tool>, answer: &[u8]) -> anyhow::Result<Router> {
    #[derive(Deserialize)]
    struct Response {
        result: CallToolResult,
    }
    let response: Response =
        serde_json::from_slice(answer).context("the answer to imitate is no tool result")?;
    let bare = Arc::new(Bare {
        tools,
        result: response.result,
    });
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true);
    let sessions = Arc::new(NeverSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(Arc::clone(&bare)), sessions, config);
    Ok(Router::new().route_service("/mcp", service))
}

struct Bare {
    tools: Vec<Tool>,
    result: CallToolResult,
}

impl ServerHandler for Bare {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools.clone()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.tools.iter().find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        _request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        Ok(self.result.clone().into())
    }
}
