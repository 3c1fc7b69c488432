//! The backend of the hostile campaign: it counts payments, and on other paths it is as hostile as the plugin.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::wire;

/// A running backend.
pub(super) struct Backend {
    pub(super) addr: SocketAddr,
    /// The bodies of the payments, in order.
    paid: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Backend {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let paid = Arc::default();
        let serving = tokio::spawn(serve(listener, Arc::clone(&paid)));
        Self {
            addr,
            paid,
            serving,
        }
    }

    /// How often this order was paid.
    pub(super) fn payments(&self, order: &str) -> usize {
        let paid = self.paid.lock().unwrap();
        paid.iter()
            .filter(|body| body.contains(&format!("\"{order}\"")))
            .count()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, paid: Arc<Mutex<Vec<String>>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let paid = Arc::clone(&paid);
        tokio::spawn(async move { while_open(BufReader::new(stream), &paid).await });
    }
}

async fn while_open(mut stream: BufReader<TcpStream>, paid: &Mutex<Vec<String>>) {
    while let Ok(head) = wire::head(&mut stream).await {
        let Ok(body) = wire::body(&head, &mut stream).await else {
            return;
        };
        let answered = match head.second_word() {
            "/pay" => {
                let body = String::from_utf8(body).unwrap();
                paid.lock().unwrap().push(body);
                stream.write_all(&wire::answer(201, "{}")).await
            }
            "/never" => std::future::pending().await,
            "/drip" => drip(&mut stream).await,
            "/endless" => endless(&mut stream).await,
            "/headers" => headers(&mut stream).await,
            _ => stream.write_all(&wire::answer(200, "{}")).await,
        };
        if answered.is_err() {
            return;
        }
    }
}

/// One byte at a time, and never the last.
async fn drip(stream: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        .await?;
    loop {
        stream.write_all(b"x").await?;
        sleep(Duration::from_millis(5)).await;
    }
}

async fn endless(stream: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    let chunk = vec![b'x'; 64 * 1024];
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    loop {
        stream.write_all(&chunk).await?;
    }
}

/// More header fields than anybody has room for.
async fn headers(stream: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
    for number in 0..100_000 {
        stream
            .write_all(format!("x-{number}: {}\r\n", "y".repeat(100)).as_bytes())
            .await?;
    }
    stream.write_all(b"content-length: 0\r\n\r\n").await
}
