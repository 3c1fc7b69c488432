//! The suite's tenant as clients see it: the desk behind every call, and around it what a tool's script wants of its client.

#![expect(
    deprecated,
    reason = "the suite asks for log messages, which the newest revision is about to lose"
)]

use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt;
use futures::future::ready;
use futures::stream::{self, BoxStream};
use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, CompletionInfo,
    GetPromptRequestParams, GetPromptResponse, LoggingLevel, Prompt, ReadResourceRequestParams,
    ReadResourceResult, Resource, ResourceTemplate, ServerCapabilities, Tool,
};
use rmcp::task_manager::TaskManager;
use serde_json::json;

use super::player::{Led, Played, Player};
use super::prompts::{self, Got};
use super::rounds::{self, Asked, MOST_ROUNDS, NO_ANSWER, broken};
use super::tasks::{self, Tasks};
use super::{Suite, resources, tools};
use crate::mcp::answer;
use crate::mcp::cases::Session;
use crate::mcp::desk::Desk;
use crate::mcp::provider::{Change, Provider};
use crate::mcp::rounds::About;
use crate::mcp::visit::Visit;

/// What one principal is offered.
pub(super) struct Fixture {
    player: Arc<Player>,
    tasks: Tasks,
}

impl Fixture {
    pub(super) fn new(suite: Arc<Suite>, desk: Desk) -> Self {
        Self {
            player: Arc::new(Player::new(suite, desk)),
            tasks: Tasks::default(),
        }
    }

    fn desk(&self) -> &Arc<Desk> {
        &self.player.desk
    }

    fn about(&self, visit: &Visit, of: &serde_json::Value) -> About {
        rounds::about(self.desk().caller().1, visit, of)
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
            .enable_tasks()
            .build()
    }

    fn instructions(&self, _stranger: bool) -> String {
        "This server is being tested: what it offers is for the protocol's conformance suite alone."
            .to_owned()
    }

    /// Without schemas of output: the suite wants content blocks, and nothing structured.
    async fn tools(&self, session: &Session) -> Result<Vec<Tool>, ErrorData> {
        let tools = self.desk().tools(session).await?;
        Ok(tools.into_iter().map(unstructured).collect())
    }

    fn tool(&self, name: &str) -> Option<Tool> {
        self.desk().tool(name).map(unstructured)
    }

    /// So that the suite meets both ways of a call.
    fn is_direct(&self, tool: &str) -> bool {
        tools::ANSWER_AT_ONCE.contains(&tool)
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
        let states = self.desk().states();
        let mut scene = rounds::opened(states, &visit, &about, brought)?;
        for _ in 0..MOST_ROUNDS {
            let script = match self.player.play(&visit, &request, &scene).await? {
                Played::Refused(result) => return Ok(result.into()),
                Played::Script(script) => script,
            };
            if tasks::is_task(&visit, &script)? {
                let player = Arc::clone(&self.player);
                return self.tasks.go_on(player, visit, request, script);
            }
            let question = match self.player.lead(&visit, script).await? {
                Led::Ended(result) => return Ok(result.into()),
                Led::Asks(question) => question,
            };
            scene = match rounds::ask(states, &visit, &about, question).await? {
                Asked::Later(question) => return Ok(question.into()),
                Asked::Now(scene) => scene,
            };
        }
        Err(answer::invalid_params(NO_ANSWER))
    }

    fn tasks(&self) -> Option<&TaskManager> {
        Some(self.tasks.manager())
    }

    fn prompts(&self) -> Vec<Prompt> {
        prompts::listed(*self.player.suite.extra_prompt.borrow())
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
        let states = self.desk().states();
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
        let desk = Arc::clone(self.desk()).changes(session);
        // Of what else a desk has there is nothing here.
        let tools = desk.filter(|change| ready(*change == Change::Tools));
        let prompts = self.player.suite.extra_prompt.subscribe();
        let prompts = stream::unfold(prompts, async |mut prompts| {
            prompts.changed().await.ok()?;
            Some((Change::Prompts, prompts))
        });
        stream::select(tools, prompts).boxed()
    }

    async fn set_level(&self, visit: Visit, level: LoggingLevel) -> Result<(), ErrorData> {
        self.player.set_level(visit.session, level);
        Ok(())
    }
}

fn unstructured(mut tool: Tool) -> Tool {
    tool.output_schema = None;
    tool
}
