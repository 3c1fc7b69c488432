//! The reply guard: no internal word, figure or secret leaves, and no claim of an effect that did not happen.

mod claims;
mod evidence;

use std::collections::BTreeSet;
use std::sync::Arc;

use dispatch::{Secrets, ToolSpec};

pub use claims::Claim;
pub use evidence::Evidence;

use crate::{Tenant, pattern::pattern};

/// Why a reply may not leave as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offence {
    /// An internal code, such as `LIMIT_EXCEEDED`.
    Code(String),
    /// A tool's name.
    ToolName(String),
    /// A limit or another figure of the settings, which no tool has released.
    Figure(String),
    /// A credential.
    Secret,
    /// It says that something was done, and nothing shows that it was.
    Claim(Claim),
}

impl Offence {
    /// What the model is told, so that it can say it better.
    pub(crate) fn advice(&self) -> String {
        match self {
            Self::Code(word) => format!("Leave out the internal code {word}."),
            Self::ToolName(name) => {
                format!("Do not mention the tool {name}; say in plain words what you do.")
            }
            Self::Figure(figure) => {
                format!("Do not state the internal figure {figure}: limits are not for customers.")
            }
            Self::Secret => "Leave out anything that looks like a credential.".to_owned(),
            Self::Claim(claim) => format!(
                "You wrote \"{}\", and no tool result in this conversation shows it. Do not claim it.",
                claim.sentence
            ),
        }
    }
}

/// Reads replies before a customer does.
#[derive(Clone)]
pub struct Guard {
    tool_names: BTreeSet<String>,
    forbidden: Vec<String>,
    /// Whose replies they are.
    of: String,
    secrets: Arc<dyn Secrets>,
}

impl Guard {
    /// A guard for the replies of this tenant, by its name.
    pub fn new(
        of: impl Into<String>,
        tenant: &Tenant,
        tools: &[ToolSpec],
        secrets: Arc<dyn Secrets>,
    ) -> Self {
        let names = tools.iter().map(|tool| tool.name.clone());
        Self {
            tool_names: names.chain(tenant.rules.keys().cloned()).collect(),
            forbidden: tenant.forbidden.clone(),
            of: of.into(),
            secrets,
        }
    }

    /// Everything that speaks against this reply, given what the case has shown; empty means that it may leave.
    pub fn check(&self, reply: &str, evidence: &Evidence) -> Vec<Offence> {
        let mut offences: Vec<Offence> = self.names(reply);
        offences.extend(codes(reply));
        offences.extend(self.figures(reply, evidence));
        if self.secrets.scrub(&self.of, reply) != reply || LOOKS_SECRET.is_match(reply) {
            offences.push(Offence::Secret);
        }
        let unproven = claims::find(reply)
            .into_iter()
            .filter(|claim| !evidence.supports(claim));
        offences.extend(unproven.map(Offence::Claim));
        offences
    }

    fn names(&self, reply: &str) -> Vec<Offence> {
        let said = |name: &&String| {
            name.contains('_')
                && WORD
                    .find_iter(reply)
                    .any(|word| word.as_str().replace('-', "_") == **name)
        };
        let names = self.tool_names.iter().filter(said);
        names.cloned().map(Offence::ToolName).collect()
    }

    fn figures(&self, reply: &str, evidence: &Evidence) -> Vec<Offence> {
        let said = |figure: &&String| contains_whole(reply, figure) && !evidence.released(figure);
        let figures = self.forbidden.iter().filter(said);
        figures.cloned().map(Offence::Figure).collect()
    }
}

fn codes(reply: &str) -> impl Iterator<Item = Offence> {
    CODE.find_iter(reply)
        .map(|found| Offence::Code(found.as_str().to_owned()))
}

/// `needle` stands in `text` with no letter or digit beside it: "150" is not in "1500" nor in "2.150".
fn contains_whole(text: &str, needle: &str) -> bool {
    !needle.is_empty()
        && text.match_indices(needle).any(|(at, found)| {
            let before = text[..at].chars().next_back();
            let mut after = text[at + found.len()..].chars();
            let (next, second) = (after.next(), after.next());
            let decimals =
                matches!(next, Some('.' | ',')) && second.is_some_and(|c| c.is_ascii_digit());
            !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | ',' | '-'))
                && !next.is_some_and(char::is_alphanumeric)
                && !decimals
        })
}

pattern!(CODE, r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b");
pattern!(WORD, r"[a-z0-9]+(?:[_-][a-z0-9]+)+");
pattern!(
    LOOKS_SECRET,
    r"\b(?:sk|pk|rk)[-_][A-Za-z0-9_-]{16,}|\bBearer [A-Za-z0-9._~+/-]{16,}|-----BEGIN [A-Z ]*PRIVATE KEY"
);

#[cfg(test)]
mod tests;
