//! A stream that stays open: whatever comes on it must be a notification.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use reqwest::Response;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::books::Books;
use super::exchange::{data, is_notification};

/// Reads until the host ends the stream, or whoever started this stops it.
pub(super) fn follow(mut response: Response, books: Arc<Books>) -> JoinHandle<()> {
    books.streams.fetch_add(1, Ordering::Relaxed);
    tokio::spawn(async move {
        let mut unread = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => unread.extend_from_slice(&chunk),
                Ok(None) => return,
                Err(error) => return books.wrong_is(&format!("a stream broke: {error:?}")),
            }
            while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = unread.drain(..=end).collect();
                read(&String::from_utf8_lossy(&line), &books);
            }
        }
    })
}

fn read(line: &str, books: &Books) {
    let Some(data) = data(line) else {
        return;
    };
    match serde_json::from_str::<Value>(data) {
        Ok(message) if is_notification(&message) => {
            books.notifications.fetch_add(1, Ordering::Relaxed);
        }
        _ => books.wrong_is(&format!("on a stream: {data}")),
    }
}
