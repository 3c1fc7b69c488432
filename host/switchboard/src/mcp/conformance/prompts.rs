//! The prompts that the suite gets by name.

use rmcp::model::{
    ContentBlock, GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage,
    ResourceContents, Role,
};
use serde_json::{Value, json};

use super::tools::{PNG, Scene, field, text_form};

/// The prompt that comes and goes.
const EXTRA: &str = "test_dynamic_prompt";
const ASKING: &str = "test_input_required_result_prompt";

/// What is asked before the prompt that asks can be given, and the field that answers it.
const QUESTION: &str = "user_context";
const CONTEXT: &str = "context";

/// A prompt, or why there is none.
pub(super) enum Got {
    Prompt(GetPromptResult),
    /// The client is asked first, by the names under which the answers come back.
    Ask(Value),
    /// It needs this argument.
    Needs(&'static str),
    Unknown,
}

/// In the order of their names.
pub(super) fn listed(with_extra: bool) -> Vec<Prompt> {
    let one = |name: &str, what: &str, arguments: &[&str]| {
        let argument = |name: &&str| {
            PromptArgument::new(*name)
                .with_description(format!("The prompt's {name}"))
                .with_required(true)
        };
        let arguments: Vec<_> = arguments.iter().map(argument).collect();
        Prompt::new(
            name,
            Some(what),
            (!arguments.is_empty()).then_some(arguments),
        )
    };
    let mut all = vec![
        one(EXTRA, "Comes and goes.", &[]),
        one(ASKING, "Asks for its context.", &[]),
        one(
            "test_prompt_with_arguments",
            "With two arguments.",
            &["arg1", "arg2"],
        ),
        one(
            "test_prompt_with_embedded_resource",
            "With a resource.",
            &["resourceUri"],
        ),
        one("test_prompt_with_image", "With an image.", &[]),
        one("test_simple_prompt", "A text.", &[]),
    ];
    all.retain(|prompt| with_extra || prompt.name != EXTRA);
    all
}

/// The prompt of this name.
pub(super) fn get(name: &str, arguments: &JsonObject, scene: &Scene) -> Got {
    let given = |argument: &'static str| {
        arguments
            .get(argument)
            .and_then(Value::as_str)
            .ok_or(argument)
    };
    let messages = match name {
        "test_simple_prompt" => Ok(vec![text("This is a simple prompt for testing.")]),
        EXTRA => Ok(vec![text("I am here for now.")]),
        "test_prompt_with_arguments" => given("arg1").and_then(|first| {
            let second = given("arg2")?;
            Ok(vec![text(format!(
                "Prompt with arguments: arg1='{first}', arg2='{second}'"
            ))])
        }),
        "test_prompt_with_embedded_resource" => given("resourceUri").map(embedding),
        "test_prompt_with_image" => {
            let image = ContentBlock::image(PNG, "image/png");
            let image = PromptMessage::new(Role::User, image);
            Ok(vec![image, text("Please analyze the image above.")])
        }
        ASKING => {
            let Some(context) = field(scene, QUESTION, CONTEXT) else {
                let form = text_form("What context should the prompt use?", CONTEXT);
                return Got::Ask(json!({ QUESTION: form }));
            };
            Ok(vec![text(format!("Context: {context}"))])
        }
        _ => return Got::Unknown,
    };
    messages.map_or_else(Got::Needs, |messages| {
        Got::Prompt(GetPromptResult::new(messages))
    })
}

fn embedding(uri: &str) -> Vec<PromptMessage> {
    let resource = ResourceContents::text("Embedded resource content for testing.", uri)
        .with_mime_type("text/plain");
    let resource = PromptMessage::new(Role::User, ContentBlock::resource(resource));
    vec![
        resource,
        text("Please process the embedded resource above."),
    ]
}

fn text(text: impl Into<String>) -> PromptMessage {
    PromptMessage::new_text(Role::User, text)
}

/// Completions of an argument that begins like this.
pub(super) fn completions(argument: &str, begun: &str) -> Vec<String> {
    const CITIES: [&str; 4] = ["madrid", "paris", "parma", "rome"];
    let fits = |city: &&str| argument == "arg1" && city.starts_with(begun);
    CITIES.into_iter().filter(fits).map(str::to_owned).collect()
}
