//! `switchboard plugin new --openapi`: a plugin without code, from the document of an API.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::cli::terminal::say;
use crate::{MANIFEST_FILE, files, openapi};

/// What stands at the head of a description.
const HEAD: &str = "# What is offered as tools of this API, and how each call is sent: yours to correct. Write `docs` for the model that\n# calls the tools, leave out what nobody needs, and say `money` and `timestamp` where numbers and texts mean them.\n\n";

pub(super) fn run(name: &str, folder: &Path, document: &Path) -> anyhow::Result<ExitCode> {
    let text = files::read_text(document)
        .with_context(|| format!("cannot read {}", document.display()))?;
    let imported = openapi::import(name, &text).with_context(|| document.display().to_string())?;
    let api = toml::to_string(&imported.api).context("the description cannot be written")?;
    let files = [
        (MANIFEST_FILE.to_owned(), imported.manifest),
        ("api.toml".to_owned(), format!("{HEAD}{api}")),
        (".gitignore".to_owned(), "*.wasm\n".to_owned()),
    ];
    super::write(folder, &files)?;
    say(format_args!(
        "{name}: {} tools from {}",
        imported.api.tools.len(),
        document.display()
    ));
    if !imported.credentials.is_empty() {
        say("\nIts requests carry what the host adds:");
    }
    for line in &imported.credentials {
        say(format_args!("  {line}"));
    }
    if !imported.left_out.is_empty() {
        say("\nNot as in the document:");
    }
    for line in &imported.left_out {
        say(format_args!("  {line}"));
    }
    say(format_args!(
        "\nNext:\n\n  cd {name}\n  switchboard plugin build\n  switchboard plugin check\n"
    ));
    say(
        "api.toml is what it offers and sends, plugin.toml what it asks for; say there who may use each tool (open_to).",
    );
    Ok(ExitCode::SUCCESS)
}
