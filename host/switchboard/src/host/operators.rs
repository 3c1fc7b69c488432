//! The operators of a program that runs: added with a key each, revoked, and known at once, without a start.

use std::sync::Arc;

use dispatch::{Operator, StoreError};
use thiserror::Error;
use tokio::sync::Mutex;

use super::roster::Roster;
use crate::Secret;
use crate::staff::is_plain_name;
use crate::tenants::{FIRST_OPERATOR, Identity, Tenants, digest};

/// Who runs the program: what is kept of them, and what is live.
pub(crate) struct Operators {
    kept: Arc<dyn dispatch::Operators>,
    tenants: Arc<Tenants>,
    /// Whom somebody's going concerns.
    roster: Arc<Roster>,
    /// Held through a change: what is live changes in the order in which it was recorded.
    changing: Mutex<()>,
}

/// Why nobody was added or revoked. Nothing has changed.
#[derive(Debug, Error)]
pub(crate) enum OperatorError {
    /// A name that would not be clear in the audit log.
    #[error(
        "{0:?} does not fit: a name is 1 to 64 letters, digits, `.`, `_`, `@` or `-`, and begins with no `.`"
    )]
    Name(String),
    /// The name means somebody else.
    #[error("{0}")]
    Taken(String),
    /// Nobody of this name can be revoked.
    #[error("there is no operator {0}; GET /api/operators lists those that there are")]
    Unknown(String),
    /// The host's own key.
    #[error(
        "{FIRST_OPERATOR} is whoever holds the host's own key: to end that, start the host with another SWITCHBOARD_OPERATOR_KEY"
    )]
    First,
    /// Their key counts no more already.
    #[error("the key of {0} was revoked before")]
    Revoked(String),
    /// It cannot be recorded.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether the audit log can tell them by it, and a path can end in it.
pub(crate) fn is_name(name: &str) -> bool {
    is_plain_name(name) && !name.starts_with('.')
}

/// Makes those who were added before live, before there is any tenant.
pub(super) async fn know_all(
    kept: &dyn dispatch::Operators,
    tenants: &Tenants,
) -> Result<(), StoreError> {
    for operator in kept.operators().await? {
        tenants.know_operator(&operator);
    }
    Ok(())
}

impl Operators {
    pub(super) fn new(
        kept: Arc<dyn dispatch::Operators>,
        tenants: &Arc<Tenants>,
        roster: &Arc<Roster>,
    ) -> Self {
        Self {
            kept,
            tenants: Arc::clone(tenants),
            roster: Arc::clone(roster),
            changing: Mutex::default(),
        }
    }

    /// Everybody who was added, by name; also those whose key was revoked.
    pub(crate) async fn all(&self) -> Result<Vec<Operator>, StoreError> {
        self.kept.operators().await
    }

    /// Adds somebody, and gives their key, which is told this once and kept by its digest alone.
    pub(crate) async fn add(&self, name: &str, by: &str) -> Result<Secret, OperatorError> {
        self.check_free(name)?;
        let _change = self.changing.lock().await;
        let key = Secret::random();
        let added = self
            .kept
            .add_operator(name, digest(key.expose()), by)
            .await?;
        let Some(added) = added else {
            return Err(OperatorError::Taken(format!(
                "there is an operator {name}, or there was one: a name in the history means one person for ever; choose another"
            )));
        };
        self.tenants.know_operator(&added);
        Ok(key)
    }

    /// Ends somebody's key: the next request with it is refused, and the sessions that it opened end.
    pub(crate) async fn revoke(&self, name: &str, by: &str) -> Result<(), OperatorError> {
        if name == FIRST_OPERATOR {
            return Err(OperatorError::First);
        }
        let _change = self.changing.lock().await;
        let Some(revoked) = self.kept.revoke_operator(name, by).await? else {
            let all = self.all().await?;
            let was_one = all.iter().any(|operator| operator.name == name);
            return Err(if was_one {
                OperatorError::Revoked(name.to_owned())
            } else {
                OperatorError::Unknown(name.to_owned())
            });
        };
        self.tenants.know_operator(&revoked);
        self.roster.publishing().announce();
        Ok(())
    }

    /// A name that would not be clear in the audit log is refused, and one that means somebody else there.
    fn check_free(&self, name: &str) -> Result<(), OperatorError> {
        if !is_name(name) {
            return Err(OperatorError::Name(name.to_owned()));
        }
        if Identity::is_the_hosts(name) {
            return Err(OperatorError::Taken(format!(
                "{name} is a name of the host's own: choose another"
            )));
        }
        if let Some(tenant) = self.tenants.namesake(name) {
            return Err(OperatorError::Taken(format!(
                "{name} is the name of a key of the tenant {tenant}, and the audit log could not tell them apart: choose another"
            )));
        }
        Ok(())
    }
}
