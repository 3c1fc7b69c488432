//! `switchboard plugin inspect`: everything about a component, for people and for programs.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::component::Component;
use super::size;
use crate::cli::terminal::say;

pub(super) fn run(at: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let component = Component::read(at)?;
    if as_json {
        say(format_args!("{:#}", told(&component)));
    } else {
        tell(&component);
    }
    Ok(ExitCode::SUCCESS)
}

fn told(component: &Component) -> Value {
    let inspection = &component.inspection;
    let tools = inspection.tools.iter().map(|tool| {
        json!({
            "name": tool.name,
            "title": tool.title,
            "description": tool.description,
            "interface": tool.interface,
            "input_schema": *tool.input_schema,
            "output_schema": tool.output_schema,
            "filled_in_by_the_host": tool.bound.keys().collect::<Vec<_>>(),
        })
    });
    json!({
        "file": component.file,
        "bytes": inspection.bytes,
        "digest": format!("sha256:{}", inspection.digest),
        "manifest": component.manifest,
        "exports": component.interfaces(),
        "imports": inspection.imports,
        "tools": tools.collect::<Vec<_>>(),
        "not_offered": inspection.skipped,
    })
}

fn tell(component: &Component) {
    let inspection = &component.inspection;
    say(format_args!("{}", component.file.display()));
    say(format_args!("  size     {}", size(inspection.bytes)));
    say(format_args!("  digest   sha256:{}", inspection.digest));
    match &component.manifest {
        Some(manifest) => {
            say(format_args!(
                "  name     {} {}",
                manifest.name, manifest.version
            ));
            if let Some(description) = &manifest.description {
                say(format_args!("           {description}"));
            }
        }
        None => say("  name     it carries no manifest"),
    }
    for interface in component.interfaces() {
        say(format_args!("  exports  {interface}"));
    }
    for import in &inspection.imports {
        let capability = json!(import.capability);
        say(format_args!(
            "  imports  {} ({})",
            import.interface,
            capability.as_str().unwrap_or_default()
        ));
    }
    for tool in &inspection.tools {
        say(format_args!("  tool     {}", tool.name));
        for line in tool.description.lines() {
            say(format_args!("           {line}"));
        }
    }
    for what in &inspection.skipped {
        say(format_args!("  left out {what}"));
    }
}
