//! What one call of a plugin may use, and what all of them together may.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What one call may use. Past a limit the call ends with an error that names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Milliseconds from start to end, host calls included.
    pub deadline_ms: u64,
    /// Bytes of its linear memories, all together. At most [`Capacity::memory_bytes`].
    pub memory_bytes: usize,
    /// Elements of each table.
    pub table_elements: usize,
    /// Core instances, memories and tables of one component instance, each.
    pub instances: usize,
    /// Bytes that the plugin may pass to the host in one host call, its result included. Values cost several times their
    /// size in JSON.
    pub hostcall_bytes: usize,
    /// Live handles (streams, requests, headers, …) at a time.
    pub handles: usize,
    /// Bytes of the arguments as JSON.
    pub argument_bytes: usize,
    /// Levels of objects and lists in the arguments.
    pub argument_depth: usize,
    /// Bytes of the output as JSON.
    pub output_bytes: usize,
    /// Bytes of the bodies of its outbound requests, all together.
    pub request_bytes: usize,
    /// Bytes of the bodies of the answers, all together.
    pub response_bytes: usize,
    /// Milliseconds until an outbound connection stands, TLS included.
    pub connect_ms: u64,
    /// Milliseconds from a sent request to the whole answer.
    pub answer_ms: u64,
    /// Bytes of the header fields of one request or answer, in memory.
    pub header_bytes: usize,
    /// Bytes that reach the log from standard output and error, in 200 lines.
    pub log_bytes: usize,
    /// Completions of the model.
    pub completions: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline_ms: 10_000,
            memory_bytes: 64 << 20,
            table_elements: 20_000,
            instances: 50,
            hostcall_bytes: 8 << 20,
            handles: 1_000,
            argument_bytes: 64 << 10,
            argument_depth: 32,
            output_bytes: 1 << 20,
            request_bytes: 1 << 20,
            response_bytes: 4 << 20,
            connect_ms: 3_000,
            answer_ms: 8_000,
            header_bytes: 64 << 10,
            log_bytes: 16 << 10,
            completions: 4,
        }
    }
}

impl Limits {
    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }

    pub(crate) fn connect(&self) -> Duration {
        Duration::from_millis(self.connect_ms)
    }

    pub(crate) fn answer(&self) -> Duration {
        Duration::from_millis(self.answer_ms)
    }
}

/// What all calls together may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Capacity {
    /// Calls that run at a time; more wait. Of these one tenant has its [`Share`](crate::Share) at most, and less where
    /// several storm: never so much that whoever runs nothing finds no place for long.
    pub calls: u32,
    /// Calls of one tenant that wait for their turn at a time; more are told at once that there is no capacity.
    pub waiting: u32,
    /// Milliseconds that a call waits for its turn before it is told that there is no capacity.
    pub wait_ms: u64,
    /// The most bytes that any plugin's memory may have.
    pub memory_bytes: usize,
    /// Bytes of each memory that stay resident between calls, which saves page faults.
    pub resident_bytes: usize,
    /// Bytes of the largest component.
    pub component_bytes: usize,
    /// Components that are compiled at a time.
    pub compilations: usize,
    /// The last calls of each plugin of a tenant that are kept, in memory only, for a version to come to be held against (see
    /// [`Toolbox::shadow`](crate::Toolbox::shadow)). 0 keeps none.
    pub recorded_calls: usize,
    /// Bytes of one such call, with all that its plugin sent and got; a longer one is not kept.
    pub recorded_call_bytes: usize,
    /// Bytes of one plugin's.
    pub recorded_plugin_bytes: usize,
    /// Bytes of all of them together.
    pub recorded_bytes: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            calls: 128,
            waiting: 256,
            wait_ms: 1_000,
            memory_bytes: 256 << 20,
            resident_bytes: 1 << 20,
            component_bytes: 64 << 20,
            compilations: 1,
            recorded_calls: 100,
            recorded_call_bytes: 64 << 10,
            recorded_plugin_bytes: 4 << 20,
            recorded_bytes: 64 << 20,
        }
    }
}
