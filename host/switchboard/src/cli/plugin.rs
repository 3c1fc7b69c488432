//! `switchboard plugin`: what an author does with a plugin, from the first file to the first call.

mod build;
mod check;
mod component;
mod inspect;
mod keygen;
mod live;
mod new;
mod publish;
mod run;
mod sign;
mod test;
mod verify;
mod wit;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;

use crate::{Config, Environment, MANIFEST_FILE, Manifest, Secrets, files, registries};

/// What appears on stderr unless `--log` says otherwise: what the plugin itself writes there.
pub(super) const LOG: &str = "off,sandbox::log=info";

#[derive(Clone, Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// Start a plugin: a folder that builds and tests at once
    New(new::NewArgs),
    /// Build the component, with its manifest and its documentation inside
    Build {
        /// The plugin's folder
        #[arg(default_value = ".", value_name = "DIR")]
        folder: PathBuf,
    },
    /// Hold a component against the contract: what it offers and asks for, and what a model reads of it
    Check {
        /// The component, or the folder of a plugin that has been built
        #[arg(default_value = ".", value_name = "FILE")]
        component: PathBuf,
    },
    /// Call one tool from this shell, with the real policy, ledger and sandbox and a store that is thrown away
    Run(run::RunArgs),
    /// Run the cases in the plugin's tests/*.toml
    Test {
        /// The plugin's folder
        #[arg(default_value = ".", value_name = "DIR")]
        folder: PathBuf,
        /// Only cases whose name contains this
        #[arg(long, value_name = "TEXT")]
        only: Option<String>,
    },
    /// Show everything about a component
    Inspect {
        /// The component, or the folder of a plugin that has been built
        #[arg(default_value = ".", value_name = "FILE")]
        component: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a pair of keys: one to sign plugins with, one for whoever shall trust it
    Keygen {
        /// The keys' name: NAME.key and NAME.pub
        #[arg(default_value = "plugin", value_name = "NAME")]
        name: PathBuf,
    },
    /// Sign a component; the signature lies beside it, in FILE.sig
    Sign(sign::SignArgs),
    /// See who signed a component
    Verify(verify::VerifyArgs),
    /// Put a component into an OCI registry, with its signatures
    Publish(publish::PublishArgs),
    #[command(flatten)]
    Live(live::LiveCommand),
}

/// Runs one of the commands. Those of a plugin's life need a host that serves; none of the others minds one.
pub(super) async fn run(
    config: &Config,
    secrets: &Secrets,
    environment: &Environment,
    command: PluginCommand,
) -> anyhow::Result<ExitCode> {
    match command {
        PluginCommand::New(args) => new::run(&args),
        PluginCommand::Build { folder } => build::run(&folder),
        PluginCommand::Check { component } => check::run(&component),
        PluginCommand::Run(args) => run::run(config, secrets, environment, &args).await,
        PluginCommand::Test { folder, only } => test::run(config, &folder, only.as_deref()).await,
        PluginCommand::Inspect { component, json } => inspect::run(&component, json),
        PluginCommand::Keygen { name } => keygen::run(&name),
        PluginCommand::Sign(args) => sign::run(&args),
        PluginCommand::Verify(args) => verify::run(&registries::of(config, secrets), &args).await,
        PluginCommand::Live(command) => live::run(config, secrets, command).await,
        PluginCommand::Publish(args) => publish::run(&registries::of(config, secrets), &args).await,
    }
}

/// The manifest of a plugin's folder, as text and as read.
fn manifest_of(folder: &Path) -> anyhow::Result<(String, Manifest)> {
    let file = folder.join(MANIFEST_FILE);
    let text = files::read_text(&file).with_context(|| {
        format!(
            "cannot read {}; name the folder of a plugin, or start one with `switchboard plugin new NAME`",
            file.display()
        )
    })?;
    let manifest = Manifest::parse(&text, &file)?;
    Ok((text, manifest))
}

/// `12.3 KB`
fn size(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{}.{} KB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}
