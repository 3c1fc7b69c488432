//! One shift: a data folder and the programs that serve from it, one after the other, until one may end in peace.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::kills::{Books, Intent};

/// Orders of the demo shop that may be refunded, each with its customer and its whole sum.
const ORDERS: [(&str, &str, &str); 8] = [
    ("ORD-8842", "sarah@example.com", "49.99"),
    ("ORD-8824", "sara.mitchel@example.com", "49.99"),
    ("ORD-7316", "daniel.reyes@example.com", "44.00"),
    ("ORD-7361", "daniela.reyes@example.com", "46.50"),
    ("ORD-8150", "aisha.rahman@example.com", "150.00"),
    ("ORD-8888", "aisha.rahman@example.com", "145.50"),
    ("ORD-8460", "george.papadakis@example.com", "44.00"),
    ("ORD-8702", "sofia.novak@example.com", "98.90"),
];
/// What the machine's own environment sets must not reach the program.
const NOT_INHERITED: [&str; 6] = [
    "REFUND_LIMIT",
    "RETURN_WINDOW_DAYS",
    "MODEL_PROVIDER",
    "RUST_LOG",
    "RULES_FOLDER",
    "EXTRA_PLUGINS",
];

/// A program that serves.
struct Serving {
    child: Child,
    host: String,
    shop: String,
}

pub(super) struct Shift {
    folder: PathBuf,
    http: reqwest::Client,
    lives: usize,
    /// Cases opened so far: every life asks in new ones.
    cases: usize,
}

impl Shift {
    pub(super) fn begin(folder: &Path) -> Self {
        // Whoever comes first in this process installs it; all install the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            folder: folder.to_owned(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            lives: 0,
            cases: 0,
        }
    }

    /// One start, for what it leaves in the folder.
    pub(super) async fn compile(&self) {
        self.start().await.kill().await;
    }

    /// Two orders are asked about, twice each, and one from before; the program is killed meanwhile, or as soon as the
    /// shop shows an effect. True where a write was open then.
    pub(super) async fn live_and_die(&mut self, chance: &mut fastrand::Rng) -> bool {
        let serving = self.start().await;
        let first = 2 * self.lives;
        let earlier = chance.usize(0..=first);
        self.lives += 1;
        let mut cases = vec![];
        for order in [first, first, first + 1, first + 1, earlier] {
            cases.push((self.know(&serving, order).await, order));
        }
        let paid = self.refunds(&serving).await.len();
        let mut asking = JoinSet::new();
        for (case, order) in cases {
            asking.spawn(self.refund(&serving, &case, order));
        }
        let after = Duration::from_micros(chance.u64(0..40_000));
        let any_moment = chance.bool();
        tokio::select! {
            () = sleep(after), if any_moment => {}
            () = self.await_effect(&serving, paid), if !any_moment => {}
            _ = asking.join_all() => {}
        }
        serving.kill().await;
        let books = Books::read(&self.folder).unwrap();
        let is_open = |intent: &Intent| matches!(intent.state.as_str(), "reserved" | "sent");
        books.intents.iter().any(is_open)
    }

    /// Returns as soon as the shop shows more refunds than these.
    async fn await_effect(&self, serving: &Serving, paid: usize) {
        while self.refunds(serving).await.len() == paid {}
    }

    /// Everybody asks for everything once more, and the books are closed. The shop's refunds.
    pub(super) async fn end(mut self, breaches: &mut Vec<String>) -> usize {
        let serving = self.start().await;
        let asked = 0..2 * self.lives;
        for order in asked.clone() {
            let case = self.know(&serving, order).await;
            let outcome = self.refund(&serving, &case, order).await;
            if !matches!(outcome.as_str(), "ok" | "replayed") {
                breaches.push(format!("order {order}: in the end {outcome}"));
            }
        }
        let refunds = self.refunds(&serving).await;
        serving.kill().await;
        let books = Books::read(&self.folder).unwrap();
        let wrong = asked.filter(|order| !is_paid_once(*order, &refunds, &books));
        breaches.extend(wrong.map(|order| format!("order {order}: {refunds:?} against {books:?}")));
        if !self.audit_is_whole().await {
            breaches.push("the audit log is broken".to_owned());
        }
        refunds.len()
    }

    async fn start(&self) -> Serving {
        let mut program = program(&["serve", "--listen", "127.0.0.1:0"], &self.folder);
        program.stdout(Stdio::piped());
        let mut child = program.kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut host, mut shop) = (None, None);
        while host.is_none() || shop.is_none() {
            let line = lines.next_line().await.unwrap().unwrap();
            host = host.or(line.strip_prefix("listening=").map(str::to_owned));
            shop = shop.or(line.strip_prefix("demo_backend=").map(str::to_owned));
        }
        Serving {
            child,
            host: host.unwrap(),
            shop: shop.unwrap(),
        }
    }

    /// A new case, in which the customer and the order have been looked up.
    async fn know(&mut self, serving: &Serving, order: usize) -> String {
        let (order, email, _) = ORDERS[order];
        self.cases += 1;
        let case = format!("case-{}", self.cases);
        for (tool, arguments) in [
            ("get_customer", json!({ "email": email })),
            ("lookup_order", json!({ "order_id": order })),
        ] {
            let outcome = call(
                self.http.clone(),
                serving.url(tool),
                case.clone(),
                arguments,
            )
            .await;
            assert_eq!(outcome, "ok", "{tool} for {order}");
        }
        case
    }

    fn refund(
        &self,
        serving: &Serving,
        case: &str,
        order: usize,
    ) -> impl Future<Output = String> + Send + 'static {
        let (order, _, amount) = ORDERS[order];
        let arguments = json!({ "order_id": order, "reason": format!("broken, says {case}"),
            "amount": { "amount": amount, "currency": "USD" } });
        call(
            self.http.clone(),
            serving.url("process_refund"),
            case.to_owned(),
            arguments,
        )
    }

    /// What the shop itself lists.
    async fn refunds(&self, serving: &Serving) -> Vec<Value> {
        let asked = self
            .http
            .get(format!("{}/refunds", serving.shop))
            .send()
            .await;
        let body: Value = asked.unwrap().json().await.unwrap();
        let ours = |refund: &&Value| {
            ORDERS
                .iter()
                .any(|(order, ..)| refund["order_id"] == *order)
        };
        let refunds = body["refunds"].as_array().unwrap().iter();
        // What the shop's own past holds of an order is none of ours.
        refunds
            .filter(ours)
            .filter(|refund| refund["id"] != "RF-503")
            .cloned()
            .collect()
    }

    async fn audit_is_whole(&self) -> bool {
        let mut verify = program(&["audit", "verify"], &self.folder);
        verify.output().await.unwrap().status.success()
    }
}

