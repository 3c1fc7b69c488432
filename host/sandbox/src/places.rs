//! The places for calls that run, shared out so that nobody's storm takes all of them.
//!
//! A tenant may hold as many places as it has been given, and at most [`EAGERNESS`] times as many as are free. Alone it gets
//! most of the pool, two storms get less each, and however many storm, somebody who runs nothing finds a place. Whoever waits
//! does so in a queue of its tenant; places that become free go to the queues in turn.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

/// Places that a tenant may hold for each that is free.
const EAGERNESS: u32 = 3;

/// Where a tenant stands in the books.
#[derive(Clone, Copy)]
pub(crate) struct Seat(usize);

/// All places.
pub(crate) struct Places {
    total: u32,
    /// Calls of one tenant that wait at a time.
    longest_queue: usize,
    books: Mutex<Books>,
}

struct Books {
    free: u32,
    tenants: Vec<Tenant>,
    /// Tenants with waiting calls; the next place is offered to the first.
    turns: VecDeque<usize>,
    /// Counts whoever waits.
    tickets: u64,
}

struct Tenant {
    most: u32,
    running: u32,
    waiting: VecDeque<(u64, oneshot::Sender<()>)>,
}

/// Why there is no place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The tenant's own calls fill its share.
    Share { running: u32 },
    /// The host's places are taken.
    Host { total: u32 },
    /// Too many of the tenant's calls wait already.
    Queue { waiting: usize },
}

impl Full {
    /// The same for an operator.
    pub(crate) fn told(&self, tenant: &str) -> String {
        match self {
            Self::Share { running } => {
                format!(
                    "{running} calls of tenant {tenant} are running, which is its share, and none ended in time"
                )
            }
            Self::Host { total } => {
                format!(
                    "the {total} places of this host are shared out, and none came to tenant {tenant} in time"
                )
            }
            Self::Queue { waiting } => {
                format!(
                    "{waiting} calls of tenant {tenant} are waiting already, which is its limit"
                )
            }
        }
    }
}

/// One place; free again when it is dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    seat: Seat,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.books().leave(self.seat.0);
    }
}

impl Places {
    pub(crate) fn new(total: u32, longest_queue: u32) -> Arc<Self> {
        let total = total.max(1);
        Arc::new(Self {
            total,
            longest_queue: longest_queue as usize,
            books: Mutex::new(Books {
                free: total,
                tenants: Vec::new(),
                turns: VecDeque::new(),
                tickets: 0,
            }),
        })
    }

    /// A seat for a tenant that may hold so many places.
    pub(crate) fn seat(&self, most: u32) -> Seat {
        let mut books = self.books();
        books.tenants.push(Tenant {
            most,
            running: 0,
            waiting: VecDeque::new(),
        });
        Seat(books.tenants.len() - 1)
    }

    /// From now on the tenant may hold so many.
    pub(crate) fn set_most(&self, seat: Seat, most: u32) {
        let mut books = self.books();
        books.tenants[seat.0].most = most;
        books.hand_out();
    }

    /// A place, at once or after a while in the tenant's queue.
    pub(crate) async fn take(self: &Arc<Self>, seat: Seat, wait: Duration) -> Result<Place, Full> {
        let place = || Place {
            places: self.clone(),
            seat,
        };
        let mut waiting = match self.enter(seat)? {
            Entered::Running => return Ok(place()),
            Entered::Waiting(ticket, called) => Waiting {
                places: self,
                seat,
                ticket,
                called,
            },
        };
        match timeout(wait, &mut waiting.called).await {
            Ok(Ok(())) => Ok(place()),
            _ => Err(self.full(seat)),
        }
    }

    fn enter(&self, seat: Seat) -> Result<Entered, Full> {
        let mut books = self.books();
        let is_next = books.tenants[seat.0].waiting.is_empty();
        if is_next && books.may_enter(seat.0) {
            books.run(seat.0);
            return Ok(Entered::Running);
        }
        let waiting = books.tenants[seat.0].waiting.len();
        if waiting >= self.longest_queue {
            return Err(Full::Queue { waiting });
        }
        if is_next {
            books.turns.push_back(seat.0);
        }
        books.tickets += 1;
        let ticket = books.tickets;
        let (call, called) = oneshot::channel();
        books.tenants[seat.0].waiting.push_back((ticket, call));
        Ok(Entered::Waiting(ticket, called))
    }

    fn full(&self, seat: Seat) -> Full {
        let books = self.books();
        let tenant = &books.tenants[seat.0];
        if tenant.running >= tenant.most {
            Full::Share {
                running: tenant.running,
            }
        } else {
            Full::Host { total: self.total }
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Entered {
    Running,
    Waiting(u64, oneshot::Receiver<()>),
}

/// Somebody in a queue. Who goes away while it is called gives the place back.
struct Waiting<'a> {
    places: &'a Places,
    seat: Seat,
    ticket: u64,
    called: oneshot::Receiver<()>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // Taken by now, if the call was heard; else from here on nobody can be called.
        if self.called.is_terminated() {
            return;
        }
        self.called.close();
        let was_called = self.called.try_recv().is_ok();
        let mut books = self.places.books();
        if was_called {
            books.leave(self.seat.0);
        } else {
            books.forget(self.seat.0, self.ticket);
        }
    }
}

impl Books {
    fn may_enter(&self, tenant: usize) -> bool {
        let Tenant { most, running, .. } = self.tenants[tenant];
        running < most && running < self.free.saturating_mul(EAGERNESS)
    }

    fn run(&mut self, tenant: usize) {
        self.free -= 1;
        self.tenants[tenant].running += 1;
    }

    fn leave(&mut self, tenant: usize) {
        self.free += 1;
        self.tenants[tenant].running -= 1;
        self.hand_out();
    }

    fn forget(&mut self, tenant: usize, gone: u64) {
        let waiting = &mut self.tenants[tenant].waiting;
        waiting.retain(|(ticket, _)| *ticket != gone);
        if waiting.is_empty() {
            self.turns.retain(|turn| *turn != tenant);
        }
    }

    /// Offers free places to the queues, one at a time, until a whole round takes none.
    fn hand_out(&mut self) {
        let mut offers = self.turns.len();
        while offers > 0
            && let Some(tenant) = self.turns.pop_front()
        {
            let entered = self.may_enter(tenant) && self.call(tenant);
            if !self.tenants[tenant].waiting.is_empty() {
                self.turns.push_back(tenant);
            }
            offers = if entered {
                self.turns.len()
            } else {
                offers - 1
            };
        }
    }

    /// Calls the first of a queue that still waits.
    fn call(&mut self, tenant: usize) -> bool {
        while let Some((_, call)) = self.tenants[tenant].waiting.pop_front() {
            if call.send(()).is_ok() {
                self.run(tenant);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests;
