//! Judging a scenario: the replies, and what the backend says really happened, against what was expected.

use anyhow::{bail, ensure};
use serde_json::Value;

use super::scenario::{Expectation, Scenario};

/// Everything that was seen.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// What the agent said, in order.
    pub(super) replies: Vec<String>,
    /// The case's status after each turn.
    pub(super) statuses: Vec<String>,
    /// `METHOD /path` of every request that may change something, up to the approval.
    pub(super) writes_before_approval: Vec<String>,
    /// The same, altogether.
    pub(super) writes: Vec<String>,
    /// The backend's escalations.
    pub(super) escalations: Vec<Value>,
    /// (order, decimal amount) of each refund since the beginning.
    pub(super) refunds: Vec<(String, String)>,
    /// (order, status) of the orders that are asked about.
    pub(super) orders: Vec<(String, String)>,
}

impl Observed {
    /// The first turn, or the yes that it asked for, settled it.
    pub(super) fn is_resolved_at_first_contact(&self) -> bool {
        self.statuses
            .iter()
            .find(|status| *status != "awaiting_consent")
            .is_some_and(|status| status == "resolved")
    }

    fn all_replies(&self) -> String {
        self.replies.join("\n").to_lowercase()
    }
}

/// Passes, or says the first thing that is not as expected.
pub(super) fn judge(scenario: &Scenario, observed: &Observed) -> anyhow::Result<()> {
    let expect = &scenario.expect;
    let status = observed.statuses.last().map_or("none", String::as_str);
    ensure!(
        expect.status.iter().any(|expected| expected == status),
        "the case is {status}, expected {}",
        expect.status.join(" or ")
    );
    if let Some(expected) = &expect.before_approval {
        judge_writes(expected, &[], &observed.writes_before_approval)?;
    }
    judge_writes(&expect.writes, &expect.may_write, &observed.writes)?;
    judge_backend(expect, observed)?;
    judge_words(expect, &observed.all_replies())
}

fn judge_writes(expected: &[String], allowed: &[String], seen: &[String]) -> anyhow::Result<()> {
    let mut rest: Vec<&str> = seen.iter().map(String::as_str).collect();
    for write in expected {
        let Some(at) = rest.iter().position(|seen| seen == write) else {
            bail!("the backend saw no {write} (it saw: {})", listed(seen))
        };
        rest.remove(at);
    }
    rest.retain(|write| !allowed.iter().any(|allowed| allowed == write));
    ensure!(
        rest.is_empty(),
        "the backend saw {}, which must not happen",
        rest.join(", ")
    );
    Ok(())
}

fn listed(writes: &[String]) -> String {
    if writes.is_empty() {
        "no write at all".to_owned()
    } else {
        writes.join(", ")
    }
}

fn judge_backend(expect: &Expectation, observed: &Observed) -> anyhow::Result<()> {
    for (order, amounts) in &expect.refunds {
        let paid: Vec<_> = observed
            .refunds
            .iter()
            .filter(|(of, _)| of == order)
            .map(|(_, amount)| amount)
            .collect();
        ensure!(
            paid.iter().copied().eq(amounts),
            "refunds of {order}: {paid:?}, expected {amounts:?}"
        );
    }
    for (order, expected) in &expect.orders {
        let status = observed
            .orders
            .iter()
            .find(|(of, _)| of == order)
            .map(|(_, status)| status);
        ensure!(
            status == Some(expected),
            "{order} is {status:?}, expected {expected}"
        );
    }
    for escalation in &observed.escalations {
        let priority = escalation["priority"].as_str().unwrap_or_default();
        let is_expected = expect
            .priority
            .as_deref()
            .is_none_or(|expected| expected == priority);
        ensure!(
            is_expected,
            "an escalation is {priority}, expected {:?}",
            expect.priority
        );
    }
    let summaries: String = observed
        .escalations
        .iter()
        .filter_map(|escalation| escalation["summary"].as_str())
        .collect();
    let missing = expect
        .summary_has
        .iter()
        .find(|text| !summaries.contains(*text));
    ensure!(
        missing.is_none(),
        "the hand-off lacks {missing:?}: {summaries:?}"
    );
    Ok(())
}

