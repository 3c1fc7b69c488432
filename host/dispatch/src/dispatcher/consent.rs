//! A person's answer to a pending question; a yes resumes that call alone.

use policy::{Actor, Consent, ConsentFrom, Role};
use serde_json::{Value, json};

use super::refuse::binding;
use super::{CallRequest, Dispatcher};
use crate::{
    AuditEntry, AuditKind, CaseStatus, ConsentState, DispatchError, Outcome, PendingConsent,
};

impl Dispatcher {
    /// Answers a pending consent. Yes resumes that call alone and gives its outcome; no gives none.
    ///
    /// Only staff may answer what is asked of staff. What was answered, has expired, or was asked under another plugin or
    /// other rules is [`DispatchError::NotPending`].
    pub async fn answer_consent(
        &self,
        tenant: &str,
        consent: &str,
        granted: bool,
        by: &Actor,
    ) -> Result<Option<Outcome>, DispatchError> {
        let not_pending = || DispatchError::NotPending(consent.to_owned());
        let pending = self
            .parts
            .store
            .consent(tenant, consent)
            .await?
            .ok_or_else(not_pending)?;
        let staff_only = pending.from == ConsentFrom::Staff && by.role < Role::Supervisor;
        let stale = granted && !self.still_bound(&pending);
        if pending.state != ConsentState::Pending || staff_only || stale {
            return Err(not_pending());
        }
        if !self
            .parts
            .store
            .answer(consent, granted, &by.subject)
            .await?
        {
            return Err(not_pending());
        }
        self.record_answer(&pending, granted, by).await?;
        self.parts
            .store
            .set_status(&pending.call.case, CaseStatus::Open)
            .await?;
        if !granted {
            return Ok(None);
        }
        let given = Consent {
            from: pending.from,
            by: by.subject.clone(),
        };
        self.run(resumed(pending), Some(given)).await.map(Some)
    }

    /// Whether the plugin and the rules are still those under which the question was asked.
    fn still_bound(&self, pending: &PendingConsent) -> bool {
        let mut call = pending.call.clone();
        let snapshot = self.parts.tools.snapshot(&call.tenant);
        let digest = snapshot.and_then(|s| {
            s.tools
                .get(&call.tool)
                .map(|tool| tool.spec().digest.clone())
        });
        let (Some(digest), Some(rulebook)) = (digest, self.rulebook(&call.tenant)) else {
            return false;
        };
        call.plugin_digest = digest;
        binding(&call, rulebook.version()) == pending.binding
    }

    async fn record_answer(
        &self,
        pending: &PendingConsent,
        granted: bool,
        by: &Actor,
    ) -> Result<(), DispatchError> {
        let entry = AuditEntry {
            kind: AuditKind::Consent,
            tenant: pending.call.tenant.clone(),
            case: Some(pending.call.case.clone()),
            actor: by.subject.clone(),
            tool: Some(pending.call.tool.clone()),
            detail: json!({ "consent": pending.id, "granted": granted, "from": pending.from }),
        };
        Ok(self.parts.store.record(entry).await?)
    }
}

fn resumed(pending: PendingConsent) -> CallRequest {
    let call = pending.call;
    CallRequest {
        tenant: call.tenant,
        case: call.case,
        actor: call.actor,
        channel: call.channel,
        tool: call.tool,
        arguments: Value::Object(call.arguments),
    }
}
