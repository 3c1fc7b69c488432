//! A real registry on this machine, where there is one, and one that misbehaves as it is told.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use artifacts::Reference;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

/// Debian's package and its program.
const PROGRAM: &str = "docker-registry";

/// The registry that Debian packages as `docker-registry`, on a free port, with an empty folder. It ends with this value.
pub(crate) struct Registry {
    folder: TempDir,
    port: u16,
    _process: Child,
}

impl Registry {
    /// Starts one, or says by name what is skipped without it.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        Self::with(test, "").await
    }

    /// Starts one that lets `vendor` in, whose password is `secret`, and nobody else.
    pub(crate) async fn guarded(test: &str) -> Option<Self> {
        let users = tempfile::tempdir().unwrap();
        let file = users.keep().join("users");
        // bcrypt of `secret`.
        let hash = "vendor:$2y$04$fA2sXQc5VtlDSRfZ1Rp8Le54a/UEsPQKI8rvOaau7PsrCMvb.9AHS\n";
        std::fs::write(&file, hash).unwrap();
        let auth = format!(
            "auth:\n  htpasswd:\n    realm: test\n    path: {}\n",
            file.display()
        );
        Self::with(test, &auth).await
    }

    async fn with(test: &str, more: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port().await;
        let settings = format!(
            "version: 0.1\nlog:\n  level: info\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n{more}",
            folder.path().join("data").display()
        );
        let file = folder.path().join("settings.yml");
        std::fs::write(&file, settings).unwrap();
        let started = Command::new(PROGRAM)
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let Ok(mut process) = started else {
            println!(
                "skipped: {test} needs a registry ({PROGRAM} of Debian's package of that name)"
            );
            return None;
        };
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        loop {
            // Without another line it has ended.
            let line = lines.next_line().await.unwrap().unwrap();
            if line.contains("listening on") {
                break;
            }
        }
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Some(Self {
            folder,
            port,
            _process: process,
        })
    }

    /// A place in it.
    pub(crate) fn place(&self, rest: &str) -> Reference {
        format!("127.0.0.1:{}/{rest}", self.port).parse().unwrap()
    }

    /// The host, as credentials name it.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The file that holds a blob.
    pub(crate) fn blob_file(&self, hex: &str) -> PathBuf {
        let blobs = self
            .folder
            .path()
            .join("data/docker/registry/v2/blobs/sha256");
        blobs.join(&hex[..2]).join(hex).join("data")
    }

    /// Where its files are.
    pub(crate) fn data(&self) -> &Path {
        self.folder.path()
    }
}

async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// One answer of the registry that misbehaves.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Says that there are this many more bytes, and hangs up instead of sending them.
    pub(crate) withheld: usize,
    /// Sends spaces after the body, for as long as anybody reads and up to [`FLOOD`] bytes of them.
    pub(crate) floods: bool,
}

/// As good as without an end.
pub(crate) const FLOOD: usize = 64 << 20;

impl Answer {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: "200 OK",
            headers: vec![],
            body: body.into(),
            withheld: 0,
            floods: false,
        }
    }

    /// This, and then no end.
    pub(crate) fn flood(self) -> Self {
        Self {
            floods: true,
            ..self
        }
    }

    pub(crate) fn missing() -> Self {
        let body = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"unknown"}]}"#;
        Self {
            status: "404 Not Found",
            ..Self::ok(body)
        }
    }
}

/// What it was asked, what it was shown, and how many bytes of a flood were taken.
#[derive(Default)]
struct Seen {
    asked: Mutex<Vec<String>>,
    shown: Mutex<Vec<String>>,
    flooded: Mutex<usize>,
}

/// A registry that answers each path as it is told, and remembers what it was asked. `HERE` in a header is its own address.
pub(crate) struct Misbehaving {
    port: u16,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

impl Misbehaving {
    pub(crate) async fn start(answers: Vec<(String, Answer)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Seen>::default();
        let noted = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                answer(stream, &answers, &noted).await;
            }
        });
        Self { port, seen, task }
    }

    pub(crate) fn place(&self, rest: &str) -> Reference {
        format!("127.0.0.1:{}/{rest}", self.port).parse().unwrap()
    }

    /// The paths that were asked for; with the method before them, where it is not GET.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.seen.asked.lock().unwrap().clone()
    }

    /// The path of each request that somebody signed, and how.
    pub(crate) fn shown(&self) -> Vec<String> {
        self.seen.shown.lock().unwrap().clone()
    }

    /// Bytes of its flood that were taken, buffers on the way included.
    pub(crate) fn flooded(&self) -> usize {
        *self.seen.flooded.lock().unwrap()
    }
}

impl Drop for Misbehaving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads one request, gives the answer of the first path that fits, and hangs up.
async fn answer(mut stream: TcpStream, answers: &[(String, Answer)], seen: &Seen) {
    let mut request = vec![];
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let request = String::from_utf8(request).unwrap();
    let (method, rest) = request.split_once(' ').unwrap();
    let path = rest.split(' ').next().unwrap_or_default().to_owned();
    let found = answers.iter().find(|(wanted, _)| *wanted == path);
    let answer = found.map_or_else(Answer::missing, |(_, answer)| answer.clone());
    let mut lines = request.lines();
    if let Some(shown) = lines.find_map(|line| line.strip_prefix("authorization: ")) {
        let line = format!("{path} {shown}");
        seen.shown.lock().unwrap().push(line);
    }
    seen.asked.lock().unwrap().push(match method {
        "GET" => path,
        method => format!("{method} {path}"),
    });
    let mut head = format!(
        "HTTP/1.1 {}\r\nconnection: close\r\ncontent-length: {}\r\n",
        answer.status,
        answer.body.len() + answer.withheld + if answer.floods { FLOOD } else { 0 }
    );
    for (name, value) in &answer.headers {
        let here = stream.local_addr().unwrap().to_string();
        head.extend([name, ": ", &value.replace("HERE", &here), "\r\n"]);
    }
    head.push_str("\r\n");
    // Whoever asked may have heard enough.
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&answer.body).await;
    let piece = vec![b' '; 64 << 10];
    for _ in (0..FLOOD / piece.len()).filter(|_| answer.floods) {
        if stream.write_all(&piece).await.is_err() {
            return;
        }
        *seen.flooded.lock().unwrap() += piece.len();
    }
}
