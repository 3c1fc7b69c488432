//! The last calls of every plugin of every tenant, for versions to come. They are the tenant's own data: in memory only,
//! bounded, and gone with the plugin or the program.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::call::RecordedCall;
use super::tape::{Tape, Unrecorded};
use crate::Capacity;

/// What is kept of one plugin's calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recording {
    /// The oldest first.
    pub(crate) calls: VecDeque<Arc<RecordedCall>>,
    pub(crate) too_long: u64,
    pub(crate) cut_short: u64,
    bytes: usize,
}

impl Recording {
    fn add(&mut self, call: RecordedCall) {
        self.bytes += call.bytes;
        self.calls.push_back(Arc::new(call));
    }

    /// Forgets the oldest call.
    fn forget(&mut self) {
        if let Some(oldest) = self.calls.pop_front() {
            self.bytes -= oldest.bytes;
        }
    }
}

/// What is kept of all plugins' calls.
pub(crate) struct Recordings {
    calls: usize,
    call_bytes: usize,
    plugin_bytes: usize,
    bytes: usize,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    bytes: usize,
    plugins: usize,
    /// By tenant and plugin.
    kept: HashMap<String, HashMap<String, Recording>>,
}

impl Recordings {
    pub(crate) fn new(capacity: &Capacity) -> Self {
        Self {
            calls: capacity.recorded_calls,
            call_bytes: capacity.recorded_call_bytes,
            plugin_bytes: capacity.recorded_plugin_bytes,
            bytes: capacity.recorded_bytes,
            books: Mutex::default(),
        }
    }

    /// A tape for one call.
    pub(crate) fn tape(&self) -> Tape {
        Tape::of(self.call_bytes)
    }

