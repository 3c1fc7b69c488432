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

/// One call's log. Clones write to the same one.
#[derive(Clone)]
pub(crate) struct Log(Arc<Mutex<Lines>>);

struct Lines {
    plugin: String,
    invocation: Arc<Invocation>,
    /// The line that has no end yet.
    open: Vec<u8>,
    left: usize,
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
            open: Vec::new(),
            left,
        })))
    }

    fn write(&self, bytes: &[u8]) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.take(bytes);
    }
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) {
        if self.left == 0 {
            return;
        }
        let taken = bytes.len().min(self.left);
        self.left -= taken;
        for byte in &bytes[..taken] {
            if *byte == b'\n' {
                self.emit();
            } else {
                self.open.push(*byte);
            }
        }
        if self.left == 0 {
            self.emit();
            tracing::warn!(
                plugin = self.plugin,
                "the plugin wrote more than its log takes; the rest is dropped"
            );
        }
    }

    fn emit(&mut self) {
        let line = std::mem::take(&mut self.open);
        if !line.is_empty() {
            let line = String::from_utf8_lossy(&line);
            let line = self.invocation.reach.scrub(&line);
            tracing::info!(plugin = self.plugin, line, "plugin log");
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.emit();
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
