//! What is struck out of a tenant's texts on their way out: each secret of its own, or of the host, that was ever known here.
//!
//! Nobody else's: a plugin whose backend answers with guesses would see which of them were struck.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::Secret;

/// Shorter values are no secrets, and striking them out would garble every text.
const SHORTEST: usize = 8;

const IN_PLACE: &str = "[secret]";

/// The secrets of the host, and of every tenant that there was: texts may still come from one that was removed.
#[derive(Default)]
pub(super) struct Struck {
    hosts: Search,
    /// With the host's.
    by_tenant: HashMap<String, Search>,
}

impl Struck {
    /// Secrets of the host. Tenants come after them.
    pub(super) fn of_host<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut hosts = Search::default();
        hosts.add(secrets);
        Self {
            hosts,
            by_tenant: HashMap::new(),
        }
    }

    pub(super) fn add<'a>(&mut self, tenant: &str, secrets: impl IntoIterator<Item = &'a Secret>) {
        let hosts = || Search::for_all(self.hosts.secrets.clone());
        let search = self.by_tenant.entry(tenant.to_owned());
        search.or_insert_with(hosts).add(secrets);
    }

    pub(super) fn strike(&self, tenant: &str, text: &str) -> String {
        let search = self.by_tenant.get(tenant).unwrap_or(&self.hosts);
        search.strike(text)
    }
}

/// Secrets, searched for all at once. One that was replaced stays struck: texts that hold it may still come.
#[derive(Default)]
struct Search {
    secrets: BTreeSet<String>,
    /// Made by the first search after a change; none where it could not be made.
    search: OnceLock<Option<AhoCorasick>>,
}

impl Search {
    fn for_all(secrets: BTreeSet<String>) -> Self {
        Self {
            secrets,
            search: OnceLock::new(),
        }
    }

    fn add<'a>(&mut self, secrets: impl IntoIterator<Item = &'a Secret>) {
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

    fn strike(&self, text: &str) -> String {
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
        let mut struck = Struck::of_host(&[Secret::new("sk-model-key"), Secret::new("short")]);
        assert_eq!(
            struck.strike("acme", "sk-model-key, short"),
            "[secret], short"
        );
        struck.add("acme", &[Secret::new("sk-model-key-of-acme")]);
        assert_eq!(
            struck.strike("acme", "sk-model-key-of-acme and sk-model-key"),
            "[secret] and [secret]"
        );
    }

    #[test]
    fn a_guess_at_another_tenants_secret_stays_as_it_is() {
        let mut struck = Struck::of_host(&[Secret::new("sk-model-key")]);
        struck.add("acme", &[Secret::new("acme-credential")]);
        struck.add("rival", &[]);
        for tenant in ["rival", "nobody"] {
            let guess = struck.strike(tenant, "acme-credential, sk-model-key");
            assert_eq!(guess, "acme-credential, [secret]");
        }
        // A secret that was replaced may still come.
        struck.add("acme", &[Secret::new("acme-new-credential")]);
        assert_eq!(struck.strike("acme", "acme-credential"), "[secret]");
    }
}
