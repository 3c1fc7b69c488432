//! Prompt templates: texts that the host hands in, checked when they are loaded, rendered strictly.

use std::fmt;

use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;
use thiserror::Error;

/// The template of the system prompt; it includes the flows.
pub(crate) const SYSTEM: &str = "system.md";

/// Every template that a tenant's prompts must hold.
const REQUIRED: [&str; 13] = [
    SYSTEM,
    "order_inquiry.md",
    "refund.md",
    "product_question.md",
    "escalation.md",
    "ticket_triage.md",
    "mcp.md",
    "proactive.md",
    "summarise.md",
    "suggest_reply.md",
    "classify.md",
    "evaluate.md",
    "improve.md",
];

/// Why prompts cannot be used.
#[derive(Debug, Error)]
pub enum PromptError {
    /// One is missing.
    #[error("the prompt {0} is missing: add a file of this name to the prompts folder")]
    Missing(&'static str),
    /// One is no template, or asks for a value that it is not given.
    #[error("the prompt {name} does not work: {reason}")]
    Template {
        /// Which.
        name: String,
        /// What is wrong, with the line.
        reason: String,
    },
}

/// A complete set of prompts.
pub struct Prompts(Environment<'static>);

impl Prompts {
    /// Compiles (name, text) pairs; later ones replace earlier ones of the same name, so that a tenant's own follow the
    /// shipped ones.
    pub fn load<N, T>(texts: impl IntoIterator<Item = (N, T)>) -> Result<Self, PromptError>
    where
        N: Into<String>,
        T: Into<String>,
    {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_fuel(Some(100_000));
        for (name, text) in texts {
            let name = name.into();
            environment
                .add_template_owned(name.clone(), text.into())
                .map_err(|error| template_error(&name, &error))?;
        }
        match REQUIRED
            .into_iter()
            .find(|name| environment.get_template(name).is_err())
        {
            Some(missing) => Err(PromptError::Missing(missing)),
            None => Ok(Self(environment)),
        }
    }

    /// Renders one with these values.
    pub fn render(&self, name: &str, values: impl Serialize) -> Result<String, PromptError> {
        self.0
            .get_template(name)
            .and_then(|template| template.render(minijinja::value::Serde(values)))
            .map_err(|error| template_error(name, &error))
    }
}

impl fmt::Debug for Prompts {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.templates().map(|(name, _)| name);
        to.debug_set().entries(names).finish()
    }
}

fn template_error(name: &str, error: &minijinja::Error) -> PromptError {
    PromptError::Template {
        name: name.to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{PromptError, Prompts, REQUIRED};

    /// Every required prompt, as short as can be.
    pub(crate) fn minimal() -> Prompts {
        Prompts::load(REQUIRED.map(|name| (name, "{{ company }}"))).unwrap()
    }

    #[test]
    fn a_missing_prompt_is_named() {
        let texts = REQUIRED.iter().skip(1).map(|name| (*name, ""));
        let error = Prompts::load(texts).unwrap_err();
        assert!(
            matches!(error, PromptError::Missing("system.md")),
            "{error}"
        );
    }

    #[test]
    fn a_broken_template_is_named() {
        let error = Prompts::load([("system.md", "{{ open")]).unwrap_err();
        assert!(error.to_string().contains("system.md"), "{error}");
    }

    #[test]
    fn a_later_text_replaces_an_earlier_one() {
        let texts = REQUIRED.map(|name| (name, "shipped"));
        let own = [("refund.md", "own")];
        let prompts = Prompts::load(texts.into_iter().chain(own)).unwrap();
        assert_eq!(prompts.render("refund.md", ()).unwrap(), "own");
        assert_eq!(prompts.render("classify.md", ()).unwrap(), "shipped");
    }

    #[test]
    fn an_unknown_value_is_an_error() {
        let error = minimal().render("system.md", ()).unwrap_err();
        assert!(error.to_string().contains("system.md"), "{error}");
    }
}
