//! `switchboard plugin keygen`: a pair of keys, the private one for its owner alone.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use artifacts::SigningKey;

use crate::cli::terminal::say;
use crate::files;

pub(super) fn run(name: &Path) -> anyhow::Result<ExitCode> {
    let key = SigningKey::generate()?;
    let (private, public) = (with_ending(name, "key"), with_ending(name, "pub"));
    files::write_new_private(&private, &key.to_pem()?)
        .with_context(|| format!("cannot write {}", private.display()))?;
    files::write_new(&public, &key.public().to_pem()?)
        .with_context(|| format!("cannot write {}", public.display()))?;
    let shown = name.file_name().unwrap_or(name.as_os_str());
    let shown = shown.to_string_lossy();
    say(format_args!(
        "{}  signs; keep it to yourself",
        private.display()
    ));
    say(format_args!(
        "{}  is the key {}; give it to operators, for the [trust] of their tenant.toml:",
        public.display(),
        key.public().id()
    ));
    say("[trust]");
    say("required = true");
    let file = format!("{shown}.pub");
    say(format_args!(
        "keys = [{{ name = {shown:?}, file = {file:?} }}]"
    ));
    Ok(ExitCode::SUCCESS)
}

/// Behind whatever the name has already: `acme.v2` becomes `acme.v2.key`.
fn with_ending(name: &Path, ending: &str) -> PathBuf {
    let mut name = name.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}
