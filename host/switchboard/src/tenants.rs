//! The tenants of this process: each with its live state, found by name or by key, and replaced as a whole.
//!
//! Whoever works for a tenant takes its state once and keeps it to the end: a change puts another state in the map, and touches
//! nothing that is under way.

mod channels;
mod credentials;
mod entry;
mod file;
mod folder;
mod identity;
mod installed;
mod load;
mod model;
mod operators;
mod refusal;
mod secret_ref;
mod struck;
mod tools;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use artifacts::Trust;
use dispatch::{KeyDigest, Operator};
use http::{HeaderName, HeaderValue};
use policy::Rulebook;
use sandbox::Limits;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

pub(crate) use channels::Channels;
pub(crate) use credentials::Credentials;
pub(crate) use entry::{PluginEntry, PluginOrigin};
pub(crate) use file::Shares;
pub(crate) use folder::{TenantFolder, check_file, check_name};
pub(crate) use identity::{FIRST_OPERATOR, Holder, Identity, ToolSet, of_staff};
pub(crate) use installed::{Accepted, Installed};
pub(crate) use load::{Common, Given, load, rules_of};
pub use refusal::TenantError;
pub(crate) use secret_ref::SecretRef;
pub(crate) use tools::FILE as TOOLS_FILE;

use crate::Secret;
use crate::oauth::Authority;
use operators::Operators;
use struck::Struck;

/// One tenant's live state. Immutable: a change replaces it.
pub(crate) struct Tenant {
    /// Its id: `[a-z0-9][a-z0-9-]{0,62}`.
    pub(crate) name: String,
    /// What its calls are judged by.
    pub(crate) rulebook: Arc<Rulebook>,
    /// As the agent speaks for it.
    pub(crate) speaks: Arc<agent::Tenant>,
    /// What its plugins' requests carry.
    pub(crate) credentials: Credentials,
    /// Who may come with a key.
    pub(crate) keys: Vec<Holder>,
    /// What signs its website's sessions.
    pub(crate) session_secret: Option<Secret>,
    /// What its own model is asked with.
    pub(crate) model_key: Option<Secret>,
    /// Its plugins, as its folder binds them.
    pub(crate) plugins: Vec<PluginEntry>,
    /// What one call of a plugin may use.
    pub(crate) limits: Limits,
    /// What its calls may use together.
    pub(crate) shares: Shares,
    /// Whose access tokens count beside keys.
    pub(crate) authority: Option<Arc<Authority>>,
    /// Whose signatures its plugins need.
    pub(crate) trust: Trust,
    /// Where people and programs may come in.
    pub(crate) channels: Channels,
}

/// What would open two tenants, or pass for two identities.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SharedKey {
    /// A key.
    #[error(
        "the key of {name} is somebody else's already ({tenant}): every identity needs a key of its own"
    )]
    Key {
        /// Whose key it was to be.
        name: String,
        /// Where it is known.
        tenant: String,
    },
    /// A name by which history and audit log know an operator.
    #[error(
        "{name} is an operator's name, and the audit log could not tell them apart: give this key another name"
    )]
    Operator {
        /// Whose key it was to be.
        name: String,
    },
    /// The tokens of one issuer for one audience.
    #[error(
        "the tokens of {issuer} for {audience} are those of {tenant} already: every tenant needs a resource, and audiences, of its own"
    )]
    Audience {
        /// Who makes them.
        issuer: String,
        /// For whom they are.
        audience: String,
        /// Where they count.
        tenant: String,
    },
}

/// Whose key somebody has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyOf {
    /// Somebody who runs the program: a supervisor in every tenant, and nobody else may change tenants.
    Operator(Arc<Identity>),
    /// An operator of this name, whose key counts no more.
    Revoked(String),
    /// Somebody in one tenant.
    Tenant(String, Arc<Identity>),
}

/// Every tenant that is served.
pub(crate) struct Tenants {
    live: RwLock<Live>,
    operator_key: Secret,
}

struct Live {
    operators: Operators,
    by_name: BTreeMap<String, Arc<Tenant>>,
    /// Found by the digest of a key: how long a search takes tells nothing of the keys.
    by_key: HashMap<KeyDigest, (String, Arc<Identity>)>,
    struck: Struck,
}

