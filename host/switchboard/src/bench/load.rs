//! The load: plain HTTP/1.1 on keep-alive connections, one call in flight on each, as little work per call as possible.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// The times of the calls of one or more phases.
#[derive(Default)]
pub(crate) struct Sample {
    latencies: Vec<Duration>,
    elapsed: Duration,
}

impl Sample {
    /// Adds another phase.
    pub(super) fn absorb(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.elapsed += other.elapsed;
    }

    /// Calls in a second.
    pub(super) fn per_second(&self) -> f64 {
        let calls = u32::try_from(self.latencies.len()).unwrap_or(u32::MAX);
        f64::from(calls) / self.elapsed.as_secs_f64()
    }

    /// The latencies below which half of the calls, and 99 of 100, stay.
    pub(super) fn percentiles(&self) -> (Duration, Duration) {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let index = sorted.len().saturating_sub(1) * percent / 100;
            sorted.get(index).copied().unwrap_or_default()
        };
        (at(50), at(99))
    }
}

/// Sends each request over and over on a connection of its own, for as long as the phase lasts.
pub(super) async fn run(
    server: SocketAddr,
    requests: Vec<Vec<u8>>,
    phase: Duration,
) -> anyhow::Result<Sample> {
    let mut connections = Vec::with_capacity(requests.len());
    for request in requests {
        connections.push((Connection::open(server).await?, request));
    }
    let start = Instant::now();
    let mut running = JoinSet::new();
    for (connection, request) in connections {
        running.spawn(repeat(connection, request, start + phase));
    }
    let mut sample = Sample::default();
    while let Some(latencies) = running.join_next().await {
        sample.latencies.extend(latencies??);
    }
    sample.elapsed = start.elapsed();
    Ok(sample)
}

/// Sends one request and gives the body of the answer.
pub(super) async fn once(server: SocketAddr, request: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut connection = Connection::open(server).await?;
    connection.call(request).await.map(<[u8]>::to_vec)
}

async fn repeat(
    mut connection: Connection,
    request: Vec<u8>,
    until: Instant,
) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    loop {
        let sent = Instant::now();
        if sent >= until {
            return Ok(latencies);
        }
        connection.call(&request).await?;
        latencies.push(sent.elapsed());
    }
}

/// One keep-alive connection.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(server: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(server).await;
        let stream = stream.with_context(|| format!("cannot connect to {server}"))?;
        stream.set_nodelay(true)?;
        let buffer = Vec::with_capacity(16 * 1024);
        Ok(Self { stream, buffer })
    }

    /// The body of the answer; an error unless it is a tool's result and no refusal.
    async fn call(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.read_more().await?;
        };
        let whole = head + content_length(&self.buffer[..head])?;
        while self.buffer.len() < whole {
            self.read_more().await?;
        }
        let answered = &self.buffer[head..whole];
        let is_ok = self.buffer.starts_with(b"HTTP/1.1 200");
        if !is_ok || find(answered, b"\"isError\":false").is_none() {
            bail!("a call failed: {}", String::from_utf8_lossy(&self.buffer));
        }
        Ok(answered)
    }

    async fn read_more(&mut self) -> anyhow::Result<()> {
        if self.buffer.len() > LONGEST_ANSWER {
            bail!("an answer is longer than {LONGEST_ANSWER} bytes");
        }
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|part| part == needle)
}

fn content_length(head: &[u8]) -> anyhow::Result<usize> {
    let head = std::str::from_utf8(head)?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    length.with_context(|| format!("the answer does not say how long it is: {head}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_calls() {
        let sample = Sample {
            latencies: (1..=200).rev().map(Duration::from_micros).collect(),
            elapsed: Duration::from_secs(2),
        };
        let (p50, p99) = sample.percentiles();
        assert_eq!((p50.as_micros(), p99.as_micros()), (100, 198));
        assert!((sample.per_second() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn the_length_is_found_whatever_its_case() {
        let head = b"HTTP/1.1 200 OK\r\nX-Other: 3\r\nCONTENT-Length: 12\r\n\r\n";
        assert_eq!(content_length(head).unwrap(), 12);
        assert!(content_length(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
