//! The order of things: decide → reserve → invoke → settle → release → audit.
//!
//! Every tool call of every caller passes [`Dispatcher::call`]; there is no second path to a tool. What it needs from the
//! outside (tools, store, secrets, a model) are the ports of this crate; it owns no driver.

mod audit;
pub mod canonical;
mod case;
mod consent;
mod digest;
mod dispatcher;
mod error;
mod gate;
mod key_value;
mod ledger;
mod operators;
mod outcome;
mod ports;
mod registry;
mod tool;
mod waiting;

/// The words that the ports speak: identities, facts, calls, decisions.
pub use policy;

pub use audit::{Audit, AuditBreak, AuditEntry, AuditKind, AuditRecord, CaseNews};
pub use case::{Case, CaseStatus, Cases, Event, StoredEvent};
pub use consent::{Answered, ConsentState, Consents, PendingConsent, Verdict};
pub use dispatcher::{
    CallRequest, Dispatcher, DispatcherParts, EscalationRequest, Recovery, RetryPolicy, Rulebooks,
    Settling,
};
pub use error::DispatchError;
pub use gate::{Answer, Gate, HttpApproval, OutboundHttp};
pub use key_value::{KeyValueError, KeyValueWrite, KeyValues};
pub use ledger::{
    ByHand, Charge, Held, Holder, Intent, IntentFilter, IntentHistory, IntentState, Lease, Leave,
    Ledger, NewIntent, Reserved, SentRequest, Settlement, Word, settle_on_word,
};
pub use operators::{KeyDigest, Operator, Operators, Revoked};
pub use outcome::{EscalationRef, Outcome};
pub use ports::{
    CompletionError, CompletionRequest, Completions, Counters, Secrets, Store, StoreError,
};
pub use registry::{
    Added, Binding, BindingAction, BindingChange, Bound, Canary, HISTORY_LIMIT, HistoryEntry,
    KnownAs, NewVersion, Pinned, PluginVersion, Registry, TagFound, TagMove, Tolerance,
};
pub use tool::{InvokeError, Snapshot, Tool, ToolError, ToolSpec, Tools, Violation};
pub use waiting::{Progress, Waiting};
