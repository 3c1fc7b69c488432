//! The schema as a list of migrations, and the marks by which a file is known as a Switchboard store.

use rusqlite::{Connection, TransactionBehavior};

/// In SQLite's header: whose file it is. The letters `SwBd`.
const APPLICATION_ID: i64 = 0x5377_4264;

/// Entry n (from 1) leads from version n - 1 to n. A released entry never changes; a change is another entry.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
    include_str!("schema/8.sql"),
    include_str!("schema/9.sql"),
];

/// Why a file cannot be brought to this version's schema.
#[derive(Debug)]
pub(super) enum SchemaError {
    /// A database, but not one of ours.
    Foreign,
    /// Written by a newer version of the host.
    Newer {
        /// The file's schema version.
        found: i64,
        /// The newest that this host knows.
        known: i64,
    },
    /// SQLite failed.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for SchemaError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Checks whose file it is, and brings it to the newest version, all or nothing.
pub(super) fn prepare(db: &mut Connection) -> Result<(), SchemaError> {
    migrate(db, MIGRATIONS)
}

/// Checks that the file is a store of the newest version, without changing it.
pub(super) fn check(db: &Connection) -> Result<(), SchemaError> {
    let known = count(MIGRATIONS);
    match version(db)? {
        found if found > known => Err(SchemaError::Newer { found, known }),
        found if found < known => Err(SchemaError::Foreign),
        _ => Ok(()),
    }
}

fn migrate(db: &mut Connection, migrations: &[&str]) -> Result<(), SchemaError> {
    let known = count(migrations);
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut found = version(&transaction)?;
    if found > known {
        return Err(SchemaError::Newer { found, known });
    }
    for migration in migrations.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(migration)?;
        found += 1;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", found)?;
    Ok(transaction.commit()?)
}

/// The schema version of a file of ours; 0 for an empty file.
fn version(db: &Connection) -> Result<i64, SchemaError> {
    let number = |pragma| db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let found = number("user_version")?;
    let ours = number("application_id")? == APPLICATION_ID;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let empty = tables == 0 && found == 0;
    if (ours && found > 0) || empty {
        Ok(found)
    } else {
        Err(SchemaError::Foreign)
    }
}

fn count(migrations: &[&str]) -> i64 {
    i64::try_from(migrations.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{MIGRATIONS, SchemaError, migrate};

    const FIRST: &str = "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (7);";
    const SECOND: &str = "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 1;";

    fn row(db: &Connection) -> (i64, i64) {
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        db.query_row("SELECT x, y FROM a", [], read).unwrap()
    }

    #[test]
    fn an_older_file_is_upgraded_and_keeps_its_rows() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, &[FIRST]).unwrap();
        migrate(&mut db, &[FIRST, SECOND]).unwrap();
        migrate(&mut db, &[FIRST, SECOND]).unwrap();
        assert_eq!(row(&db), (7, 1));
    }

    #[test]
    fn a_migration_that_fails_leaves_the_old_version() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, &[FIRST]).unwrap();
        let broken = [FIRST, SECOND, "CREATE TABLE a (x INTEGER);"];
        assert!(matches!(
            migrate(&mut db, &broken),
            Err(SchemaError::Sqlite(_))
        ));
        migrate(&mut db, &[FIRST, SECOND]).unwrap();
        assert_eq!(row(&db), (7, 1));
    }

    #[test]
    fn the_records_of_an_older_log_are_listed_by_case() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db, &MIGRATIONS[..4]).unwrap();
        let entries = [r#"{"case":"b"}"#, r#"{"case":null}"#, r#"{"case":"a"}"#];
        for (seq, entry) in (1..).zip(entries) {
            let sql = "INSERT INTO audit VALUES (?, 0, ?, '', '')";
            db.execute(sql, (seq, entry)).unwrap();
        }
        migrate(&mut db, MIGRATIONS).unwrap();
        let listed =
            "SELECT group_concat(case_id || seq), (SELECT seq FROM audit_listed) FROM audit_cases";
        let listed = db.query_row(listed, [], |row| Ok((row.get(0)?, row.get(1)?)));
        assert_eq!(listed, Ok(("a3,b1".to_owned(), 3)));
        let gap = db.execute("INSERT INTO audit VALUES (5, 0, '{}', '', '')", []);
        assert!(gap.unwrap_err().to_string().contains("no gaps"));
    }
}
