//! What is struck out of every text on its way out: each secret that was ever known here.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::Secret;

/// Shorter values are no secrets, and striking them out would garble every text.
const SHORTEST: usize = 8;

const IN_PLACE: &str = "[secret]";

/// Secrets, searched for all at once. One that was replaced stays struck: texts that hold it may still come.
#[derive(Default)]
pub(super) struct Struck {
    secrets: BTreeSet<String>,
    /// Made by the first search after a change; none where it could not be made.
    search: OnceLock<Option<AhoCorasick>>,
}

impl Struck {
    pub(super) fn add<'a>(&mut self, secrets: impl IntoIterator<Item = &'a Secret>) {
        let long = secrets
            .into_iter()
            .map(Secret::expose)
            .filter(|secret| secret.len() >= SHORTEST);
        let before = self.secrets.len();
        self.secrets.extend(long.map(str::to_owned));
        if self.secrets.len() != before {
            self.search = OnceLock::new();
        }
    }

    pub(super) fn strike(&self, text: &str) -> String {
        match self.search.get_or_init(|| self.searched_at_once()) {
            Some(search) => {
                let mut struck = String::with_capacity(text.len());
                search.replace_all_with(text, &mut struck, |_, _, to| {
                    to.push_str(IN_PLACE);
                    true
                });
                struck
            }
            None => self.secrets.iter().fold(text.to_owned(), |text, secret| {
                text.replace(secret, IN_PLACE)
            }),
        }
    }

    fn searched_at_once(&self) -> Option<AhoCorasick> {
        // The longest first: of two secrets that begin alike, all of the longer one must go.
        let mut search = AhoCorasick::builder();
        let search = search
            .match_kind(MatchKind::LeftmostLongest)
            .build(&self.secrets);
        search
            .inspect_err(|error| tracing::error!(%error, "secrets are searched for one by one"))
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_goes_whole_and_short_words_stay() {
        let mut struck = Struck::default();
        struck.add(&[Secret::new("sk-model-key"), Secret::new("short")]);
        assert_eq!(struck.strike("sk-model-key, short"), "[secret], short");
        struck.add(&[Secret::new("sk-model-key-of-another")]);
        assert_eq!(
            struck.strike("sk-model-key-of-another and sk-model-key"),
            "[secret] and [secret]"
        );
    }
}
