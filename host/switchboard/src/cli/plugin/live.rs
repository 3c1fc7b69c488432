//! `switchboard plugin install` and what follows it: what an operator does with the plugins of a host that serves, over its API.

mod api;
mod prune;
mod shown;
mod terms;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use artifacts::{Source, signature_file};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::component::file_at;
use crate::cli::operator::ServedArgs;
use crate::cli::terminal::say;
use crate::tenants::check_name;
use crate::{Config, Secrets, files};
use api::Api;
use terms::{ToleranceArgs, per_mille};

#[derive(Clone, Debug, Subcommand)]
pub(in crate::cli) enum LiveCommand {
    /// Make a version known to a tenant of a host that serves; the first one is live at once
    Install(InstallArgs),
    /// Show a tenant's plugins: what runs, and which versions are installed
    List {
        #[command(flatten)]
        host: HostArgs,
    },
    /// Show what an installed version would change for its callers
    Compare(VersionArgs),
    /// Replay recorded calls with an installed version, and show what it does otherwise
    Shadow(VersionArgs),
    /// Make an installed version the one that calls use
    Swap(SwapArgs),
    /// Try an installed version on a share of the cases; it is rolled back by itself where it does worse
    Canary {
        #[command(flatten)]
        swap: SwapArgs,
        /// The share of cases, in percent: 5, or 0.5
        #[arg(long, value_name = "PERCENT", default_value = "5", value_parser = per_mille)]
        share: u16,
        #[command(flatten)]
        tolerance: ToleranceArgs,
    },
    /// Make the version on trial the one that calls use
    Promote(PluginArgs),
    /// End the trial; without one, go back to the version before
    Rollback(PluginArgs),
    /// Stop a version at once, also in calls that run
    Kill(SomeArgs),
    /// Let a stopped version run again
    Revive(SomeArgs),
    /// Show who did what to a tenant's plugins, newest first
    History {
        /// Only this plugin
        #[arg(value_parser = plugin_name)]
        plugin: Option<String>,
        #[command(flatten)]
        host: HostArgs,
    },
    /// Take an installed plugin out of service, or forget one version, which must not be bound
    Remove(SomeArgs),
    /// Delete components of versions that every tenant has forgotten from the host's data folder
    Prune(prune::PruneArgs),
}

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct InstallArgs {
    /// The component, the folder of a plugin that has been built, or `oci://HOST/REPOSITORY:TAG`
    #[arg(value_name = "FILE")]
    component: String,
    /// A setting of your own, over the manifest's
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// Grant what its manifest asks for
    #[arg(long)]
    accept: bool,
    #[command(flatten)]
    host: HostArgs,
}

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct PluginArgs {
    /// The plugin
    #[arg(value_parser = plugin_name)]
    plugin: String,
    #[command(flatten)]
    host: HostArgs,
}

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct VersionArgs {
    /// The plugin
    #[arg(value_parser = plugin_name)]
    plugin: String,
    /// The installed version
    version: String,
    #[command(flatten)]
    host: HostArgs,
}

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct SwapArgs {
    #[command(flatten)]
    of: VersionArgs,
    /// Take what it asks for beyond what was accepted, and what it breaks
    #[arg(long)]
    accept: bool,
}

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct SomeArgs {
    /// The plugin
    #[arg(value_parser = plugin_name)]
    plugin: String,
    /// Only this version
    version: Option<String>,
    #[command(flatten)]
    host: HostArgs,
}

/// Which host, whose plugins, and why.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct HostArgs {
    /// The tenant
    #[arg(long, default_value = "demo", value_name = "NAME", value_parser = tenant_name)]
    tenant: String,
    #[command(flatten)]
    served: ServedArgs,
    /// Why, for the history
    #[arg(
        long,
        default_value = "",
        value_name = "TEXT",
        hide_default_value = true
    )]
    reason: String,
}

// Both are checked here, too, because a path that goes up or ends early would be another request.
fn plugin_name(text: &str) -> Result<String, String> {
    let is_elsewhere = |letter: char| letter.is_control() || r"/\?#%".contains(letter);
    if matches!(text, "" | "." | "..") || text.contains(is_elsewhere) {
        return Err(format!("{text:?} is no plugin's name"));
    }
    Ok(text.to_owned())
}

