//! Whose turn it is to compute for long: of each tenant's calls few at a time, the others stand in its line. So whoever runs a
//! hundred of them is before the others' next one as often as whoever runs two.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The line of one tenant.
pub(crate) struct Turns {
    /// Calls that compute at a time.
    most: usize,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    /// Calls whose turn it is, those that were called among them.
    computing: usize,
    waiting: VecDeque<(u64, Waker)>,
    /// Those that were called, and have not come yet.
    called: Vec<u64>,
    tickets: u64,
}

/// One call in the line of its tenant.
pub(crate) struct Turn {
    turns: Arc<Turns>,
    ticket: u64,
    is_its: bool,
}

impl Turns {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most: most.max(1),
            line: Mutex::default(),
        })
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// For a call that is in no line yet.
    pub(crate) fn of(turns: Arc<Turns>) -> Self {
        let mut line = turns.line();
        line.tickets += 1;
        let ticket = line.tickets;
        drop(line);
        Self {
            turns,
            ticket,
            is_its: false,
        }
    }

    /// Waits for the turn. A call that had it, and gave way, goes to the end of the line.
    pub(crate) fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        let mut line = self.turns.line();
        let mut called = None;
        if self.is_its {
            if line.waiting.is_empty() {
                return Poll::Ready(());
            }
            called = line.pass_on();
        }
        self.is_its = line.enter(self.ticket, self.turns.most, context.waker());
        drop(line);
        wake(called);
        if self.is_its {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// The call waits for something else, or has come to its end: the next one is called.
    pub(crate) fn end(&mut self) {
        if mem::take(&mut self.is_its) {
            let called = self.turns.line().pass_on();
            wake(called);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.end();
        let called = self.turns.line().leave(self.ticket);
        wake(called);
    }
}

impl Line {
    /// True where it is the call's turn; else it waits.
    fn enter(&mut self, ticket: u64, most: usize, waker: &Waker) -> bool {
        if let Some(at) = self.called.iter().position(|called| *called == ticket) {
            self.called.swap_remove(at);
            return true;
        }
        if self.computing < most {
            self.computing += 1;
            return true;
        }
        let mut waiting = self.waiting.iter_mut();
        match waiting.find(|(waiting, _)| *waiting == ticket) {
            Some((_, known)) => known.clone_from(waker),
            None => self.waiting.push_back((ticket, waker.clone())),
        }
        false
    }

    /// A turn is over: the first who waits is to be woken.
    fn pass_on(&mut self) -> Option<Waker> {
        let Some((ticket, waker)) = self.waiting.pop_front() else {
            self.computing -= 1;
            return None;
        };
        self.called.push(ticket);
        Some(waker)
    }

    /// A call goes. If it was called, somebody else is.
    fn leave(&mut self, gone: u64) -> Option<Waker> {
        self.waiting.retain(|(ticket, _)| *ticket != gone);
        let called = self.called.iter().position(|called| *called == gone)?;
        self.called.swap_remove(called);
        self.pass_on()
    }
}

/// After the line is let go of.
fn wake(called: Option<Waker>) {
    if let Some(called) = called {
        called.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_it(turn: &mut Turn) -> bool {
        turn.poll(&Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn whoever_gave_way_goes_to_the_end_of_the_line() {
        let turns = Turns::new(1);
        let [mut a, mut b, mut c] = [(); 3].map(|()| Turn::of(turns.clone()));
        assert!(has_it(&mut a) && has_it(&mut a), "nobody else wants it");
        assert!(!has_it(&mut b) && !has_it(&mut b) && !has_it(&mut c));
        assert!(!has_it(&mut a) && !has_it(&mut c) && has_it(&mut b));
        b.end();
        assert!(!has_it(&mut b) && !has_it(&mut a) && has_it(&mut c));
        c.end();
        assert!(has_it(&mut a) && !has_it(&mut c) && !has_it(&mut b));
    }

    #[test]
    fn whoever_goes_leaves_the_turn_to_the_next() {
        let turns = Turns::new(2);
        let [mut a, mut b, mut c, mut d] = [(); 4].map(|()| Turn::of(turns.clone()));
        assert!(has_it(&mut a) && has_it(&mut b));
        assert!(!has_it(&mut c) && !has_it(&mut d));
        // It was called, and goes before it comes.
        a.end();
        drop(c);
        assert!(has_it(&mut d) && !has_it(&mut a));
        // It waits, and goes.
        drop(a);
        b.end();
        drop((b, d));
        let line = turns.line();
        assert_eq!(
            (line.computing, line.called.len(), line.waiting.len()),
            (0, 0, 0)
        );
    }
}
