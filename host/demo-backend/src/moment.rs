//! A point in time as the store keeps it: what happened keeps its real time, seeded ages stay ages.
//!
//! A seeded order that was "delivered 5 days ago" must still say so when the store is a month old. Its time is therefore
//! kept as `5d 14:20` (five days ago at 14:20 UTC; `-2d 18:00` lies two days ahead) and settled whenever it is shown.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::format_description::well_known::Rfc3339;
use time::{Date, Duration, OffsetDateTime, Time};

/// A point in time, absolute or relative to the day on which it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Really happened then.
    At(OffsetDateTime),
    /// Seeded: that many days before the day of reading, at that time of day (UTC).
    Ago { days: i64, at: Time },
}

impl Moment {
    /// The current time, to the millisecond.
    pub(crate) fn now() -> Self {
        let now = OffsetDateTime::now_utc();
        Self::At(now.replace_millisecond(now.millisecond()).unwrap_or(now))
    }

    /// This moment as a point in time, for a reader whose day is `today`.
    pub(crate) fn settled(self, today: Date) -> OffsetDateTime {
        match self {
            Self::At(at) => at,
            Self::Ago { days, at } => today
                .saturating_sub(Duration::days(days))
                .with_time(at)
                .assume_utc(),
        }
    }

    /// The same moment `days` later.
    pub(crate) fn days_later(self, days: i64) -> Self {
        match self {
            Self::At(at) => Self::At(at.saturating_add(Duration::days(days))),
            Self::Ago { days: ago, at } => Self::Ago {
                days: ago.saturating_sub(days),
                at,
            },
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => out.write_str(&at.format(&Rfc3339).map_err(|_| fmt::Error)?),
            Self::Ago { days, at } => write!(out, "{days}d {:02}:{:02}", at.hour(), at.minute()),
        }
    }
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected an RFC 3339 time or an age such as \"5d 14:20\"";
        match text.split_once("d ") {
            Some((days, clock)) => age(days, clock).ok_or(EXPECTED),
            None => OffsetDateTime::parse(text, &Rfc3339)
                .map(Self::At)
                .map_err(|_| EXPECTED),
        }
    }
}

fn age(days: &str, clock: &str) -> Option<Moment> {
    let (hour, minute) = clock.split_once(':')?;
    let at = Time::from_hms(hour.parse().ok()?, minute.parse().ok()?, 0).ok()?;
    Some(Moment::Ago {
        days: days.parse().ok()?,
        at,
    })
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn an_age_follows_the_day_of_reading() {
        let delivered: Moment = "5d 14:20".parse().unwrap();
        assert_eq!(
            delivered.settled(date!(2026 - 03 - 10)),
            datetime!(2026-03-05 14:20 UTC)
        );
        assert_eq!(
            delivered.settled(date!(2027 - 01 - 01)),
            datetime!(2026-12-27 14:20 UTC)
        );
        assert_eq!(
            delivered.days_later(7).settled(date!(2026 - 03 - 10)),
            datetime!(2026-03-12 14:20 UTC)
        );
    }

    #[test]
    fn what_happened_keeps_its_time() {
        let happened: Moment = "2026-03-05T14:20:00.5Z".parse().unwrap();
        assert_eq!(
            happened.settled(date!(2030 - 01 - 01)),
            datetime!(2026-03-05 14:20:00.5 UTC)
        );
    }

    #[test]
    fn both_forms_survive_being_written() {
        for text in ["5d 14:20", "-2d 08:05", "2026-03-05T14:20:00Z"] {
            assert_eq!(text.parse::<Moment>().unwrap().to_string(), text);
        }
        for text in ["", "5d", "5d 25:00", "yesterday", "d 10:00", "5d 10"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
