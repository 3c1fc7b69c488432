//! The process environment: read here and nowhere else, once, at the start.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Environment variables by name; those that are set to nothing count as not set.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment of this process; values that are no UTF-8 are left out.
    pub fn of_process() -> Self {
        let readable = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        readable.collect()
    }

    /// The program that this process is.
    pub(crate) fn program() -> std::io::Result<PathBuf> {
        std::env::current_exe()
    }

    /// A variable's value, if it is set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(
            variables
                .into_iter()
                .filter(|(_, value)| !value.trim().is_empty())
                .collect(),
        )
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be secrets.
        to.debug_set().entries(self.0.keys()).finish()
    }
}
