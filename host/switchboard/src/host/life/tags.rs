//! Tags of pinned plugins: looked at from time to time, without anything being fetched. One that leads elsewhere by now is told,
//! in the log and in the audit log; what is pinned serves on.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use artifacts::{Digest, FetchError, Reference, Registries};
use dispatch::{PluginVersion, StoreError, TagFound, TagMove};
use futures::StreamExt as _;
use futures::stream;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::host::roster::Roster;
use crate::tenants::{PluginEntry, PluginOrigin};

/// As whom it is recorded.
const BY: &str = "host:tags";
/// How long a registry may take to say where one tag leads.
const PATIENCE: Duration = Duration::from_secs(30);
/// Registries that are asked at a time, each for one tag after the other.
const AT_A_TIME: usize = 8;

/// The task that looks; it ends when this is dropped.
pub(crate) struct TagWatch(#[expect(dead_code, reason = "held, not used")] AbortOnDropHandle<()>);

impl TagWatch {
    /// Looks now, and then about every so often; none where that is never.
    pub(crate) fn start(roster: Arc<Roster>, every: Duration) -> Option<Self> {
        if every.is_zero() {
            return None;
        }
        let mut looks = Looks {
            registries: Registries {
                patience: PATIENCE,
                ..roster.publishing().registries().clone()
            },
            roster,
            silent: Silent::default(),
        };
        let work = async move {
            loop {
                if let Err(error) = looks.look().await {
                    tracing::error!(%error, "where tags of plugins lead could not be noted; tried again at the next look");
                }
                tokio::time::sleep(pause(every)).await;
            }
        };
        Some(Self(AbortOnDropHandle::new(tokio::spawn(work))))
    }
}

/// A tenth more or less, so that hosts that were started together do not ask together for ever.
fn pause(every: Duration) -> Duration {
    let share = u32::from(Uuid::new_v4().as_bytes()[0]);
    every * 9 / 10 + every / 5 * share / 255
}

/// The places that a plugin was pinned to beside a tag. Of each tag the newest pin alone: whoever pinned anew knows that it had
/// moved. What plugins.toml says is newer than what was installed.
pub(super) fn pinned_tags<'a>(
    entry: Option<&PluginEntry>,
    versions: impl Iterator<Item = &'a PluginVersion>,
) -> HashMap<Reference, Reference> {
    let mut versions: Vec<_> = versions.collect();
    versions.sort_by_key(|version| version.installed_at);
    let installed = versions
        .iter()
        .filter_map(|version| version.source.parse().ok());
    let named = entry.and_then(|entry| match &entry.origin {
        PluginOrigin::Oci(place) => Some(place.clone()),
        _ => None,
    });
    let places = installed.chain(named);
    let by_tag = |place: Reference| Some((place.tag_and_pin()?.0, place));
    places.filter_map(by_tag).collect()
}

/// Looks at every tenant's tags, one after the other in time.
struct Looks {
    roster: Arc<Roster>,
    registries: Registries,
    silent: Silent,
}

/// Registries that could not be reached, and places of which a registry did not say where they lead, at the last look.
#[derive(Default)]
struct Silent(BTreeSet<String>);

impl Silent {
    /// Those of a look that are to be told: what was silent at the last look was told then.
    fn news<'a>(&mut self, failed: &'a [(Reference, FetchError)]) -> Vec<&'a FetchError> {
        let whom = |(tag, error): &(Reference, FetchError)| match error {
            FetchError::Unreachable { .. } => tag.registry().to_owned(),
            _ => tag.to_string(),
        };
        let before = std::mem::take(&mut self.0);
        let is_news = |one: &&(Reference, FetchError)| {
            let whom = whom(one);
            let was_told = before.contains(&whom);
            self.0.insert(whom) && !was_told
        };
        let news = failed.iter().filter(is_news);
        news.map(|(_, error)| error).collect()
    }
}

