//! A person's word on how an open intent ended: settled, with who said it and why.

use serde_json::{Value, json};

use super::{ByHand, Settlement};
use crate::{AuditEntry, AuditKind, Store, StoreError, ToolError};

/// What a person has found out about an open intent.
#[derive(Clone, Debug)]
pub struct Word {
    /// The intent.
    pub intent: String,
    /// It took effect.
    pub happened: bool,
    /// How they know.
    pub note: String,
    /// Who they are, for the audit log: `user:dana`.
    pub by: String,
}

/// Settles an open intent that no process runs. What happened keeps its budget and its key, and asking again says that it was
/// done; what did not happen gives both back.
pub async fn settle_on_word(
    store: &dyn Store,
    tenant: &str,
    word: Word,
) -> Result<ByHand, StoreError> {
    let Some(history) = store.history(tenant, &word.intent).await? else {
        return Ok(ByHand::Missing);
    };
    let (state, settlement) = if word.happened {
        ("done", Settlement::Done(Value::Null))
    } else {
        let message = "a person has found that it did not happen".to_owned();
        (
            "failed",
            Settlement::Failed(ToolError::NotFound { message }),
        )
    };
    let entry = AuditEntry {
        kind: AuditKind::Ledger,
        tenant: tenant.to_owned(),
        case: Some(history.intent.case),
        actor: word.by,
        tool: Some(history.intent.tool),
        detail: json!({ "intent": word.intent, "state": state, "by_hand": true, "note": word.note }),
    };
    store
        .settle_by_hand(tenant, &word.intent, settlement, entry)
        .await
}
