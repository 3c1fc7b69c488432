//! The suite's tenant as clients see it: the desk behind every call, and around it what a tool's script wants of its client.

#![expect(
    deprecated,
    reason = "the suite asks for log messages, which the newest revision is about to lose"
)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use dispatch::Outcome;
use futures::StreamExt;
use futures::future::ready;
use futures::stream::{self, BoxStream};
use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams, CompleteResult,
    CompletionInfo, GetPromptRequestParams, GetPromptResponse, LoggingLevel,
    LoggingMessageNotificationParam, Prompt, ReadResourceRequestParams, ReadResourceResult,
    Resource, ResourceTemplate, ServerCapabilities, Tool,
};
use serde_json::json;

use super::Suite;
use super::prompts::{self, Got};
use super::resources;
use super::rounds::{self, About, Asked, MOST_ROUNDS, broken};
use super::script::{End, Script, Step, pause};
use super::tools::{SCENE, Scene};
use crate::mcp::answer;
use crate::mcp::cases::Session;
use crate::mcp::desk::Desk;
use crate::mcp::http::MOST_SESSIONS;
use crate::mcp::provider::{Change, Provider};
use crate::mcp::visit::{Progress, Visit};

/// What one principal is offered.
pub(super) struct Fixture {
    suite: Arc<Suite>,
    desk: Arc<Desk>,
    /// From which level on a session wants log messages; info, where it has not said.
    levels: Mutex<HashMap<Session, LoggingLevel>>,
}

/// What a call has come to.
enum Played {
    Script(Script),
    /// The host refused it, or it failed: an answer as any other tool's.
    Refused(CallToolResult),
}

impl Fixture {
    pub(super) fn new(suite: Arc<Suite>, desk: Desk) -> Self {
        Self {
            suite,
            desk: Arc::new(desk),
            levels: Mutex::default(),
        }
    }

    fn about(&self, visit: &Visit, of: &serde_json::Value) -> About {
        About::new(self.desk.caller().1, visit, of)
    }

    /// Runs the tool once, through the dispatcher.
    async fn play(
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
            Outcome::Done { output, .. } => Ok(Played::Script(
                serde_json::from_value(output).map_err(broken)?,
            )),
            refused => Ok(Played::Refused(answer::answer(&request.name, refused)?)),
        }
    }

    async fn carry_out(&self, visit: &Visit, step: Step) {
        match step {
            Step::Progress(done) => {
                let progress = Progress {
                    done: done.into(),
                    total: Some(100.0),
                    message: format!("{done} of 100"),
                };
                visit.report(progress).await;
            }
            Step::Log(message) => self.log(visit, &message).await,
            Step::PauseMs(milliseconds) => tokio::time::sleep(pause(milliseconds)).await,
            Step::OtherTools => self.suite.stage.swap(),
            Step::OtherPrompts => self
                .suite
                .extra_prompt
                .send_modify(|there| *there = !*there),
        }
    }

    async fn log(&self, visit: &Visit, message: &str) {
        let Some(LoggingLevel::Debug | LoggingLevel::Info) = self.level(visit) else {
            return;
        };
        let params = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!(message));
        if let Err(error) = visit.context.peer.notify_logging_message(params).await {
            tracing::debug!(%error, "a log message was not heard");
        }
    }

    /// From which level on log messages are wanted; in the newest revision only by a request that says so.
    fn level(&self, visit: &Visit) -> Option<LoggingLevel> {
        if visit.is_newest() {
            return visit.context.meta.log_level();
        }
        let levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        Some(
            levels
                .get(&visit.session)
                .copied()
                .unwrap_or(LoggingLevel::Info),
        )
    }
}