/// A tag that a tenant's plugin was pinned with.
struct Pinned {
    tenant: String,
    plugin: String,
    /// The place by its tag alone.
    tag: Reference,
    /// As it was pinned.
    place: Reference,
    /// Where it led elsewhere at the last look.
    known: Option<TagMove>,
}

impl Looks {
    async fn look(&mut self) -> Result<(), StoreError> {
        let pinned = self.pinned().await?;
        let tags: HashSet<Reference> = pinned.iter().map(|one| one.tag.clone()).collect();
        let led = self.ask(tags).await;
        for one in &pinned {
            if let Some(now) = led.get(&one.tag) {
                self.note(one, *now).await?;
            }
        }
        Ok(())
    }

    async fn pinned(&self) -> Result<Vec<Pinned>, StoreError> {
        let mut pinned = vec![];
        for standing in self.roster.standings() {
            let Some(tenant) = self.roster.tenant(&standing.name) else {
                continue;
            };
            let registry = self.roster.registry();
            let versions = registry.versions(&tenant.name).await?;
            let moves = registry.tag_moves(&tenant.name).await?;
            let installed = versions.iter().map(|version| version.plugin.as_str());
            let named = tenant.plugins.iter().map(|entry| entry.name.as_str());
            for plugin in installed.chain(named).collect::<BTreeSet<_>>() {
                let entry = tenant.plugins.iter().find(|entry| entry.name == plugin);
                let of_it = versions.iter().filter(|version| version.plugin == plugin);
                pinned.extend(pinned_tags(entry, of_it).into_iter().map(|(tag, place)| {
                    let written = place.to_string();
                    let is_this = |one: &&TagMove| one.plugin == plugin && one.reference == written;
                    Pinned {
                        tenant: tenant.name.clone(),
                        plugin: plugin.to_owned(),
                        known: moves.iter().find(is_this).cloned(),
                        tag,
                        place,
                    }
                }));
            }
        }
        Ok(pinned)
    }

    /// Where these tags lead now, as far as their registries say it. Each tag is asked for once, however many were pinned with it.
    async fn ask(&mut self, tags: HashSet<Reference>) -> HashMap<Reference, Option<Digest>> {
        let mut by_registry: HashMap<String, Vec<Reference>> = HashMap::new();
        for tag in tags {
            by_registry
                .entry(tag.registry().to_owned())
                .or_default()
                .push(tag);
        }
        let asked = by_registry
            .into_values()
            .map(|tags| ask_one(self.registries.clone(), tags));
        let answers: Vec<_> = stream::iter(asked)
            .buffer_unordered(AT_A_TIME)
            .collect()
            .await;
        let mut led = HashMap::new();
        let mut failed = vec![];
        for (tag, answer) in answers.into_iter().flatten() {
            match answer {
                Ok(now) => drop(led.insert(tag, now)),
                Err(error) => failed.push((tag, error)),
            }
        }
        for error in self.silent.news(&failed) {
            tracing::warn!(%error, "where tags of pinned plugins lead is not told; it is asked at each look, and this is said once");
        }
        led
    }

    /// Nothing is written while a tag leads where it led at the last look.
    async fn note(&self, one: &Pinned, now: Option<Digest>) -> Result<(), StoreError> {
        let Some(pinned) = one.place.digest() else {
            return Ok(());
        };
        let written = now.map(|digest| digest.to_string());
        let is_known = match &one.known {
            None => now == Some(pinned),
            Some(known) => known.now == written,
        };
        if is_known {
            return Ok(());
        }
        let found = TagFound {
            tenant: one.tenant.clone(),
            plugin: one.plugin.clone(),
            reference: one.place.to_string(),
            pinned: pinned.to_string(),
            now: written,
            by: BY.to_owned(),
        };
        if self.roster.registry().tag_found(found).await? {
            let (tenant, plugin, reference) = (&one.tenant, &one.plugin, &one.place);
            tracing::warn!(tenant, plugin, %reference, ?now, "the tag of a pinned plugin leads elsewhere by now; the pinned one is used");
        }
        Ok(())
    }
}

