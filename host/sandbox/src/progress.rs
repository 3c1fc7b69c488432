//! `switchboard:host/progress`: a plugin says how far it has come. It is lent to every plugin, as it carries nothing but numbers.

use dispatch::Progress;
use wasmtime::component::Linker;
use wasmtime::{Result, StoreContextMut};

use crate::reach::Reach;
use crate::state::State;

/// The interface as components import it.
pub(crate) const INTERFACE: &str = "switchboard:host/progress@1.0.0";

/// How many reports of one call are passed on.
const MOST_REPORTS: u32 = 1_000;

/// What a call has reported so far.
#[derive(Default)]
pub(crate) struct Reported {
    last: Option<u64>,
    reports: u32,
}

impl Reported {
    /// Whether a report is worth passing on: it goes forward, and there were not too many.
    fn takes(&mut self, done: u64) -> bool {
        if self.reports >= MOST_REPORTS || self.last.is_some_and(|last| done <= last) {
            return false;
        }
        self.last = Some(done);
        self.reports += 1;
        true
    }
}

/// Makes reporting available to a component.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> Result<()> {
    linker.instance(INTERFACE)?.func_wrap(
        "report",
        |mut store: StoreContextMut<'_, State>, (done, total): (u64, Option<u64>)| {
            report(store.data_mut(), Progress { done, total });
            Ok(())
        },
    )
}

fn report(state: &mut State, progress: Progress) {
    // A replay has nobody who waits.
    if let Reach::Out(out) = &state.invocation.reach
        && state.reported.takes(progress.done)
    {
        out.gate.progress(progress);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_goes_forward_is_passed_on_and_not_forever() {
        let mut reported = Reported::default();
        let taken = [0, 0, 2, 1, 3].map(|done| reported.takes(done));
        assert_eq!(taken, [true, false, true, false, true]);
        assert_eq!(
            (4..10_000).filter(|done| reported.takes(*done)).count(),
            997
        );
    }
}
