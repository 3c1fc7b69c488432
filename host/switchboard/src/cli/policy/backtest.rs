//! `switchboard policy backtest`: what other rules would have decided of what really happened.
//!
//! Each decision is taken again by itself, on what was known then. Had an earlier one come out differently, later ones might
//! never have been asked for: a backtest shows where rules part ways, not how a case would have gone on.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use policy::{DecisionInput, DecisionSummary, Rulebook};
use store::{Recorded, RecordedDecision, visit_decisions};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::since::Since;
use super::{OfTenant, data_folder, load};
use crate::Config;
use crate::cli::terminal::say;

#[derive(Clone, Debug, Args)]
pub(crate) struct BacktestArgs {
    /// The rules to try: a *.cedar file, or a folder of them, in place of all rules in force
    rules: PathBuf,
    /// Only decisions since then: 24h, 30m, 7d, or 2026-11-20T09:00:00Z; without it, all whose input is kept
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    #[command(flatten)]
    whose: OfTenant,
}

/// What became of the decisions that were looked at.
#[derive(Default)]
struct Tally {
    seen: u64,
    differ: u64,
    by_other_rules: u64,
    unreadable: u64,
    changed: u64,
}

pub(super) fn run(config: &Config, args: &BacktestArgs) -> anyhow::Result<ExitCode> {
    let rulebook = load(config, &args.whose.tenant, Some(&args.rules))?;
    let since = args
        .since
        .map_or(i64::MIN, |since| since.unix_ms(OffsetDateTime::now_utc()));
    let mut tally = Tally::default();
    let which = Recorded::Since(since);
    visit_decisions(data_folder(config)?, which, &mut |recorded| {
        // Another tenant's decisions were taken by other rules, on other tools.
        if recorded.record.entry.tenant == args.whose.tenant {
            tally.take(&rulebook, &recorded);
        }
    })?;
    tally.print();
    // What cannot be trusted or read is no basis for a change of rules.
    Ok(if tally.unreadable + tally.changed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Tally {
    fn take(&mut self, rulebook: &Rulebook, recorded: &RecordedDecision) {
        self.seen += 1;
        if !recorded.is_genuine {
            self.changed += 1;
            let number = recorded.record.seq;
            return say(format_args!(
                "✗ {number}: its input is not the one that the audit log names; it is left out"
            ));
        }
        let Ok((was, would_be)) = again(rulebook, recorded) else {
            self.unreadable += 1;
            return say(format_args!(
                "✗ {}: its input does not read; it is left out",
                recorded.record.seq
            ));
        };
        if !was.agrees_with(&would_be) {
            self.differ += 1;
            say(difference(recorded, &was, &would_be));
        } else if was.rules != would_be.rules {
            self.by_other_rules += 1;
        }
    }

    fn print(&self) {
        say(format_args!(
            "{} recorded decisions: {} would differ, {} would be the same by other rules",
            self.seen, self.differ, self.by_other_rules
        ));
        if self.unreadable + self.changed > 0 {
            say(format_args!(
                "{} could not be taken again: {} do not read, {} were changed after they were recorded",
                self.unreadable + self.changed,
                self.unreadable,
                self.changed
            ));
        }
    }
}

/// What was decided, and what these rules decide.
fn again(
    rulebook: &Rulebook,
    recorded: &RecordedDecision,
) -> serde_json::Result<(DecisionSummary, DecisionSummary)> {
    let was = serde_json::from_value(recorded.record.entry.detail.clone())?;
    let input: DecisionInput<'_> = serde_json::from_str(&recorded.input)?;
    let call = input.call.into_owned();
    let decision = rulebook.decide(call, &input.facts, &Arc::from([]));
    Ok((was, decision.summary()))
}

/// `42  2026-11-20T10:00:00Z  case …  process_refund: allow → deny LIMIT (refund.limit)`
fn difference(
    recorded: &RecordedDecision,
    was: &DecisionSummary,
    would_be: &DecisionSummary,
) -> String {
    let record = &recorded.record;
    let at = OffsetDateTime::from_unix_timestamp(record.at_ms / 1000)
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default();
    format!(
        "{}  {at}  case {}  {}: {was}{} → {would_be}{}",
        record.seq,
        record.entry.case.as_deref().unwrap_or("-"),
        record.entry.tool.as_deref().unwrap_or("-"),
        by(&was.rules),
        by(&would_be.rules),
    )
}

fn by(rules: &[String]) -> String {
    if rules.is_empty() {
        String::new()
    } else {
        format!(" ({})", rules.join(", "))
    }
}
