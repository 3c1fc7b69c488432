//! Plugins from their author's first file to a component that does what its cases say, in every language.

mod known;
mod served;
mod tried;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::programs::{refuses, switchboard};
use crate::tree::root;

/// What the scaffolds export.
const LOYALTY: &str = "acme:loyalty/loyalty@1.0.0";

/// A folder in which an author works.
struct Author {
    home: tempfile::TempDir,
}

impl Author {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn folder(&self, plugin: &str) -> PathBuf {
        self.home.path().join(plugin)
    }

    /// `switchboard plugin …` in this folder.
    fn plugin(folder: &Path, arguments: &[&str]) -> Output {
        let mut command = switchboard();
        // Compiled once for all that test the same component.
        command
            .arg("--data")
            .arg(root().join("target/tests/authors"));
        let command = command.arg("plugin").args(arguments).current_dir(folder);
        command.output().unwrap()
    }

    /// Starts a plugin, installs what its language needs, builds it and runs its cases.
    fn makes(language: &str, prepare: impl FnOnce(&Path)) -> (Self, PathBuf) {
        let author = Self::new();
        let home = author.home.path();
        succeeds(&Self::plugin(home, &["new", "points", "--lang", language]));
        refuses(
            &Self::plugin(home, &["new", "points"]),
            &["is there already", "nothing is overwritten"],
        );
        let folder = author.folder("points");
        prepare(&folder);
        let built = succeeds(&Self::plugin(&folder, &["build"]));
        assert!(
            built.contains("points 1.0.0") && built.contains("redeem_points"),
            "{built}"
        );
        (author, folder)
    }
}

fn succeeds(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    );
    assert!(output.status.success(), "{text}");
    text
}

fn shell(folder: &Path, line: &str) {
    let mut command = Command::new("sh");
    succeeds(
        &command
            .args(["-c", line])
            .current_dir(folder)
            .output()
            .unwrap(),
    );
}

/// What a Rust plugin depends on is built once for all of them, and with the plugins of this repository.
fn with_shared_target(folder: &Path) {
    let target = root().join("target/plugins");
    fs::create_dir_all(&target).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(target, folder.join("target")).unwrap();
}

/// Whatever it is written in, a scaffold's component is described to models and does what its cases say.
fn does_what_its_cases_say(folder: &Path, interface: &str) {
    let checked = succeeds(&Author::plugin(folder, &["check"]));
    for said in [
        &format!("exports {interface}"),
        "get_points (read, open to: matched)",
        "Look up how many loyalty points the customer has",
        "customer_id is filled in by the host",
        "uses HTTP, and asks for it",
    ] {
        assert!(checked.contains(said), "{said:?} is missing: {checked}");
    }
    let tested = succeeds(&Author::plugin(folder, &["test"]));
    assert!(tested.contains("14 passed, 0 failed"), "{tested}");
}

#[test]
fn a_plugin_in_rust_builds_and_tests_at_once() {
    let (_author, folder) = Author::makes("rust", with_shared_target);
    does_what_its_cases_say(&folder, LOYALTY);
    served::is_governed_where_it_serves(&folder);
    a_case_that_is_not_so_fails(&folder);
    a_plugin_that_sends_something_else_is_stopped(&folder);
}

/// The same manifest and the same cases, with a description in the place of the code.
#[test]
fn a_plugin_without_code_does_what_its_cases_say_and_is_governed() {
    let author = Author::new();
    succeeds(&Author::plugin(author.home.path(), &["new", "points"]));
    let folder = author.folder("points");
    let manifest = fs::read_to_string(folder.join("plugin.toml")).unwrap();
    let (before, build) = manifest.split_once("[build]\n").unwrap();
    let (_, asks) = build.split_once("\n\n").unwrap();
    let manifest = format!("{before}[build]\napi = \"api.toml\"\n\n{asks}");
    fs::write(folder.join("plugin.toml"), manifest).unwrap();
    fs::write(folder.join("api.toml"), include_str!("plugins/points.toml")).unwrap();
    succeeds(&Author::plugin(&folder, &["build"]));
    does_what_its_cases_say(&folder, "described:points/api");
    served::is_governed_where_it_serves(&folder);
    tried::is_tried_from_the_shell(&folder);
}