#[async_trait]
impl Provider for Fixture {
    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_completions()
            .enable_logging()
            .build()
    }

    fn instructions(&self, _stranger: bool) -> String {
        "This server is being tested: what it offers is for the protocol's conformance suite alone."
            .to_owned()
    }

    /// Without schemas of output: the suite wants content blocks, and nothing structured.
    fn tools(&self) -> Vec<Tool> {
        self.desk.tools().into_iter().map(unstructured).collect()
    }

    fn tool(&self, name: &str) -> Option<Tool> {
        self.desk.tool(name).map(unstructured)
    }

    async fn call(
        &self,
        visit: Visit,
        mut request: CallToolRequestParams,
    ) -> Result<CallToolResponse, ErrorData> {
        let brought = (request.input_responses.take(), request.request_state.take());
        let about = self.about(
            &visit,
            &json!(["tools/call", request.name, request.arguments]),
        );
        let states = self.desk.states();
        let mut scene = rounds::opened(states, &visit, &about, brought)?;
        for _ in 0..MOST_ROUNDS {
            let script = match self.play(&visit, &request, &scene).await? {
                Played::Refused(result) => return Ok(result.into()),
                Played::Script(script) => script,
            };
            for step in script.steps {
                self.carry_out(&visit, step).await;
            }
            let asked = match script.end {
                End::Content(content) => return Ok(CallToolResult::success(content).into()),
                End::Ask { inputs, state } => (inputs, state),
            };
            scene = match rounds::ask(states, &visit, &about, asked).await? {
                Asked::Later(question) => return Ok(question.into()),
                Asked::Now(scene) => scene,
            };
        }
        Err(answer::invalid_params(NO_ANSWER))
    }

    fn prompts(&self) -> Vec<Prompt> {
        prompts::listed(*self.suite.extra_prompt.borrow())
    }

    async fn prompt(
        &self,
        visit: Visit,
        request: GetPromptRequestParams,
    ) -> Result<GetPromptResponse, ErrorData> {
        let brought = (request.input_responses, request.request_state);
        let about = self.about(
            &visit,
            &json!(["prompts/get", request.name, request.arguments]),
        );
        let states = self.desk.states();
        let mut scene = rounds::opened(states, &visit, &about, brought)?;
        let arguments = request.arguments.unwrap_or_default();
        for _ in 0..MOST_ROUNDS {
            let inputs = match prompts::get(&request.name, &arguments, &scene) {
                Got::Prompt(prompt) => return Ok(prompt.into()),
                Got::Unknown => {
                    return Err(answer::unknown("prompt", &request.name, "prompts/list"));
                }
                Got::Needs(argument) => {
                    return Err(answer::invalid_params(format!(
                        "it needs an argument {argument}"
                    )));
                }
                Got::Ask(inputs) => serde_json::from_value(inputs).map_err(broken)?,
            };
            scene = match rounds::ask(states, &visit, &about, (inputs, None)).await? {
                Asked::Later(question) => return Ok(question.into()),
                Asked::Now(scene) => scene,
            };
        }
        Err(answer::invalid_params(NO_ANSWER))
    }

    async fn complete(
        &self,
        _visit: Visit,
        request: CompleteRequestParams,
    ) -> Result<CompleteResult, ErrorData> {
        let argument = &request.argument;
        let values = prompts::completions(&argument.name, &argument.value);
        let values = CompletionInfo::with_all_values(values).map_err(broken)?;
        Ok(CompleteResult::new(values))
    }

    async fn resources(&self, _visit: &Visit) -> Result<Vec<Resource>, ErrorData> {
        Ok(resources::listed())
    }

    fn templates(&self) -> Vec<ResourceTemplate> {
        resources::templates()
    }

    async fn read(
        &self,
        _visit: Visit,
        request: ReadResourceRequestParams,
    ) -> Result<ReadResourceResult, ErrorData> {
        resources::read(&request.uri).ok_or_else(|| answer::unknown_resource(&request.uri))
    }

    fn changes(self: Arc<Self>, session: Session) -> BoxStream<'static, Change> {
        let desk = Arc::clone(&self.desk).changes(session);
        // Of what else a desk has there is nothing here.
        let tools = desk.filter(|change| ready(*change == Change::Tools));
        let prompts = self.suite.extra_prompt.subscribe();
        let prompts = stream::unfold(prompts, async |mut prompts| {
            prompts.changed().await.ok()?;
            Some((Change::Prompts, prompts))
        });
        stream::select(tools, prompts).boxed()
    }

    async fn set_level(&self, visit: Visit, level: LoggingLevel) -> Result<(), ErrorData> {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.len() >= MOST_SESSIONS {
            levels.clear();
        }
        levels.insert(visit.session, level);
        Ok(())
    }
}

const NO_ANSWER: &str = "the client was asked ten times, and what it answered does not fit";

fn unstructured(mut tool: Tool) -> Tool {
    tool.output_schema = None;
    tool
}
