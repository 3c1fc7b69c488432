//! Whose key is an operator's: the one that the host was started with or has made, and those that people have by name.

use std::collections::HashMap;
use std::sync::Arc;

use dispatch::Operator;

use super::{FIRST_OPERATOR, Identity, KeyDigest, KeyOf, SharedKey, Tenant, digest};
use crate::Secret;

/// Everybody who runs the program, or did. Found by the digest of a key, as tenants' keys are.
pub(super) struct Operators {
    first: (KeyDigest, Arc<Identity>),
    named: HashMap<KeyDigest, Named>,
}

struct Named {
    identity: Arc<Identity>,
    is_revoked: bool,
}

impl Operators {
    /// The holder of the host's own key alone.
    pub(super) fn with(key: &Secret) -> Self {
        Self {
            first: (
                digest(key.expose()),
                Arc::new(Identity::operator(FIRST_OPERATOR)),
            ),
            named: HashMap::new(),
        }
    }

    /// Knows one more, or that one's key counts no more.
    pub(super) fn know(&mut self, operator: &Operator) {
        let named = Named {
            identity: Arc::new(Identity::operator(&operator.name)),
            is_revoked: operator.revoked.is_some(),
        };
        if operator.key_digest == self.first.0 {
            tracing::warn!(name = %operator.name, revoked = named.is_revoked, "the host's own operator key is one of a named operator: it counts as theirs");
        }
        self.named.insert(operator.key_digest, named);
    }

    /// Whose key this is. A person's comes first: what they do is told by their name, also where the host was started with their key.
    pub(super) fn holder(&self, key: &KeyDigest) -> Option<KeyOf> {
        match self.named.get(key) {
            Some(named) if named.is_revoked => Some(KeyOf::Revoked(named.identity.name.clone())),
            Some(named) => Some(KeyOf::Operator(Arc::clone(&named.identity))),
            None if *key == self.first.0 => Some(KeyOf::Operator(Arc::clone(&self.first.1))),
            None => None,
        }
    }

    /// Whether they may still come as an operator.
    pub(super) fn has(&self, identity: &Identity) -> bool {
        self.all().any(|own| **own == *identity)
    }

    /// Nobody of a tenant has an operator's key, or a name that history and audit log would not tell from an operator's.
    pub(super) fn check(&self, tenant: &Tenant) -> Result<(), SharedKey> {
        for holder in &tenant.keys {
            let name = holder.identity.name.clone();
            if self.holder(&digest(holder.key.expose())).is_some() {
                return Err(SharedKey::Key {
                    name,
                    tenant: FIRST_OPERATOR.to_owned(),
                });
            }
            if self.ever().any(|own| is_like(own, &holder.identity)) {
                return Err(SharedKey::Operator { name });
            }
        }
        Ok(())
    }

    /// Also those whose key was revoked: what they did stays theirs.
    fn ever(&self) -> impl Iterator<Item = &Arc<Identity>> {
        let named = self.named.values().map(|named| &named.identity);
        std::iter::once(&self.first.1).chain(named)
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Identity>> {
        let named = self.named.values().filter(|named| !named.is_revoked);
        std::iter::once(&self.first.1).chain(named.map(|named| &named.identity))
    }
}

/// Two who would be one in the audit log, or pass for each other there.
pub(super) fn is_like(one: &Identity, other: &Identity) -> bool {
    one.actor.subject.eq_ignore_ascii_case(&other.actor.subject)
}
