//! How far back to look: `24h`, or an instant.

use std::str::FromStr;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// The beginning of a stretch of time that ends now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// So long ago.
    Ago(Duration),
    /// At this instant.
    At(OffsetDateTime),
}

impl Since {
    /// Unix milliseconds.
    pub(super) fn unix_ms(self, now: OffsetDateTime) -> i64 {
        let at = match self {
            Self::Ago(time) => now.checked_sub(time).unwrap_or(OffsetDateTime::UNIX_EPOCH),
            Self::At(at) => at,
        };
        at.unix_timestamp() * 1000 + i64::from(at.millisecond())
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(at) = OffsetDateTime::parse(text, &Rfc3339) {
            return Ok(Self::At(at));
        }
        let wrong = || {
            format!(
                "expected a time such as 24h, 30m or 7d, or 2026-11-20T09:00:00Z, found {text:?}"
            )
        };
        let seconds = match text.chars().last() {
            Some('m') => 60,
            Some('h') => 3_600,
            Some('d') => 86_400,
            _ => return Err(wrong()),
        };
        let count = &text[..text.len() - 1];
        let count: u32 = count.parse().map_err(|_| wrong())?;
        Ok(Self::Ago(Duration::seconds(i64::from(count) * seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_instants_are_read_and_nothing_else() {
        let now = OffsetDateTime::from_unix_timestamp(1_000_000).unwrap();
        for (text, ms) in [
            ("90m", 994_600_000),
            ("24h", 913_600_000),
            ("2d", 827_200_000),
            ("1970-01-01T00:00:01Z", 1_000),
            ("4294967295d", 0),
        ] {
            let since: Since = text.parse().unwrap();
            assert_eq!(since.unix_ms(now), ms, "{text}");
        }
        for text in [
            "",
            "h",
            "24",
            "-1h",
            "24 h",
            "1.5h",
            "yesterday",
            "2026-11-20",
            "é",
        ] {
            let refusal = text.parse::<Since>().unwrap_err();
            assert!(refusal.contains("24h"), "{refusal}");
        }
    }
}
