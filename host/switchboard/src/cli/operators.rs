//! `switchboard operators`: who may change a host that serves, over its API.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::operator::{Served, ServedArgs};
use super::terminal::{say, time};
use crate::host::operators::is_name;
use crate::{Config, Secrets};

#[derive(Clone, Debug, Subcommand)]
pub(super) enum OperatorsCommand {
    /// Show everybody who may change the host, who added them, and whose key was revoked
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        host: ServedArgs,
    },
    /// Add somebody by name, and print their key, which is shown this once; what they change is recorded as user:NAME
    Add(OperatorArgs),
    /// End somebody's key at once; the name is not given again
    Revoke(OperatorArgs),
}

#[derive(Clone, Debug, Args)]
pub(super) struct OperatorArgs {
    /// 1 to 64 letters, digits, `.`, `_`, `@` or `-`
    #[arg(value_parser = name, value_name = "NAME")]
    name: String,
    #[command(flatten)]
    host: ServedArgs,
}

// Checked here, too, because a path that goes up would be another request.
fn name(text: &str) -> Result<String, String> {
    if is_name(text) {
        return Ok(text.to_owned());
    }
    Err(
        "a name is 1 to 64 letters, digits, `.`, `_`, `@` or `-`, and begins with no `.`"
            .to_owned(),
    )
}

pub(super) async fn run(
    config: &Config,
    secrets: &Secrets,
    command: OperatorsCommand,
) -> anyhow::Result<ExitCode> {
    let at = |host: &ServedArgs| Served::of(config, secrets, host);
    match command {
        OperatorsCommand::List { json, host } => {
            let listed = at(&host)?.ask(Method::GET, ALL, None).await?;
            if json {
                say(format_args!("{listed:#}"));
            } else {
                let operators = listed["operators"].as_array();
                operators.into_iter().flatten().for_each(shown);
            }
        }
        OperatorsCommand::Add(OperatorArgs { name, host }) => {
            let body = json!({ "name": name });
            let added = at(&host)?.ask(Method::POST, ALL, Some(&body)).await?;
            say(format_args!(
                "{name} is an operator from now on. The key, for SWITCHBOARD_OPERATOR_KEY; it is not shown again:"
            ));
            say(text(&added["key"]));
        }
        OperatorsCommand::Revoke(OperatorArgs { name, host }) => {
            let path = format!("{ALL}/{name}");
            at(&host)?.ask(Method::DELETE, &path, None).await?;
            say(format_args!(
                "the key of {name} counts no more; the name stays taken"
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

const ALL: &str = "/api/operators";

fn shown(operator: &Value) {
    let name = text(&operator["name"]);
    let Some(added_by) = operator["added_by"].as_str() else {
        say(format_args!("{name}, by the host's own key"));
        return;
    };
    let added = time(&operator["added_at_ms"]);
    let revoked = operator["revoked_by"].as_str();
    let revoked = revoked.map_or_else(String::new, |by| {
        format!(", REVOKED {} by {by}", time(&operator["revoked_at_ms"]))
    });
    say(format_args!("{name}, added {added} by {added_by}{revoked}"));
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}
