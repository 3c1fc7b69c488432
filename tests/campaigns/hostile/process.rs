//! The host under attack as the campaign holds it: started, asked, measured.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::oneshot;

use super::components;
use super::host::{Ask, Line, Setup, VARIABLE};

/// How one thing that was asked ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) word: String,
    pub(super) why: String,
    pub(super) case: String,
    pub(super) micros: u64,
}

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Ended>>>>;

pub(super) struct Hosting {
    child: Child,
    asker: Asker,
    folder: PathBuf,
}

/// Asks the host; clones ask the same one.
#[derive(Clone)]
pub(super) struct Asker {
    to: Arc<tokio::sync::Mutex<(ChildStdin, u64)>>,
    waiting: Waiting,
}

impl Hosting {
    /// This very program again, told to be a host.
    pub(super) async fn start(folder: &Path, backend: SocketAddr, guest: &[u8]) -> Self {
        let write = async |name: &str, bytes: Vec<u8>| {
            let file = folder.join(name);
            tokio::fs::write(&file, bytes).await.unwrap();
            file
        };
        let guest = write("hostile.wasm", guest.to_vec()).await;
        let setup = Setup {
            folder: folder.join("data"),
            backend,
            plugins: vec![
                ("hostile".to_owned(), guest.clone()),
                (
                    "start".to_owned(),
                    write("start.wasm", components::endless_start()).await,
                ),
                (
                    "tables".to_owned(),
                    write("tables.wasm", components::growing_table()).await,
                ),
            ],
            neighbour: guest,
        };
        tokio::fs::create_dir(&setup.folder).await.unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(VARIABLE, json!(setup).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().unwrap();
        assert!(
            matches!(serde_json::from_str(&first), Ok(Line::Ready)),
            "{first}"
        );
        let asker = Asker {
            to: Arc::new(tokio::sync::Mutex::new((child.stdin.take().unwrap(), 0))),
            waiting: Waiting::default(),
        };
        let waiting = Arc::clone(&asker.waiting);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                hear(&waiting, &line);
            }
            // Whoever still waits hears that nobody answers any more.
            waiting.lock().unwrap().clear();
        });
        Self {
            child,
            asker,
            folder: setup.folder,
        }
    }

    pub(super) fn asker(&self) -> Asker {
        self.asker.clone()
    }

    pub(super) fn is_up(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Where its store is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn resident_mib(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most that it ever had.
    pub(super) fn peak_mib(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, field: &str) -> u64 {
        let pid = self.child.id().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib / 1024
    }

    /// Asks nothing more and lets it end by itself.
    pub(super) async fn end(self) {
        let Self {
            mut child, asker, ..
        } = self;
        drop(asker);
        assert!(child.wait().await.unwrap().success(), "the host broke");
    }
}

fn hear(waiting: &Waiting, line: &str) {
    let Line::Ended {
        number,
        word,
        why,
        case,
        micros,
    } = serde_json::from_str(line).unwrap()
    else {
        return;
    };
    let asked = waiting.lock().unwrap().remove(&number);
    let _ = asked.unwrap().send(Ended {
        word,
        why,
        case,
        micros,
    });
}

impl Asker {
    pub(super) async fn call(
        &self,
        tenant: &str,
        session: &str,
        tool: &str,
        arguments: Value,
    ) -> Option<Ended> {
        let (tenant, session, tool) = (tenant.to_owned(), session.to_owned(), tool.to_owned());
        self.ask(|number| Ask::Call {
            number,
            tenant,
            session,
            tool,
            arguments,
        })
        .await
    }

    pub(super) async fn install(&self, file: PathBuf) -> Option<Ended> {
        self.ask(|number| Ask::Install { number, file }).await
    }

    /// None where the host is gone.
    async fn ask(&self, ask: impl FnOnce(u64) -> Ask) -> Option<Ended> {
        let (answer, answered) = oneshot::channel();
        {
            let mut to = self.to.lock().await;
            to.1 += 1;
            let number = to.1;
            self.waiting.lock().unwrap().insert(number, answer);
            let line = json!(ask(number)).to_string() + "\n";
            to.0.write_all(line.as_bytes()).await.ok()?;
        }
        answered.await.ok()
    }
}
