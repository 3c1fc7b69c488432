//! Runs the suite's tools through the dispatcher, and carries out what their scripts want, apart from asking their client.

#![expect(
    deprecated,
    reason = "the suite asks for log messages, which the newest revision is about to lose"
)]

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use dispatch::Outcome;
use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, LoggingLevel, LoggingMessageNotificationParam,
};
use serde_json::{Value, json};

use super::Suite;
use super::rounds::broken;
use super::script::{End, Script, Step, pause};
use super::tools::{SCENE, Scene};
use crate::mcp::answer;
use crate::mcp::cases::Session;
use crate::mcp::desk::Desk;
use crate::mcp::sessions::MOST_SESSIONS;
use crate::mcp::visit::Visit;

/// The way to the suite's tools for one principal.
pub(super) struct Player {
    pub(super) suite: Arc<Suite>,
    pub(super) desk: Arc<Desk>,
    /// From which level on a session wants log messages; info, where it has not said.
    levels: Mutex<HashMap<Session, LoggingLevel>>,
}

/// What running a tool has come to.
pub(super) enum Played {
    Script(Script),
    /// The host refused it, or it failed: an answer as any other tool's.
    Refused(CallToolResult),
}

/// What a tool asks its client, by name, and what it wants to find again.
pub(super) type Question = (BTreeMap<String, Value>, Option<Value>);

/// How far a script has led.
pub(super) enum Led {
    Ended(CallToolResult),
    /// The client is asked, then the tool runs again.
    Asks(Question),
}

impl Player {
    pub(super) fn new(suite: Arc<Suite>, desk: Desk) -> Self {
        Self {
            suite,
            desk: Arc::new(desk),
            levels: Mutex::default(),
        }
    }

    /// Runs the tool once.
    pub(super) async fn play(
        &self,
        visit: &Visit,
        request: &CallToolRequestParams,
        scene: &Scene,
    ) -> Result<Played, ErrorData> {
        let mut request = request.clone();
        // Whatever a client sends under this name is no scene.
        let arguments = request.arguments.get_or_insert_default();
        arguments.insert(SCENE.to_owned(), json!(scene));
        match self.desk.run(visit, &request).await? {
            Outcome::Done { output, .. } => {
                let script = serde_json::from_value(output).map_err(broken)?;
                Ok(Played::Script(script))
            }
            refused => Ok(Played::Refused(answer::answer(&request.name, refused)?)),
        }
    }

    /// Goes through its steps to its end.
    pub(super) async fn lead(&self, visit: &Visit, script: Script) -> Result<Led, ErrorData> {
        for step in script.steps {
            self.take(visit, step).await;
        }
        match script.end {
            End::Content(content) => Ok(Led::Ended(CallToolResult::success(content))),
            End::Error(content) => Ok(Led::Ended(CallToolResult::error(content))),
            End::Breaks(message) => Err(broken(message)),
            End::Ask { inputs, state } => Ok(Led::Asks((inputs, state))),
        }
    }

    async fn take(&self, visit: &Visit, step: Step) {
        match step {
            Step::Log(message) => self.log(visit, &message).await,
            Step::PauseMs(milliseconds) => tokio::time::sleep(pause(milliseconds)).await,
            Step::HangUp => visit.hang_up(),
            Step::OtherTools => self.suite.stage.swap(),
            Step::OtherPrompts => {
                let prompt = &self.suite.extra_prompt;
                prompt.send_modify(|is_there| *is_there = !*is_there);
            }
        }
    }

    async fn log(&self, visit: &Visit, message: &str) {
        let Some(LoggingLevel::Debug | LoggingLevel::Info) = self.level(visit) else {
            return;
        };
        let params = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!(message));
        let Some(peer) = visit.peer() else { return };
        if let Err(error) = peer.notify_logging_message(params).await {
            tracing::debug!(%error, "a log message was not heard");
        }
    }

    /// From which level on log messages are wanted; in the newest revision only by a request that says so.
    fn level(&self, visit: &Visit) -> Option<LoggingLevel> {
        if visit.is_newest() {
            return visit.meta().log_level();
        }
        let levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let set = levels.get(&visit.session).copied();
        Some(set.unwrap_or(LoggingLevel::Info))
    }

    /// From now on, for this session.
    pub(super) fn set_level(&self, session: Session, level: LoggingLevel) {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.len() >= MOST_SESSIONS {
            levels.clear();
        }
        levels.insert(session, level);
    }
}
