//! One case as its author writes it.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use http::{Method, StatusCode};
use policy::Level;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::facts::Established;
use crate::DeclaredNature;
use crate::rehearsal::{Exchange, Fault};

/// A file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cases {
    pub(super) case: Vec<Case>,
}

/// One case: who asks, for what, what the backend says, and how it must end.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    /// Who the customer is; none is a stranger.
    pub(super) customer: Option<String>,
    /// How sure the host is of that.
    #[serde(default)]
    pub(super) known: Known,
    /// What the case has established before, as if results had said it.
    #[serde(default)]
    pub(super) facts: Vec<Established>,
    /// What whoever is asked for a yes answers; without it nobody does.
    pub(super) consent: Option<Answer>,
    /// Settings, over the manifest's.
    #[serde(default)]
    pub(super) settings: BTreeMap<String, String>,
    /// How the backend treats repeats, over what the manifest says.
    pub(super) nature: Option<DeclaredNature>,
    /// What goes wrong, once.
    pub(super) fault: Option<Fault>,
    /// What the backend must be asked, in this order.
    #[serde(default)]
    backend: Vec<Scripted>,
    /// Calls that come first, and must succeed.
    #[serde(default)]
    pub(super) before: Vec<Called>,
    pub(super) call: Called,
    /// How it ends: exactly one of these.
    pub(super) output: Option<Value>,
    pub(super) error: Option<String>,
    pub(super) denied: Option<String>,
    pub(super) withheld: Option<String>,
    pub(super) outcome: Option<String>,
    /// How many requests the backend has seen.
    pub(super) requests: Option<usize>,
    /// How many changes it has made.
    pub(super) effects: Option<usize>,
}

/// How sure the host is of who the customer is.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Known {
    Claimed,
    #[default]
    Matched,
    Verified,
}

impl Known {
    pub(super) fn level(self) -> Level {
        match self {
            Self::Claimed => Level::Claimed,
            Self::Matched => Level::Matched,
            Self::Verified => Level::Verified,
        }
    }
}

/// An answer to the host's question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Yes,
}

/// One call of a tool.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Called {
    pub(super) tool: String,
    #[serde(default)]
    pub(super) arguments: Map<String, Value>,
}

/// One exchange with the backend.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scripted {
    /// `GET /members/C-1001`
    expect: String,
    /// The JSON that must be sent.
    body: Option<Value>,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    answer: Value,
}

fn ok() -> u16 {
    200
}

impl Case {
    /// Refuses a case that says nothing of how it ends, or two things.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let texts = [&self.error, &self.denied, &self.withheld, &self.outcome];
        let said =
            texts.iter().filter(|end| end.is_some()).count() + usize::from(self.output.is_some());
        ensure!(
            said == 1,
            "it must say how the call ends: one of output, error, denied, withheld and outcome"
        );
        self.script().map(drop)
    }

    /// What the backend expects and answers.
    pub(super) fn script(&self) -> anyhow::Result<Vec<Exchange>> {
        self.backend.iter().map(Scripted::exchange).collect()
    }
}

impl Scripted {
    fn exchange(&self) -> anyhow::Result<Exchange> {
        let line = self.expect.split_once(' ');
        let line = line.filter(|(method, path)| {
            path.starts_with('/') && Method::from_bytes(method.as_bytes()).is_ok()
        });
        let (method, path) = line.with_context(|| {
            format!(
                "expect must be a method and a path, such as GET /members/C-1001; found {:?}",
                self.expect
            )
        })?;
        Ok(Exchange {
            method: method.to_owned(),
            path: path.to_owned(),
            body: self.body.clone(),
            status: StatusCode::from_u16(self.status)
                .with_context(|| format!("{} is no status", self.status))?,
            answer: self.answer.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let cases = toml::from_str::<Cases>(&format!("[[case]]\nname = \"one\"\n{text}"));
        match cases {
            Ok(cases) => format!("{:#}", cases.case[0].check().unwrap_err()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_case_that_could_not_fail_is_refused() {
        let call = "call = { tool = \"get_points\" }";
        for (text, said) in [
            (call.to_owned(), "must say how the call ends"),
            (
                format!("{call}\nerror = \"not_found\"\ndenied = \"X\""),
                "must say how the call ends",
            ),
            (format!("{call}\nexpect = 1"), "unknown field `expect`"),
            (
                format!("{call}\nconsent = \"no\"\ndenied = \"X\""),
                "unknown variant `no`",
            ),
            (
                format!("{call}\nfault = \"fire\"\ndenied = \"X\""),
                "unknown variant `fire`",
            ),
            (
                format!("{call}\ndenied = \"X\"\nbackend = [{{ expect = \"GET\" }}]"),
                "a method and a path",
            ),
            (
                format!(
                    "{call}\ndenied = \"X\"\nbackend = [{{ expect = \"GET /x\", status = 20 }}]"
                ),
                "20 is no status",
            ),
        ] {
            let refusal = refusal(&text);
            assert!(refusal.contains(said), "{text}: {refusal}");
        }
    }
}
