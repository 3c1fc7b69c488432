//! `switchboard plugin publish`: a component into an OCI registry, as other wasm tools lay it out there.

use std::path::PathBuf;
use std::process::ExitCode;

use artifacts::{Package, Reference, Registries, signature_file};
use clap::Args;
use time::OffsetDateTime;

use super::component::Component;
use super::sign::{manifest_in, signatures_at};
use crate::cli::terminal::say;

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct PublishArgs {
    /// The component, or the folder of a plugin that has been built
    #[arg(value_name = "FILE")]
    component: PathBuf,
    /// Where to: `oci://HOST/REPOSITORY:TAG`
    #[arg(value_name = "OCI")]
    to: Reference,
}

pub(super) async fn run(registries: &Registries, args: &PublishArgs) -> anyhow::Result<ExitCode> {
    let component = Component::read(&args.component)?;
    let manifest = manifest_in(&component.bytes, &component.file)?;
    let signatures = signatures_at(&signature_file(&component.file))?;
    let signed = if signatures.trim().is_empty() {
        "not signed"
    } else {
        "with its signatures"
    };
    let package = Package {
        bytes: component.bytes,
        plugin: manifest.name.clone(),
        version: manifest.version.to_string(),
        signatures,
        created: OffsetDateTime::now_utc(),
    };
    let published = package.publish(registries, &args.to).await?;
    say(format_args!(
        "{} {}, {}, {signed}",
        manifest.name, manifest.version, published.digest
    ));
    say(format_args!("oci://{}", published.reference));
    Ok(ExitCode::SUCCESS)
}