/// Asks one registry for one tag after the other; one that cannot be reached is asked no further.
async fn ask_one(
    registries: Registries,
    tags: Vec<Reference>,
) -> Vec<(Reference, Result<Option<Digest>, FetchError>)> {
    let mut answers = vec![];
    for tag in tags {
        let answer = tag.leads_to(&registries).await;
        let is_down = matches!(answer, Err(FetchError::Unreachable { .. }));
        answers.push((tag, answer));
        if is_down {
            break;
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn installed(source: &str, installed_at: i64) -> PluginVersion {
        PluginVersion {
            tenant: "acme".to_owned(),
            plugin: "loyalty".to_owned(),
            version: "1.0.0".to_owned(),
            digest: String::new(),
            source: source.to_owned(),
            signed_by: None,
            signatures: None,
            accepted: serde_json::Value::Null,
            installed_by: String::new(),
            installed_at,
        }
    }

    #[test]
    fn of_each_tag_the_newest_pin_is_looked_at() {
        let place = |tag: &str, of: &str| {
            format!(
                "registry.example/loyalty{tag}@{}",
                Digest::of(of.as_bytes())
            )
        };
        let (old, new, stable) = (
            place(":1", "old"),
            place(":1", "new"),
            place(":stable", "new"),
        );
        let versions = [
            installed(&new, 2),
            installed(&old, 1),
            installed(&stable, 1),
            installed(&place("", "no tag"), 3),
            installed("a request", 3),
            installed("/srv/plugins/loyalty.wasm", 3),
        ];
        let looked_at = |entry: Option<&PluginEntry>| {
            let mut places: Vec<_> = pinned_tags(entry, versions.iter())
                .into_values()
                .map(|place| place.to_string())
                .collect();
            places.sort();
            places
        };
        let sorted = |mut places: Vec<String>| {
            places.sort();
            places
        };
        assert_eq!(looked_at(None), sorted(vec![new, stable.clone()]));
        let named = PluginEntry {
            origin: PluginOrigin::Oci(old.parse().unwrap()),
            ..PluginEntry::installed("loyalty")
        };
        assert_eq!(looked_at(Some(&named)), sorted(vec![old, stable]));
    }

    #[test]
    fn a_registry_that_is_down_is_told_once_until_it_answers() {
        let tag = |text: &str| text.parse::<Reference>().unwrap();
        let down = |place: &str| {
            let (what, message) = (place.to_owned(), "refused".to_owned());
            (tag(place), FetchError::Unreachable { what, message })
        };
        let closed = |place: &str| {
            let (what, registry) = (place.to_owned(), "a.example".to_owned());
            (tag(place), FetchError::Unauthorized { what, registry })
        };
        let mut silent = Silent::default();
        let both = [down("a.example/x:1"), down("b.example/x:1")];
        for (failed, told) in [
            (&both[..], 2),
            (&both, 0),
            (&[down("a.example/y:1")], 0),
            (&both, 1),
            (&[], 0),
            (&both, 2),
            (&[closed("a.example/x:1"), closed("a.example/y:1")], 2),
            (&[closed("a.example/y:1")], 0),
        ] {
            assert_eq!(silent.news(failed).len(), told, "{failed:?}");
        }
    }

    #[tokio::test]
    async fn a_registry_that_is_down_is_asked_for_one_tag() {
        let tags = ["127.0.0.1:9/acme/loyalty:1", "127.0.0.1:9/acme/loyalty:2"];
        let tags = tags.map(|tag| tag.parse().unwrap()).to_vec();
        let answers = ask_one(Registries::default(), tags).await;
        assert_eq!(answers.len(), 1, "{answers:?}");
    }

    #[test]
    fn looks_are_about_as_far_apart_as_was_said() {
        let pauses: BTreeSet<_> = (0..200).map(|_| pause(HOUR)).collect();
        assert!(pauses.len() > 1);
        for pause in pauses {
            assert!(
                (HOUR * 9 / 10..=HOUR * 11 / 10).contains(&pause),
                "{pause:?}"
            );
        }
    }
}
