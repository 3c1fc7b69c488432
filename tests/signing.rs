//! `switchboard plugin keygen`, `sign`, `verify` and `publish`, as an author and an operator use them.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::programs::{refuses, run, switchboard};

/// A vendor's folder with a component in it, which does nothing but have a name and a version.
fn plugin(folder: &Path, version: &str) -> String {
    let manifest = format!("name = \"loyalty\"\nversion = \"{version}\"\n");
    let file = folder.join("loyalty.wasm");
    let component = switchboard::Manifest::embed(&manifest, b"\0asm\x0d\0\x01\0", &file);
    std::fs::write(&file, component.unwrap()).unwrap();
    file.to_str().unwrap().to_owned()
}

fn says(output: &Output, words: &[&str]) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{complaint}");
    for word in words {
        assert!(text.contains(word), "{word:?} is missing: {text}");
    }
    text
}

fn keygen(folder: &Path, name: &str) -> (String, String) {
    let name = folder.join(name).to_str().unwrap().to_owned();
    says(
        &run(&["plugin", "keygen", &name]),
        &["[trust]", "required = true"],
    );
    (format!("{name}.key"), format!("{name}.pub"))
}

#[test]
fn whoever_has_the_public_key_sees_who_signed() {
    let folder = tempfile::tempdir().unwrap();
    let file = plugin(folder.path(), "1.0.0");
    let (acme, acme_public) = keygen(folder.path(), "acme");
    let (_, other_public) = keygen(folder.path(), "other");

    let unsigned = run(&["plugin", "verify", &file, "--key", &acme_public]);
    refuses(&unsigned, &["loyalty 1.0.0", "is not signed", "acme.pub"]);
    says(
        &run(&["plugin", "sign", &file, "--key", &acme]),
        &["loyalty 1.0.0, sha256:", "loyalty.wasm.sig"],
    );
    let signed_by = format!("is signed by {acme_public}");
    let verified = run(&[
        "plugin",
        "verify",
        &file,
        "--key",
        &other_public,
        "--key",
        &acme_public,
    ]);
    says(&verified, &["loyalty 1.0.0", &signed_by]);
    let stranger = run(&["plugin", "verify", &file, "--key", &other_public]);
    refuses(&stranger, &["no signature", "counts", "other.pub"]);

    // Another build under the old signature, and then its own.
    plugin(folder.path(), "1.0.1");
    let rebuilt = run(&["plugin", "verify", &file, "--key", &acme_public]);
    refuses(&rebuilt, &["which is another artifact"]);
    says(
        &run(&["plugin", "sign", &file, "--key", &acme, "--days", "30"]),
        &["loyalty 1.0.1"],
    );
    says(
        &run(&["plugin", "verify", &file, "--key", &acme_public]),
        &[&signed_by],
    );
    let signatures = std::fs::read_to_string(format!("{file}.sig")).unwrap();
    assert_eq!(signatures.lines().count(), 1, "{signatures}");
}

#[test]
fn two_may_sign_and_signing_again_adds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = plugin(folder.path(), "1.0.0");
    let (vendor, vendor_public) = keygen(folder.path(), "vendor");
    let (auditor, auditor_public) = keygen(folder.path(), "auditor");
    for key in [&vendor, &auditor, &vendor] {
        says(&run(&["plugin", "sign", &file, "--key", key]), &[]);
    }
    let signatures = std::fs::read_to_string(format!("{file}.sig")).unwrap();
    assert_eq!(signatures.lines().count(), 2, "{signatures}");
    for public in [&vendor_public, &auditor_public] {
        let verified = run(&["plugin", "verify", &file, "--key", public]);
        says(&verified, &[&format!("is signed by {public}")]);
    }
}

