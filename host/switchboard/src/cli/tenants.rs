//! `switchboard tenants`: how the tenants of a host that serves stand, and changing their folders, over its API.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::operator::{Served, ServedArgs};
use super::terminal::say;
use crate::host::roster::FolderChange;
use crate::tenants::{check_file, check_name};
use crate::{Config, Secrets, files};

#[derive(Clone, Debug, Subcommand)]
pub(super) enum TenantsCommand {
    /// Show how every tenant stands: served as its folder is, as it was before a change that does not fit, or not at all
    List {
        #[command(flatten)]
        shape: ShapeArgs,
        #[command(flatten)]
        host: ServedArgs,
    },
    /// Show one tenant: how it stands, its channels, keys and plugins, the files of its folder
    Show {
        #[command(flatten)]
        tenant: TenantArgs,
        #[command(flatten)]
        shape: ShapeArgs,
    },
    /// Put a text in place of one file of a tenant's folder, once the whole fits; tenant.toml makes a tenant that is not there
    Put {
        #[command(flatten)]
        tenant: TenantArgs,
        /// Which file of the folder: tenant.toml, plugins.toml, tools.toml, rules/NAME.cedar or prompts/NAME.md
        #[arg(value_parser = file, value_name = "FILE")]
        file: String,
        /// Where the text is
        #[arg(value_name = "TEXT")]
        text: PathBuf,
    },
    /// Delete one file of a tenant's folder, once the whole fits without it
    Delete {
        #[command(flatten)]
        tenant: TenantArgs,
        /// Which file of the folder
        #[arg(value_parser = file, value_name = "FILE")]
        file: String,
    },
    /// Put several texts and delete several files as one change: all of it is live at once, or nothing is changed
    Change {
        #[command(flatten)]
        tenant: TenantArgs,
        /// A file of the folder, and where its text is: rules/own.cedar=own.cedar
        #[arg(long, value_parser = placed, value_name = "FILE=TEXT")]
        put: Vec<(String, PathBuf)>,
        /// A file of the folder
        #[arg(long, value_parser = file, value_name = "FILE")]
        delete: Vec<String>,
    },
    /// Load a tenant's folder again, with the secrets that it names
    Reload(TenantArgs),
    /// Remove a tenant with its folder; what it did stays in the ledger and the audit log
    Remove(TenantArgs),
}

