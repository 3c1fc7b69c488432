//! How a backend treats repeats, as an operator declares it: `deduplicates`, `queryable:60` or `neither`.

use policy::Nature;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What the operator knows of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeclaredNature(pub Nature);

/// Why a text declares no nature.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "expected \"deduplicates\", \"queryable:SECONDS\" (after its longest processing time) or \"neither\", found {0:?}"
)]
pub struct NatureError(String);

impl TryFrom<String> for DeclaredNature {
    type Error = NatureError;

    fn try_from(text: String) -> Result<Self, NatureError> {
        let nature = match text.split_once(':') {
            None if text == "deduplicates" => Some(Nature::Deduplicates),
            None if text == "neither" => Some(Nature::Neither),
            Some(("queryable", seconds)) => seconds
                .parse()
                .ok()
                .map(|after_seconds| Nature::Queryable { after_seconds }),
            _ => None,
        };
        nature.map(Self).ok_or(NatureError(text))
    }
}

impl From<DeclaredNature> for String {
    fn from(declared: DeclaredNature) -> Self {
        match declared.0 {
            Nature::Deduplicates => "deduplicates".to_owned(),
            Nature::Queryable { after_seconds } => format!("queryable:{after_seconds}"),
            Nature::Neither => "neither".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nature_reads_as_it_was_written() {
        for (text, expected) in [
            ("deduplicates", Some(Nature::Deduplicates)),
            (
                "queryable:60",
                Some(Nature::Queryable { after_seconds: 60 }),
            ),
            ("neither", Some(Nature::Neither)),
            ("queryable", None),
            ("queryable:soon", None),
            ("queryable:-1", None),
            ("neither:5", None),
            ("", None),
        ] {
            let read = DeclaredNature::try_from(text.to_owned()).ok();
            assert_eq!(read.map(|declared| declared.0), expected, "{text}");
            if let Some(declared) = read {
                assert_eq!(String::from(declared), text);
            }
        }
    }
}
