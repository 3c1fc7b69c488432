//! `switchboard plugin install` and what follows it: what an operator does with the plugins of a host that serves, over its API.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use artifacts::{Source, signature_file};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::component::file_at;
use crate::cli::terminal::say;
use crate::{Config, Secrets, files};

#[derive(Clone, Debug, Subcommand)]
pub(in crate::cli) enum LiveCommand {
    /// Make a version known to a tenant of a host that serves; the first one is live at once
    Install {
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
    },
    /// Show a tenant's plugins: what runs, and which versions are installed
    List {
        #[command(flatten)]
        host: HostArgs,
    },
    /// Show what an installed version would change for its callers
    Compare {
        /// The plugin
        plugin: String,
        /// The installed version
        version: String,
        #[command(flatten)]
        host: HostArgs,
    },
    /// Replay recorded calls with an installed version, and show what it does otherwise
    Shadow {
        /// The plugin
        plugin: String,
        /// The installed version
        version: String,
        #[command(flatten)]
        host: HostArgs,
    },
    /// Make an installed version the one that calls use
    Swap {
        /// The plugin
        plugin: String,
        /// The installed version
        version: String,
        /// Take what it asks for beyond what was accepted, and what it breaks
        #[arg(long)]
        accept: bool,
        #[command(flatten)]
        host: HostArgs,
    },
    /// Try an installed version on a share of the cases; it is rolled back by itself where it does worse
    Canary {
        /// The plugin
        plugin: String,
        /// The installed version
        version: String,
        /// The share of cases, in percent: 5, or 0.5
        #[arg(long, value_name = "PERCENT", default_value = "5", value_parser = per_mille)]
        share: u16,
        /// Take what it asks for beyond what was accepted, and what it breaks
        #[arg(long)]
        accept: bool,
        #[command(flatten)]
        host: HostArgs,
    },
    /// Make the version on trial the one that calls use
    Promote {
        /// The plugin
        plugin: String,
        #[command(flatten)]
        host: HostArgs,
    },
    /// End the trial; without one, go back to the version before
    Rollback {
        /// The plugin
        plugin: String,
        #[command(flatten)]
        host: HostArgs,
    },
    /// Stop a version at once, also in calls that run
    Kill {
        /// The plugin
        plugin: String,
        /// The version; the live one where none is named
        version: Option<String>,
        #[command(flatten)]
        host: HostArgs,
    },
    /// Let a stopped version run again
    Revive {
        /// The plugin
        plugin: String,
        /// The version; the live one where none is named
        version: Option<String>,
        #[command(flatten)]
        host: HostArgs,
    },
    /// Show who did what to a tenant's plugins, newest first
    History {
        /// Only this plugin
        plugin: Option<String>,
        #[command(flatten)]
        host: HostArgs,
    },
    /// Take an installed plugin out of service, or forget one of its versions
    Remove {
        /// The plugin
        plugin: String,
        /// Only this version, which must not be bound
        version: Option<String>,
        #[command(flatten)]
        host: HostArgs,
    },
}

/// Which host, whose plugins, and why.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct HostArgs {
    /// The tenant
    #[arg(long, default_value = "demo", value_name = "NAME")]
    tenant: String,
    /// Where the host serves; else at the address of the configuration
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Why, for the history
    #[arg(
        long,
        default_value = "",
        value_name = "TEXT",
        hide_default_value = true
    )]
    reason: String,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn per_mille(text: &str) -> Result<u16, String> {
    let refused = || format!("expected 0.1 to 100 (percent of the cases), found {text}");
    let percent: f64 = text.trim_end_matches('%').parse().map_err(|_| refused())?;
    if !(0.1..=100.0).contains(&percent) {
        return Err(refused());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "1 to 1000"
    )]
    let share = (percent * 10.0).round() as u16;
    Ok(share)
}

