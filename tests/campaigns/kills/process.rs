//! A victim as the campaign holds it: started, asked, heard, killed.

use std::process::Stdio;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::RwLock;

use crate::victim::{Ask, Line, Setup, VARIABLE};

/// Written by whoever opens a data folder in this process: a child that is started meanwhile would inherit the folder's lock,
/// and hold it until it has become a victim.
pub(crate) static FOLDERS: RwLock<()> = RwLock::const_new(());

pub(crate) struct Victim {
    child: Child,
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
}

impl Victim {
    /// This very program again, told to be a victim.
    pub(crate) async fn start(setup: &Setup) -> Self {
        let _nothing_is_open = FOLDERS.read().await;
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(VARIABLE, json!(setup).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let from = BufReader::new(child.stdout.take().unwrap()).lines();
        let to = child.stdin.take().unwrap();
        Self { child, to, from }
    }

    /// What it says next; nothing once it has ended.
    pub(crate) async fn hear(&mut self) -> Option<Line> {
        let line = self.from.next_line().await.unwrap()?;
        Some(serde_json::from_str(&line).unwrap())
    }

    pub(crate) async fn ask(&mut self, ask: &Ask) {
        let line = json!(ask).to_string() + "\n";
        self.to.write_all(line.as_bytes()).await.unwrap();
    }

    /// SIGKILL.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks nothing more and lets it end by itself.
    pub(crate) async fn end(self) {
        let Self {
            mut child,
            to,
            mut from,
        } = self;
        drop(to);
        while from.next_line().await.unwrap().is_some() {}
        assert!(child.wait().await.unwrap().success(), "the victim broke");
    }
}
