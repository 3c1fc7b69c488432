//! The demo data set, readable in `data/`, and how it gets into a store.

use rusqlite::{Connection, params};
use serde::Deserialize;

use crate::desk::articles::Article;
use crate::desk::contacts::Contact;
use crate::desk::conversations::Conversation;
use crate::desk::customers::Customer;
use crate::desk::orders::Order;
use crate::desk::refunds::Refund;
use crate::desk::shipments::Shipment;
use crate::desk::tickets::Ticket;
use crate::store::record::Record;

const FILES: [&str; 4] = [
    include_str!("../data/customers.toml"),
    include_str!("../data/orders.toml"),
    include_str!("../data/articles.toml"),
    include_str!("../data/inbox.toml"),
];

/// The seed data built into the program cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeedError {
    #[error("the built-in demo data cannot be read: {0}")]
    Format(#[from] toml::de::Error),
    #[error("the built-in demo data cannot be kept: {0}")]
    Record(#[from] serde_json::Error),
    #[error("the built-in demo data cannot be written: {0}")]
    Database(#[from] rusqlite::Error),
}

/// One data file: any of the record kinds.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DataFile {
    customers: Vec<Customer>,
    orders: Vec<Order>,
    refunds: Vec<Refund>,
    shipments: Vec<Shipment>,
    articles: Vec<Article>,
    tickets: Vec<Ticket>,
    contacts: Vec<Contact>,
    conversations: Vec<Conversation>,
}

/// Puts in what is not there yet, so that a store learns new seed data and keeps what happened to the old.
pub(crate) fn plant(db: &Connection) -> Result<(), SeedError> {
    for text in FILES {
        let file: DataFile = toml::from_str(text)?;
        plant_all(db, &file.customers)?;
        plant_all(db, &file.orders)?;
        plant_all(db, &file.refunds)?;
        plant_all(db, &file.shipments)?;
        plant_all(db, &file.tickets)?;
        plant_all(db, &file.contacts)?;
        plant_all(db, &file.conversations)?;
        plant_articles(db, &file.articles)?;
    }
    Ok(())
}

fn plant_all<R: Record>(db: &Connection, records: &[R]) -> Result<(), SeedError> {
    const SQL: &str =
        "INSERT OR IGNORE INTO records (kind, id, listed_under, body) VALUES (?1, ?2, ?3, ?4)";
    let mut statement = db.prepare_cached(SQL)?;
    for record in records {
        statement.execute(params![
            R::KIND,
            record.id(),
            record.listed_under(),
            serde_json::to_string(record)?
        ])?;
    }
    Ok(())
}

/// Nobody changes articles through the API, so the newest text always wins.
fn plant_articles(db: &Connection, articles: &[Article]) -> Result<(), SeedError> {
    for article in articles {
        db.execute(
            "DELETE FROM records WHERE kind = ?1 AND id = ?2",
            [Article::KIND, article.id()],
        )?;
        db.execute("DELETE FROM article_text WHERE id = ?1", [article.id()])?;
        db.execute(
            "INSERT INTO article_text (id, title, keywords, body) VALUES (?1, ?2, ?3, ?4)",
            params![article.id, article.title, article.keywords, article.body],
        )?;
    }
    plant_all(db, articles)
}
