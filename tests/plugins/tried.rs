//! One call from the shell to the vendor's own backend: with the author's credential, under the same policy.

use std::fs;
use std::path::Path;
use std::process::Output;

use super::served::Vendor;
use super::{Author, succeeds};
use crate::programs::{refuses, switchboard};

const KEY: &str = "k3y-of-the-author";
const SARAH: [&str; 2] = ["--customer", "C-1001"];
const IN_A_HEADER: [&str; 2] = ["--credential", "points=x-api-key:POINTS_KEY"];

/// `switchboard plugin run` of what was built in this folder.
async fn run(folder: &Path, vendor: &str, arguments: &[&str]) -> Output {
    let mut command = switchboard();
    command.args(["plugin", "run", ".", "get_points"]);
    command.args(["--set", &format!("base_url={vendor}")]);
    command.args(arguments).env("POINTS_KEY", KEY);
    command.current_dir(folder);
    let running = tokio::task::spawn_blocking(move || command.output().unwrap());
    running.await.unwrap()
}

/// Tries what was built in this folder, once it asks for a credential.
pub(super) fn is_tried_from_the_shell(folder: &Path) {
    asks_for_a_credential(folder);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (vendor, url) = Vendor::open().await;
        let request = "GET /members/C-1001";
        let as_bearer = ["--credential", "points=POINTS_KEY"];
        for (credential, carried) in [
            (IN_A_HEADER, format!("x-api-key: {KEY}")),
            (as_bearer, format!("authorization: Bearer {KEY}")),
        ] {
            let output = run(folder, &url, &[SARAH, credential].concat()).await;
            let said = succeeds(&output);
            assert!(said.contains("\"points\": 250"), "{said}");
            vendor.saw(&[&format!("{request} with {carried}")]);
        }
        let refused = [
            (
                &["--credential", "points=x api:POINTS_KEY"],
                "no name of a header",
            ),
            (&["--credential", "points=NOT_SET"], "NOT_SET is not set"),
            (&["--credential", "points"], "needs NAME="),
        ];
        for (credential, words) in refused {
            let output = run(folder, &url, &[&SARAH[..], credential].concat()).await;
            refuses(&output, &[words]);
        }
        for (arguments, code) in [
            (&IN_A_HEADER[..], "CUSTOMER_UNKNOWN"),
            (&SARAH[..], "CREDENTIAL_MISSING"),
        ] {
            let output = run(folder, &url, arguments).await;
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(!output.status.success() && said.contains(code), "{said}");
        }
        vendor.saw(&[]);
    });
}

fn asks_for_a_credential(folder: &Path) {
    let file = folder.join("plugin.toml");
    let manifest = fs::read_to_string(&file).unwrap();
    let path = "paths = [\"/members/{customer_id}\"]\n";
    let asks = manifest.replacen(path, &format!("{path}credential = \"points\"\n"), 1);
    assert_ne!(asks, manifest);
    fs::write(&file, asks).unwrap();
    succeeds(&Author::plugin(folder, &["build"]));
}
