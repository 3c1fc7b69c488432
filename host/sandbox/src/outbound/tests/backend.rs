//! A loopback server that says what it is told to, byte for byte, and remembers what it was sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What one request is answered with.
pub(super) enum Reply {
    Raw(&'static str),
    Text(String),
    /// A body alone; the head says how long it is.
    Body(&'static [u8]),
    /// This, and then the connection is closed.
    Cut(&'static str),
    /// The connection is closed without a word.
    Close,
    /// Nothing, for ever.
    Silence,
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<String>>,
    connections: Mutex<usize>,
    received: Notify,
}

pub(super) struct Backend {
    address: SocketAddr,
    seen: Arc<Seen>,
    serving: JoinHandle<()>,
}

impl Backend {
    /// Serves one list of replies per connection, in the order of the connections; then it stops listening.
    pub(super) async fn start(connections: Vec<Vec<Reply>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Seen>::default();
        let serving = tokio::spawn({
            let seen = seen.clone();
            async move {
                for replies in connections {
                    let (stream, _) = listener.accept().await.unwrap();
                    *seen.connections.lock().unwrap() += 1;
                    tokio::spawn(serve(stream, replies, seen.clone()));
                }
            }
        });
        Self {
            address,
            seen,
            serving,
        }
    }

    pub(super) fn authority(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }

    pub(super) fn connections(&self) -> usize {
        *self.seen.connections.lock().unwrap()
    }

    /// Until a request has arrived.
    pub(super) async fn received(&self) {
        self.seen.received.notified().await;
    }

    /// Stops listening, and gives the address where nobody listens any more.
    pub(super) async fn gone(self) -> String {
        let url = self.url("/");
        self.serving.await.unwrap();
        url
    }
}

async fn serve(mut stream: TcpStream, replies: Vec<Reply>, seen: Arc<Seen>) {
    for reply in replies {
        let Some(request) = read(&mut stream).await else {
            return;
        };
        seen.requests.lock().unwrap().push(request);
        seen.received.notify_one();
        match reply {
            Reply::Raw(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Reply::Text(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Reply::Body(body) => {
                let length = body.len();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
                let answer = [head.as_bytes(), body].concat();
                stream.write_all(&answer).await.unwrap();
            }
            Reply::Cut(text) => return stream.write_all(text.as_bytes()).await.unwrap(),
            Reply::Close => return,
            Reply::Silence => std::future::pending().await,
        }
    }
    // The connection stays open until the client has done with it.
    let _ = stream.read(&mut [0]).await;
}

/// One request, head and body, as text.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    let mut buffer = [0; 4_096];
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return Some(text);
            }
        }
        let count = stream
            .read(&mut buffer)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
}
