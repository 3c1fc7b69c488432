//! What the ledger says, read from the victim's own file while nobody runs, without a trace left in it.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Row};

/// One intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Intent {
    pub(crate) id: String,
    pub(crate) tool: String,
    pub(crate) state: String,
    /// The order of a refund.
    pub(crate) order: Option<String>,
    /// The refund's id in the saved output.
    pub(crate) refund: Option<String>,
    /// What people were told, where it called them.
    pub(crate) summary: Option<String>,
    /// Where its customer's budget of the day was charged: Unix seconds.
    pub(crate) day: Option<i64>,
}

/// One window of one budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) budget: String,
    pub(crate) subject: String,
    pub(crate) spent: i64,
    /// What the intents that have not failed charge it.
    pub(crate) charged: i64,
}

/// Everything in the ledger at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Books {
    pub(crate) intents: Vec<Intent>,
    pub(crate) windows: Vec<Window>,
}

const INTENTS: &str = "SELECT id, tool, state, arguments ->> 'order_id', outcome ->> 'refund_id', \
     arguments ->> 'summary', \
     (SELECT window_start FROM charges WHERE intent = intents.id AND budget = 'refund_customer_day') \
     FROM intents ORDER BY number";
const WINDOWS: &str = "SELECT budget, subject, spent, \
     (SELECT coalesce(sum(c.amount), 0) FROM charges c JOIN intents i ON i.id = c.intent \
      WHERE i.tenant = b.tenant AND c.budget = b.budget AND c.subject = b.subject \
        AND c.window_start = b.window_start AND i.state <> 'failed') \
     FROM budgets b";

impl Books {
    /// Reads them. The next victim must find the write-ahead log as the last one left it, so nothing is folded in here.
    pub(crate) fn read(folder: &Path) -> rusqlite::Result<Self> {
        let file = folder.join("switchboard.sqlite");
        let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(Self {
            intents: rows(&db, INTENTS, intent)?,
            windows: rows(&db, WINDOWS, window)?,
        })
    }

    /// The intent that an idempotency key belongs to: `<intent>-<ordinal>`.
    pub(crate) fn intent_of(&self, key: &str) -> Option<&Intent> {
        let (id, _) = key.rsplit_once('-')?;
        self.intents.iter().find(|intent| intent.id == id)
    }
}

fn rows<T>(
    db: &Connection,
    sql: &str,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    db.prepare(sql)?.query_map([], read)?.collect()
}

fn intent(row: &Row<'_>) -> rusqlite::Result<Intent> {
    Ok(Intent {
        id: row.get(0)?,
        tool: row.get(1)?,
        state: row.get(2)?,
        order: row.get(3)?,
        refund: row.get(4)?,
        summary: row.get(5)?,
        day: row.get(6)?,
    })
}

fn window(row: &Row<'_>) -> rusqlite::Result<Window> {
    Ok(Window {
        budget: row.get(0)?,
        subject: row.get(1)?,
        spent: row.get(2)?,
        charged: row.get(3)?,
    })
}
