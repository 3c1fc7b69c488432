//! Tools that ask their client several things, at once or one after the other, or whose own state must come back unchanged.

use serde_json::{Map, Value, json};

use super::questions::{
    ask, ask_with_state, elicitation, field, list_roots, roots, sampled, sampling, text_form,
};
use super::{Part, Scene, object, says};

pub(super) fn parts() -> Vec<Part> {
    let own_state = "Asks for a yes, and must find its own state again.";
    vec![
        Part::new(
            "test_input_required_result_request_state",
            own_state,
            confirmed,
        ),
        Part::new(
            "test_input_required_result_tampered_state",
            own_state,
            confirmed,
        ),
        Part::new(
            "test_input_required_result_multiple_inputs",
            "Asks for three things at once.",
            three_things,
        ),
        Part::new(
            "test_input_required_result_multi_round",
            "Asks one thing after the other.",
            one_by_one,
        ),
        Part::new(
            "test_input_required_result_capabilities",
            "Asks for what the client can do, and for nothing else.",
            what_it_can,
        ),
    ]
}

fn confirmed(_: &Value, scene: &Scene) -> Value {
    let asked = json!({ "step": "confirm" });
    if scene.state.as_ref() == Some(&asked) && field(scene, "confirm", "ok").is_some() {
        return says("state-ok");
    }
    let schema = object(&json!({ "ok": { "type": "boolean" } }), &["ok"]);
    let question = elicitation(&json!("Please confirm"), &schema);
    ask_with_state(&json!({ "confirm": question }), &asked)
}

fn three_things(_: &Value, scene: &Scene) -> Value {
    let asked = json!({ "step": "all" });
    if scene.state.as_ref() == Some(&asked)
        && let Some(name) = field(scene, "user_name", "name")
        && let Some(greeting) = sampled(scene, "greeting")
        && let Some(roots) = roots(scene, "client_roots")
    {
        return says(format!("{greeting} {name}, of {roots}"));
    }
    let inputs = json!({
        "user_name": text_form("What is your name?", "name"),
        "greeting": sampling(&json!("Generate a greeting"), 50),
        "client_roots": list_roots(),
    });
    ask_with_state(&inputs, &asked)
}

/// The first answer does not come back with the second: the state carries it.
fn one_by_one(_: &Value, scene: &Scene) -> Value {
    let state = scene.state.clone().unwrap_or_default();
    let known = state["name"].as_str().map(str::to_owned);
    if let (Some(name), Some(color)) = (&known, field(scene, "step2", "color")) {
        return says(format!("{name} likes {color}"));
    }
    let first = || field(scene, "step1", "name").filter(|_| state["step"] == 1);
    let Some(name) = known.or_else(first) else {
        let question = text_form("Step 1: What is your name?", "name");
        return ask_with_state(&json!({ "step1": question }), &json!({ "step": 1 }));
    };
    let question = text_form("Step 2: What is your favorite color?", "color");
    ask_with_state(&json!({ "step2": question }), &json!({ "name": name }))
}

fn what_it_can(_: &Value, scene: &Scene) -> Value {
    if !scene.answers.is_empty() {
        return says(format!("Answered: {}", json!(scene.answers)));
    }
    let all = [
        ("elicitation", text_form("What is your name?", "name")),
        ("sampling", sampling(&json!("Say hello"), 50)),
        ("roots", list_roots()),
    ];
    let possible: Map<String, Value> = all
        .into_iter()
        .filter(|(capability, _)| !scene.can[*capability].is_null())
        .map(|(capability, input)| (capability.to_owned(), input))
        .collect();
    if possible.is_empty() {
        return says("There is nothing that this client could be asked");
    }
    ask(&possible.into())
}
