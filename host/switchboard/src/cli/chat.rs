//! `switchboard chat`: a conversation in the terminal, with every tool call in sight. Reads a pipe as well as a person.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use agent::TurnRequest;
use anyhow::Context;
use dispatch::{CaseStatus, Event};
use policy::{Actor, Channel, Role};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin, stdin};
use tokio::sync::mpsc;

use super::terminal::{ask, say};
use crate::host::{self, Host, Options};
use crate::{Config, Secrets};

/// Whom the customer talks to.
const TENANT: &str = host::demo::TENANT;

const HELP: &str = "/reset starts another conversation, /quit ends (so does Ctrl-D).";

/// Talks until the customer has said everything.
pub(super) async fn run(
    config: Config,
    secrets: Secrets,
    session: Option<String>,
) -> anyhow::Result<ExitCode> {
    let is_person = std::io::stdin().is_terminal();
    let assembled = host::assemble(
        Options {
            secrets,
            compiler: super::compiler(),
            ..Options::new(config)
        },
        |_| (),
    )
    .await?;
    let host = Arc::clone(&assembled.host);
    say(format_args!(
        "You are talking to the support agent of the demo shop; {} answers. {HELP}",
        host.model_label
    ));
    let session = format!(
        "terminal:{}",
        session.unwrap_or_else(|| uuid::Uuid::new_v4().to_string())
    );
    let talked = Conversation {
        host,
        session,
        lines: BufReader::new(stdin()).lines(),
        is_person,
    }
    .run()
    .await;
    assembled.close().await;
    talked?;
    Ok(ExitCode::SUCCESS)
}

struct Conversation {
    host: Arc<Host>,
    session: String,
    lines: Lines<BufReader<Stdin>>,
    is_person: bool,
}

impl Conversation {
    async fn run(mut self) -> anyhow::Result<()> {
        while let Some(line) = self.next_line().await? {
            match line.trim() {
                "" => {}
                "/quit" | "/exit" => break,
                "/help" => say(HELP),
                "/reset" => {
                    self.host
                        .store()
                        .reset_session(TENANT, &self.session)
                        .await?;
                    say("– a new conversation –");
                }
                message => self.turn(message.to_owned()).await?,
            }
        }
        Ok(())
    }

    async fn next_line(&mut self) -> anyhow::Result<Option<String>> {
        ask(if self.is_person { "\nyou> " } else { "\n" });
        let line = self
            .lines
            .next_line()
            .await
            .context("cannot read standard input: it must be UTF-8 text")?;
        if let (false, Some(line)) = (self.is_person, &line) {
            say(format_args!("you> {line}"));
        }
        Ok(line)
    }

    async fn turn(&self, message: String) -> anyhow::Result<()> {
        let host = Arc::clone(&self.host);
        let case = host.store().case_of_session(TENANT, &self.session).await?;
        let request = TurnRequest {
            tenant: TENANT.to_owned(),
            case: case.id,
            channel: Channel::Terminal,
            actor: Actor {
                role: Role::Agent,
                subject: format!("agent:{}", host.model_label),
            },
            message,
        };
        let (sink, mut events) = mpsc::unbounded_channel();
        let tasks = host.tasks.clone();
        let ending = tasks.spawn(async move { host.agent.turn(request, sink).await });
        let mut is_speaking = false;
        while let Some(event) = events.recv().await {
            show(&event, &mut is_speaking);
        }
        if is_speaking {
            say("");
        }
        let result = ending.await.context("the turn broke off")??;
        if let Some(failure) = &result.failure {
            say(format_args!("      the model did not answer: {failure}"));
        }
        say(format_args!("      [{}]", status(result.status)));
        Ok(())
    }
}

fn show(event: &Event, is_speaking: &mut bool) {
    let was_speaking = std::mem::replace(is_speaking, matches!(event, Event::Text { .. }));
    if was_speaking && !*is_speaking {
        say("");
    }
    match event {
        Event::Text { text } if was_speaking => ask(text),
        Event::Text { text } => ask(format_args!("agent> {text}")),
        Event::ToolCall {
            tool, arguments, ..
        } => say(format_args!("      → {tool} {arguments}")),
        Event::ToolResult { tool, outcome, .. } => say(format_args!("      ← {tool}: {outcome}")),
        Event::Escalation { id, priority, team } => say(format_args!(
            "      ! handed to people: {team}, {priority:?}, {id}"
        )),
        Event::Error { message } => say(format_args!("agent> {message}")),
        Event::Customer { .. }
        | Event::ConsentAsked { .. }
        | Event::ConsentAnswered { .. }
        | Event::Done { .. } => {}
    }
}

fn status(status: CaseStatus) -> &'static str {
    match status {
        CaseStatus::Open => "open",
        CaseStatus::Resolved => "resolved",
        CaseStatus::Escalated => "with people",
        CaseStatus::AwaitingConsent => "waiting for your yes or no",
    }
}
