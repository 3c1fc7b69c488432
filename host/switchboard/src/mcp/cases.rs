//! Which case a call belongs to: the client's own name for one, its session's, or the principal's implicit one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dispatch::{Store, StoreError};
use rmcp::model::RequestMetaObject;
use uuid::Uuid;

/// After this many seconds without a call the implicit case is over, and the next call opens another: what it had
/// established of one customer must not meet the next one.
pub(super) const IDLE_SECONDS: i64 = 30 * 60;

/// `_meta` key of a call: the client's own name for the case that the call belongs to.
pub(super) const CASE: &str = "switchboard/case";

/// The longest name a client may give a case, in characters.
const LONGEST_NAME: usize = 128;

/// How many sessions' cases are remembered; beyond that they are asked of the store again.
const REMEMBERED: usize = 10_000;

/// What a case is found by in the store, and whether it ends when nobody calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Session {
    key: String,
    ends_when_idle: bool,
    /// No other request finds it again.
    is_fresh: bool,
}

impl Session {
    /// By what the client finds the conversation again; nothing where it cannot.
    pub(super) fn handle(&self) -> Option<&str> {
        (!self.is_fresh).then_some(self.key.as_str())
    }

    /// The case of one MCP session of the revisions that have sessions, or of one stdio connection.
    pub(super) fn of_session(id: &str) -> Self {
        Self {
            key: format!("mcp:{id}"),
            ends_when_idle: false,
            is_fresh: false,
        }
    }

    /// A case for one request, which no other request finds again.
    pub(super) fn fresh() -> Self {
        Self {
            is_fresh: true,
            ..Self::of_session(&Uuid::new_v4().to_string())
        }
    }

    /// The one implicit case of a principal.
    pub(super) fn implicit(principal: &str) -> Self {
        Self {
            key: format!("mcp:{principal}"),
            ends_when_idle: true,
            is_fresh: false,
        }
    }

    /// The case of a call that comes in no session: the one that it names, else the principal's implicit one. None where it
    /// gives no proper name.
    pub(super) fn of_principal(principal: &str, meta: &RequestMetaObject) -> Option<Self> {
        match meta.get(CASE) {
            Some(name) => Self::named(principal, name.as_str()?),
            None => Some(Self::implicit(principal)),
        }
    }

    /// The case that this principal calls `name`; none if that is no proper name. Another principal's case of the same name
    /// is another case: a name is not a credential. No name contains a colon, so no two pairs share a key.
    pub(super) fn named(principal: &str, name: &str) -> Option<Self> {
        let proper = |c: char| c.is_ascii_graphic() && c != ':';
        let fits = !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(proper);
        fits.then(|| Self {
            key: format!("mcp-case:{name}:{principal}"),
            ends_when_idle: false,
            is_fresh: false,
        })
    }
}

/// A case found before.
struct Known {
    case: String,
    used_at: i64,
}

/// The cases that this process has found, so that a call does not ask the store which case it is in.
#[derive(Default)]
pub(super) struct OpenCases(Mutex<HashMap<String, Known>>);

impl OpenCases {
    /// The session's case, opened where there is none or the last one has been idle for too long.
    pub(super) async fn case(
        &self,
        store: &dyn Store,
        tenant: &str,
        session: &Session,
        now: i64,
    ) -> Result<String, StoreError> {
        if let Some(case) = self.recent(session, now) {
            return Ok(case);
        }
        let mut case = store.case_of_session(tenant, &session.key).await?;
        if session.ends_when_idle && self.is_idle(session, case.created_at, now) {
            store.reset_session(tenant, &session.key).await?;
            case = store.case_of_session(tenant, &session.key).await?;
        }
        self.remember(session, &case.id, now);
        Ok(case.id)
    }

    /// The case that the session was last found in; this is no use of it.
    pub(super) fn known(&self, session: &Session) -> Option<String> {
        let known = self.lock();
        known.get(&session.key).map(|entry| entry.case.clone())
    }

    /// The case that the session's next call would be in, as far as this process remembers; this is no use of it.
    pub(super) fn current(&self, session: &Session, now: i64) -> Option<String> {
        let known = self.lock();
        let entry = known.get(&session.key)?;
        let is_over = session.ends_when_idle && idle(entry.used_at, now);
        (!is_over).then(|| entry.case.clone())
    }

    /// The case found before, unless it has ended since; this counts as a use.
    fn recent(&self, session: &Session, now: i64) -> Option<String> {
        let mut known = self.lock();
        let entry = known.get_mut(&session.key)?;
        if session.ends_when_idle && idle(entry.used_at, now) {
            return None;
        }
        entry.used_at = now;
        Some(entry.case.clone())
    }

    /// Whether the implicit case is over. Nothing is known of its use before this process started but when it was opened.
    fn is_idle(&self, session: &Session, created_at: i64, now: i64) -> bool {
        let known = self.lock();
        let used_at = known.get(&session.key).map_or(created_at, |k| k.used_at);
        idle(used_at, now)
    }

    fn remember(&self, session: &Session, case: &str, now: i64) {
        let mut known = self.lock();
        if known.len() >= REMEMBERED {
            known.retain(|_, entry| !idle(entry.used_at, now));
        }
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let case = case.to_owned();
        known.insert(session.key.clone(), Known { case, used_at: now });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn idle(used_at: i64, now: i64) -> bool {
    now.saturating_sub(used_at) > IDLE_SECONDS
}
