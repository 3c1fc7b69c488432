//! What a replay shows: how many calls end as they did, and what differs in the others.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

/// Differing calls that are shown.
const SHOWN: usize = 20;

/// How a version that is not live ends the calls that were recorded. It tells of customers' data, shortened: show it to staff alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadow {
    /// The plugin's name.
    pub plugin: String,
    /// The version as its operator names it.
    pub version: String,
    /// sha256 (hex) of its component.
    pub digest: String,
    /// What there was to replay.
    pub recorded: Recorded,
    /// How the calls of each tool ended.
    pub tools: BTreeMap<String, ToolShadow>,
    /// The first 20 calls that differ, in the order in which they were recorded.
    pub differences: Vec<CallDifference>,
    /// How many more differ.
    pub more: usize,
}

/// What is kept of a plugin's calls. It is kept in memory: a host that has just started has nothing to replay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Calls that are kept.
    pub calls: usize,
    /// Calls that were too long to be kept, since the plugin is live.
    pub too_long: u64,
    /// Likewise calls that came to no end of their own.
    pub cut_short: u64,
}

/// How the recorded calls of one tool ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolShadow {
    /// Calls that the version ran.
    pub replayed: usize,
    /// Calls that it ended as they had ended, having asked for the same.
    pub same: usize,
    /// Calls that it did not, or that it could not even take.
    pub different: usize,
    /// Calls for which there was no place among the tenant's, or no time left.
    pub skipped: usize,
}

/// What differs in one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallDifference {
    /// The tool.
    pub tool: String,
    /// The arguments as JSON, shortened.
    pub arguments: String,
    /// sha256 (hex) of the version that was recorded.
    pub recorded: String,
    /// Why the version cannot take the call, if it cannot: the tool is gone, or its arguments do not fit any more.
    pub unfit: Option<String>,
    /// What is different in its end: by JSON pointer in the output or in the typed error; under the empty one the whole. Where it
    /// asked for something that is not recorded, that nobody answered may be why.
    pub result: Changes,
    /// What it asked its capabilities for, where that is not what was recorded.
    pub capabilities: Vec<CapabilityDifference>,
    /// How many more such differences there are.
    pub more_capabilities: usize,
}

/// A difference in what was asked of the capabilities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapabilityDifference {
    /// What kind of difference.
    pub kind: Difference,
    /// What it is about: `POST https://shop.example/refunds`, `set the key "cursor"`. Of a change, what the version asks for.
    pub asked: String,
    /// What changed: under `url`, `method`, `header accept`, `body/amount`, `key`, `value`, `prompt`, …
    pub changes: Changes,
}

/// Kinds of differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// It was asked for, and is no longer.
    Missing,
    /// It is asked for, and is not recorded. Nobody answered.
    Additional,
    /// Something like it is recorded. If its answer depends on what changed, nobody answered.
    Changed,
}

/// Changed places, the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// The first 10.
    pub shown: Vec<Change>,
    /// How many more.
    pub more: usize,
}

/// One changed place, with its value before and after, shortened; none where there is nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Where.
    pub at: String,
    /// What was recorded.
    pub was: Option<String>,
    /// What the version has there.
    pub is: Option<String>,
}

impl Shadow {
    /// Whether every recorded call was replayed and ended as it had; so it is, too, where nothing is recorded.
    pub fn is_same(&self) -> bool {
        let mut tools = self.tools.values();
        tools.all(|tool| tool.different == 0 && tool.skipped == 0)
    }

    pub(super) fn differs(&mut self, difference: CallDifference) {
        if self.differences.len() < SHOWN {
            self.differences.push(difference);
        } else {
            self.more += 1;
        }
    }
}

impl CallDifference {
    /// Whether there is a difference at all.
    pub(super) fn is_none(&self) -> bool {
        let asked = self.capabilities.len() + self.more_capabilities;
        self.unfit.is_none() && self.result.is_empty() && asked == 0
    }
}

impl Changes {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }
}

impl Display for Shadow {
    /// For a person at a terminal: the figures, and then call by call what differs.
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let recorded = &self.recorded;
        write!(
            to,
            "{} {}, recorded calls: {} (too long to be kept: {}, cut short: {})",
            self.plugin, self.version, recorded.calls, recorded.too_long, recorded.cut_short
        )?;
        for (tool, figures) in &self.tools {
            write!(
                to,
                "\n{tool}: {} replayed, {} the same, {} different, {} skipped",
                figures.replayed, figures.same, figures.different, figures.skipped
            )?;
        }
        for difference in &self.differences {
            write!(to, "\n{difference}")?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(to, "\nand {more} more calls that differ"),
        }
    }
}

impl Display for CallDifference {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        write!(to, "{} {}", self.tool, self.arguments)?;
        if let Some(unfit) = &self.unfit {
            write!(to, "\n  cannot be called: {unfit}")?;
        }
        if !self.result.is_empty() {
            write!(to, "\n  ends otherwise{}", self.result)?;
        }
        for one in &self.capabilities {
            write!(to, "\n  {}: {}{}", one.kind, one.asked, one.changes)?;
        }
        match self.more_capabilities {
            0 => Ok(()),
            more => write!(to, "\n  and {more} more requests"),
        }
    }
}

impl Display for Difference {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Missing => "no longer asks",
            Self::Additional => "asks, and nothing like it is recorded",
            Self::Changed => "asks otherwise",
        })
    }
}

impl Display for Changes {
    /// A line for each place, each begun by its line break.
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        for Change { at, was, is } in &self.shown {
            let text =
                |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
            let at = if at.is_empty() { "as a whole" } else { at };
            write!(to, "\n    {at}: {} → {}", text(was), text(is))?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(to, "\n    and {more} more places"),
        }
    }
}
