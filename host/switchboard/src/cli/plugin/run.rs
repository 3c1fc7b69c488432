//! `switchboard plugin run`: one call from the shell, through the real dispatcher, policy, ledger and sandbox.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, ValueEnum};
use dispatch::Outcome;
use policy::{Level, PathPattern};
use serde_json::{Map, Value};
use url::Url;

use super::component::Component;
use crate::cli::terminal::{complain, say};
use crate::http::outcome_body;
use crate::rehearsal::{Casting, Stage};
use crate::tenants::Credentials;
use crate::{Asks, Config, Environment, Manifest, Reach, Secret, Secrets};

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct RunArgs {
    /// The component, or the folder of a plugin that has been built
    #[arg(value_name = "FILE")]
    component: PathBuf,
    /// The tool
    tool: String,
    /// Its arguments, as JSON
    #[arg(long, value_name = "JSON", default_value = "{}")]
    args: String,
    /// A setting, over the manifest's, such as the address of its backend
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// A destination beside those that the manifest asks for
    #[arg(long, value_name = "METHODS URL")]
    grant: Vec<String>,
    /// A credential that a grant names, from that environment variable: a bearer token, or what is said in that header
    #[arg(long, value_name = "NAME=[HEADER:]VARIABLE")]
    credential: Vec<String>,
    /// Who the customer is; without it, a stranger
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// How sure the host is of that
    #[arg(long, value_enum, default_value = "matched")]
    known: Known,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Known {
    Claimed,
    Matched,
    Verified,
}

pub(super) async fn run(
    config: &Config,
    secrets: &Secrets,
    environment: &Environment,
    args: &RunArgs,
) -> anyhow::Result<ExitCode> {
    let arguments: Map<String, Value> = serde_json::from_str(&args.args)
        .context("--args must be a JSON object, such as '{\"points\": 100}'")?;
    let component = Component::read(&args.component)?;
    let manifest = manifest(&component, args)?;
    let stage = Stage::new(config)?;
    let casting = Casting {
        plugin: stage.plugin(&component.bytes, &manifest, &pairs("--set", &args.set)?)?,
        tools: manifest.tools,
        credentials: credentials(environment, args)?,
        pretend: false,
        model: stage.model(secrets)?,
        pause: Duration::from_millis(200),
    };
    let rehearsal = stage.open(casting).await?;
    if let Some(customer) = &args.customer {
        rehearsal.identify(customer, args.known.level()).await?;
    }
    let outcome = rehearsal.call(&args.tool, arguments).await?;
    let said = rehearsal.overheard();
    rehearsal.close().await;
    Ok(tell(&outcome, &said))
}

fn tell(outcome: &Outcome, said: &[String]) -> ExitCode {
    for said in said {
        complain(format_args!("the plugin said: {said}"));
    }
    if let Outcome::Done { output, .. } = outcome {
        say(format_args!("{output:#}"));
        return ExitCode::SUCCESS;
    }
    say(format_args!("{:#}", outcome_body("", outcome)));
    ExitCode::FAILURE
}

/// The component's own manifest, or a bare one, with the grants of the command line.
fn manifest(component: &Component, args: &RunArgs) -> anyhow::Result<Manifest> {
    let mut manifest = component.manifest.clone().unwrap_or_else(|| Manifest {
        name: "plugin".to_owned(),
        version: semver::Version::new(0, 0, 0),
        description: None,
        build: None,
        asks: Asks::default(),
        tools: BTreeMap::new(),
    });
    for grant in &args.grant {
        manifest.asks.reach.push(reach(grant)?);
    }
    Ok(manifest)
}

/// `GET,POST https://api.example.com/members/*`
fn reach(grant: &str) -> anyhow::Result<Reach> {
    let usage = || {
        format!(
            "--grant needs methods and a URL, such as \"GET https://api.example.com/members/*\"; found {grant:?}"
        )
    };
    let (methods, url) = grant.split_once(' ').with_context(usage)?;
    let url = Url::parse(url.trim()).with_context(usage)?;
    Ok(Reach {
        origin: url.origin().ascii_serialization(),
        methods: methods.split(',').map(str::to_owned).collect(),
        paths: vec![PathPattern(url.path().to_owned())],
        safe_posts: Vec::new(),
        bodies: policy::BodyEncoding::Json,
        credential: None,
        nature: None,
        private_network: true,
        tools: BTreeMap::new(),
    })
}

fn credentials(environment: &Environment, args: &RunArgs) -> anyhow::Result<Credentials> {
    let mut credentials = Credentials::default();
    for (name, from) in pairs("--credential", &args.credential)? {
        let (header, variable) = match from.split_once(':') {
            Some((header, variable)) => (Some(header), variable),
            None => (None, from.as_str()),
        };
        let value = environment.get(variable);
        let value =
            value.with_context(|| format!("the environment variable {variable} is not set"))?;
        let put = credentials.put(&name, header, Secret::new(value));
        put.map_err(|reason| anyhow!("--credential {name}: {reason}"))?;
    }
    Ok(credentials)
}

fn pairs(option: &str, texts: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let mut pairs = BTreeMap::new();
    for text in texts {
        let Some((name, value)) = text.split_once('=') else {
            bail!("{option} needs NAME=…; found {text:?}");
        };
        pairs.insert(name.to_owned(), value.to_owned());
    }
    Ok(pairs)
}

impl Known {
    fn level(self) -> Level {
        match self {
            Self::Claimed => Level::Claimed,
            Self::Matched => Level::Matched,
            Self::Verified => Level::Verified,
        }
    }
}
