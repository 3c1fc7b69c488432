//! `switchboard plugin sign`: a signature of a component under the name and version of its manifest.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use artifacts::{Envelope, Signature, SigningKey, Subject, parse_signatures, signature_file};
use clap::Args;
use time::{Duration, OffsetDateTime};

use super::component::file_at;
use crate::cli::terminal::say;
use crate::{Manifest, files};

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct SignArgs {
    /// The component, or the folder of a plugin that has been built
    #[arg(value_name = "FILE")]
    component: PathBuf,
    /// The private key, as `switchboard plugin keygen` makes it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// For how many days it may be installed on the strength of this signature; without it, for ever
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    days: Option<u16>,
}

pub(super) fn run(args: &SignArgs) -> anyhow::Result<ExitCode> {
    let file = file_at(&args.component)?;
    let bytes =
        files::read_bytes(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let manifest = manifest_in(&bytes, &file)?;
    let pem = files::read_text(&args.key)
        .with_context(|| format!("cannot read {}", args.key.display()))?;
    let key = SigningKey::from_pem(&pem).with_context(|| args.key.display().to_string())?;

    let version = manifest.version.to_string();
    let subject = Subject::new(&manifest.name, &version, &bytes)?;
    let end = args
        .days
        .map(|days| OffsetDateTime::now_utc() + Duration::days(days.into()));
    let envelope = Envelope::sign(&subject, &key, end);
    let beside = signature_file(&file);
    let text = with(&envelope, &beside)?;
    files::write_text(&beside, &text)
        .with_context(|| format!("cannot write {}", beside.display()))?;
    say(format_args!(
        "{} {version}, {}, signed with the key {}: {}",
        manifest.name,
        subject.digest(),
        key.public().id(),
        beside.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// The manifest that a component carries, without which nobody knows what it calls itself.
pub(super) fn manifest_in(component: &[u8], file: &Path) -> anyhow::Result<Manifest> {
    Manifest::of_component(component, file)?.with_context(|| {
        format!(
            "{} carries no manifest, so that it has neither name nor version; `switchboard plugin build` puts one inside",
            file.display()
        )
    })
}

/// The text of the signature file beside a component; empty where there is none.
pub(super) fn signatures_at(beside: &Path) -> anyhow::Result<String> {
    match files::read_text(beside) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).with_context(|| beside.display().to_string()),
    }
}

/// The signature file with this signature in it. Others stay, but for what an older build left: those are of another artifact.
fn with(envelope: &Envelope, beside: &Path) -> anyhow::Result<String> {
    let old = signatures_at(beside)?;
    let mut text = String::new();
    for line in old.lines().filter(|line| !line.trim().is_empty()) {
        let read = parse_signatures(line).with_context(|| beside.display().to_string())?;
        let stays = read.iter().all(|signature| match signature {
            Signature::Own(other) => other.digest == envelope.digest && other.key != envelope.key,
            _ => true,
        });
        if stays {
            text.extend([line, "\n"]);
        }
    }
    text.extend([envelope.to_line()?.as_str(), "\n"]);
    Ok(text)
}
