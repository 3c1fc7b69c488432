//! How a tool call ends, for every caller alike.

use policy::{Priority, Refusal};
use serde::Serialize;
use serde_json::Value;

use crate::{PendingConsent, ToolError, Violation};

/// People that were called because of this call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EscalationRef {
    /// The escalation's id at the backend, or the intent's id where the backend could not be reached.
    pub id: String,
    /// How urgent.
    pub priority: Priority,
    /// Which team.
    pub team: String,
}

/// How a tool call ended. Whatever is in here has passed the release check.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It ran (or had run, and its result is given again).
    Done {
        /// As the output schema says.
        output: Value,
        /// The effect is an earlier call's.
        replayed: bool,
        /// A person was called by this very call, or because of its result.
        escalation: Option<EscalationRef>,
    },
    /// There is no such tool.
    UnknownTool,
    /// The arguments do not fit; nothing ran.
    Invalid(Vec<Violation>),
    /// The rules say no; nothing ran.
    Denied {
        /// Why.
        refusal: Refusal,
        /// People were called.
        escalation: Option<EscalationRef>,
    },
    /// It ran, and what it returned is not for this customer.
    Withheld {
        /// Why.
        refusal: Refusal,
        /// People were called.
        escalation: Option<EscalationRef>,
    },
    /// It waits for a person's yes; nothing ran.
    Pending {
        /// What is asked.
        consent: Box<PendingConsent>,
        /// People were called.
        escalation: Option<EscalationRef>,
    },
    /// The same business with other terms is settled or under way; nothing ran.
    Conflict {
        /// The tool, in words for the model.
        message: String,
    },
    /// The same intent is being run by another call, which has not ended in time.
    InFlight,
    /// It may or may not have happened; it will not be repeated blindly.
    Unknown {
        /// The intent in the ledger.
        intent: String,
        /// People were called.
        escalation: Option<EscalationRef>,
    },
    /// It did not happen.
    Failed {
        /// Why.
        error: ToolError,
        /// How often it was tried.
        attempts: u32,
        /// People were called.
        escalation: Option<EscalationRef>,
    },
}

impl Outcome {
    /// One word for logs, events and API answers.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Done {
                replayed: false, ..
            } => "ok",
            Self::Done { replayed: true, .. } => "replayed",
            Self::UnknownTool => "unknown_tool",
            Self::Invalid(_) => "invalid",
            Self::Denied { .. } => "denied",
            Self::Withheld { .. } => "withheld",
            Self::Pending { .. } => "awaiting_consent",
            Self::Conflict { .. } => "conflict",
            Self::InFlight => "in_flight",
            Self::Unknown { .. } => "unknown",
            Self::Failed { .. } => "failed",
        }
    }

    /// The rules let it run, whatever came of it.
    pub fn has_run(&self) -> bool {
        matches!(
            self,
            Self::Done { .. } | Self::Withheld { .. } | Self::Unknown { .. } | Self::Failed { .. }
        )
    }

    /// The people that were called, if any.
    pub fn escalation(&self) -> Option<&EscalationRef> {
        match self {
            Self::Done { escalation, .. }
            | Self::Denied { escalation, .. }
            | Self::Withheld { escalation, .. }
            | Self::Pending { escalation, .. }
            | Self::Unknown { escalation, .. }
            | Self::Failed { escalation, .. } => escalation.as_ref(),
            Self::UnknownTool | Self::Invalid(_) | Self::Conflict { .. } | Self::InFlight => None,
        }
    }

    /// What a model may be told, as JSON: the output, or what happened and what to do next. Internal codes stay out.
    pub fn for_model(&self) -> Value {
        crate::dispatcher::describe(self)
    }
}
