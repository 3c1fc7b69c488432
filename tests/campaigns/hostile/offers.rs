//! Components that are none, offered to the running program as its operator would: refused with a code and a reason, and
//! forgotten.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::figures::Figures;
use super::{components, installs};
use crate::served::Served;

/// What is smaller comes along with the request; the rest is fetched from a file.
const COMES_ALONG: usize = 1 << 20;

/// Offers what must be refused, each with a manifest that is in order.
pub(super) async fn make(folder: &Path, good: &[u8], figures: &mut Figures) {
    let served = Served::start(&folder.join("program")).await;
    let before = served.installed().await;
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    let broken = installs::crafted(good).into_iter();
    // Compiling for as long as the program lets it is no test for everyday.
    let broken =
        broken.filter(|(kind, is_broken, _)| *is_broken && kind != installs::LARGE_FUNCTION);
    let half = ("half".to_owned(), true, good[..good.len() / 2].to_vec());
    for (kind, _, bytes) in broken.chain([half]) {
        let bytes = components::with_manifest(&bytes);
        let file = folder.join("offered.wasm");
        let offer = if bytes.len() < COMES_ALONG {
            json!({ "component": BASE64_STANDARD.encode(&bytes), "accept": true })
        } else {
            tokio::fs::write(&file, &bytes).await.unwrap();
            json!({ "source": file, "accept": true })
        };
        match served.operate("/api/plugins", &offer).await {
            Ok(answer) => figures
                .broken
                .push(format!("{kind} is installed: {answer}")),
            Err((code, message)) => {
                if code.starts_with("internal") || message.is_empty() {
                    figures.broken.push(format!("{kind}: {code}: {message}"));
                }
                *codes.entry(code).or_default() += 1;
            }
        }
    }
    if served.installed().await != before {
        figures.broken.push("what was refused is known".to_owned());
    }
    served.end().await;
    figures.note(format!(
        "offered to the program over HTTP: refused as {codes:?}"
    ));
}