fn tenant_name(text: &str) -> Result<String, String> {
    check_name(text).map(|()| text.to_owned())
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

pub(super) async fn run(
    config: &Config,
    secrets: &Secrets,
    command: LiveCommand,
) -> anyhow::Result<ExitCode> {
    let api = |host: &HostArgs| Api::of(config, secrets, host);
    let swap = |args: &SwapArgs| json!({ "version": args.of.version, "accept": args.accept });
    match command {
        LiveCommand::Install(args) => install(&api(&args.host)?, args).await?,
        LiveCommand::List { host } => shown::list(&api(&host)?.read("").await?),
        LiveCommand::Compare(args) => {
            let path = format!(
                "/{}/compare?version={}",
                args.plugin,
                escaped(&args.version)
            );
            shown::comparison(&api(&args.host)?.read(&path).await?);
        }
        LiveCommand::Shadow(args) => {
            let body = json!({ "version": args.version });
            let shadow = api(&args.host)?.turn(&args.plugin, "shadow", body).await?;
            say(serde_json::from_value::<sandbox::Shadow>(shadow)?);
        }
        LiveCommand::Swap(args) => {
            let body = swap(&args);
            turn(&api(&args.of.host)?, &args.of.plugin, "swap", body).await?;
        }
        LiveCommand::Canary {
            swap: args,
            share,
            tolerance,
        } => {
            let mut body = swap(&args);
            body["per_mille"] = share.into();
            body["tolerance"] = tolerance.body();
            turn(&api(&args.of.host)?, &args.of.plugin, "canary", body).await?;
        }
        LiveCommand::Promote(args) => {
            turn(&api(&args.host)?, &args.plugin, "promote", json!({})).await?;
        }
        LiveCommand::Rollback(args) => {
            turn(&api(&args.host)?, &args.plugin, "rollback", json!({})).await?;
        }
        LiveCommand::Kill(args) => some(&api(&args.host)?, args, "kill").await?,
        LiveCommand::Revive(args) => some(&api(&args.host)?, args, "revive").await?,
        LiveCommand::History { plugin, host } => {
            let of = plugin.map(|plugin| format!("/{plugin}"));
            let path = format!("{}/history", of.unwrap_or_default());
            shown::history(&api(&host)?.read(&path).await?);
        }
        LiveCommand::Remove(args) => remove(&api(&args.host)?, args).await?,
        LiveCommand::Prune(args) => prune::run(config, secrets, args).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn install(api: &Api, args: InstallArgs) -> anyhow::Result<()> {
    let mut body = parcel(&args.component)?;
    body["settings"] = json!(args.settings.into_iter().collect::<BTreeMap<_, _>>());
    body["accept"] = args.accept.into();
    shown::installation(&api.write("", body).await?, &args.host.tenant);
    Ok(())
}

async fn turn(api: &Api, plugin: &str, turn: &str, body: Value) -> anyhow::Result<()> {
    shown::plugin(&api.turn(plugin, turn, body).await?);
    Ok(())
}

async fn some(api: &Api, args: SomeArgs, what: &str) -> anyhow::Result<()> {
    turn(api, &args.plugin, what, json!({ "version": args.version })).await
}

async fn remove(api: &Api, args: SomeArgs) -> anyhow::Result<()> {
    let plugin = &args.plugin;
    let reason = escaped(&args.host.reason);
    let (path, said) = match &args.version {
        Some(version) => (
            format!("/{plugin}?version={}&reason={reason}", escaped(version)),
            format!("{plugin} {version} is forgotten; its number stays taken"),
        ),
        None => (
            format!("/{plugin}?reason={reason}"),
            format!("{plugin} is out of service; its versions stay installed"),
        ),
    };
    api.remove(&path).await?;
    say(said);
    Ok(())
}

/// The component as it is sent, or where the host finds it.
fn parcel(component: &str) -> anyhow::Result<Value> {
    let path = match component.parse()? {
        Source::Oci(_) => return Ok(json!({ "source": component })),
        Source::File(path) => file_at(&path)?,
    };
    let bytes = files::read_bytes(&path);
    let bytes = bytes.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(json!({
        "component": BASE64_STANDARD.encode(bytes),
        "signatures": signatures(&path),
    }))
}

/// What lies beside the component; a tenant that wants a signature says so itself.
fn signatures(component: &Path) -> String {
    files::read_text(&signature_file(component)).unwrap_or_default()
}

fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
