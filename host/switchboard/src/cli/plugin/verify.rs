//! `switchboard plugin verify`: whether somebody who counts signed a component, wherever it lies.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use artifacts::{Registries, Source, Subject, Trust};
use clap::Args;
use time::OffsetDateTime;

use super::component::file_at;
use super::sign::manifest_in;
use crate::cli::terminal::say;
use crate::files;

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// The component, the folder of a plugin that has been built, or `oci://HOST/REPOSITORY:TAG`
    #[arg(value_name = "FILE")]
    component: String,
    /// Whose signature counts: a public key of `switchboard plugin keygen` or of cosign
    #[arg(long = "key", value_name = "FILE", required = true)]
    keys: Vec<PathBuf>,
}

pub(super) async fn run(registries: &Registries, args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let trust = trust(&args.keys)?;
    let source = match args.component.parse()? {
        Source::File(path) => Source::File(file_at(&path)?),
        place @ Source::Oci(_) => place,
    };
    let fetched = source.fetch(registries).await?;
    let manifest = manifest_in(&fetched.bytes, Path::new(&args.component))?;
    let version = manifest.version.to_string();
    let subject = Subject::new(&manifest.name, &version, &fetched.bytes)?;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let signer = trust.verify(&subject, &fetched.signatures, now)?;
    say(format_args!(
        "{} {version}, {}, is signed by {}",
        manifest.name,
        fetched.digest,
        signer.unwrap_or("nobody")
    ));
    say(format_args!("from {}", fetched.source));
    if let Some(moved) = &fetched.tag_moved {
        say(format_args!("! {moved}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn trust(keys: &[PathBuf]) -> anyhow::Result<Trust> {
    let read = |path: &PathBuf| {
        let text = files::read_text(path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        Ok((path.display().to_string(), text))
    };
    let keys: Vec<(String, String)> = keys.iter().map(read).collect::<anyhow::Result<_>>()?;
    let named = keys.iter();
    let named = named.map(|(name, text)| (name.as_str(), text.as_str()));
    Ok(Trust::of_keys(named)?)
}
