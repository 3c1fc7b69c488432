//! Calls that go on as a task, after their request has been answered: what is asked of the client then waits in the task.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::try_join_all;
use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, CreateTaskResult,
};
use rmcp::task_manager::{TaskContext, TaskExit, TaskManager, TaskOptions};
use serde_json::json;

use super::player::{Led, Played, Player, Question};
use super::rounds::{self, MOST_ROUNDS, NO_ANSWER, broken};
use super::script::{Script, Tasked};
use super::tools::Scene;
use crate::mcp::visit::Visit;

/// How many tasks of one principal may be under way.
const MOST_TASKS: usize = 64;

/// How often a client had better look, in milliseconds.
const POLL_INTERVAL_MS: u64 = 200;

/// Tasks under way; they end with this.
#[derive(Default)]
pub(super) struct Tasks(TaskManager);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

/// Whether the rest of a call goes on as a task; an error where it can go on in no other way, and the client knows no tasks.
pub(super) fn is_task(visit: &Visit, script: &Script) -> Result<bool, ErrorData> {
    let knows_tasks = visit.is_newest() && visit.capabilities().supports_tasks();
    if script.task == Some(Tasked::Required) && !knows_tasks {
        let tasks = ClientCapabilities::builder().enable_tasks().build();
        return Err(ErrorData::missing_required_client_capability(tasks));
    }
    Ok(script.task.is_some() && knows_tasks)
}

impl Tasks {
    pub(super) fn manager(&self) -> &TaskManager {
        &self.0
    }

    /// Goes on with this script.
    pub(super) fn go_on(
        &self,
        player: Arc<Player>,
        visit: Visit,
        request: CallToolRequestParams,
        script: Script,
    ) -> Result<CallToolResponse, ErrorData> {
        if self.0.running_task_count() >= MOST_TASKS {
            return Err(broken("too many tasks are under way: end some first"));
        }
        let options = TaskOptions::new().with_poll_interval_ms(POLL_INTERVAL_MS);
        let task = self.0.spawn(options, |context| {
            Box::pin(async move {
                tokio::select! {
                    () = context.cancelled() => Err(TaskExit::Cancelled),
                    ended = to_the_end(&player, &visit, &request, script, &context) => ended,
                }
            })
        });
        Ok(CallToolResponse::Task(CreateTaskResult::new(task)))
    }
}

async fn to_the_end(
    player: &Player,
    visit: &Visit,
    request: &CallToolRequestParams,
    mut script: Script,
    context: &TaskContext,
) -> Result<CallToolResult, TaskExit> {
    for _ in 0..MOST_ROUNDS {
        let question = match player.lead(visit, script).await? {
            Led::Ended(result) => return Ok(result),
            Led::Asks(question) => question,
        };
        let scene = ask(visit, context, question).await?;
        script = match player.play(visit, request, &scene).await? {
            Played::Refused(result) => return Ok(result),
            Played::Script(script) => script,
        };
    }
    Err(broken(NO_ANSWER).into())
}

/// All at once; the client may answer one after the other.
async fn ask(
    visit: &Visit,
    context: &TaskContext,
    (inputs, state): Question,
) -> Result<Scene, TaskExit> {
    let inputs = rounds::read_all(inputs)?;
    rounds::can_be_asked(visit, &inputs)?;
    let asked = inputs.into_iter().map(async |(name, input)| {
        let answer = context.request_input(name.clone(), input).await?;
        Ok::<_, TaskExit>((name, answer))
    });
    let answers: BTreeMap<_, _> = try_join_all(asked).await?.into_iter().collect();
    let can = json!(visit.capabilities());
    Ok(Scene {
        answers,
        state,
        can,
    })
}