#[derive(Clone, Debug, Args)]
pub(super) struct TenantArgs {
    /// The tenant
    #[arg(value_parser = name, value_name = "NAME")]
    name: String,
    #[command(flatten)]
    host: ServedArgs,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ShapeArgs {
    /// As JSON
    #[arg(long)]
    json: bool,
}

// Both are checked here, too, because a path that goes up would be another request.
fn name(text: &str) -> Result<String, String> {
    check_name(text).map(|()| text.to_owned())
}

fn file(text: &str) -> Result<String, String> {
    check_file(text).map(|()| text.to_owned())
}

fn placed(text: &str) -> Result<(String, PathBuf), String> {
    let (name, at) = text.split_once('=').ok_or("write FILE=TEXT")?;
    Ok((file(name)?, at.into()))
}

pub(super) async fn run(
    config: &Config,
    secrets: &Secrets,
    command: TenantsCommand,
) -> anyhow::Result<ExitCode> {
    let at = |host: &ServedArgs| Served::of(config, secrets, host);
    match command {
        TenantsCommand::List { shape, host } => {
            let listed = at(&host)?.ask(Method::GET, ALL, None).await?;
            told(&listed, &shape, list);
        }
        TenantsCommand::Show { tenant, shape } => {
            let (host, path) = (at(&tenant.host)?, path(&tenant));
            told(&host.ask(Method::GET, &path, None).await?, &shape, show);
        }
        TenantsCommand::Put { tenant, file, text } => {
            let new = read(&text)?;
            let (host, path) = (at(&tenant.host)?, path(&tenant));
            standing(&host.put(&format!("{path}/files/{file}"), new).await?);
        }
        TenantsCommand::Delete { tenant, file } => {
            let (host, path) = (at(&tenant.host)?, path(&tenant));
            let path = format!("{path}/files/{file}");
            standing(&host.ask(Method::DELETE, &path, None).await?);
        }
        TenantsCommand::Change {
            tenant,
            put,
            delete,
        } => {
            let change = json!(change(&put, delete)?);
            let (host, path) = (at(&tenant.host)?, path(&tenant));
            let path = format!("{path}/files");
            standing(&host.ask(Method::PUT, &path, Some(&change)).await?);
        }
        TenantsCommand::Reload(tenant) => {
            let (host, path) = (at(&tenant.host)?, path(&tenant));
            let path = format!("{path}/reload");
            standing(&host.ask(Method::POST, &path, None).await?);
        }
        TenantsCommand::Remove(tenant) => {
            let (host, path) = (at(&tenant.host)?, path(&tenant));
            host.ask(Method::DELETE, &path, None).await?;
            say(format_args!(
                "{} is gone, with its folder; the ledger and the audit log keep what it did",
                tenant.name
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

const ALL: &str = "/api/tenants";

fn path(tenant: &TenantArgs) -> String {
    format!("{ALL}/{}", tenant.name)
}

fn read(text: &Path) -> anyhow::Result<String> {
    files::read_text(text).with_context(|| format!("cannot read {}", text.display()))
}

/// As the host takes it; a file that is named twice is a mistake.
fn change(put: &[(String, PathBuf)], delete: Vec<String>) -> anyhow::Result<FolderChange> {
    let mut change = FolderChange::new();
    let deleted = delete.into_iter().map(|file| Ok((file, None)));
    let put = put
        .iter()
        .map(|(file, at)| anyhow::Ok((file.clone(), Some(read(at)?))));
    for one in put.chain(deleted) {
        let (file, text) = one?;
        ensure!(
            !change.contains_key(&file),
            "{file} is named twice; say once what shall become of it"
        );
        change.insert(file, text);
    }
    ensure!(
        !change.is_empty(),
        "say what shall change: --put FILE=TEXT, --delete FILE"
    );
    Ok(change)
}

fn told(answer: &Value, shape: &ShapeArgs, for_people: impl FnOnce(&Value)) {
    if shape.json {
        say(format_args!("{answer:#}"));
    } else {
        for_people(answer);
    }
}

fn list(listed: &Value) {
    listed["tenants"]
        .as_array()
        .into_iter()
        .flatten()
        .for_each(standing);
}

fn standing(tenant: &Value) {
    let since = tenant["good_since"].as_str();
    let since = since.map_or_else(String::new, |since| format!(" (good since {since})"));
    let state = match text(&tenant["state"]) {
        "last_good" => format!("REFUSED, as it was before{since}"),
        "refused" => "REFUSED, not served".to_owned(),
        other => other.to_owned(),
    };
    let reason = tenant["reason"].as_str();
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    say(format_args!(
        "{} {state}, {} tools{reason}",
        text(&tenant["name"]),
        tenant["tools"]
    ));
}

fn show(tenant: &Value) {
    standing(tenant);
    let Some(company) = tenant["company"].as_str() else {
        return;
    };
    say(format_args!("company: {company}"));
    say(format_args!("rules: {}", text(&tenant["rulebook"])));
    say(format_args!("model: {}", text(&tenant["model"])));
    say(format_args!("channels: {}", words(&tenant["channels"])));
    say(format_args!("shares: {}", shares(&tenant["shares"])));
    for key in tenant["keys"].as_array().into_iter().flatten() {
        say(format_args!(
            "key {} ({}): {}",
            text(&key["name"]),
            text(&key["role"]),
            words(&key["tools"])
        ));
    }
    for plugin in tenant["plugins"].as_array().into_iter().flatten() {
        let refused = plugin["refused"].as_str();
        let refused = refused.map_or_else(String::new, |reason| format!(", REFUSED: {reason}"));
        say(format_args!(
            "plugin {} from {}{refused}",
            text(&plugin["name"]),
            text(&plugin["from"])
        ));
    }
    let files = tenant["files"].as_object().into_iter().flatten();
    for (file, text) in files {
        let bytes = text.as_str().map_or(0, str::len);
        say(format_args!("file {file}, {bytes} bytes"));
    }
}

/// What tenant.toml says of its share, in one line.
fn shares(shares: &Value) -> String {
    let said = shares.as_object().into_iter().flatten();
    let said = said.filter(|(_, figure)| !figure.is_null());
    let said: Vec<String> = said
        .map(|(key, figure)| format!("{key} {figure}"))
        .collect();
    if said.is_empty() {
        return "the usual".to_owned();
    }
    said.join(", ")
}

/// A list in one line; `all` where none is kept.
fn words(list: &Value) -> String {
    let Some(list) = list.as_array() else {
        return "all".to_owned();
    };
    if list.is_empty() {
        return "none".to_owned();
    }
    list.iter().map(text).collect::<Vec<_>>().join(", ")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}
