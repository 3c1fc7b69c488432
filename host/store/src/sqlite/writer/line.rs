//! The line in front of the writer: who waits for it wakes it at once, what nobody waits for is collected.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::job::{Awaits, Job};

/// The line is closed.
pub(super) struct Closed;

/// What the writer finds when it looks.
pub(super) enum Next {
    /// The jobs in line, in order; never empty.
    Jobs(Vec<Job>),
    /// Nothing came until the time that it asked for.
    Quiet,
    /// Nothing is in line, and nothing will come.
    End,
}

/// Jobs in order. Waking a thread costs its caller more than its job does, so a job that nobody waits for wakes the
/// writer only out of its sleep; then it lets more of them come together.
pub(super) struct Line {
    state: Mutex<State>,
    wake: Condvar,
}

struct State {
    jobs: Vec<Job>,
    /// What is waited for, at most.
    awaited: Awaits,
    /// The writer has nothing to do, and does not look by itself.
    asleep: bool,
    closed: bool,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                jobs: Vec::new(),
                awaited: Awaits::Nothing,
                asleep: false,
                closed: false,
            }),
            wake: Condvar::new(),
        }
    }
}

impl Line {
    /// Puts a job at the end.
    pub(super) fn push(&self, job: Job) -> Result<(), Closed> {
        let mut state = self.state();
        if state.closed {
            return Err(Closed);
        }
        let awaits = job.awaits();
        let wake = awaits > state.awaited || state.asleep;
        state.awaited = state.awaited.max(awaits);
        state.jobs.push(job);
        if wake {
            state.asleep = false;
            drop(state);
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Takes no more; what is in line is still handed out.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.wake.notify_one();
    }

    /// The writer is gone: what is in line is let go, so that nobody waits for it in vain.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.closed = true;
        state.jobs.clear();
    }

    /// Everything in line, and where there is nothing, what comes until `until`. Jobs that nobody waits for may gather for
    /// `patience` first.
    pub(super) fn next(&self, patience: Duration, until: Option<Instant>) -> Next {
        let mut state = self.state();
        while state.jobs.is_empty() {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if state.closed {
                return Next::End;
            }
            if left.is_some_and(|left| left.is_zero()) {
                return Next::Quiet;
            }
            state.asleep = true;
            state = self.sleep(state, left);
            state.asleep = false;
        }
        Next::Jobs(self.gather(state, Instant::now() + patience))
    }

    /// What has come by the time somebody waits for one of them, at the latest `until`. May be empty.
    pub(super) fn more(&self, until: Instant) -> Vec<Job> {
        self.gather(self.state(), until)
    }

    fn gather(&self, mut state: MutexGuard<'_, State>, until: Instant) -> Vec<Job> {
        while state.awaited == Awaits::Nothing && !state.closed {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.sleep(state, Some(left));
        }
        state.awaited = Awaits::Nothing;
        std::mem::take(&mut state.jobs)
    }

    fn sleep<'a>(
        &self,
        state: MutexGuard<'a, State>,
        longest: Option<Duration>,
    ) -> MutexGuard<'a, State> {
        match longest {
            None => self
                .wake
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner),
            Some(longest) => {
                let woken = self.wake.wait_timeout(state, longest);
                woken.unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
