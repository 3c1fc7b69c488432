//! A call as it is recorded: what went in, what it asked for and was given, and what came out.

use dispatch::{InvokeError, ToolError};
use serde_json::{Map, Value};

use super::exchange::Exchange;
use super::moment::Moment;
use super::tape::{Tape, Unrecorded, Unwound};

/// What a call takes beside what went in and out, about.
const CALL_BYTES: usize = 512;

/// A call with all that went in and out.
#[derive(Debug)]
pub(crate) struct RecordedCall {
    pub(crate) tool: String,
    /// The arguments that were judged, as JSON.
    pub(crate) arguments: String,
    /// sha256 (hex) of the version that ran it.
    pub(crate) digest: String,
    pub(crate) exchanges: Vec<Exchange>,
    /// None where it did not want to know.
    pub(crate) moment: Option<Moment>,
    pub(crate) ended: Ended,
    /// What it takes to keep it, about.
    pub(crate) bytes: usize,
}

/// What the plugin made of a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ended {
    /// Its output, as JSON.
    Output(String),
    /// A typed error.
    Error(ToolError),
    /// It trapped, broke the contract, or went past a limit; in the host's words.
    Failed(String),
}

impl Ended {
    pub(crate) fn of(outcome: &Result<Value, InvokeError>) -> Self {
        match outcome {
            Ok(output) => Self::Output(output.to_string()),
            Err(InvokeError::Tool(error)) => Self::Error(error.clone()),
            Err(error) => Self::Failed(error.to_string()),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Output(text) | Self::Failed(text) => text.len(),
            Self::Error(error) => error.to_string().len(),
        }
    }
}

impl RecordedCall {
    /// The record of a call that has come to its end; none where it is longer than the tape, or says nothing.
    pub(crate) fn of(
        tool: &str,
        digest: &str,
        arguments: &Map<String, Value>,
        tape: &Tape,
        outcome: &Result<Value, InvokeError>,
    ) -> Result<Self, Unrecorded> {
        if matches!(
            outcome,
            Err(InvokeError::Deadline(_) | InvokeError::Busy(_))
        ) {
            return Err(Unrecorded::CutShort);
        }
        let Unwound {
            exchanges,
            moment,
            left,
        } = tape.unwind()?;
        let arguments = serde_json::to_string(arguments).map_err(|_| Unrecorded::TooLong)?;
        let ended = Ended::of(outcome);
        let texts = CALL_BYTES + arguments.len() + ended.bytes();
        let found = moment.as_ref().map_or(0, Moment::bytes);
        let bytes = texts + found + exchanges.iter().map(Exchange::bytes).sum::<usize>();
        let call = Self {
            tool: tool.to_owned(),
            arguments,
            digest: digest.to_owned(),
            exchanges,
            moment,
            ended,
            bytes,
        };
        (texts <= left).then_some(call).ok_or(Unrecorded::TooLong)
    }
}
