//! `switchboard plugin check`: what a component offers and asks for, and whatever would surprise its author later.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use dispatch::ToolSpec;
use policy::{Effect, ToolRule};
use sandbox::Capability;
use serde_json::Value;

use super::component::Component;
use super::size;
use crate::cli::terminal::say;
use crate::{Asks, Classified, host};

/// What the check found, in the order in which it is told.
#[derive(Default)]
struct Findings {
    lines: Vec<String>,
    faults: usize,
}

impl Findings {
    fn fit(&mut self, text: impl AsRef<str>) {
        self.lines.push(format!("✓ {}", text.as_ref()));
    }

    fn note(&mut self, text: impl AsRef<str>) {
        self.lines.push(format!("! {}", text.as_ref()));
    }

    fn fault(&mut self, text: impl AsRef<str>) {
        self.faults += 1;
        self.lines.push(format!("✗ {}", text.as_ref()));
    }
}

pub(super) fn run(at: &Path) -> anyhow::Result<ExitCode> {
    let component = Component::read(at)?;
    let contract = host::classification()?;
    let mut findings = Findings::default();
    identity(&component, &mut findings);
    capabilities(&component, &mut findings);
    tools(&component, &contract, &mut findings);
    for line in &findings.lines {
        say(line);
    }
    let fit = findings.faults == 0;
    Ok(if fit {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn identity(component: &Component, findings: &mut Findings) {
    let inspection = &component.inspection;
    findings.fit(format!(
        "{} fits the contract: {}, sha256:{}",
        component.file.display(),
        size(component.bytes.len()),
        inspection.digest
    ));
    match &component.manifest {
        Some(manifest) => findings.fit(format!("it is {} {}", manifest.name, manifest.version)),
        None => findings.note(
            "it carries no manifest, so whoever runs it writes every grant by hand; `switchboard plugin build` puts one inside",
        ),
    }
    for interface in component.interfaces() {
        findings.fit(format!("exports {interface}"));
    }
    for what in &inspection.skipped {
        findings.note(format!("not offered: {what}"));
    }
    if inspection.tools.is_empty() {
        findings.fault(
            "it offers no tools: export an interface of the contract, or of a package of your own",
        );
    }
}

fn capabilities(component: &Component, findings: &mut Findings) {
    let imports = &component.inspection.imports;
    let imported = |capability| imports.iter().any(|import| import.capability == capability);
    for import in imports
        .iter()
        .filter(|import| import.capability == Capability::Unknown)
    {
        findings.fault(format!(
            "imports {}, which no plugin can have",
            import.interface
        ));
    }
    let inert = imports
        .iter()
        .filter(|import| import.capability == Capability::Inert)
        .count();
    if inert > 0 {
        findings.fit(format!(
            "{inert} imports of WASI that a language run-time asks for, with nothing behind them"
        ));
    }
    let none = Asks::default();
    let asks = component
        .manifest
        .as_ref()
        .map_or(&none, |manifest| &manifest.asks);
    for (capability, what, asked) in [
        (Capability::Http, "HTTP", !asks.reach.is_empty()),
        (Capability::KeyValue, "keys and values", asks.key_value),
        (Capability::Model, "the tenant's model", asks.model),
    ] {
        match (imported(capability), asked) {
            (true, true) => findings.fit(format!("uses {what}, and asks for it")),
            (true, false) => findings.fault(format!(
                "imports {what}, and plugin.toml does not ask for it: it would not load"
            )),
            (false, true) => findings.note(format!("asks for {what}, and does not import it")),
            (false, false) => (),
        }
    }
    for reach in &asks.reach {
        let tools: Vec<&str> = reach.tools.keys().map(String::as_str).collect();
        let paths: Vec<&str> = reach.paths.iter().map(|path| path.0.as_str()).collect();
        let whose = if tools.is_empty() {
            "every tool".to_owned()
        } else {
            tools.join(", ")
        };
        findings.fit(format!(
            "  {} {} {} ({whose})",
            reach.methods.join(","),
            reach.origin,
            paths.join(" ")
        ));
        let changes = reach
            .methods
            .iter()
            .any(|method| !matches!(method.as_str(), "GET" | "HEAD"));
        if changes && tools.is_empty() {
            findings.note("  that can change something and is not kept for a tool: name it in `tools`, with what the body must say");
        }
    }
}

fn tools(component: &Component, contract: &BTreeMap<String, ToolRule>, findings: &mut Findings) {
    for tool in &component.inspection.tools {
        let own = component
            .manifest
            .as_ref()
            .and_then(|manifest| manifest.tools.get(&tool.name));
        let told = classification(contract.get(&tool.name), own);
        match told {
            Ok(told) => findings.fit(format!("{} {told}", tool.name)),
            Err(lacking) => findings.note(format!("{} {lacking}", tool.name)),
        }
        preview(tool, findings);
        // What is told of a tool without a comment is its name in words.
        if tool.description.trim_end_matches('.') == tool.title {
            findings.note("    has no description: write a comment above it in its WIT; a model reads it to know when to use it");
        }
    }
}

/// What a host makes of the tool, or what it lacks.
fn classification(
    contract: Option<&ToolRule>,
    own: Option<&Classified>,
) -> Result<String, &'static str> {
    if let Some(rule) = contract {
        return Ok(format!("({}, as the contract says)", word(rule.effect)));
    }
    match own {
        Some(Classified {
            rule,
            open_to: Some(open_to),
        }) => {
            let open_to = format!("{open_to:?}").to_lowercase();
            Ok(format!("({}, open to: {open_to})", word(rule.effect)))
        }
        Some(_) => {
            Err("is open to nobody: say `open_to` in plugin.toml, or whoever runs it writes a rule")
        }
        None => Err(
            "is not classified: it counts as a write, and is denied until plugin.toml, or its operator's tools.toml, says what it does",
        ),
    }
}

fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "read",
        Effect::Write => "write",
        Effect::Escalation => "escalation",
    }
}

