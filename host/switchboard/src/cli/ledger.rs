//! `switchboard ledger`: what a person sees and settles, at a running host through its interface, else in the data folder.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use clap::{Subcommand, ValueEnum};
use dispatch::{ByHand, Word, settle_on_word};
use serde_json::{Value, json};
use store::{OpenError, OpenOptions, SqliteStore};

use super::terminal::say;
use crate::host::demo::TENANT;
use crate::ledger::{self, LONGEST_NOTE, Shown};
use crate::{Config, Secrets, files};

#[derive(Clone, Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// List intents, newest first: those without an end, unless --state says otherwise
    List {
        /// Which ones
        #[arg(long, value_enum, default_value_t)]
        state: Shown,
    },
    /// Show all that is known of one intent: its requests, its budgets, its end
    Show {
        /// The intent
        id: String,
    },
    /// Settle an intent that waits for a person, once you have looked at the backend
    Settle {
        /// The intent
        id: String,
        /// done: it took effect, and its money stays spent. failed: it did not; its budget and its key are free again
        #[arg(value_enum)]
        end: End,
        /// How you know; kept in the audit log
        #[arg(long)]
        note: String,
        /// Who you are, where no host is running; a running one knows it by the key
        #[arg(long, default_value = "operator")]
        by: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum End {
    Done,
    Failed,
}

/// Where the ledger is.
enum Place {
    Folder(Arc<SqliteStore>),
    Host { url: String, key: String },
}

/// Runs one command, wherever the ledger is.
pub(super) async fn run(
    config: &Config,
    secrets: &Secrets,
    command: LedgerCommand,
) -> anyhow::Result<ExitCode> {
    let place = place(config, secrets)?;
    match &command {
        LedgerCommand::List { state } => print_list(&place.list(*state).await?),
        LedgerCommand::Show { id } => print_intent(&place.show(id).await?),
        LedgerCommand::Settle { id, end, note, by } => {
            let length = note.trim().chars().count();
            ensure!(
                (1..=LONGEST_NOTE).contains(&length),
                "--note takes 1 to {LONGEST_NOTE} characters"
            );
            print_intent(&place.settle(id, *end, note.trim(), by).await?);
        }
    }
    if let Place::Folder(store) = place {
        store.close().await;
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder itself, or the host that holds it.
fn place(config: &Config, secrets: &Secrets) -> anyhow::Result<Place> {
    let folder = &config.data_dir;
    ensure!(
        files::is_folder(folder),
        "there is no data folder {}; name it with --data DIR",
        folder.display()
    );
    match SqliteStore::open(folder, OpenOptions::default()) {
        Ok(store) => Ok(Place::Folder(Arc::new(store))),
        Err(OpenError::Held { .. }) => {
            let key = secrets.operator_key.as_ref().context(
                "a running Switchboard holds the data folder: set SWITCHBOARD_OPERATOR_KEY to an operator's key, or to a key of your own among its SWITCHBOARD_STAFF_KEYS, and LISTEN to where it listens",
            )?;
            Ok(Place::Host {
                url: config.url_at(config.listen),
                key: key.expose().to_owned(),
            })
        }
        Err(error) => Err(error.into()),
    }
}

impl Place {
    async fn list(&self, shown: Shown) -> anyhow::Result<Value> {
        match self {
            Self::Folder(store) => Ok(ledger::list(store.as_ref(), TENANT, shown).await?),
            Self::Host { .. } => {
                let path = format!("/api/ledger?state={}", shown.word());
                self.ask(&path, None).await
            }
        }
    }

    async fn show(&self, id: &str) -> anyhow::Result<Value> {
        match self {
            Self::Folder(store) => {
                let intent = ledger::show(store.as_ref(), TENANT, id).await?;
                intent.with_context(|| missing(id))
            }
            Self::Host { .. } => self.ask(&format!("/api/ledger/{id}"), None).await,
        }
    }

    async fn settle(&self, id: &str, end: End, note: &str, by: &str) -> anyhow::Result<Value> {
        let Self::Folder(store) = self else {
            let word = if end == End::Done { "done" } else { "failed" };
            let body = json!({ "as": word, "note": note });
            return self
                .ask(&format!("/api/ledger/{id}/settle"), Some(body))
                .await;
        };
        let word = Word {
            intent: id.to_owned(),
            happened: end == End::Done,
            note: note.to_owned(),
            by: format!("cli:{by}"),
        };
        match settle_on_word(store.as_ref(), TENANT, word).await? {
            ByHand::Settled => self.folder_show(store, id).await,
            ByHand::Missing => bail!(missing(id)),
            ByHand::Running { until } => {
                bail!("a process is working on it until {until} (Unix seconds) at least")
            }
            ByHand::Ended(state) => bail!("it has an end already: {state:?}"),
        }
    }

    async fn folder_show(&self, store: &SqliteStore, id: &str) -> anyhow::Result<Value> {
        let intent = ledger::show(store, TENANT, id).await?;
        intent.with_context(|| missing(id))
    }

    /// One request to the running host.
    async fn ask(&self, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let Self::Host { url, key } = self else {
            bail!("no host is running")
        };
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build()?;
        let request = match &body {
            Some(body) => http.post(format!("{url}{path}")).json(body),
            None => http.get(format!("{url}{path}")),
        };
        let answer = request.bearer_auth(key).send().await.with_context(|| {
            format!("the host that holds the data folder does not answer at {url}; set LISTEN to where it listens")
        })?;
        let is_fine = answer.status().is_success();
        let told: Value = answer.json().await?;
        ensure!(
            is_fine,
            "{}",
            told["error"]["message"]
                .as_str()
                .unwrap_or("the host refused")
        );
        Ok(told)
    }
}

fn missing(id: &str) -> String {
    format!("there is no intent {id}; `switchboard ledger list --state all` lists them")
}

fn print_list(listed: &Value) {
    let intents = listed["intents"].as_array().map_or(&[][..], Vec::as_slice);
    for intent in intents {
        say(format_args!(
            "{}  {:8}  {}  {}{}",
            text(&intent["id"]),
            text(&intent["state"]),
            text(&intent["tool"]),
            intent["arguments"],
            if intent["running_until"].is_null() {
                ""
            } else {
                "  (running)"
            },
        ));
    }
    if intents.is_empty() {
        say("none");
    }
}

fn print_intent(intent: &Value) {
    for (name, value) in intent.as_object().into_iter().flatten() {
        match value {
            Value::Array(items) => items
                .iter()
                .for_each(|item| say(format_args!("{name:14} {item}"))),
            Value::Null => {}
            value => say(format_args!("{name:14} {}", text(value))),
        }
    }
}

/// Text without its quotation marks.
fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
