//! Constant regular expressions: compiled at first use, every one of them by the table tests.

/// Declares a static [`regex::Regex`] from string literals, joined.
macro_rules! pattern {
    ($name:ident, $($part:literal),+ $(,)?) => {
        #[allow(clippy::expect_used, reason = "a constant, compiled by the tests")]
        static $name: std::sync::LazyLock<regex::Regex> = std::sync::LazyLock::new(|| {
            regex::Regex::new(concat!($($part),+)).expect("a valid pattern")
        });
    };
}

pub(crate) use pattern;
