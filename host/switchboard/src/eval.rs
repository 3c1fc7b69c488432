//! `switchboard eval`: puts the configured model through the support scenarios, and looks at the backend for what happened.

mod desk;
mod judge;
mod scenario;

use std::process::ExitCode;

use anyhow::Context;

use crate::cli::terminal::say;
use crate::{Config, Secrets};
use desk::Desk;
use judge::{Leaks, Observed};
use scenario::Scenario;

/// Runs the scenarios whose name contains `only`, one line each; succeeds if all pass and nothing internal was said.
pub(crate) async fn run(
    config: &Config,
    secrets: &Secrets,
    only: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let folder = tempfile::tempdir().context("cannot make a folder for fresh data")?;
    let chosen: Vec<_> = scenario::shipped()?
        .into_iter()
        .filter(|scenario| only.is_none_or(|text| scenario.name.contains(text)))
        .collect();
    anyhow::ensure!(
        !chosen.is_empty(),
        "no scenario has that in its name; run `switchboard eval` to see them all"
    );
    let mut tally = Tally::default();
    for (number, scenario) in chosen.iter().enumerate() {
        let desk = Desk::open(config, secrets, folder.path(), number).await?;
        if number == 0 {
            say(format_args!("model: {}", desk.model()));
        }
        let observed = desk.play(scenario).await;
        tally.leaks.add(
            &desk.leaks(
                observed
                    .as_ref()
                    .map_or(&[][..], |observed| &observed.replies),
            ),
        );
        desk.close().await;
        tally.count(
            scenario,
            observed.and_then(|observed| judge::judge(scenario, &observed).map(|()| observed)),
        );
    }
    Ok(tally.report())
}

/// How the scenarios went.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    resolvable: usize,
    resolved_at_once: usize,
    leaks: Leaks,
}

impl Tally {
    fn count(&mut self, scenario: &Scenario, result: anyhow::Result<Observed>) {
        if scenario.first_contact {
            self.resolvable += 1;
        }
        match result {
            Ok(observed) => {
                self.passed += 1;
                self.resolved_at_once +=
                    usize::from(scenario.first_contact && observed.is_resolved_at_first_contact());
                say(format_args!("pass  {}", scenario.name));
            }
            Err(reason) => {
                self.failed += 1;
                say(format_args!("FAIL  {}: {reason:#}", scenario.name));
            }
        }
    }

    fn report(&self) -> ExitCode {
        say("");
        let all = self.passed + self.failed;
        say(format_args!("scenarios passed: {} of {all}", self.passed));
        let (at_once, of) = (self.resolved_at_once, self.resolvable);
        say(format_args!("first-contact resolution: {at_once} of {of}"));
        let leaks = self.leaks.count();
        say(format_args!(
            "internal codes, limits and secrets in replies: {leaks}"
        ));
        for leak in self.leaks.examples() {
            say(format_args!("  said: {leak}"));
        }
        if self.failed == 0 && self.leaks.count() == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