pub(super) async fn run(
    config: &Config,
    secrets: &Secrets,
    command: LiveCommand,
) -> anyhow::Result<ExitCode> {
    let api = |host: &HostArgs| Api::of(config, secrets, host);
    match command {
        LiveCommand::Install {
            component,
            settings,
            accept,
            host,
        } => {
            let mut body = parcel(&component)?;
            body["settings"] = json!(settings.into_iter().collect::<BTreeMap<_, _>>());
            body["accept"] = accept.into();
            installed(&api(&host)?.write("", body).await?, &host);
        }
        LiveCommand::List { host } => list(&api(&host)?.read("").await?),
        LiveCommand::Compare {
            plugin,
            version,
            host,
        } => {
            let path = format!("/{plugin}/compare?version={}", escaped(&version));
            compared(&api(&host)?.read(&path).await?);
        }
        LiveCommand::Shadow {
            plugin,
            version,
            host,
        } => {
            let path = format!("/{plugin}/shadow");
            let body = json!({ "version": version });
            let shadow = api(&host)?.ask(Method::POST, &path, Some(body)).await?;
            say(serde_json::from_value::<sandbox::Shadow>(shadow)?);
        }
        LiveCommand::Swap {
            plugin,
            version,
            accept,
            host,
        } => {
            let body = json!({ "version": version, "accept": accept });
            standing(&api(&host)?.turn(&plugin, "swap", body).await?);
        }
        LiveCommand::Canary {
            plugin,
            version,
            share,
            accept,
            host,
        } => {
            let body = json!({ "version": version, "per_mille": share, "accept": accept });
            standing(&api(&host)?.turn(&plugin, "canary", body).await?);
        }
        LiveCommand::Promote { plugin, host } => {
            standing(&api(&host)?.turn(&plugin, "promote", json!({})).await?);
        }
        LiveCommand::Rollback { plugin, host } => {
            standing(&api(&host)?.turn(&plugin, "rollback", json!({})).await?);
        }
        LiveCommand::Kill {
            plugin,
            version,
            host,
        } => {
            let body = json!({ "version": version });
            standing(&api(&host)?.turn(&plugin, "kill", body).await?);
        }
        LiveCommand::Revive {
            plugin,
            version,
            host,
        } => {
            let body = json!({ "version": version });
            standing(&api(&host)?.turn(&plugin, "revive", body).await?);
        }
        LiveCommand::History { plugin, host } => {
            let of = plugin
                .map(|plugin| format!("/{plugin}"))
                .unwrap_or_default();
            history(&api(&host)?.read(&format!("{of}/history")).await?);
        }
        LiveCommand::Remove {
            plugin,
            version,
            host,
        } => {
            let reason = escaped(&host.reason);
            let path = match &version {
                Some(version) => format!("/{plugin}?version={}", escaped(version)),
                None => format!("/{plugin}?reason={reason}"),
            };
            api(&host)?.ask(Method::DELETE, &path, None).await?;
            say(match version {
                Some(version) => format!("{plugin} {version} is forgotten; its number stays taken"),
                None => format!("{plugin} is out of service; its versions stay installed"),
            });
        }
    }
    Ok(ExitCode::SUCCESS)
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

/// A host's API of one tenant's plugins.
struct Api {
    client: reqwest::Client,
    base: String,
    key: String,
    reason: String,
}

impl Api {
    fn of(config: &Config, secrets: &Secrets, host: &HostArgs) -> anyhow::Result<Self> {
        let Some(key) = &secrets.operator_key else {
            bail!(
                "this needs the operator's key: set SWITCHBOARD_OPERATOR_KEY, for the host and here"
            );
        };
        // One crypto provider for every TLS client of this process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let served = || format!("http://{}", config.listen);
        let at = host.url.clone().unwrap_or_else(served);
        Ok(Self {
            client: reqwest::Client::new(),
            base: format!("{}/t/{}/api/plugins", at.trim_end_matches('/'), host.tenant),
            key: key.expose().to_owned(),
            reason: host.reason.clone(),
        })
    }

    async fn read(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Method::GET, path, None).await
    }

    async fn turn(&self, plugin: &str, turn: &str, body: Value) -> anyhow::Result<Value> {
        self.write(&format!("/{plugin}/{turn}"), body).await
    }

    async fn write(&self, path: &str, mut body: Value) -> anyhow::Result<Value> {
        body["reason"] = self.reason.as_str().into();
        self.ask(Method::POST, path, Some(body)).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.base);
        let mut request = self.client.request(method, &url).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await;
        let answer = answer.with_context(|| {
            format!("no host answers at {url}: start one, or name it with --url")
        })?;
        let is_fine = answer.status().is_success();
        let text = answer.text().await?;
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        if is_fine {
            return Ok(body);
        }
        bail!(
            "{}",
            body["error"]["message"]
                .as_str()
                .unwrap_or(&text)
                .to_owned()
        )
    }
}

