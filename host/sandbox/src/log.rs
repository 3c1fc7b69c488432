//! A plugin's standard output and error: its log, line by line, without secrets and up to a limit.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::invocation::Invocation;
use crate::reach::Reach;

/// What a plugin may write at a time.
const CHUNK_BYTES: usize = 4_096;
/// Lines of one call's log. Each costs the host many times what a short one costs the plugin.
const LINES: usize = 200;

/// One call's log. Clones write to the same one.
#[derive(Clone)]
pub(crate) struct Log(Arc<Mutex<Lines>>);

struct Lines {
    plugin: String,
    invocation: Arc<Invocation>,
    taken: Taken,
}

/// What was taken so far, and what still may be.
struct Taken {
    /// The line that has no end yet.
    open: Vec<u8>,
    bytes_left: usize,
    lines_left: usize,
}

impl Log {
    /// A log that takes what its limit says and drops the rest. What is replayed never happened, and is not told.
    pub(crate) fn new(plugin: &str, invocation: Arc<Invocation>) -> Self {
        let left = match invocation.reach {
            Reach::Out(_) => invocation.limits.log_bytes,
            Reach::Replay(_) => 0,
        };
        Self(Arc::new(Mutex::new(Lines {
            plugin: plugin.to_owned(),
            invocation,
            taken: Taken {
                open: Vec::new(),
                bytes_left: left,
                lines_left: LINES,
            },
        })))
    }

    fn write(&self, bytes: &[u8]) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.take(bytes);
    }
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) {
        let was_full = self.taken.is_full();
        let lines = self.taken.take(bytes);
        for line in &lines {
            self.emit(line);
        }
        if self.taken.is_full() && !was_full {
            tracing::warn!(
                plugin = self.plugin,
                "the plugin wrote more than its log takes; the rest is dropped"
            );
        }
    }

    fn emit(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let line = self.invocation.reach.scrub(&line);
        tracing::info!(plugin = self.plugin, line, "plugin log");
    }
}

impl Taken {
    fn is_full(&self) -> bool {
        self.bytes_left == 0 || self.lines_left == 0
    }

    /// The lines that came to an end with these bytes, or that get no longer.
    fn take(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        for byte in bytes {
            if self.is_full() {
                break;
            }
            self.bytes_left -= 1;
            if *byte != b'\n' {
                self.open.push(*byte);
            }
            if *byte == b'\n' || self.bytes_left == 0 {
                lines.extend(self.end());
            }
        }
        lines
    }

    /// The line that is open. Empty ones are none.
    fn end(&mut self) -> Option<Vec<u8>> {
        if self.open.is_empty() {
            return None;
        }
        self.lines_left = self.lines_left.saturating_sub(1);
        Some(std::mem::take(&mut self.open))
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if let Some(line) = self.taken.end() {
            self.emit(&line);
        }
    }
}

impl IsTerminal for Log {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Log {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl OutputStream for Log {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        Log::write(self, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(CHUNK_BYTES)
    }
}

#[async_trait::async_trait]
impl Pollable for Log {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Log {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Log::write(&self, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bytes_left: usize) -> Taken {
        Taken {
            open: Vec::new(),
            bytes_left,
            lines_left: LINES,
        }
    }

    fn texts(lines: Vec<Vec<u8>>) -> Vec<String> {
        let text = |line| String::from_utf8(line).unwrap();
        lines.into_iter().map(text).collect()
    }

    #[test]
    fn lines_end_where_they_end_or_where_the_log_does() {
        let mut taken = taken(12);
        assert!(texts(taken.take(b"on")).is_empty());
        assert_eq!(texts(taken.take(b"e\n\ntwo\nth")), ["one", "two"]);
        assert_eq!(texts(taken.take(b"ree\n")), ["thr"]);
        assert!(taken.is_full() && texts(taken.take(b"four\n")).is_empty());
        assert!(taken.end().is_none());
    }

    #[test]
    fn many_short_lines_are_no_more_than_some_long_ones() {
        let mut taken = taken(16 << 10);
        let lines = texts(taken.take(&b"x\n".repeat(8 << 10)));
        assert_eq!(lines.len(), LINES);
        assert!(taken.is_full() && taken.take(b"x\n").is_empty());
    }
}
