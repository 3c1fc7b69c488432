//! What can go wrong inside a job or a query, and how the ports name it.

use dispatch::StoreError;
use rusqlite::ErrorCode;
use thiserror::Error;

/// Why a job or a query failed.
#[derive(Debug, Error)]
pub(super) enum Fault {
    /// SQLite said no.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// What was asked does not fit what the store holds.
    #[error("{0}")]
    Misfit(String),
    /// The store takes no work now.
    #[error("{0}")]
    Unavailable(String),
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        let message = fault.to_string();
        match fault {
            Fault::Sqlite(error) if !makes_no_sense(&error) => Self::Unavailable(message),
            Fault::Sqlite(_) | Fault::Misfit(_) => Self::Corrupt(message),
            Fault::Unavailable(_) => Self::Unavailable(message),
        }
    }
}

/// The data is at fault, not the disk: trying again will not help.
fn makes_no_sense(error: &rusqlite::Error) -> bool {
    use rusqlite::Error;
    match error {
        Error::FromSqlConversionFailure(..)
        | Error::ToSqlConversionFailure(_)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => true,
        _ => matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::ConstraintViolation
                    | ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
                    | ErrorCode::TypeMismatch
            )
        ),
    }
}
