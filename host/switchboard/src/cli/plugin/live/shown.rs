//! What the host answered, for people.

use serde_json::Value;

use crate::cli::terminal::{say, time};

pub(super) fn installation(done: &Value, tenant: &str) {
    let (plugin, version) = (text(&done["plugin"]), text(&done["version"]));
    say(format_args!(
        "{plugin} {version}, sha256:{}, is installed for {}",
        text(&done["digest"]),
        tenant
    ));
    if done["live"] == true {
        say("it is live");
    } else {
        say(format_args!(
            "it is not live yet: `switchboard plugin swap {plugin} {version}`, or `plugin canary`"
        ));
    }
    if let Some(moved) = done["tag_moved"].as_str() {
        say(format_args!("! {moved}"));
    }
}

pub(super) fn list(listed: &Value) {
    for plugin in listed["plugins"].as_array().into_iter().flatten() {
        self::plugin(plugin);
        for version in plugin["versions"].as_array().into_iter().flatten() {
            let signer = version["signed_by"].as_str();
            let by = signer
                .map(|by| format!(", signed by {by}"))
                .unwrap_or_default();
            let stopped = is_stopped(plugin, &version["digest"]);
            say(format_args!(
                "    {} from {}{by}{}",
                text(&version["version"]),
                text(&version["source"]),
                if stopped { ", STOPPED" } else { "" }
            ));
        }
        for tag in plugin["moved_tags"].as_array().into_iter().flatten() {
            say(format_args!(
                "    ! the tag of {} has moved: it leads to {} by now, first seen {}",
                text(&tag["reference"]),
                tag["now"].as_str().unwrap_or("nothing"),
                time(&tag["seen_at_ms"])
            ));
        }
    }
}

pub(super) fn plugin(plugin: &Value) {
    let live = &plugin["live"];
    let mut said = vec![format!(
        "{} {} ({})",
        text(&plugin["name"]),
        text(&live["version"]),
        text(&plugin["origin"])
    )];
    if let Some(share) = plugin["canary"]["per_mille"].as_u64() {
        let tried = text(&plugin["canary"]["version"]);
        let (percent, tenth) = (share / 10, share % 10);
        said.push(format!(
            "{tried} on trial for {percent}.{tenth} % of the cases"
        ));
        let tolerance = plugin["canary"]["tolerance"].clone();
        if let Ok(tolerance) = serde_json::from_value::<dispatch::Tolerance>(tolerance) {
            said.push(format!("which ends {tolerance}"));
        }
    }
    if plugin["previous"].is_object() {
        said.push(format!(
            "before it {}",
            text(&plugin["previous"]["version"])
        ));
    }
    if is_stopped(plugin, &live["digest"]) {
        said.push("STOPPED".to_owned());
    }
    if let Some(reason) = plugin["refused"].as_str() {
        said.push(format!("REFUSED: {reason}"));
    }
    say(said.join(", "));
}

/// Whether somebody has stopped this version of it.
fn is_stopped(plugin: &Value, digest: &Value) -> bool {
    let killed = plugin["killed"].as_array();
    killed.is_some_and(|killed| killed.contains(digest))
}

pub(super) fn comparison(comparison: &Value) {
    for (key, words) in [
        ("added", "new tool"),
        ("incompatible", "breaks"),
        ("redescribed", "described otherwise"),
        ("capabilities", "asks for"),
    ] {
        for what in comparison[key].as_array().into_iter().flatten() {
            say(format_args!("{words}: {}", text(what)));
        }
    }
    if comparison["incompatible"]
        .as_array()
        .is_some_and(Vec::is_empty)
    {
        say("callers can go on as before");
    }
}

pub(super) fn history(told: &Value) {
    for entry in told["history"].as_array().into_iter().flatten() {
        let version = |pinned: &Value| pinned["version"].as_str().unwrap_or("-").to_owned();
        say(format_args!(
            "{} {} {} {} → {} by {} {}",
            time(&entry["at_ms"]),
            text(&entry["action"]),
            text(&entry["plugin"]),
            version(&entry["from"]),
            version(&entry["to"]),
            text(&entry["by"]),
            text(&entry["reason"])
        ));
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}
