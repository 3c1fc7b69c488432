//! The program as it is served, in a process of its own, and what people ask of it over HTTP.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::program::program;

const OPERATOR: &str = "the-operators-key-of-the-campaigns";
const CUSTOMER: &str = "sarah@example.com";
const ORDER: &str = "ORD-8842";

pub(crate) struct Served {
    child: Child,
    /// `http://127.0.0.1:…`
    url: String,
    /// The shop behind it.
    shop: String,
    http: reqwest::Client,
}

impl Served {
    pub(crate) async fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[]).await
    }

    /// With these variables set.
    pub(crate) async fn start_with(folder: &Path, variables: &[(&str, &str)]) -> Self {
        // Whoever comes first in this process installs it; all install the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut program = program(&["serve", "--listen", "127.0.0.1:0"], &folder.join("data"));
        let program = program.env("SWITCHBOARD_OPERATOR_KEY", OPERATOR);
        let program = program.envs(variables.iter().copied());
        let program = program.stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = program.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = address(&mut lines, "listening=").await;
        let shop = address(&mut lines, "demo_backend=").await;
        Self {
            child,
            url,
            shop,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }

    /// `http://127.0.0.1:…`
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it has of the machine's memory.
    pub(crate) fn memory_mib(&self) -> u64 {
        let pid = self.child.id().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kib: u64 = line
            .unwrap()
            .split_whitespace()
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        kib / 1024
    }

    /// The refunds that the shop has paid for the order.
    pub(crate) async fn refunds(&self) -> usize {
        let asked = self
            .http
            .get(format!("{}/refunds?order_id={ORDER}", self.shop));
        let answer: Value = asked.send().await.unwrap().json().await.unwrap();
        answer["refunds"].as_array().unwrap().len()
    }

    /// So many cases, in each of which the customer is known.
    pub(crate) async fn open_cases(&self, cases: usize) -> Vec<String> {
        let mut open = vec![];
        for number in 0..cases {
            let id = format!("swaps-{number}");
            for (tool, arguments) in [
                ("get_customer", json!({ "email": CUSTOMER })),
                ("lookup_order", json!({ "order_id": ORDER })),
            ] {
                let asked = self.to(&format!("/api/tools/{tool}"));
                let asked = asked.json(&json!({ "case": id, "arguments": arguments }));
                let found: Value = asked.send().await.unwrap().json().await.unwrap();
                assert_eq!(found["outcome"], "ok", "{tool}: {found}");
            }
            open.push(id);
        }
        open
    }

    pub(crate) async fn end(mut self) {
        self.child.kill().await.unwrap();
    }

    /// What the operator is answered, or why it was refused: the error's code and message.
    pub(crate) async fn operate(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<Value, (String, String)> {
        let asked = self.to(path).bearer_auth(OPERATOR).json(body);
        let answer: Value = asked.send().await.unwrap().json().await.unwrap();
        let text = |at: &str| {
            answer
                .pointer(at)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        match text("/error/code").zip(text("/error/message")) {
            Some(error) => Err(error),
            None => Ok(answer),
        }
    }

    /// The versions of plugins that the operator has installed.
    pub(crate) async fn installed(&self) -> usize {
        let asked = self.http.get(format!("{}/api/plugins", self.url));
        let asked = asked.bearer_auth(OPERATOR).send().await.unwrap();
        let answer: Value = asked.json().await.unwrap();
        let plugins = answer["plugins"].as_array().unwrap().iter();
        plugins
            .map(|plugin| plugin["versions"].as_array().unwrap().len())
            .sum()
    }

    fn to(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("{}{path}", self.url))
    }
}

/// What the program says after this name.
async fn address(lines: &mut Lines<BufReader<ChildStdout>>, name: &str) -> String {
    loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some(address) = line.strip_prefix(name) {
            return address.to_owned();
        }
    }
}
