//! `switchboard policy`: are the rules sound, why was something decided, and what would other rules have decided?

mod backtest;
mod explain;
mod input;
mod since;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand};
use policy::Rulebook;

use super::terminal::say;
use crate::host::{self, demo};
use crate::{Config, files};

/// Whose tools, figures and rules.
#[derive(Clone, Debug, Args)]
pub(super) struct OfTenant {
    /// The tenant
    #[arg(long, value_name = "NAME", default_value = demo::TENANT)]
    tenant: String,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Check that rules fit the schema, that each of them can match, and that each of them matters
    Check {
        /// A *.cedar file, or a folder of them; without it, the rules in force
        rules: Option<PathBuf>,
        #[command(flatten)]
        whose: OfTenant,
    },
    /// Explain one decision: which rules decided, and what they saw
    #[command(after_long_help = input::EXAMPLE)]
    Explain(explain::ExplainArgs),
    /// Take the recorded decisions again under other rules, and list every one that would differ
    Backtest(backtest::BacktestArgs),
}

/// Runs one of the commands. None of them needs a host that serves, or minds one.
pub(super) fn run(config: &Config, command: PolicyCommand) -> anyhow::Result<ExitCode> {
    match command {
        PolicyCommand::Check { rules, whose } => check(config, &whose.tenant, rules.as_deref()),
        PolicyCommand::Explain(args) => explain::run(config, args),
        PolicyCommand::Backtest(args) => backtest::run(config, &args),
    }
}

fn check(config: &Config, tenant: &str, rules: Option<&Path>) -> anyhow::Result<ExitCode> {
    match policy::check(host::rules_source(config, tenant, rules)?) {
        Ok(rulebook) => {
            say(format_args!(
                "✓ {} fit the schema, can match, and matter; version {}",
                whose(config, tenant, rules),
                rulebook.version()
            ));
            Ok(ExitCode::SUCCESS)
        }
        Err(findings) => {
            for finding in &findings {
                say(format_args!("✗ {finding}"));
            }
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Rules that load, whether or not each of them matters.
fn load(config: &Config, tenant: &str, rules: Option<&Path>) -> anyhow::Result<Rulebook> {
    match Rulebook::load(host::rules_source(config, tenant, rules)?) {
        Ok(rulebook) => Ok(rulebook),
        Err(error) => bail!("{} do not load: {error}", whose(config, tenant, rules)),
    }
}

/// Only what is there can be looked at; a folder that is not is not made.
fn data_folder(config: &Config) -> anyhow::Result<&Path> {
    anyhow::ensure!(
        files::is_folder(&config.data_dir),
        "there is no data folder {}; name the one to look into with --data DIR",
        config.data_dir.display()
    );
    Ok(&config.data_dir)
}

fn whose(config: &Config, tenant: &str, rules: Option<&Path>) -> String {
    let configured = &config.rules.folder;
    match rules {
        Some(path) => format!("the rules in {}", path.display()),
        None if tenant != demo::TENANT => format!("the rules of the tenant {tenant}"),
        None if configured.as_os_str().is_empty() => "the shipped rules".to_owned(),
        None => format!("the rules in {}", configured.display()),
    }
}