impl Tenants {
    /// Without tenants yet; no text may tell the operator's key, or these secrets of the program.
    pub(crate) fn run_by<'a>(
        operator_key: Secret,
        secrets: impl IntoIterator<Item = &'a Secret>,
    ) -> Self {
        let secrets = secrets.into_iter().cloned();
        let secrets: Vec<_> = secrets.chain([operator_key.clone()]).collect();
        let live = Live {
            operators: Operators::with(&operator_key),
            by_name: BTreeMap::new(),
            by_key: HashMap::new(),
            struck: Struck::of_host(&secrets),
        };
        Self {
            live: RwLock::new(live),
            operator_key,
        }
    }

    /// What the first operator shows: the host's own key.
    pub(crate) fn operator_key(&self) -> &Secret {
        &self.operator_key
    }

    /// Knows one more operator, or that one's key counts no more; from now on, and whoever they were before.
    pub(crate) fn know_operator(&self, operator: &Operator) {
        self.write().operators.know(operator);
    }

    /// Whether they may come as an operator.
    pub(crate) fn has_operator(&self, identity: &Identity) -> bool {
        self.read().operators.has(identity)
    }

    /// In which tenant somebody would be one with an operator of this name in the audit log.
    pub(crate) fn namesake(&self, name: &str) -> Option<String> {
        let operator = Identity::operator(name);
        let live = self.read();
        let mut tenants = live.by_name.values();
        let is_like = |holder: &Holder| operators::is_like(&operator, &holder.identity);
        let found = tenants.find(|tenant| tenant.keys.iter().any(is_like));
        found.map(|tenant| tenant.name.clone())
    }

    /// A tenant as it is now.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Tenant>> {
        self.read().by_name.get(name).cloned()
    }

    /// Whose key this is.
    pub(crate) fn holder(&self, key: &str) -> Option<KeyOf> {
        let shown = digest(key);
        let live = self.read();
        live.operators.holder(&shown).or_else(|| {
            let (tenant, identity) = live.by_key.get(&shown).cloned()?;
            Some(KeyOf::Tenant(tenant, identity))
        })
    }

    /// Makes this the tenant's state. What is under way keeps the one before.
    pub(crate) fn put(&self, mut tenant: Tenant) -> Result<Arc<Tenant>, SharedKey> {
        let mut live = self.write();
        live.check(&tenant)?;
        let same = |other: &&Arc<Tenant>| other.rulebook.version() == tenant.rulebook.version();
        let like_it = live
            .by_name
            .values()
            .find(same)
            .map(|other| Arc::clone(&other.rulebook));
        if let Some(rulebook) = like_it {
            // A thousand tenants under the same rules need them once.
            tenant.rulebook = rulebook;
        }
        tenant.authority = live.kept_authority(&tenant).or(tenant.authority);
        live.forget_keys(&tenant.name);
        for holder in &tenant.keys {
            let held = (tenant.name.clone(), Arc::clone(&holder.identity));
            live.by_key.insert(digest(holder.key.expose()), held);
        }
        live.struck.add(&tenant.name, tenant.secrets());
        let tenant = Arc::new(tenant);
        live.by_name
            .insert(tenant.name.clone(), Arc::clone(&tenant));
        Ok(tenant)
    }

    /// Whether these keys would be nobody else's.
    pub(crate) fn check_keys(&self, tenant: &Tenant) -> Result<(), SharedKey> {
        self.read().check(tenant)
    }

    /// Takes a tenant out; true if it was there.
    pub(crate) fn remove(&self, name: &str) -> bool {
        let mut live = self.write();
        live.forget_keys(name);
        live.by_name.remove(name).is_some()
    }

    fn read(&self) -> RwLockReadGuard<'_, Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Live> {
        self.live.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    fn check(&self, tenant: &Tenant) -> Result<(), SharedKey> {
        self.operators.check(tenant)?;
        self.check_keys(tenant)?;
        self.check_audiences(tenant)
    }

    fn check_keys(&self, tenant: &Tenant) -> Result<(), SharedKey> {
        let mut own = HashSet::new();
        for holder in &tenant.keys {
            let digest = digest(holder.key.expose());
            let elsewhere = self
                .by_key
                .get(&digest)
                .filter(|(other, _)| *other != tenant.name);
            let twice = !own.insert(digest);
            if elsewhere.is_some() || twice {
                return Err(SharedKey::Key {
                    name: holder.identity.name.clone(),
                    tenant: elsewhere
                        .map_or_else(|| tenant.name.clone(), |(other, _)| other.clone()),
                });
            }
        }
        Ok(())
    }

    /// A token is one tenant's.
    fn check_audiences(&self, tenant: &Tenant) -> Result<(), SharedKey> {
        let Some(own) = tenant.authority.as_deref().map(Authority::settings) else {
            return Ok(());
        };
        let others = self
            .by_name
            .values()
            .filter(|other| other.name != tenant.name);
        for other in others {
            let theirs = other.authority.as_deref().map(Authority::settings);
            if let Some(audience) = theirs.and_then(|theirs| own.shares_with(theirs)) {
                return Err(SharedKey::Audience {
                    issuer: own.issuer.clone(),
                    audience: audience.clone(),
                    tenant: other.name.clone(),
                });
            }
        }
        Ok(())
    }

    /// The authority as it was, if nothing has changed of it: it has the keys already.
    fn kept_authority(&self, tenant: &Tenant) -> Option<Arc<Authority>> {
        let before = self.by_name.get(&tenant.name)?.authority.as_ref()?;
        let after = tenant.authority.as_ref()?;
        (before.settings() == after.settings()).then(|| Arc::clone(before))
    }

    fn forget_keys(&mut self, tenant: &str) {
        self.by_key.retain(|_, (holder, _)| holder != tenant);
    }
}

impl Tenant {
    /// Everything of it that no text may tell.
    fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let keys = self.keys.iter().map(|holder| &holder.key);
        keys.chain(self.credentials.secrets())
            .chain(&self.session_secret)
            .chain(&self.model_key)
    }
}

impl dispatch::Secrets for Tenants {
    fn headers(&self, tenant: &str, credential: &str) -> Option<Vec<(HeaderName, HeaderValue)>> {
        self.get(tenant)?.credentials.headers(credential)
    }

    fn scrub(&self, tenant: &str, text: &str) -> String {
        self.read().struck.strike(tenant, text)
    }
}

/// As which keys are looked for, and operators' are kept.
pub(crate) fn digest(key: &str) -> KeyDigest {
    Sha256::digest(key.as_bytes()).into()
}
