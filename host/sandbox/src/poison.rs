//! Texts and names by which a plugin could mislead a model or a person, or bury them: invisible characters, names that pass for
//! others, and more than anybody reads.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use dispatch::ToolSpec;
use regex::Regex;
use serde_json::Value;

use crate::reflect::Plan;
use crate::{LoadError, measure};

/// Tools of one component. Each is told to every model and every client, in every list.
const TOOLS: usize = 256;
/// Bytes of one description.
const DESCRIPTION_BYTES: usize = 16 << 10;
/// Bytes of the descriptions and schemas of all of them. Those of the contract have an eighth of that.
const TEXT_BYTES: usize = 512 << 10;

/// Format, control (lines and tabs aside), private and unassigned characters; those that are drawn as nothing, as Unicode
/// lists them (variation selectors, fillers, the joiner of graphemes); and the Braille pattern that is blank.
static HIDDEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let classes =
        r"[\p{Cf}\p{Co}\p{Cn}\p{Cc}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\x{2800}--[\n\r\t]]";
    Regex::new(classes).ok()
});

/// The text without the characters for which a tool is refused: for whoever makes a description of somebody else's words.
pub fn without_hidden(text: &str) -> String {
    let hidden = HIDDEN.as_ref();
    hidden.map_or_else(String::new, |hidden| {
        hidden.replace_all(text, "").into_owned()
    })
}

/// Refuses a component's tools where they are too many, say too much, or have texts with characters that no person sees.
pub(crate) fn check<'a>(plans: impl ExactSizeIterator<Item = &'a Plan>) -> Result<(), LoadError> {
    within("tools", plans.len(), TOOLS)?;
    let mut bytes = 0;
    for plan in plans {
        bytes += check_tool(plan)?;
        within(
            "bytes in what its tools say of themselves",
            bytes,
            TEXT_BYTES,
        )?;
    }
    Ok(())
}

fn within(what: &'static str, found: usize, limit: usize) -> Result<(), LoadError> {
    if found > limit {
        return Err(LoadError::TooComplex { what, found, limit });
    }
    Ok(())
}

/// Gives the bytes of its texts.
fn check_tool(plan: &Plan) -> Result<usize, LoadError> {
    let (description, input, output) = (
        plan.description(),
        plan.input_schema(),
        plan.output_schema(),
    );
    within(
        "bytes in the description of a tool",
        description.len(),
        DESCRIPTION_BYTES,
    )?;
    check_text(plan, "title", &plan.title())?;
    check_text(plan, "description", &description)?;
    check_schema(plan, "input schema", &input)?;
    check_schema(plan, "output schema", &output)?;
    Ok(description.len() + measure::bytes(&input) + measure::bytes(&output))
}

fn check_schema(plan: &Plan, place: &str, schema: &Value) -> Result<(), LoadError> {
    match schema {
        Value::String(text) => check_text(plan, place, text),
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| check_schema(plan, place, item)),
        Value::Object(fields) => fields.iter().try_for_each(|(name, field)| {
            check_text(plan, place, name)?;
            check_schema(plan, place, field)
        }),
        _ => Ok(()),
    }
}

fn check_text(plan: &Plan, place: &str, text: &str) -> Result<(), LoadError> {
    let Some(hidden) = HIDDEN.as_ref() else {
        let broken = "the table of hidden characters is broken";
        return Err(LoadError::Sandbox(broken.to_owned()));
    };
    let found = hidden
        .find(text)
        .and_then(|found| found.as_str().chars().next());
    found.map_or(Ok(()), |character| {
        Err(LoadError::Hidden {
            tool: plan.tool().to_owned(),
            place: place.to_owned(),
            character: character.into(),
        })
    })
}

/// Refuses tools that pass for each other, or for one of the contract's: a model and an operator go by names.
pub(crate) fn check_names(
    tools: &[&ToolSpec],
    contract: &BTreeMap<String, String>,
) -> Result<(), LoadError> {
    let mut known: BTreeMap<String, (&str, &str)> = contract
        .iter()
        .map(|(name, interface)| (folded(name), (name.as_str(), interface.as_str())))
        .collect();
    for tool in tools {
        let taken = known.insert(folded(&tool.name), (&tool.name, &tool.interface));
        match taken {
            Some((other, whose)) if !is_same(tool, other, whose) => {
                return Err(LoadError::Shadow {
                    tool: tool.name.clone(),
                    from: tool.interface.clone(),
                    other: other.to_owned(),
                    whose: whose.to_owned(),
                });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The contract's own tool, whichever of its versions.
fn is_same(tool: &ToolSpec, other: &str, whose: &str) -> bool {
    let bare = |interface: &str| interface.split('@').next().map(str::to_owned);
    tool.name == other && bare(&tool.interface) == bare(whose)
}

/// What two names have in common that a reader would mix up.
fn folded(name: &str) -> String {
    let letter = |c: char| match c {
        '_' | '-' => None,
        '0' => Some('o'),
        '1' | 'i' => Some('l'),
        other => Some(other.to_ascii_lowercase()),
    };
    name.chars().filter_map(letter).collect()
}
