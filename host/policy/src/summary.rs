//! A decision in few words: as it is recorded, printed, and compared with another rulebook's.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ConsentFrom, Decision, Priority, Refusal};

/// Which of the five decisions it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// [`Decision::Allow`]
    Allow,
    /// [`Decision::Replay`]
    Replay,
    /// [`Decision::Deny`]
    Deny,
    /// [`Decision::Escalate`]
    Escalate,
    /// [`Decision::NeedsConsent`]
    NeedsConsent,
}

/// What a decision comes to, without its words for people. Reads like `needs_consent staff P2 LIMIT_EXCEEDED`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionSummary {
    /// Which of the five.
    pub decision: DecisionKind,
    /// Whose yes it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<ConsentFrom>,
    /// How urgently people hear of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// The code of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The ids of the rules against it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
}

impl Decision {
    /// This decision in few words.
    pub fn summary(&self) -> DecisionSummary {
        let plain = |decision| DecisionSummary {
            decision,
            from: None,
            priority: None,
            code: None,
            rules: vec![],
        };
        let refused = |decision, refusal: &Refusal| DecisionSummary {
            code: Some(refusal.code.clone()),
            rules: refusal.rules.clone(),
            ..plain(decision)
        };
        match self {
            Self::Allow(_) => plain(DecisionKind::Allow),
            Self::Replay => plain(DecisionKind::Replay),
            Self::Deny(refusal) => refused(DecisionKind::Deny, refusal),
            Self::Escalate { priority, refusal } => DecisionSummary {
                priority: Some(*priority),
                ..refused(DecisionKind::Escalate, refusal)
            },
            Self::NeedsConsent {
                from,
                priority,
                refusal,
            } => DecisionSummary {
                from: Some(*from),
                priority: *priority,
                ..refused(DecisionKind::NeedsConsent, refusal)
            },
        }
    }
}

impl DecisionSummary {
    /// Whether the other comes to the same, whichever rules say so.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let without_rules = |one: &Self| (one.decision, one.from, one.priority, one.code.clone());
        without_rules(self) == without_rules(other)
    }
}

impl fmt::Display for DecisionSummary {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self.decision {
            DecisionKind::Allow => "allow",
            DecisionKind::Replay => "replay",
            DecisionKind::Deny => "deny",
            DecisionKind::Escalate => "escalate",
            DecisionKind::NeedsConsent => "needs_consent",
        })?;
        match self.from {
            Some(ConsentFrom::Customer) => to.write_str(" customer")?,
            Some(ConsentFrom::Staff) => to.write_str(" staff")?,
            None => {}
        }
        if let Some(priority) = self.priority {
            write!(to, " {priority:?}")?;
        }
        match &self.code {
            Some(code) => write!(to, " {code}"),
            None => Ok(()),
        }
    }
}
