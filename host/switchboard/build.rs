//! Builds the plugins to WebAssembly components and lists what the host carries inside: components, contract, prompts, and what a new
//! plugin begins with.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

type Fallible<T> = Result<T, Box<dyn Error>>;

const TARGET: &str = "wasm32-wasip2";
/// Cargo's own settings that the build of the plugins may inherit; all others describe the build of the host.
const INHERITED: &[&str] = &[
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_MAKEFLAGS",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_SOURCE_",
    "CARGO_TERM_",
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Fallible<()> {
    let root = fs::canonicalize(Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../.."))?;
    watch(&root)?;
    add_target()?;
    let components = build_plugins(&root)?;
    let mut listing = String::new();
    list(
        &mut listing,
        "COMPONENTS",
        "[u8]",
        "include_bytes!",
        &components,
    )?;
    list(
        &mut listing,
        "CONTRACT",
        "str",
        "include_str!",
        &texts(&root.join("wit"))?,
    )?;
    list(
        &mut listing,
        "PROMPTS",
        "str",
        "include_str!",
        &texts(&root.join("prompts"))?,
    )?;
    for (name, folder) in [("SDK", "plugins/sdk"), ("TEMPLATES", "plugins/templates")] {
        let files = texts(&root.join(folder))?;
        list(&mut listing, name, "str", "include_str!", &files)?;
    }
    fs::write(
        Path::new(&env::var("OUT_DIR")?).join("embedded.rs"),
        listing,
    )?;
    Ok(())
}

/// Everything that the plugins are built from, but neither build output nor the lock file that the build itself writes.
fn watch(root: &Path) -> Fallible<()> {
    for entry in fs::read_dir(root.join("plugins"))? {
        let path = entry?.path();
        let is_output = ["target", "Cargo.lock"]
            .iter()
            .any(|name| path.ends_with(name));
        if !is_output {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    // The guest that carries out descriptions is built from what they say, too.
    for folder in ["wit", "prompts", "host/described"] {
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

/// Adds the compile target where it is missing: rustup does not act on rust-toolchain.toml when auto-install is off.
fn add_target() -> Fallible<()> {
    let rustc = env::var("RUSTC")?;
    let found = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()?;
    if Path::new(String::from_utf8_lossy(&found.stdout).trim()).is_dir() {
        return Ok(());
    }
    let added = Command::new("rustup")
        .args(["target", "add", TARGET])
        .status();
    if added.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(
        format!("the plugins need the Rust target {TARGET}; run: rustup target add {TARGET}")
            .into(),
    )
}

fn build_plugins(root: &Path) -> Fallible<Vec<(String, PathBuf)>> {
    let manifest = root.join("plugins/Cargo.toml");
    let target_dir = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), PathBuf::from)
        .join("plugins");
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo
        .args(["build", "--release", "--target", TARGET, "--manifest-path"])
        .arg(&manifest);
    for (name, _) in env::vars_os() {
        if concerns_the_host(&name.to_string_lossy()) {
            cargo.env_remove(&name);
        }
    }
    cargo
        .env("CARGO_TARGET_DIR", &target_dir)
        .current_dir(root.join("plugins"));
    if !cargo.status()?.success() {
        return Err(format!(
            "the plugins do not build; to see why alone, run: cargo build --release --target {TARGET} --manifest-path {}",
            manifest.display()
        )
        .into());
    }
    components(root, &target_dir.join(TARGET).join("release"))
}

fn concerns_the_host(name: &str) -> bool {
    let is_flags = matches!(
        name,
        "RUSTFLAGS" | "RUSTDOCFLAGS" | "RUSTC" | "RUSTC_WORKSPACE_WRAPPER" | "TARGET" | "HOST"
    );
    is_flags || (name.starts_with("CARGO_") && !INHERITED.iter().any(|kept| name.starts_with(kept)))
}

/// The plugins are the members of the plugin workspace that make a component: (plugin's name, file).
fn components(root: &Path, built: &Path) -> Fallible<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join("plugins"))? {
        let folder = entry?.path();
        let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) else {
            continue;
        };
        if !manifest.contains("cdylib") {
            continue;
        }
        let package = package_name(&manifest)
            .ok_or_else(|| format!("{}: no package name", folder.display()))?;
        let name = folder
            .file_name()
            .ok_or("a plugin folder without a name")?
            .to_string_lossy()
            .into_owned();
        found.push((
            name,
            built.join(format!("{}.wasm", package.replace('-', "_"))),
        ));
    }
    found.sort();
    Ok(found)
}

fn package_name(manifest: &str) -> Option<&str> {
    let line = manifest.lines().find(|line| line.starts_with("name"))?;
    line.split('"').nth(1)
}

/// Every text file below a folder, frozen copies and the page for readers aside: (path relative to it, file).
fn texts(folder: &Path) -> Fallible<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path
                    .strip_prefix(folder)?
                    .to_string_lossy()
                    .replace('\\', "/");
                found.push((name, path));
            }
        }
    }
    found.retain(|(name, _)| !name.starts_with("released/") && name != "README.md");
    found.sort();
    Ok(found)
}

fn list(
    to: &mut String,
    name: &str,
    of: &str,
    include: &str,
    files: &[(String, PathBuf)],
) -> Fallible<()> {
    writeln!(to, "pub(crate) static {name}: &[(&str, &{of})] = &[")?;
    for (key, path) in files {
        writeln!(
            to,
            "    ({key:?}, {include}({:?})),",
            path.to_string_lossy()
        )?;
    }
    writeln!(to, "];")?;
    Ok(())
}
