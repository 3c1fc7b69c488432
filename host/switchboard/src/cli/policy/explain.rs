//! `switchboard policy explain`: which rules decided, where they stand, and what they saw.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use clap::Args;
use policy::{Decision, DecisionInput, DecisionSummary, Explanation, RuleVoice, Side};
use store::{Recorded, RecordedDecision, visit_decisions};
use time::OffsetDateTime;

use super::{OfTenant, data_folder, input, load};
use crate::cli::terminal::say;
use crate::{Config, files};

#[derive(Clone, Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The call and what the host knew, as JSON; `-` reads it from standard input (--help shows an example)
    #[arg(value_name = "CALL.json", required_unless_present = "recorded")]
    call: Option<PathBuf>,
    /// A recorded decision, by its number in the audit log (`policy backtest` lists them)
    #[arg(long, value_name = "NUMBER", conflicts_with = "call")]
    recorded: Option<i64>,
    /// Judge by these rules: a *.cedar file, or a folder of them; without it, the rules in force
    #[arg(long, value_name = "RULES")]
    rules: Option<PathBuf>,
    #[command(flatten)]
    whose: OfTenant,
}

pub(super) fn run(config: &Config, args: ExplainArgs) -> anyhow::Result<ExitCode> {
    let rulebook = load(config, &args.whose.tenant, args.rules.as_deref())?;
    let input = match (args.call, args.recorded) {
        (_, Some(number)) => recorded(data_folder(config)?, number, &args.whose.tenant)?,
        (Some(file), None) => written(&file)?,
        (None, None) => bail!("name a CALL.json, or a recorded decision with --recorded NUMBER"),
    };
    say(format_args!(
        "{} in case {}, for {} ({} by {})",
        input.call.tool,
        input.call.case,
        customer(&input),
        word(&input.call.channel),
        input.call.actor.subject
    ));
    print(&rulebook.explain(&input));
    Ok(ExitCode::SUCCESS)
}

fn written(file: &Path) -> anyhow::Result<DecisionInput<'static>> {
    let (text, name) = if file == Path::new("-") {
        let text = std::io::read_to_string(std::io::stdin());
        (text, "standard input".to_owned())
    } else {
        (files::read_text(file), file.display().to_string())
    };
    let text = text.with_context(|| format!("cannot read {name}"))?;
    input::read(&text, OffsetDateTime::now_utc().unix_timestamp()).with_context(|| {
        format!("{name} does not fit; `switchboard policy explain --help` shows an example")
    })
}

fn recorded(folder: &Path, number: i64, tenant: &str) -> anyhow::Result<DecisionInput<'static>> {
    let mut found: Option<RecordedDecision> = None;
    let which = Recorded::At(number);
    visit_decisions(folder, which, &mut |one| found = Some(one))?;
    let Some(found) = found else {
        bail!(
            "record {number} of the audit log in {} is no decision of a tool call, or its input has been deleted by now",
            folder.display()
        );
    };
    let whose = &found.record.entry.tenant;
    ensure!(
        whose == tenant,
        "record {number} is a decision of the tenant {whose}: say --tenant {whose}"
    );
    let summary: DecisionSummary = serde_json::from_value(found.record.entry.detail)
        .with_context(|| format!("record {number} does not read as a decision"))?;
    if !found.is_genuine {
        say(format_args!(
            "✗ the recorded input was changed: it is not the one that the audit log names"
        ));
    }
    say(format_args!("recorded as {number}: {summary}"));
    input::read(&found.input, found.record.at_ms / 1000)
        .with_context(|| format!("the input of record {number} does not read"))
}

fn print(explanation: &Explanation) {
    say(format_args!("decision: {}", explanation.decision.summary()));
    if let Some((say_to_customer, hint)) = words(&explanation.decision) {
        say(format_args!("  a customer hears: {say_to_customer}"));
        if let Some(hint) = hint {
            say(format_args!("  the model hears: {hint}"));
        }
    }
    if explanation.rules.is_empty() {
        say(
            "no rule spoke: the tool is not classified, no rule speaks for it, or its facts cannot be told to rules",
        );
    }
    for voice in &explanation.rules {
        print_voice(voice);
    }
}

fn print_voice(voice: &RuleVoice) {
    let side = match voice.side {
        Side::For => "for",
        Side::Against => "against",
        Side::Broken => "failed",
    };
    say(format_args!(
        "{side:<8} {} ({} at {})",
        voice.id, voice.file, voice.at
    ));
    for (path, value) in &voice.saw {
        match value {
            Some(value) => say(format_args!("           {path} = {value}")),
            None => say(format_args!("           {path} is not known")),
        }
    }
}

fn words(decision: &Decision) -> Option<(&str, Option<&str>)> {
    match decision {
        Decision::Allow(_) | Decision::Replay => None,
        Decision::Deny(refusal)
        | Decision::Escalate { refusal, .. }
        | Decision::NeedsConsent { refusal, .. } => Some((&refusal.say, refusal.hint.as_deref())),
    }
}

fn customer(input: &DecisionInput<'_>) -> String {
    let identity = &input.facts.identity;
    let level = word(&identity.level);
    match &identity.customer {
        Some(customer) => format!("{customer}, {level}"),
        None => format!("nobody known, {level}"),
    }
}

/// A plain enum as the word that it is written with.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
