//! One connection that calls the plugin over and over, and keeps what it was told.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::verdict::Call;
use super::versions::{TOOL, VERSIONS};
use crate::wire;

/// Calls until it is over. A connection that breaks is a call that failed, and is opened again.
pub(super) async fn call_until(over: Arc<AtomicBool>, address: String, case: String) -> Vec<Call> {
    let request = request(&address, &case);
    let mut calls = vec![];
    let mut connection = None;
    while !over.load(Ordering::Relaxed) {
        let began = Instant::now();
        let told = call(&mut connection, &address, &request).await;
        let told = told
            .map_err(|error| error.to_string())
            .and_then(|answer| version(&answer));
        if told.is_err() {
            connection = None;
        }
        calls.push(Call {
            began,
            ended: Instant::now(),
            told,
        });
    }
    calls
}

fn request(address: &str, case: &str) -> Vec<u8> {
    let body = json!({ "case": case, "arguments": {} });
    let body = body.to_string();
    format!(
        "POST /api/tools/{TOOL} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

async fn call(
    connection: &mut Option<BufReader<TcpStream>>,
    address: &str,
    request: &[u8],
) -> io::Result<Vec<u8>> {
    if connection.is_none() {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        *connection = Some(BufReader::new(stream));
    }
    let stream = connection.as_mut().ok_or(io::ErrorKind::NotConnected)?;
    stream.write_all(request).await?;
    let head = wire::head(stream).await?;
    wire::body(&head, stream).await
}

/// Which version answered, if it was one, and one alone.
fn version(answer: &[u8]) -> Result<usize, String> {
    let told = || String::from_utf8_lossy(answer).into_owned();
    let parsed: Value = serde_json::from_slice(answer).map_err(|_| told())?;
    let output = &parsed["output"];
    let says =
        |(version, points): &(&str, u64)| output["tier"] == *version && output["points"] == *points;
    VERSIONS.iter().position(says).ok_or_else(told)
}
