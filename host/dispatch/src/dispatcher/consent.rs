//! A person's answer to a pending question; a yes resumes that call alone, even across a crash.

use policy::{Actor, Call, Consent, ConsentFrom, Decision, Role};
use serde_json::{Value, json};

use super::act::Admission;
use super::refuse::binding;
use super::{CallRequest, Dispatcher};
use crate::{
    Answered, AuditEntry, AuditKind, CaseStatus, ConsentState, DispatchError, Outcome,
    PendingConsent, Verdict, Waiting,
};

impl Dispatcher {
    /// Answers a pending consent. Yes resumes that call alone and gives its outcome; no gives none.
    ///
    /// Only staff may answer what is asked of staff. What was answered, has expired, or was asked under another plugin or
    /// other rules is [`DispatchError::NotPending`]. A yes of staff to what the rules refuse nonetheless gives that
    /// refusal, and the question stays.
    pub async fn answer_consent(
        &self,
        tenant: &str,
        consent: &str,
        granted: bool,
        by: &Actor,
    ) -> Result<Option<Outcome>, DispatchError> {
        let pending = self.answerable(tenant, consent, by).await?;
        if granted {
            return self.grant(pending, Verdict::Grant, by).await.map(Some);
        }
        self.answer(&pending, Verdict::Deny, by).await?;
        self.reopen(&pending).await?;
        Ok(None)
    }

    /// A yes of staff, but to another amount, in the call's own currency: `amount` is a decimal string (`"30.00"`). The
    /// changed call is judged as any other.
    pub async fn amend_consent(
        &self,
        tenant: &str,
        consent: &str,
        amount: &str,
        by: &Actor,
    ) -> Result<Outcome, DispatchError> {
        let mut pending = self.answerable(tenant, consent, by).await?;
        if pending.from != ConsentFrom::Staff || !self.still_bound(&pending) {
            return Err(not_pending(consent));
        }
        self.amend(&mut pending.call, amount)?;
        let rulebook = self.rulebook(tenant).ok_or_else(|| not_pending(consent))?;
        pending.binding = binding(&pending.call, rulebook.version());
        let amended = Verdict::Amend {
            call: Box::new(pending.call.clone()),
            binding: pending.binding.clone(),
        };
        self.grant(pending, amended, by).await
    }

    /// Sees granted calls to their end that a crash has left between the yes and the ledger. One that the plugin or the
    /// rules have changed under is void.
    pub(super) async fn resume_granted(&self) -> Result<(), DispatchError> {
        for granted in self.parts.store.unfinished().await? {
            let Ok(_turnstile) = self.running.enter(&granted.id) else {
                continue;
            };
            if let Err(error) = self.resume_one(&granted).await {
                tracing::error!(%error, consent = granted.id, "a granted call could not be taken up");
            }
        }
        Ok(())
    }

    async fn resume_one(&self, granted: &PendingConsent) -> Result<(), DispatchError> {
        if self.still_bound(granted) {
            let by = granted.answered_by.clone().unwrap_or_default();
            self.resume(granted, by).await?;
        } else {
            self.record_answer(granted, "host:recovery", json!("void"))
                .await?;
        }
        Ok(self.parts.store.finish(&granted.id).await?)
    }

    async fn answerable(
        &self,
        tenant: &str,
        consent: &str,
        by: &Actor,
    ) -> Result<PendingConsent, DispatchError> {
        let pending = self.parts.store.consent(tenant, consent).await?;
        let pending = pending.ok_or_else(|| not_pending(consent))?;
        let staff_only = pending.from == ConsentFrom::Staff && by.role < Role::Supervisor;
        if pending.state != ConsentState::Pending || staff_only {
            return Err(not_pending(consent));
        }
        Ok(pending)
    }

    async fn grant(
        &self,
        pending: PendingConsent,
        verdict: Verdict,
        by: &Actor,
    ) -> Result<Outcome, DispatchError> {
        if !self.still_bound(&pending) {
            return Err(not_pending(&pending.id));
        }
        if pending.from == ConsentFrom::Staff
            && let Some(refused) = self.refused_nonetheless(&pending, by).await?
        {
            return Ok(refused);
        }
        let Ok(_turnstile) = self.running.enter(&pending.id) else {
            return Err(not_pending(&pending.id));
        };
        self.answer(&pending, verdict, by).await?;
        self.reopen(&pending).await?;
        let outcome = self.resume(&pending, by.subject.clone()).await?;
        self.parts.store.finish(&pending.id).await?;
        Ok(outcome)
    }