#[cfg(unix)]
#[test]
fn a_private_key_is_its_owners_alone_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (private, public) = keygen(folder.path(), "acme");
    let mode = std::fs::metadata(&private).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read(&private).unwrap();
    let name = folder.path().join("acme");
    refuses(
        &run(&["plugin", "keygen", name.to_str().unwrap()]),
        &["acme.key"],
    );
    assert_eq!(std::fs::read(&private).unwrap(), before);
    let file = plugin(folder.path(), "1.0.0");
    let wrong = run(&["plugin", "sign", &file, "--key", &public]);
    refuses(&wrong, &["acme.pub", "no private ed25519 key"]);
    assert!(!Path::new(&format!("{file}.sig")).exists());
}

#[test]
fn what_has_no_name_is_not_signed() {
    let folder = tempfile::tempdir().unwrap();
    let (key, _) = keygen(folder.path(), "acme");
    let file = folder.path().join("bare.wasm");
    std::fs::write(&file, b"\0asm\x0d\0\x01\0").unwrap();
    let file = file.to_str().unwrap();
    refuses(
        &run(&["plugin", "sign", file, "--key", &key]),
        &["carries no manifest"],
    );
}

/// A registry on this machine, ended with this value.
pub(crate) struct Registry(Child);

impl Registry {
    /// With its address; none where there is no such program, which skips what needs it, by name.
    pub(crate) fn start(folder: &Path, what: &str) -> Option<(Self, String)> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = port.local_addr().unwrap();
        drop(port);
        let settings = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
            folder.join("registry").display()
        );
        let file = folder.join("registry.yml");
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&file).stdout(Stdio::null());
        let Ok(mut child) = command.stderr(Stdio::piped()).spawn() else {
            println!("skipped: {what} needs a registry (Debian's package docker-registry)");
            return None;
        };
        let log = std::io::BufReader::new(child.stderr.take().unwrap());
        let mut lines = std::io::BufRead::lines(log).map(Result::unwrap);
        lines.find(|line| line.contains("listening on")).unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        Some((Self(child), address.to_string()))
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn what_an_author_publishes_an_operator_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let Some((_registry, host)) = Registry::start(folder.path(), "publishing") else {
        return;
    };
    let file = plugin(folder.path(), "1.0.0");
    let (key, public) = keygen(folder.path(), "acme");
    let place = format!("oci://{host}/acme/loyalty:1");
    says(&run(&["plugin", "sign", &file, "--key", &key]), &[]);
    let published = run(&["plugin", "publish", &file, &place]);
    let said = says(
        &published,
        &["loyalty 1.0.0, sha256:", "with its signatures"],
    );
    let pinned = said
        .lines()
        .find(|line| line.starts_with("oci://"))
        .unwrap();
    let signed_by = format!("is signed by {public}");
    for place in [place.as_str(), pinned] {
        says(
            &run(&["plugin", "verify", place, "--key", &public]),
            &[&signed_by],
        );
    }
    plugin(folder.path(), "1.0.1");
    std::fs::remove_file(format!("{file}.sig")).unwrap();
    says(
        &run(&["plugin", "publish", &file, &place]),
        &["1.0.1", "not signed"],
    );
    let still = run(&["plugin", "verify", pinned, "--key", &public]);
    says(
        &still,
        &["loyalty 1.0.0", &signed_by, "the tag", "has moved"],
    );
    refuses(
        &run(&["plugin", "verify", &place, "--key", &public]),
        &["1.0.1", "is not signed"],
    );
    refuses(
        &run(&[
            "plugin",
            "verify",
            &format!("oci://{host}/acme/none:1"),
            "--key",
            &public,
        ]),
        &["there is no such artifact"],
    );
    let mut odd = switchboard();
    odd.env("DOCKER_AUTH_CONFIG", "hidden");
    let odd = odd
        .args(["plugin", "verify", &place, "--key", &public])
        .output();
    let odd = odd.unwrap();
    refuses(&odd, &["DOCKER_AUTH_CONFIG"]);
    assert!(!String::from_utf8_lossy(&odd.stderr).contains("hidden"));
}