    /// From now on these plugins of the tenant are recorded, and no others. What was kept of others goes.
    pub(crate) fn only<'a>(&self, tenant: &str, plugins: impl Iterator<Item = &'a str>) {
        let mut books = self.books();
        let mut before = books.kept.remove(tenant).unwrap_or_default();
        books.plugins -= before.len();
        let mut after: HashMap<String, Recording> = HashMap::new();
        for plugin in plugins {
            let kept = before.remove(plugin);
            after
                .entry(plugin.to_owned())
                .or_insert(kept.unwrap_or_default());
        }
        books.bytes -= before.values().map(|gone| gone.bytes).sum::<usize>();
        books.plugins += after.len();
        if !after.is_empty() {
            books.kept.insert(tenant.to_owned(), after);
        }
    }

    /// Keeps a call, where its plugin is recorded; the oldest ones make room for it.
    pub(crate) fn keep(
        &self,
        tenant: &str,
        plugin: &str,
        call: impl FnOnce() -> Result<RecordedCall, Unrecorded>,
    ) {
        if self.calls == 0 {
            return;
        }
        let call = call();
        let mut books = self.books();
        let Some(recording) = books.recording(tenant, plugin) else {
            return;
        };
        match call {
            Err(Unrecorded::TooLong) => recording.too_long += 1,
            Err(Unrecorded::CutShort) => recording.cut_short += 1,
            Ok(call) => {
                let before = recording.bytes;
                recording.add(call);
                while recording.calls.len() > self.calls || recording.bytes > self.plugin_bytes {
                    recording.forget();
                }
                let after = recording.bytes;
                books.bytes = books.bytes + after - before;
                while books.bytes > self.bytes && books.make_room(tenant, plugin, self.bytes) {}
            }
        }
    }

    /// What is kept of a plugin's calls now.
    pub(crate) fn of(&self, tenant: &str, plugin: &str) -> Recording {
        let mut books = self.books();
        books.recording(tenant, plugin).cloned().unwrap_or_default()
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn recording(&mut self, tenant: &str, plugin: &str) -> Option<&mut Recording> {
        self.kept.get_mut(tenant)?.get_mut(plugin)
    }

    /// Forgets one call: of this plugin where it has its part of the whole, of the one that has most otherwise. False where
    /// nothing is left.
    fn make_room(&mut self, tenant: &str, plugin: &str, whole: usize) -> bool {
        let part = whole / self.plugins.max(1);
        let own = self.recording(tenant, plugin).map_or(0, |own| own.bytes);
        let chosen = if own > part {
            self.recording(tenant, plugin)
        } else {
            let all = self.kept.values_mut().flat_map(HashMap::values_mut);
            all.max_by_key(|recording| recording.bytes)
        };
        let Some(recording) = chosen.filter(|recording| !recording.calls.is_empty()) else {
            return false;
        };
        let before = recording.bytes;
        recording.forget();
        self.bytes -= before - recording.bytes;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::call::Ended;
    use super::*;

    const TENANT: &str = "acme";

    fn recordings(calls: usize, plugin_bytes: usize, bytes: usize) -> Recordings {
        let recordings = Recordings::new(&Capacity {
            recorded_calls: calls,
            recorded_plugin_bytes: plugin_bytes,
            recorded_bytes: bytes,
            ..Capacity::default()
        });
        recordings.only(TENANT, ["a", "b"].into_iter());
        recordings
    }

    fn keep(recordings: &Recordings, plugin: &str, tool: &str, bytes: usize) {
        let call = RecordedCall {
            tool: tool.to_owned(),
            arguments: String::new(),
            digest: String::new(),
            exchanges: vec![],
            moment: None,
            ended: Ended::Failed(String::new()),
            bytes,
        };
        recordings.keep(TENANT, plugin, || Ok(call));
    }

    fn kept(recordings: &Recordings, plugin: &str) -> String {
        let recording = recordings.of(TENANT, plugin);
        assert_eq!(
            recording.bytes,
            recording.calls.iter().map(|call| call.bytes).sum::<usize>()
        );
        recording
            .calls
            .iter()
            .map(|call| call.tool.as_str())
            .collect()
    }

    #[test]
    fn the_oldest_calls_make_room() {
        let recordings = recordings(3, 100, 1_000);
        for (tool, bytes) in [("1", 10), ("2", 10), ("3", 10), ("4", 10)] {
            keep(&recordings, "a", tool, bytes);
        }
        assert_eq!(kept(&recordings, "a"), "234");
        keep(&recordings, "a", "5", 85);
        assert_eq!(kept(&recordings, "a"), "45");
        keep(&recordings, "a", "6", 101);
        assert_eq!(kept(&recordings, "a"), "");
    }

    #[test]
    fn whoever_has_most_makes_room_for_others_and_for_itself_once_it_has_its_part() {
        let recordings = recordings(100, 1_000, 100);
        for _ in 0..12 {
            keep(&recordings, "a", "a", 10);
        }
        assert_eq!(kept(&recordings, "a"), "a".repeat(10));
        for _ in 0..12 {
            keep(&recordings, "b", "b", 10);
        }
        assert_eq!(kept(&recordings, "a"), "a".repeat(5));
        assert_eq!(kept(&recordings, "b"), "b".repeat(5));
    }

    #[test]
    fn what_is_not_published_is_not_recorded_and_what_no_longer_is_goes() {
        let recordings = recordings(10, 100, 100);
        keep(&recordings, "a", "1", 10);
        keep(&recordings, "b", "2", 10);
        recordings.only(TENANT, ["a"].into_iter());
        keep(&recordings, "b", "3", 10);
        assert_eq!(
            (kept(&recordings, "a"), kept(&recordings, "b")),
            ("1".to_owned(), String::new())
        );
        recordings.only(TENANT, [].into_iter());
        keep(&recordings, "a", "4", 10);
        assert_eq!(kept(&recordings, "a"), "");
        assert_eq!(recordings.books().bytes, 0);
    }

    #[test]
    fn what_cannot_be_kept_is_counted_and_nothing_at_all_where_nothing_is_to_be_kept() {
        let on = recordings(10, 100, 100);
        on.keep(TENANT, "a", || Err(Unrecorded::TooLong));
        on.keep(TENANT, "a", || Err(Unrecorded::CutShort));
        let recording = on.of(TENANT, "a");
        assert_eq!((recording.too_long, recording.cut_short), (1, 1));
        let off = recordings(0, 100, 100);
        off.keep(TENANT, "a", || Err(Unrecorded::TooLong));
        assert_eq!(off.of(TENANT, "a").too_long, 0);
    }
}
