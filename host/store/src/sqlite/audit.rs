//! The audit log on SQLite: appended in the writer's order, chained, and never changed.

mod by_case;
mod head;
mod pen;
mod verify;

use async_trait::async_trait;
use dispatch::{Audit, AuditBreak, AuditEntry, AuditRecord, CaseNews, StoreError};
use rusqlite::{Connection, OptionalExtension, Row};
use tokio::sync::broadcast;

use super::SqliteStore;
use super::clock::StoreClock;
use super::columns::Json;
use super::fault::Fault;
use crate::chain;
pub(super) use by_case::list_many;
pub(super) use head::{HeadFile, meet_head};
pub(super) use pen::Log;
use pen::Pen;
pub use verify::verify_audit;

impl SqliteStore {
    /// Whoever reads after this sees what was recorded: readers wait for the queue.
    pub(super) fn tell(&self, tenant: String, case: Option<String>) {
        if let Some(case) = case {
            // Nobody listens any more: then nobody has missed anything.
            let _ = self.news.send(CaseNews { tenant, case });
        }
    }

    /// Whether anybody wants to hear of cases: most hosts have long stretches without.
    pub(super) fn has_listeners(&self) -> bool {
        self.news.receiver_count() > 0
    }
}

#[async_trait]
impl Audit for SqliteStore {
    /// Queued in front of whatever the caller writes next. An entry that cannot be written makes the store refuse all
    /// later writes.
    async fn record(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.queue(entry, None).await
    }

    fn news(&self) -> broadcast::Receiver<CaseNews> {
        self.news.subscribe()
    }

    async fn record_decision(&self, entry: AuditEntry, input: String) -> Result<(), StoreError> {
        self.queue(entry, Some(input)).await
    }

    async fn records(
        &self,
        case: Option<&str>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        match case {
            None => {
                self.settle_queue(|_| Ok(())).await;
                self.scan(move |db| records(db, limit)).await
            }
            Some(case) => {
                self.settle_queue(by_case::list_for_a_reader).await;
                let case = case.to_owned();
                self.scan(move |db| Ok(oldest_first(by_case::select(db, &case, limit)?)))
                    .await
            }
        }
    }

    async fn verify(&self) -> Result<Result<(i64, String), AuditBreak>, StoreError> {
        self.settle_queue(|_| Ok(())).await;
        let folder = self.folder.clone();
        self.scan(move |db| verify::verify(db, &folder)).await
    }
}

impl SqliteStore {
    async fn queue(&self, entry: AuditEntry, input: Option<String>) -> Result<(), StoreError> {
        let record = Queued {
            entry: Draft::of(&entry)?,
            input,
        };
        self.writer.queue(record).await?;
        if self.has_listeners() {
            self.tell(entry.tenant, entry.case);
        }
        Ok(())
    }

    /// Waits for what was recorded before, and for `then`. A store that is closed, or refuses writes, can still be read and
    /// verified.
    async fn settle_queue(&self, then: fn(&Connection) -> Result<(), Fault>) {
        if let Err(error) = self.write(move |db| then(db)).await {
            tracing::debug!(%error, "the audit log is read as it lies");
        }
    }
}

/// An entry in its canonical text, before it has a place in the chain.
pub(super) struct Draft(String);

impl Draft {
    pub(super) fn of(entry: &AuditEntry) -> Result<Self, StoreError> {
        let text = chain::text(entry);
        text.map(Self)
            .map_err(|error| StoreError::Corrupt(error.to_string()))
    }

    /// Appends it in the transaction of what it tells of.
    pub(super) fn append(&self, db: &Connection, clock: &StoreClock) -> Result<(), Fault> {
        append(db, clock.now_ms(), &self.0)
    }
}

/// A record that nobody waits for.
pub(super) struct Queued {
    entry: Draft,
    /// What was decided on, if this is the record of a decision.
    input: Option<String>,
}

/// The last link of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tail {
    /// How many records there are.
    seq: i64,
    /// The hash that the next one follows.
    hash: String,
}

/// Appends a canonical entry after the last record.
fn append(db: &Connection, at_ms: i64, entry: &str) -> Result<(), Fault> {
    let mut tail = tail(db)?;
    Pen::new(db)?.append(&mut tail, at_ms, entry)
}

fn tail(db: &Connection) -> rusqlite::Result<Tail> {
    let last = db
        .prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| {
            Ok(Tail {
                seq: row.get(0)?,
                hash: row.get(1)?,
            })
        })
        .optional()?;
    Ok(last.unwrap_or_else(|| Tail {
        seq: 0,
        hash: chain::START.to_owned(),
    }))
}

fn records(db: &Connection, limit: u32) -> Result<Vec<AuditRecord>, Fault> {
    let newest = "SELECT seq, at_ms, entry, previous, hash FROM audit ORDER BY seq DESC LIMIT ?";
    let mut newest = db.prepare_cached(newest)?;
    let records = newest.query_map([limit], record)?;
    Ok(oldest_first(records.collect::<Result<_, _>>()?))
}

fn oldest_first(mut records: Vec<AuditRecord>) -> Vec<AuditRecord> {
    records.reverse();
    records
}

pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<AuditRecord> {
    Ok(AuditRecord {
        seq: row.get(0)?,
        at_ms: row.get(1)?,
        entry: row.get::<_, Json<_>>(2)?.0,
        previous: row.get(3)?,
        hash: row.get(4)?,
    })
}
