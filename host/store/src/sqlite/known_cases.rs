//! The cases that were read lately, so that a call does not ask the database for what the last one asked.
//!
//! One process holds the folder and one thread writes, so what is kept here goes out of date by that thread alone. It says so
//! around every commit that changes cases, before any of its callers is answered: whoever reads after an answer sees what was
//! written. From before the commit until after it, readers ask the database, so that nobody who has seen the new row in one
//! place sees the old one in another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dispatch::Case;

/// So many are kept when nobody has asked for any of them lately, and twice as many at most.
const KEPT: usize = 4_096;

/// What is known, shared by those who read and the one who writes.
#[derive(Clone, Default)]
pub(super) struct KnownCases(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Used since `older` was put away.
    recent: HashMap<String, Case>,
    older: HashMap<String, Case>,
    /// Commits that changed cases; odd while one is under way.
    changes: u64,
}

impl KnownCases {
    /// The case, as it is known or as `load` finds it.
    pub(super) fn find<E>(
        &self,
        tenant: &str,
        id: &str,
        load: impl FnOnce() -> Result<Option<Case>, E>,
    ) -> Result<Option<Case>, E> {
        let changes = {
            let mut state = self.state();
            if let Some(case) = state.known(id) {
                return Ok((case.tenant == tenant).then(|| case.clone()));
            }
            state.changes
        };
        let found = load()?;
        if let Some(case) = &found {
            self.keep(case, changes);
        }
        Ok(found)
    }

    /// Keeps what was read, unless the writer has changed something since before the reading, or is about to.
    fn keep(&self, case: &Case, changes: u64) {
        let mut state = self.state();
        if state.changes == changes && changes.is_multiple_of(2) {
            state.put(case.clone());
        }
    }

    /// Forgets what a transaction changes, from before its commit until [`Changing`] is dropped after it.
    pub(super) fn change<'a>(&self, ids: impl Iterator<Item = &'a str>) -> Option<Changing> {
        let mut ids = ids.peekable();
        ids.peek()?;
        let mut state = self.state();
        state.changes += 1;
        for id in ids {
            state.recent.remove(id);
            state.older.remove(id);
        }
        Some(Changing(self.clone()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn known(&mut self, id: &str) -> Option<&Case> {
        if let Some(case) = self.older.remove(id) {
            self.put(case);
        }
        self.recent.get(id)
    }

    fn put(&mut self, case: Case) {
        if self.recent.len() >= KEPT {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(case.id.clone(), case);
    }
}

/// A commit that changes cases is under way.
pub(super) struct Changing(KnownCases);

impl Drop for Changing {
    fn drop(&mut self) {
        self.0.state().changes += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use dispatch::policy::Identity;
    use dispatch::{Case, CaseStatus};

    use super::{KEPT, KnownCases};

    fn case(id: &str, status: CaseStatus) -> Case {
        Case {
            id: id.into(),
            tenant: "demo".into(),
            identity: Identity::default(),
            status,
            created_at: 0,
        }
    }

    /// What a reader gets while `status` is what the database says; `meanwhile` happens after it has read that.
    fn read(known: &KnownCases, status: CaseStatus, meanwhile: impl FnOnce()) -> CaseStatus {
        let load = || {
            let row = case("a", status);
            meanwhile();
            Ok::<_, Infallible>(Some(row))
        };
        known.find("demo", "a", load).unwrap().unwrap().status
    }

    const OLD: CaseStatus = CaseStatus::Open;
    const NEW: CaseStatus = CaseStatus::Resolved;

    #[test]
    fn what_is_known_is_not_asked_again_and_is_one_tenants() {
        let known = KnownCases::default();
        read(&known, OLD, || ());
        assert_eq!(read(&known, NEW, || ()), OLD);
        let others = known.find("other", "a", || Ok::<_, Infallible>(Some(case("a", OLD))));
        assert_eq!(others, Ok(None));
    }

    #[test]
    fn what_was_read_before_a_commit_is_not_kept_after_it() {
        let known = KnownCases::default();
        let commit = || drop(known.change(["a"].into_iter()));
        assert_eq!(read(&known, OLD, commit), OLD);
        assert_eq!(read(&known, NEW, || ()), NEW);
    }

    #[test]
    fn nothing_is_kept_while_a_commit_is_under_way() {
        let known = KnownCases::default();
        read(&known, OLD, || ());
        let commit = known.change(["a"].into_iter());
        assert_eq!(read(&known, OLD, || ()), OLD);
        assert_eq!(read(&known, NEW, || drop(commit)), NEW);
        assert_eq!(read(&known, OLD, || ()), OLD, "the last was not kept");
    }

    #[test]
    fn a_commit_that_changes_no_case_costs_nobody_anything() {
        let known = KnownCases::default();
        assert!(known.change(std::iter::empty()).is_none());
    }

    #[test]
    fn only_so_many_are_kept_and_those_in_use_stay() {
        let known = KnownCases::default();
        read(&known, OLD, || ());
        for n in 0..4 * KEPT {
            let id = n.to_string();
            let load = || Ok::<_, Infallible>(Some(case(&id, OLD)));
            known.find("demo", &id, load).unwrap();
            assert_eq!(read(&known, NEW, || ()), OLD);
        }
        let state = known.state();
        assert!(state.recent.len() <= KEPT && state.older.len() <= KEPT);
    }
}
