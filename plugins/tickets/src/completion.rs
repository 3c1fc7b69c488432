//! Asking the host's language model, and reading what came back without trusting it.

use serde::de::DeserializeOwned;

use crate::bindings::switchboard::host::model;

/// The model's answer. None where it gives none, for whatever reason: every tool here has rules to fall back on.
pub(crate) fn ask(prompt: &str, most_tokens: u32) -> Option<String> {
    model::complete(prompt, most_tokens).ok()
}

/// The first JSON object of this form in the answer: models like to wrap one in prose or in a code fence.
pub(crate) fn object<T: DeserializeOwned>(answer: &str) -> Option<T> {
    answer
        .match_indices('{')
        .take(MOST_ATTEMPTS)
        .find_map(|(start, _)| {
            let text = answer.get(start..)?;
            serde_json::Deserializer::from_str(text)
                .into_iter::<T>()
                .next()?
                .ok()
        })
}

const MOST_ATTEMPTS: usize = 16;

/// A number between the two; none where the model wrote something that is no number.
pub(crate) fn between(lowest: f64, highest: f64, number: f64) -> Option<f64> {
    number.is_finite().then(|| number.clamp(lowest, highest))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::object;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Probe {
        label: String,
    }

    #[test]
    fn an_object_is_found_wherever_the_model_put_it() {
        let table = [
            (r#"{"label":"a"}"#, Some("a")),
            (
                "Sure! Here you go:\n```json\n{\"label\": \"b\"}\n```",
                Some("b"),
            ),
            (
                r#"{note} {"other":1} {"label":"c"} {"label":"d"}"#,
                Some("c"),
            ),
            (r#"{"label":"cut of"#, None),
            (r#"{"label": 3}"#, None),
            ("no idea", None),
        ];
        for (answer, expected) in table {
            let found = object::<Probe>(answer).map(|probe| probe.label);
            assert_eq!(found.as_deref(), expected, "{answer}");
        }
    }
}
