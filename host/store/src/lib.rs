//! Everything durable behind dispatch's ports: the ledger, the cases, the consents and the audit log.
//!
//! [`SqliteStore`] is the embedded engine: one data folder, one process that writes, nothing to install. SQL is written
//! here and nowhere else.

mod chain;
mod sqlite;

pub use sqlite::{
    Clock, OpenError, OpenOptions, Recorded, RecordedDecision, SqliteStore, verify_audit,
    visit_decisions,
};