fn installed(done: &Value, host: &HostArgs) {
    let (plugin, version) = (text(&done["plugin"]), text(&done["version"]));
    say(format_args!(
        "{plugin} {version}, sha256:{}, is installed for {}",
        text(&done["digest"]),
        host.tenant
    ));
    if done["live"] == true {
        say("it is live");
    } else {
        say(format_args!(
            "it is not live yet: `switchboard plugin swap {plugin} {version}`, or `plugin canary`"
        ));
    }
}

fn list(listed: &Value) {
    for plugin in listed["plugins"].as_array().into_iter().flatten() {
        standing(plugin);
        for version in plugin["versions"].as_array().into_iter().flatten() {
            let signer = version["signed_by"].as_str();
            let signed = signer
                .map(|by| format!(", signed by {by}"))
                .unwrap_or_default();
            say(format_args!(
                "    {} from {}{signed}",
                text(&version["version"]),
                text(&version["source"])
            ));
        }
    }
}

fn standing(plugin: &Value) {
    let live = text(&plugin["live"]["version"]);
    let mut line = format!(
        "{} {live} ({})",
        text(&plugin["name"]),
        text(&plugin["origin"])
    );
    if let Some(share) = plugin["canary"]["per_mille"].as_u64() {
        let tried = text(&plugin["canary"]["version"]);
        line += &format!(
            ", {tried} on trial for {}.{} % of the cases",
            share / 10,
            share % 10
        );
    }
    if plugin["previous"].is_object() {
        line += &format!(", before it {}", text(&plugin["previous"]["version"]));
    }
    let killed = plugin["killed"].as_array();
    if killed.is_some_and(|killed| killed.contains(&plugin["live"]["digest"])) {
        line += ", STOPPED";
    }
    say(line);
}

fn compared(comparison: &Value) {
    for (key, words) in [
        ("added", "new tool"),
        ("incompatible", "breaks"),
        ("redescribed", "described otherwise"),
        ("capabilities", "asks for"),
    ] {
        for what in comparison[key].as_array().into_iter().flatten() {
            say(format_args!("{words}: {}", text(what)));
        }
    }
    if comparison["incompatible"]
        .as_array()
        .is_some_and(Vec::is_empty)
    {
        say("callers can go on as before");
    }
}

fn history(told: &Value) {
    for entry in told["history"].as_array().into_iter().flatten() {
        let version = |pinned: &Value| pinned["version"].as_str().unwrap_or("-").to_owned();
        let at = entry["at_ms"].as_i64().unwrap_or_default() / 1_000;
        let at = time::OffsetDateTime::from_unix_timestamp(at).ok();
        let at = at.and_then(|at| {
            at.format(&time::format_description::well_known::Rfc3339)
                .ok()
        });
        say(format_args!(
            "{} {} {} {} → {} by {} {}",
            at.unwrap_or_default(),
            text(&entry["action"]),
            text(&entry["plugin"]),
            version(&entry["from"]),
            version(&entry["to"]),
            text(&entry["by"]),
            text(&entry["reason"])
        ));
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage() {
        for (text, expected) in [
            ("5", Some(50)),
            ("0.5%", Some(5)),
            ("100", Some(1000)),
            ("0", None),
            ("101", None),
            ("x", None),
        ] {
            assert_eq!(per_mille(text).ok(), expected, "{text}");
        }
    }
}
