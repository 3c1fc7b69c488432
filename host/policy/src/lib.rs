//! The rules, and nothing else: every decision is a pure function of a rulebook, the facts and the request.
//!
//! No clock, no I/O, no async and no randomness live here; whatever a rule needs to know arrives as an argument. The
//! only way to obtain a [`Permit`], and so the only way to run a tool, is [`Rulebook::decide`].

#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::float_arithmetic
)]

mod address;
mod binding;
mod call;
mod capability;
mod decision;
mod facts;
mod form;
mod money;
mod pointer;
mod rulebook;
mod settings;
mod summary;
mod target;
mod tool_rule;
mod unambiguous;

pub use address::{AddressClass, classify_address};
pub use binding::{BodyForm, BodyRule};
pub use call::{Actor, Call, Channel, Effect, Role};
pub use capability::{
    BodyEncoding, CapabilityDecision, GrantError, HttpGrant, HttpRequest, Nature, PathPattern,
};
pub use decision::{ConsentFrom, Decision, Permit, Priority, Refusal, Scope};
pub use facts::{Consent, DecisionInput, Entity, Fact, Facts, Identity, Level, Prior};
pub use form::{FormFault, read_form};
pub use money::{Money, MoneyError};
pub use rulebook::{
    Condition, Explanation, Finding, RuleVoice, Rulebook, RulebookError, RulebookSource, Side,
    attribute_misfit, check,
};
pub use settings::Settings;
pub use summary::{DecisionKind, DecisionSummary};
pub use tool_rule::{
    Budget, BudgetSubject, EntityRule, Establishes, IdentityRule, Intent, Lookup, Owners, Sought,
    ToolRule, Trace,
};
