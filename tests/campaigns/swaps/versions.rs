//! Two versions of one plugin: the template in Rust, changed so that its answer tells which version gave it.

use std::path::{Path, PathBuf};

use crate::program::program;

pub(super) const PLUGIN: &str = "points";
pub(super) const TOOL: &str = "get_points";

/// Each version, and how many points it says that everybody has: an answer tells its version twice.
pub(super) const VERSIONS: [(&str, u64); 2] = [("1.0.0", 100), ("1.1.0", 110)];

/// The components, in the order of the versions.
pub(super) async fn build(folder: &Path) -> Vec<PathBuf> {
    plugin(folder, folder, &["new", PLUGIN, "--lang", "rust"]).await;
    let scaffold = folder.join(PLUGIN);
    // What it depends on is built once, with the other plugins of this repository.
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/plugins");
    #[cfg(unix)]
    std::os::unix::fs::symlink(target.canonicalize().unwrap(), scaffold.join("target")).unwrap();
    let mut components = vec![];
    for (version, points) in VERSIONS {
        tell(&scaffold, version, points);
        plugin(folder, &scaffold, &["build"]).await;
        let component = folder.join(format!("{PLUGIN}-{version}.wasm"));
        std::fs::rename(scaffold.join("points.wasm"), &component).unwrap();
        components.push(component);
    }
    components
}

async fn plugin(data: &Path, folder: &Path, arguments: &[&str]) {
    let command = [&["plugin"], arguments].concat();
    let ended = program(&command, data).current_dir(folder).output().await;
    let ended = ended.unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "plugin {arguments:?}: {told}");
}

/// Gives the scaffold a version, and has it tell that version without asking its backend.
fn tell(scaffold: &Path, version: &str, points: u64) {
    edit(&scaffold.join("plugin.toml"), |line| {
        let is_version = line.starts_with("version = ");
        is_version.then(|| format!("version = \"{version}\""))
    });
    edit(&scaffold.join("src/lib.rs"), |line| {
        let line = line.trim_start();
        let is_answer = line.starts_with("Ok(member.into())") || line.starts_with("Ok(Balance");
        let told =
            format!("Ok(Balance {{ customer_id, points: {points}, tier: \"{version}\".into() }})");
        let is_request = line.starts_with("let member") || line.contains("segment(&customer_id);");
        match (is_answer, is_request) {
            (true, _) => Some(told),
            (_, true) => Some(String::new()),
            _ => None,
        }
    });
}

/// Replaces lines of a file; at least one.
fn edit(file: &Path, replaced: impl Fn(&str) -> Option<String>) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.lines().any(|line| replaced(line).is_some()), "{text}");
    let lines = text.lines();
    let lines = lines.map(|line| replaced(line).unwrap_or_else(|| line.to_owned()));
    let edited: Vec<String> = lines.collect();
    std::fs::write(file, edited.join("\n") + "\n").unwrap();
}