/// The tool as a model sees it.
fn preview(tool: &ToolSpec, findings: &mut Findings) {
    for line in tool.description.lines() {
        findings.lines.push(format!("    {line}"));
    }
    findings
        .lines
        .push(format!("    takes {}", fields(&tool.input_schema)));
    findings
        .lines
        .push(format!("    gives {}", fields(&tool.output_schema)));
    for name in tool.bound.keys() {
        findings
            .lines
            .push(format!("    {name} is filled in by the host"));
    }
}

/// `points: integer, reward: string, note?: string`
fn fields(schema: &Value) -> String {
    let required = |name: &str| {
        let names = schema["required"].as_array();
        names.is_some_and(|names| names.iter().any(|one| one == name))
    };
    let Some(properties) = schema["properties"]
        .as_object()
        .filter(|all| !all.is_empty())
    else {
        return "nothing".to_owned();
    };
    let told = properties.iter().map(|(name, property)| {
        let mark = if required(name) { "" } else { "?" };
        let kind = property["type"].as_str().unwrap_or("…");
        format!("{name}{mark}: {kind}")
    });
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_told_in_one_line() {
        let schema = serde_json::json!({
            "properties": { "points": { "type": "integer" }, "note": { "type": "string" }, "money": {} },
            "required": ["points", "money"],
        });
        assert_eq!(fields(&schema), "points: integer, note?: string, money: …");
        assert_eq!(fields(&serde_json::json!({ "properties": {} })), "nothing");
    }

    #[test]
    fn what_nobody_classified_is_said_to_be_denied() {
        assert!(
            classification(None, None)
                .unwrap_err()
                .contains("is denied until")
        );
        let own: Classified = toml::from_str("effect = \"read\"").unwrap();
        assert!(
            classification(None, Some(&own))
                .unwrap_err()
                .contains("open to nobody")
        );
        let own: Classified = toml::from_str("effect = \"write\"\nopen_to = \"matched\"").unwrap();
        assert_eq!(
            classification(None, Some(&own)),
            Ok("(write, open to: matched)".to_owned())
        );
    }
}
