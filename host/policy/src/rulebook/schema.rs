//! The schema of one rulebook: the base schema, completed from how the tools are classified.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::vocabulary::{AttributeType, Vocabulary};
use crate::{Effect, RulebookError, Settings, ToolRule};

const BASE: &str = include_str!("../schema.cedarschema");

/// The tools of the built-in contract: shipped rules name them, also where a tenant has classified only some of them.
const CONTRACT_TOOLS: &[(Effect, &[&str])] = &[
    (
        Effect::Read,
        &[
            "analyze_sentiment",
            "classify_inquiry",
            "get_conversation",
            "get_customer",
            "get_customer_orders",
            "get_ticket",
            "get_tracking_info",
            "list_refunds",
            "lookup_order",
            "search_articles",
            "search_knowledge_base",
            "search_users",
            "suggest_response",
            "summarize_ticket",
        ],
    ),
    (
        Effect::Write,
        &[
            "add_credit",
            "add_tag",
            "assign_conversation",
            "cancel_order",
            "create_conversation",
            "create_return",
            "create_ticket",
            "process_refund",
            "send_message",
            "update_customer_info",
            "update_ticket",
            "update_user",
        ],
    ),
    (Effect::Escalation, &["escalate_to_human"]),
];

/// The Cedar schema as text.
pub(super) fn text(
    tools: &BTreeMap<String, ToolRule>,
    words: &Vocabulary,
    settings: &Settings,
) -> Result<String, RulebookError> {
    let mut text = BASE.to_owned();
    let arguments = words
        .arguments
        .iter()
        .map(|name| (name.as_str(), "String".to_owned()));
    declare(&mut text, "Arguments", arguments)?;
    let budgets = settings
        .budgets
        .keys()
        .map(|name| (name.as_str(), "Draw".to_owned()));
    declare(&mut text, "Spent", budgets)?;
    let mut vendor = vec![];
    for (kind, attributes) in &words.vendor {
        vendor.push((kind.as_str(), vendor_record(attributes)?));
    }
    declare(&mut text, "Vendor", vendor)?;
    actions(&mut text, tools)?;
    Ok(text)
}

/// The name of the action group of an effect.
pub(super) fn group(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "read",
        Effect::Write => "write",
        Effect::Escalation => "escalation",
    }
}

fn declare<'a>(
    text: &mut String,
    name: &str,
    fields: impl IntoIterator<Item = (&'a str, String)>,
) -> Result<(), RulebookError> {
    let fields = record(fields)?;
    let _ = write!(text, "\ntype {name} = {fields};\n");
    Ok(())
}

/// A record type whose fields are all optional.
fn record<'a>(
    fields: impl IntoIterator<Item = (&'a str, String)>,
) -> Result<String, RulebookError> {
    let mut text = "{".to_owned();
    for (name, kind) in fields {
        check_name(name)?;
        let _ = write!(text, " \"{name}\"?: {kind},");
    }
    text.push_str(" }");
    Ok(text)
}

fn vendor_record(attributes: &BTreeSet<String>) -> Result<String, RulebookError> {
    let mut types: BTreeMap<&str, &str> = attributes
        .iter()
        .map(|name| (name.as_str(), AttributeType::of(name).schema_type()))
        .collect();
    if attributes
        .iter()
        .any(|name| AttributeType::of(name) == AttributeType::Money)
    {
        types.insert("currency", "String");
    }
    types.insert("age", "Long");
    record(
        types
            .into_iter()
            .map(|(name, kind)| (name, kind.to_owned())),
    )
}

fn actions(text: &mut String, tools: &BTreeMap<String, ToolRule>) -> Result<(), RulebookError> {
    for (name, rule) in tools {
        check_name(name)?;
        action(text, name, rule.effect);
    }
    for (effect, names) in CONTRACT_TOOLS {
        for name in names.iter().filter(|name| !tools.contains_key(**name)) {
            action(text, name, *effect);
        }
    }
    Ok(())
}

fn action(text: &mut String, name: &str, effect: Effect) {
    let group = group(effect);
    let _ = write!(
        text,
        "\naction \"{name}\" in [\"{group}\"] appliesTo {{ principal: [Actor], resource: [Case], context: ToolCall }};"
    );
}

/// Names go into the schema's text: nothing but plain names may.
fn check_name(name: &str) -> Result<(), RulebookError> {
    let plain = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let reserved = ["read", "write", "escalation", "http_request"].contains(&name);
    if plain && !reserved {
        return Ok(());
    }
    Err(RulebookError::Invalid(format!(
        "`{name}` cannot be the name of a tool, an attribute or a budget: use a-z, 0-9 and _, starting with a letter"
    )))
}
