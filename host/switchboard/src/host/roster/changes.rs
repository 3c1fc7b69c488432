//! What has changed in the tenants' folder, taken up: each tenant in its own time, so that none waits for another's registry.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::Semaphore;

use super::{Roster, RosterError};
use crate::files;

/// So many tenants are made ready at once: each holds components in memory meanwhile.
const AT_ONCE: usize = 16;

/// The changes that are under way.
pub(super) struct Changes<'a> {
    roster: &'a Roster,
    /// As whom they are recorded.
    by: &'a str,
    places: Arc<Semaphore>,
    under_way: FuturesUnordered<BoxFuture<'a, (String, Result<(), RosterError>)>>,
    /// Whose they are.
    names: BTreeSet<String>,
}

impl Roster {
    /// Takes up whatever has changed in the tenants' folder since the last look.
    pub(crate) async fn refresh(&self, by: &str) -> Result<(), RosterError> {
        if let Some(folder) = self.folder() {
            self.forget_the_gone(&files::folders_in(folder)?);
        }
        let mut changes = Changes::of(self, by);
        changes.look()?;
        while let Some(taken_up) = changes.next().await {
            taken_up?;
        }
        Ok(())
    }

    /// Takes up one tenant's folder, or that it is gone, unless somebody else has meanwhile.
    async fn take_up_anew(&self, name: &str, by: &str) -> Result<(), RosterError> {
        let _turn = self.turn(name).await;
        if !self.is_there(name) {
            return self.forget(name, by).await;
        }
        if self.has_changed(name) {
            // How it stands is kept, recorded and logged; the others go on.
            let _ = self.take_up(name, by).await?;
        }
        Ok(())
    }

    fn is_there(&self, name: &str) -> bool {
        let folder = self.folder().map(|folder| folder.join(name));
        folder.is_some_and(|folder| files::is_folder(&folder))
    }
}

impl<'a> Changes<'a> {
    pub(super) fn of(roster: &'a Roster, by: &'a str) -> Self {
        Self {
            roster,
            by,
            places: Arc::new(Semaphore::new(AT_ONCE)),
            under_way: FuturesUnordered::new(),
            names: BTreeSet::new(),
        }
    }

    /// Begins with every tenant that has changed since it was last seen, but for those that are under way.
    pub(super) fn look(&mut self) -> Result<(), RosterError> {
        let Some(folder) = self.roster.folder() else {
            return Ok(());
        };
        let there = files::folders_in(folder)?;
        let known: Vec<String> = self.roster.known().keys().cloned().collect();
        let gone = known.into_iter().filter(|known| !there.contains(known));
        let gone: Vec<String> = gone.collect();
        let changed = there.into_iter();
        let changed = changed.filter(|name| self.roster.has_changed(name));
        for name in changed.chain(gone).collect::<Vec<_>>() {
            if self.names.insert(name.clone()) {
                self.begin(name);
            }
        }
        Ok(())
    }

    /// What became of the next one that ends; none where none is under way.
    pub(super) async fn next(&mut self) -> Option<Result<(), RosterError>> {
        let (name, taken_up) = self.under_way.next().await?;
        self.names.remove(&name);
        Some(taken_up)
    }

    fn begin(&self, name: String) {
        let (roster, by, places) = (self.roster, self.by, Arc::clone(&self.places));
        self.under_way.push(Box::pin(async move {
            // It is never closed.
            let _place = places.acquire().await;
            let taken_up = roster.take_up_anew(&name, by).await;
            (name, taken_up)
        }));
    }
}
