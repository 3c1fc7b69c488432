//! The terms of a trial, as they are written in the shell: in percent.

use clap::Args;
use serde_json::{Value, json};

/// How much worse than the version beside it a version on trial may do.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ToleranceArgs {
    /// Calls before anything is made of them [default: 20]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    min_calls: Option<u64>,
    /// End it where more of its calls trap or pass a limit, beyond the live version's, in percent [default: 2]
    #[arg(long, value_name = "PERCENT", value_parser = tolerated)]
    traps: Option<u16>,
    /// Likewise where they end in a typed error [default: 20]
    #[arg(long, value_name = "PERCENT", value_parser = tolerated)]
    errors: Option<u16>,
    /// Likewise where they are refused something at the capability gate [default: 2]
    #[arg(long, value_name = "PERCENT", value_parser = tolerated)]
    denials: Option<u16>,
}

impl ToleranceArgs {
    /// What the host is told; of what is not said, it has its own.
    pub(super) fn body(&self) -> Value {
        let said = [
            ("min_calls", self.min_calls),
            ("traps_per_mille", self.traps.map(u64::from)),
            ("errors_per_mille", self.errors.map(u64::from)),
            ("denials_per_mille", self.denials.map(u64::from)),
        ];
        let said = said.into_iter().filter(|(_, figure)| figure.is_some());
        said.map(|(name, figure)| (name.to_owned(), json!(figure)))
            .collect()
    }
}

/// A share of the cases.
pub(super) fn per_mille(text: &str) -> Result<u16, String> {
    let share = thousandths(text).filter(|share| *share > 0);
    share.ok_or_else(|| format!("expected 0.1 to 100 (percent of the cases), found {text}"))
}

/// A share of the calls.
fn tolerated(text: &str) -> Result<u16, String> {
    thousandths(text).ok_or_else(|| {
        format!("expected 0 to 100 (percent of the calls, in steps of 0.1), found {text}")
    })
}

/// A percentage in steps of a tenth; none where it is something else.
fn thousandths(text: &str) -> Option<u16> {
    let number = text.strip_suffix('%').unwrap_or(text).trim_end();
    let (whole, tenth) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(tenth) || tenth.len() > 1 {
        return None;
    }
    let share = whole.parse::<u16>().ok()?.checked_mul(10)?;
    let share = share.checked_add(tenth.parse().ok()?)?;
    Some(share).filter(|share| *share <= 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage() {
        for (text, expected) in [
            ("5", Some(50)),
            ("0.5%", Some(5)),
            ("100", Some(1000)),
            ("0", None),
            ("101", None),
            ("x", None),
        ] {
            assert_eq!(per_mille(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_tolerated_is_a_percentage_and_nothing_else() {
        for (text, expected) in [("0", 0), ("2.5", 25), ("2.5 %", 25), ("100.0", 1000)] {
            assert_eq!(tolerated(text), Ok(expected), "{text}");
        }
        for text in [
            "", ".", ".5", "5.", "-1", "+1", "NaN", "inf", "1e1", "100.1", "6554", "0.25", "5%%",
        ] {
            let refused = tolerated(text).unwrap_err();
            assert!(refused.ends_with(&format!("found {text}")), "{refused}");
        }
    }
}