/// A case is a test: it must be able to fail, and say why.
fn a_case_that_is_not_so_fails(folder: &Path) {
    let file = folder.join("tests/redeem.toml");
    let cases = fs::read_to_string(&file).unwrap();
    for (old, new, said) in [
        (
            "remaining = 150 }\nrequests",
            "remaining = 151 }\nrequests",
            "expected the output",
        ),
        (
            "effects = 1",
            "effects = 2",
            "expected 2 effects at the backend, found 1",
        ),
        (
            "body = { points = 100,",
            "body = { points = 101,",
            "expected the body",
        ),
    ] {
        fs::write(&file, cases.replacen(old, new, 1)).unwrap();
        let output = Author::plugin(folder, &["test", "--only", "points become a reward"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success(), "{text}");
        assert!(
            text.contains(said) && text.contains("0 passed, 1 failed"),
            "{text}"
        );
    }
    fs::write(&file, cases).unwrap();
}

/// The grants of plugin.toml hold here as they hold at an operator's: what is sent must be what was permitted.
fn a_plugin_that_sends_something_else_is_stopped(folder: &Path) {
    let file = folder.join("src/member.rs");
    let source = fs::read_to_string(&file).unwrap();
    let greedy = source.replace(
        "    pub points: u32,\n    pub reward",
        "    #[serde(serialize_with = \"twice\")]\n    pub points: u32,\n    pub reward",
    );
    assert_ne!(greedy, source);
    let twice = "fn twice<S: serde::Serializer>(points: &u32, to: S) -> Result<S::Ok, S::Error> {\n    to.serialize_u32(points * 2)\n}\n";
    fs::write(&file, greedy + twice).unwrap();
    succeeds(&Author::plugin(folder, &["build"]));
    let output = Author::plugin(folder, &["test", "--only", "points become a reward"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success(), "{text}");
    for said in [
        "NOT_AS_PERMITTED",
        "the backend saw: nothing",
        "expected 1 requests at the backend, found 0",
    ] {
        assert!(text.contains(said), "{said:?} is missing: {text}");
    }
}

/// A host is asked by the shell as well: what the rules refuse is refused there, and says so.
#[test]
fn a_component_without_a_manifest_is_told_what_it_lacks() {
    let author = Author::new();
    let home = author.home.path();
    let file = home.join("empty.wasm");
    fs::write(&file, b"\0asm\x0d\0\x01\0").unwrap();
    let checked = Author::plugin(home, &["check", "empty.wasm"]);
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(!checked.status.success(), "{text}");
    for said in ["carries no manifest", "offers no tools"] {
        assert!(text.contains(said), "{said:?} is missing: {text}");
    }
    refuses(
        &Author::plugin(home, &["inspect", "missing.wasm"]),
        &["missing.wasm", "plugin build"],
    );
    refuses(
        &Author::plugin(home, &["new", "../elsewhere"]),
        &["cannot be a plugin's name"],
    );
    refuses(
        &Author::plugin(home, &["build"]),
        &["plugin.toml", "plugin new"],
    );
}

/// The commands of the author's guide, in its order: what a reader types is what is run here.
fn walk() -> String {
    let guide = fs::read_to_string(root().join("plugins/README.md")).unwrap();
    let blocks = guide.split("```sh walk\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

/// A free port for each fixed one of the guide, which another program may have.
fn on_free_ports(script: &str) -> String {
    let mut script = script.to_owned();
    for fixed in ["9300", "8080"] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let free = listener.local_addr().unwrap().port().to_string();
        script = script.replace(fixed, &free);
    }
    script
}

#[test]
fn the_walk_of_the_guide_ends_in_a_governed_call() {
    let author = Author::new();
    let target = root().join("target/plugins");
    fs::create_dir_all(&target).unwrap();
    let shared = format!("cd points\nln -s '{}' target\n", target.display());
    let script = on_free_ports(&walk()).replacen("cd points\n", &shared, 1);
    assert!(
        script.contains("plugin new points") && script.contains(&shared),
        "{script}"
    );
    // What the guide starts beside the shell ends with it: all of them are one process group, and the shell outlives the signal.
    let script = format!("trap 'trap \"\" TERM; kill 0' EXIT\n{script}");
    let program = Path::new(env!("CARGO_BIN_EXE_switchboard"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    let mut command = Command::new("sh");
    let command = command.args(["-eu", "-c", &script]).env("PATH", path);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let output = command.current_dir(author.home.path()).output().unwrap();
    let told = succeeds(&output);
    for said in [
        "14 passed, 0 failed",
        "\"points\": 250",
        "CUSTOMER_UNKNOWN",
        "refused, as it should be",
        "\"structuredContent\":{\"customer_id\":\"C-1001\",\"points\":250",
        "is installed for demo\nit is live",
        "\"output\":{\"customer_id\":\"C-1001\",\"points\":250",
    ] {
        assert!(told.contains(said), "{said:?} is missing: {told}");
    }
}

/// These builds need npm or pip, and are asked for by name: `.ci/run` does.
fn asked_for(language: &str) -> bool {
    let asked = std::env::var("PLUGIN_LANGUAGES").unwrap_or_default();
    let is_asked = asked.split(',').any(|one| one == language);
    if !is_asked {
        println!(
            "skipped: a plugin in {language}; PLUGIN_LANGUAGES={language} installs what it needs and builds it"
        );
    }
    is_asked
}

#[test]
fn a_plugin_in_javascript_builds_and_tests_at_once() {
    if asked_for("js") {
        let (_author, folder) = Author::makes("js", |folder| {
            shell(folder, "npm install --no-audit --no-fund");
        });
        shell(&folder, "npm run types");
        does_what_its_cases_say(&folder, LOYALTY);
        served::is_governed_where_it_serves(&folder);
    }
}

#[test]
fn a_plugin_in_python_builds_and_tests_at_once() {
    if asked_for("python") {
        let install = "python3 -m venv .venv && .venv/bin/pip install --quiet -r requirements.txt";
        let (_author, folder) = Author::makes("python", |folder| shell(folder, install));
        does_what_its_cases_say(&folder, LOYALTY);
        served::is_governed_where_it_serves(&folder);
    }
}
