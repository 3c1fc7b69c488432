//! What a turn needs of the world: the dispatcher, seen through the few operations that a turn uses.

use async_trait::async_trait;
use dispatch::policy::{Actor, ConsentFrom};
use dispatch::{
    CallRequest, Case, CaseStatus, DispatchError, Dispatcher, EscalationRef, EscalationRequest,
    Event, Outcome, PendingConsent, ToolSpec,
};

/// The dispatcher as a turn sees it; tests bring a fake.
#[async_trait]
pub trait ToolHost: Send + Sync {
    /// The tools that calls of this case run now, by name; empty if there is no such tenant.
    fn tools(&self, tenant: &str, case: &str) -> Vec<ToolSpec>;

    /// Runs one call.
    async fn call(&self, request: CallRequest) -> Result<Outcome, DispatchError>;

    /// Answers a pending consent; a yes resumes that call, and gives its outcome.
    async fn answer_consent(
        &self,
        tenant: &str,
        consent: &str,
        granted: bool,
        by: &Actor,
    ) -> Result<Option<Outcome>, DispatchError>;

    /// Calls people.
    async fn escalate(&self, request: EscalationRequest) -> Result<EscalationRef, DispatchError>;

    /// The case, as it stands.
    async fn case(&self, tenant: &str, id: &str) -> Result<Case, DispatchError>;

    /// Sets where the case stands.
    async fn set_status(&self, case: &str, status: CaseStatus) -> Result<(), DispatchError>;

    /// Everything that happened in the case, in order.
    async fn events(&self, case: &str) -> Result<Vec<Event>, DispatchError>;

    /// Appends one event, durably.
    async fn append(&self, case: &str, event: Event) -> Result<(), DispatchError>;

    /// The questions that wait for this case's customer, oldest first.
    async fn pending(&self, tenant: &str, case: &str)
    -> Result<Vec<PendingConsent>, DispatchError>;
}

#[async_trait]
impl ToolHost for Dispatcher {
    fn tools(&self, tenant: &str, case: &str) -> Vec<ToolSpec> {
        let snapshot = Dispatcher::tools(self).snapshot_for(tenant, case);
        snapshot.map_or_else(Vec::new, |snapshot| {
            snapshot
                .tools
                .values()
                .map(|tool| tool.spec().clone())
                .collect()
        })
    }

    async fn call(&self, request: CallRequest) -> Result<Outcome, DispatchError> {
        Dispatcher::call(self, request).await
    }

    async fn answer_consent(
        &self,
        tenant: &str,
        consent: &str,
        granted: bool,
        by: &Actor,
    ) -> Result<Option<Outcome>, DispatchError> {
        Dispatcher::answer_consent(self, tenant, consent, granted, by).await
    }

    async fn escalate(&self, request: EscalationRequest) -> Result<EscalationRef, DispatchError> {
        Dispatcher::escalate(self, request).await
    }

    async fn case(&self, tenant: &str, id: &str) -> Result<Case, DispatchError> {
        let case = self.store().case(tenant, id).await?;
        case.ok_or_else(|| DispatchError::UnknownCase(id.to_owned()))
    }

    async fn set_status(&self, case: &str, status: CaseStatus) -> Result<(), DispatchError> {
        Ok(self.store().set_status(case, status).await?)
    }

    async fn events(&self, case: &str) -> Result<Vec<Event>, DispatchError> {
        let stored = self.store().events(case).await?;
        Ok(stored.into_iter().map(|stored| stored.event).collect())
    }

    async fn append(&self, case: &str, event: Event) -> Result<(), DispatchError> {
        self.store().append(case, event).await?;
        Ok(())
    }

    async fn pending(
        &self,
        tenant: &str,
        case: &str,
    ) -> Result<Vec<PendingConsent>, DispatchError> {
        let pending = self.store().pending(tenant, Some(case)).await?;
        Ok(pending
            .into_iter()
            .filter(|consent| consent.from == ConsentFrom::Customer)
            .collect())
    }
}