fn judge_words(expect: &Expectation, replies: &str) -> anyhow::Result<()> {
    for choice in &expect.says {
        ensure!(
            choice
                .iter()
                .any(|text| replies.contains(&text.to_lowercase())),
            "no answer says {}: {replies:?}",
            choice.join(" or ")
        );
    }
    let slip = expect
        .never_says
        .iter()
        .find(|text| replies.contains(&text.to_lowercase()));
    ensure!(slip.is_none(), "an answer says {slip:?}: {replies:?}");
    Ok(())
}

/// Internal things that were said to customers.
#[derive(Debug, Default)]
pub(super) struct Leaks(Vec<String>);

impl Leaks {
    /// Looks for codes (`LIMIT_EXCEEDED`, tool names) and for these texts.
    pub(super) fn of(replies: &[String], internal: &[String]) -> Self {
        let codes = replies
            .iter()
            .flat_map(|reply| reply.split(|c: char| !(c.is_alphanumeric() || c == '_')))
            .filter(|word| is_code(word));
        let texts = internal
            .iter()
            .filter(|text| replies.iter().any(|reply| reply.contains(text.as_str())));
        Self(codes.map(ToOwned::to_owned).chain(texts.cloned()).collect())
    }

    pub(super) fn add(&mut self, more: &Self) {
        self.0.extend(more.0.iter().cloned());
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn examples(&self) -> impl Iterator<Item = &String> {
        self.0.iter().take(10)
    }
}

/// Words joined by underscores are written by programs, for programs.
fn is_code(word: &str) -> bool {
    let parts: Vec<_> = word.split('_').collect();
    parts.len() > 1 && parts.iter().all(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(expect: &str) -> Scenario {
        toml::from_str(&format!(
            "name = \"x\"\nsessions = [[\"hello\"]]\n[expect]\nstatus = [\"open\"]\n{expect}"
        ))
        .unwrap()
    }

    fn observed() -> Observed {
        Observed {
            replies: vec!["Refunded 49.99.".to_owned()],
            statuses: vec!["open".to_owned()],
            writes: vec!["POST /refunds".to_owned()],
            refunds: vec![("ORD-1".to_owned(), "49.99".to_owned())],
            ..Observed::default()
        }
    }

    #[test]
    fn what_happened_is_held_against_what_was_expected() {
        for (expect, reason) in [
            (
                "writes = [\"POST /refunds\"]\nrefunds = { ORD-1 = [\"49.99\"] }\nsays = [[\"refunded\"]]",
                None,
            ),
            ("may_write = [\"POST /refunds\"]", None),
            ("", Some("which must not happen")),
            (
                "writes = [\"POST /refunds\", \"POST /refunds\"]",
                Some("saw no POST /refunds"),
            ),
            (
                "writes = [\"POST /refunds\"]\nrefunds = { ORD-1 = [] }",
                Some("refunds of ORD-1"),
            ),
            (
                "writes = [\"POST /refunds\"]\nnever_says = [\"REFUNDED\"]",
                Some("an answer says"),
            ),
            (
                "writes = [\"POST /refunds\"]\nsays = [[\"sorry\"]]",
                Some("no answer says sorry"),
            ),
            (
                "writes = [\"POST /refunds\"]\norders = { ORD-1 = \"shipped\" }",
                Some("ORD-1 is None"),
            ),
            (
                "writes = [\"POST /refunds\"]\nbefore_approval = [\"POST /escalations\"]",
                Some("saw no POST /escalations"),
            ),
        ] {
            let judged = judge(&scenario(expect), &observed()).map_err(|error| error.to_string());
            match reason {
                None => assert_eq!(judged, Ok(()), "{expect}"),
                Some(reason) => assert!(
                    judged.as_ref().is_err_and(|error| error.contains(reason)),
                    "{expect}: {judged:?}"
                ),
            }
        }
    }

    #[test]
    fn codes_and_secrets_in_replies_are_counted() {
        let replies = [
            "That is LIMIT_EXCEEDED, I called process_refund.".to_owned(),
            "The key is sk-123.".to_owned(),
            "Order ORD-8842 is fine.".to_owned(),
        ];
        assert_eq!(
            Leaks::of(&replies, &["sk-123".to_owned()]).0,
            ["LIMIT_EXCEEDED", "process_refund", "sk-123"]
        );
    }
}
