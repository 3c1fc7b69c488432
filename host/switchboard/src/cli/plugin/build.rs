//! `switchboard plugin build`: the author's own build, and then everything that belongs inside the component.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};

use super::component::Component;
use super::{manifest_of, size, wit};
use crate::cli::terminal::say;
use crate::{Build, MANIFEST_FILE, Manifest, embedded, files};

pub(super) fn run(folder: &Path) -> anyhow::Result<ExitCode> {
    let (text, manifest) = manifest_of(folder)?;
    let build = manifest.build.as_ref().with_context(|| {
        format!(
            "{MANIFEST_FILE} does not say how to build: add [build] with `command` and `component`, or with `api`"
        )
    })?;
    let (made, bytes) = match &build.api {
        Some(api) => described(&folder.join(api))?,
        None => programmed(folder, build)?,
    };
    let bytes = Manifest::embed(&text, &bytes, &made)?;
    let file = folder.join(format!("{}.wasm", manifest.name));
    let component = Component::of(file, bytes)?;
    files::write_bytes(&component.file, &component.bytes)
        .with_context(|| format!("cannot write {}", component.file.display()))?;
    report(&component, &manifest);
    Ok(ExitCode::SUCCESS)
}

/// What the author's own command leaves, with its documentation.
fn programmed(folder: &Path, build: &Build) -> anyhow::Result<(PathBuf, Vec<u8>)> {
    ensure!(
        !build.command.is_empty(),
        "build.command in {MANIFEST_FILE} is empty: say how the component is built"
    );
    say(format_args!("running: {}", build.command));
    command(folder, &build.command)?;
    let made = folder.join(&build.component);
    let bytes = files::read_bytes(&made).with_context(|| {
        format!(
            "the build left no component at {}; correct build.component in {MANIFEST_FILE}",
            made.display()
        )
    })?;
    let bytes = with_documentation(folder, build, &made, bytes)?;
    Ok((made, bytes))
}

/// The component that carries out descriptions, with this one in it.
fn described(api: &Path) -> anyhow::Result<(PathBuf, Vec<u8>)> {
    let text = files::read_text(api).with_context(|| {
        format!(
            "cannot read {}; correct build.api in {MANIFEST_FILE}",
            api.display()
        )
    })?;
    let bytes = Manifest::describe(&text, embedded::component(embedded::DECLARATIVE), api)?;
    Ok((api.to_path_buf(), bytes))
}

fn command(folder: &Path, line: &str) -> anyhow::Result<()> {
    let shell = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let status = Command::new(shell.0)
        .args([shell.1, line])
        .current_dir(folder)
        .status();
    let status = status.with_context(|| format!("cannot start {}", shell.0))?;
    ensure!(status.success(), "the build failed ({status}): {line}");
    Ok(())
}

/// Unless the component documents its tools already, as what is built with the SDK's `embed_wit!` does.
fn with_documentation(
    folder: &Path,
    build: &Build,
    made: &Path,
    bytes: Vec<u8>,
) -> anyhow::Result<Vec<u8>> {
    let own = folder.join(&build.wit);
    if !files::is_folder(&own) || Manifest::is_documented(&bytes) {
        return Ok(bytes);
    }
    Ok(match wit::documentation(&own)? {
        Some(text) => Manifest::document(&text, &bytes, made)?,
        None => bytes,
    })
}

fn report(component: &Component, manifest: &Manifest) {
    say(format_args!(
        "{}: {} {}, {}",
        component.file.display(),
        manifest.name,
        manifest.version,
        size(component.bytes.len())
    ));
    say(format_args!("  sha256:{}", component.inspection.digest));
    for tool in &component.inspection.tools {
        say(format_args!("  {} ({})", tool.name, tool.interface));
    }
}