    /// What the rules say against the call even with this yes. Nothing is decided here: the call is judged when it runs.
    async fn refused_nonetheless(
        &self,
        pending: &PendingConsent,
        by: &Actor,
    ) -> Result<Option<Outcome>, DispatchError> {
        let given = given(pending, by.subject.clone());
        let act = match self.admit(resumed(pending), Some(given)).await? {
            Admission::Act(act) => act,
            Admission::Ended(outcome) => return Ok(Some(outcome)),
        };
        let facts = self.facts(&act, None).await?;
        let grants = &act.tool.spec().grants;
        Ok(
            match act.rulebook.decide(act.call.clone(), &facts, grants) {
                Decision::Deny(refusal) | Decision::Escalate { refusal, .. } => {
                    Some(Outcome::Denied {
                        refusal,
                        escalation: None,
                    })
                }
                Decision::Allow(_) | Decision::Replay | Decision::NeedsConsent { .. } => None,
            },
        )
    }

    async fn answer(
        &self,
        pending: &PendingConsent,
        verdict: Verdict,
        by: &Actor,
    ) -> Result<(), DispatchError> {
        let word = match &verdict {
            Verdict::Grant => json!("granted"),
            Verdict::Amend { call, .. } => json!({ "amended": call.arguments }),
            Verdict::Deny => json!("denied"),
        };
        let answered = Answered {
            verdict,
            by: by.subject.clone(),
        };
        if !self.parts.store.answer(&pending.id, answered).await? {
            return Err(not_pending(&pending.id));
        }
        self.record_answer(pending, &by.subject, word).await
    }

    async fn reopen(&self, answered: &PendingConsent) -> Result<(), DispatchError> {
        let case = &answered.call.case;
        Ok(self.parts.store.set_status(case, CaseStatus::Open).await?)
    }

    async fn resume(&self, granted: &PendingConsent, by: String) -> Result<Outcome, DispatchError> {
        let yes = Some(given(granted, by));
        self.run(resumed(granted), yes, Waiting::default()).await
    }

    /// Puts another amount in the place of the call's.
    fn amend(&self, call: &mut Call, amount: &str) -> Result<(), DispatchError> {
        let cannot = |why: &str| DispatchError::Amendment(format!("{}: {why}", call.tool));
        let rulebook = self.rulebook(&call.tenant);
        let pointer = rulebook.and_then(|rulebook| rulebook.tool(&call.tool)?.amount.clone());
        let pointer = pointer.ok_or_else(|| cannot("it has no amount that could be changed"))?;
        let tool = self.parts.tools.snapshot_for(&call.tenant, &call.case);
        let tool = tool.and_then(|snapshot| snapshot.tools.get(&call.tool).cloned());
        let tool = tool.ok_or_else(|| cannot("there is no such tool any more"))?;
        let mut arguments = Value::Object(call.arguments.clone());
        let place = arguments.pointer_mut(&format!("{pointer}/amount"));
        *place.ok_or_else(|| cannot("its amount is missing"))? = amount.into();
        call.arguments = tool.check(&arguments).map_err(|violations| {
            let texts = violations
                .iter()
                .map(|v| format!("{}: {}", v.field, v.message));
            DispatchError::Amendment(texts.collect::<Vec<_>>().join("; "))
        })?;
        Ok(())
    }

    /// Whether the plugin and the rules are still those under which the question was asked.
    fn still_bound(&self, pending: &PendingConsent) -> bool {
        let mut call = pending.call.clone();
        let snapshot = self.parts.tools.snapshot_for(&call.tenant, &call.case);
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
        by: &str,
        answer: Value,
    ) -> Result<(), DispatchError> {
        let entry = AuditEntry {
            kind: AuditKind::Consent,
            tenant: pending.call.tenant.clone(),
            case: Some(pending.call.case.clone()),
            actor: by.to_owned(),
            tool: Some(pending.call.tool.clone()),
            detail: json!({ "consent": pending.id, "answer": answer, "from": pending.from }),
        };
        Ok(self.parts.store.record(entry).await?)
    }
}

fn not_pending(consent: &str) -> DispatchError {
    DispatchError::NotPending(consent.to_owned())
}

fn given(consent: &PendingConsent, by: String) -> Consent {
    Consent {
        from: consent.from,
        by,
    }
}

fn resumed(consent: &PendingConsent) -> CallRequest {
    let call = consent.call.clone();
    CallRequest {
        tenant: call.tenant,
        case: call.case,
        actor: call.actor,
        channel: call.channel,
        tool: call.tool,
        arguments: Value::Object(call.arguments),
    }
}