impl Serving {
    fn url(&self, tool: &str) -> String {
        format!("{}/api/tools/{tool}", self.host)
    }

    /// SIGKILL.
    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// The built program, with its data in this folder.
pub(crate) fn program(command: &[&str], folder: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_switchboard"));
    for name in NOT_INHERITED {
        program.env_remove(name);
    }
    program
        .args(command)
        .args(["--log", "off", "--data"])
        .arg(folder)
        .stdin(Stdio::null());
    program
}

/// One call of a tool; how it ended, or that the program is gone.
async fn call(http: reqwest::Client, url: String, case: String, arguments: Value) -> String {
    let body = json!({ "case": case, "arguments": arguments });
    let answer = async {
        http.post(url)
            .json(&body)
            .send()
            .await?
            .json::<Value>()
            .await
    };
    match answer.await {
        Ok(body) => body["outcome"].as_str().unwrap_or("an error").to_owned(),
        Err(_) => "no answer".to_owned(),
    }
}

/// Whether the shop paid the whole sum of an order, once, and the ledger holds that very refund as done.
fn is_paid_once(order: usize, refunds: &[Value], books: &Books) -> bool {
    let (order, _, amount) = ORDERS[order];
    let mut paid = refunds.iter().filter(|refund| refund["order_id"] == order);
    let (Some(refund), None) = (paid.next(), paid.next()) else {
        return false;
    };
    let recorded = |intent: &Intent| {
        intent.state == "done"
            && intent.order.as_deref() == Some(order)
            && intent.refund.as_deref() == refund["id"].as_str()
    };
    refund["amount"]["minor"] == json!(minor(amount)) && books.intents.iter().any(recorded)
}

fn minor(amount: &str) -> i64 {
    amount.replace('.', "").parse().unwrap()
}
