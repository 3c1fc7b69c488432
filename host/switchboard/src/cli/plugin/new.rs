//! `switchboard plugin new`: a folder that builds and tests at once, from what this program carries inside.

mod openapi;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};

use crate::cli::terminal::say;
use crate::{embedded, files, is_plugin_name};

#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct NewArgs {
    /// What the plugin is called, and its folder
    name: String,
    /// The language to write it in
    #[arg(long, value_enum, default_value = "rust")]
    lang: Language,
    /// Write no code, but a description of the API in this OpenAPI 3 document (JSON or YAML)
    #[arg(long, value_name = "FILE", conflicts_with = "lang")]
    openapi: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Language {
    /// Small and fast; needs rustup
    Rust,
    /// TypeScript or JavaScript; needs Node.js 20
    #[value(alias = "ts", alias = "javascript", alias = "typescript")]
    Js,
    /// Needs Python 3.10
    Python,
}

/// What a language adds to what every scaffold has.
struct Scaffold {
    /// The folders of templates that it is made of; what a later one holds goes over an earlier one's.
    layers: &'static [&'static str],
    /// What makes the component.
    command: &'static str,
    /// Where that leaves it.
    component: &'static str,
    /// What a person installs once, in that folder.
    setup: &'static [&'static str],
}

impl Language {
    fn scaffold(self) -> Scaffold {
        match self {
            Self::Rust => Scaffold {
                layers: &["shared", "rust"],
                command: "cargo build --release --target wasm32-wasip2",
                component: "target/wasm32-wasip2/release/{{crate}}.wasm",
                setup: &["rustup target add wasm32-wasip2"],
            },
            Self::Js => Scaffold {
                layers: &["shared", "scripted", "js"],
                command: "npm run --silent build",
                component: "build/plugin.wasm",
                setup: &["npm install"],
            },
            Self::Python => Scaffold {
                layers: &["shared", "scripted", "python"],
                command: "mkdir -p build && .venv/bin/componentize-py -d wit -w plugin componentize -p src plugin -o build/plugin.wasm",
                component: "build/plugin.wasm",
                setup: &[
                    "python3 -m venv .venv",
                    ".venv/bin/pip install -r requirements.txt",
                ],
            },
        }
    }
}

pub(super) fn run(args: &NewArgs) -> anyhow::Result<ExitCode> {
    ensure!(
        is_plugin_name(&args.name),
        "{:?} cannot be a plugin's name: use a-z, 0-9, - and _, starting with a letter or a digit",
        args.name
    );
    let folder = Path::new(&args.name);
    ensure!(
        !files::exists(folder),
        "{} is there already, and nothing is overwritten; choose another name",
        folder.display()
    );
    if let Some(document) = &args.openapi {
        return openapi::run(&args.name, folder, document);
    }
    let files = contents(&args.name, args.lang);
    write(folder, &files)?;
    say(format_args!(
        "{}: {} files. Next:\n\n  cd {}",
        args.name,
        files.len(),
        args.name
    ));
    for line in args.lang.scaffold().setup {
        say(format_args!("  {line}"));
    }
    say("  switchboard plugin build\n  switchboard plugin test\n");
    say("wit/ is what it offers, plugin.toml what it asks for, tests/ what it must do.");
    Ok(ExitCode::SUCCESS)
}

fn write(folder: &Path, files: &[(String, String)]) -> anyhow::Result<()> {
    for (path, text) in files {
        let path = folder.join(path);
        files::write_new(&path, text)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Every file of the folder: (path, text).
fn contents(name: &str, language: Language) -> Vec<(String, String)> {
    let scaffold = language.scaffold();
    let setup = scaffold
        .setup
        .iter()
        .fold(String::new(), |lines, line| lines + line + "\n");
    let fill = |text: &str| {
        text.replace("{{command}}", scaffold.command)
            .replace("{{component}}", scaffold.component)
            .replace("{{setup}}", &setup)
            .replace("{{crate}}", &name.replace('-', "_"))
            .replace("{{name}}", name)
    };
    let mut files = Vec::new();
    for layer in scaffold.layers {
        let own = embedded::TEMPLATES
            .iter()
            .filter_map(|(path, text)| Some((path.strip_prefix(layer)?.strip_prefix('/')?, *text)));
        files.extend(own.map(|(path, text)| (unhidden(path), fill(text))));
    }
    files.extend(contract());
    if language == Language::Rust {
        files.extend(sdk());
    } else {
        let settings = sdk().find(|(path, _)| path == "sdk/wit/deps/config.wit");
        files.extend(settings.map(|(_, text)| ("wit/deps/wasi-config.wit".to_owned(), text)));
    }
    files
}

/// Every package of the contract, so that any of them can be exported or used.
fn contract() -> impl Iterator<Item = (String, String)> {
    let is_wit = |path: &str| {
        Path::new(path)
            .extension()
            .is_some_and(|ending| ending == "wit")
    };
    let packages = embedded::CONTRACT
        .iter()
        .filter(move |(path, _)| is_wit(path));
    packages.map(|(path, text)| {
        let name = path.rsplit('/').next().unwrap_or(path);
        (format!("wit/deps/switchboard-{name}"), (*text).to_owned())
    })
}

/// The SDK for Rust, but for its manifest, which the template has in a form that stands alone.
fn sdk() -> impl Iterator<Item = (String, String)> {
    let sources = embedded::SDK
        .iter()
        .filter(|(path, _)| *path != "Cargo.toml");
    sources.map(|(path, text)| (format!("sdk/{path}"), (*text).to_owned()))
}

/// A template that is hidden in a plugin's folder is not in ours, where it would mean us.
fn unhidden(path: &str) -> String {
    if path == "gitignore" {
        ".gitignore".to_owned()
    } else {
        path.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{MANIFEST_FILE, Manifest};

    #[test]
    fn a_scaffold_is_whole_in_every_language() {
        for language in [Language::Rust, Language::Js, Language::Python] {
            let files = contents("acme-points", language);
            let paths: BTreeSet<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
            assert_eq!(paths.len(), files.len(), "{language:?} writes a file twice");
            for (path, text) in &files {
                let is_filled = !text.contains("{{") || path.starts_with("sdk/");
                assert!(is_filled, "{path} is not filled in");
            }
            let (_, text) = files
                .iter()
                .find(|(path, _)| path == MANIFEST_FILE)
                .unwrap();
            let manifest = Manifest::parse(text, Path::new(MANIFEST_FILE)).unwrap();
            assert_eq!(manifest.name, "acme-points");
            for needed in [
                "wit/loyalty.wit",
                "wit/deps/switchboard-common.wit",
                ".gitignore",
            ] {
                assert!(paths.contains(needed), "{language:?} lacks {needed}");
            }
        }
    }
}
