//! `switchboard plugin prune`: deletes components that nobody can reach any more from the data folder of a host that serves.

use clap::Args;
use reqwest::Method;
use serde_json::Value;

use crate::cli::operator::{Served, ServedArgs};
use crate::cli::plugin::size;
use crate::cli::terminal::say;
use crate::{Config, Secrets};

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct PruneArgs {
    /// Only show what would be deleted
    #[arg(long)]
    dry_run: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    host: ServedArgs,
}

pub(super) async fn run(config: &Config, secrets: &Secrets, args: PruneArgs) -> anyhow::Result<()> {
    let method = if args.dry_run {
        Method::GET
    } else {
        Method::DELETE
    };
    let host = Served::of(config, secrets, &args.host)?;
    let answer = host.ask(method, "/api/artifacts/unused", None).await?;
    if args.json {
        say(format_args!("{answer:#}"));
        return Ok(());
    }
    let unused = answer["unused"].as_array().map_or(&[][..], Vec::as_slice);
    unused.iter().for_each(shown);
    let all = unused.iter().map(bytes).sum();
    let count = match unused.len() {
        1 => "1 component".to_owned(),
        count => format!("{count} components"),
    };
    let done = if args.dry_run {
        "would be deleted"
    } else {
        "deleted"
    };
    say(format_args!("{count}, {}, {done}", size(all)));
    Ok(())
}

fn shown(one: &Value) {
    let was = one["was"].as_array().into_iter().flatten();
    let was: Vec<&str> = was.filter_map(Value::as_str).collect();
    let was = match was.as_slice() {
        [] => "never known".to_owned(),
        was => was.join(", "),
    };
    let digest = one["digest"].as_str().unwrap_or("-");
    say(format_args!("sha256:{digest} {}: {was}", size(bytes(one))));
}

fn bytes(one: &Value) -> usize {
    let bytes = one["bytes"].as_u64().unwrap_or_default();
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
