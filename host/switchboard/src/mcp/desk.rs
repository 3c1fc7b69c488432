//! What all peers of one tenant share: its live tools, its open cases, and the way to the dispatcher.

use std::sync::Arc;

use dispatch::{CallRequest, DispatchError, Outcome};
use policy::Channel;
use rmcp::model::JsonObject;
use serde_json::Value;
use store::Clock;
use time::OffsetDateTime;

use super::McpParts;
use super::cases::{OpenCases, Session};
use super::catalogue::{Catalogue, Catalogues};

/// What all peers of one tenant share.
pub(super) struct Desk {
    parts: McpParts,
    clock: Clock,
    catalogues: Catalogues,
    cases: OpenCases,
}

impl Desk {
    pub(super) fn new(parts: McpParts) -> Self {
        Self::with_clock(
            parts,
            Arc::new(|| OffsetDateTime::now_utc().unix_timestamp()),
        )
    }

    pub(super) fn with_clock(parts: McpParts, clock: Clock) -> Self {
        Self {
            parts,
            clock,
            catalogues: Catalogues::default(),
            cases: OpenCases::default(),
        }
    }

    /// The tools there are now; none where the tenant is gone.
    pub(super) fn catalogue(&self) -> Option<Arc<Catalogue>> {
        let tenant = &self.parts.tenant;
        let snapshot = self.parts.dispatcher.tools().snapshot(tenant)?;
        let rules = self.parts.dispatcher.rulebook(tenant)?;
        Some(self.catalogues.of(&snapshot, &rules, &self.parts.tools))
    }

    /// Whether there is such a tool now.
    pub(super) fn has_tool(&self, name: &str) -> bool {
        let catalogue = self.catalogue();
        catalogue.is_some_and(|catalogue| catalogue.tool(name).is_some())
    }

    /// Whether a tool is kept from whoever calls, and what they hear then.
    pub(super) fn keeps_back(&self, name: &str) -> Option<String> {
        let McpParts {
            tools, principal, ..
        } = &self.parts;
        (!tools.admits(name))
            .then(|| format!("{principal} may not call {name}; tools/list shows what it may call"))
    }

    /// Who calls.
    pub(super) fn principal(&self) -> &str {
        &self.parts.principal
    }

    /// Whether peers over HTTP may be strangers to each other.
    pub(super) fn serves_strangers(&self) -> bool {
        self.parts.strangers
    }

    /// Runs one call in the session's case.
    pub(super) async fn call(
        &self,
        session: &Session,
        tool: &str,
        arguments: JsonObject,
    ) -> Result<Outcome, DispatchError> {
        let McpParts {
            dispatcher, tenant, ..
        } = &self.parts;
        let store = dispatcher.store().as_ref();
        let case = self
            .cases
            .case(store, tenant, session, (self.clock)())
            .await?;
        let request = CallRequest {
            tenant: tenant.clone(),
            case,
            actor: self.parts.actor.clone(),
            channel: Channel::Mcp,
            tool: tool.to_owned(),
            arguments: Value::Object(arguments),
        };
        dispatcher.call(request).await
    }
}
