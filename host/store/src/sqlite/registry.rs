//! The registry of plugins on SQLite: every change with its history entry and its audit record, in one transaction.

mod bindings;
mod history;
mod pinned;
mod tags;
mod versions;

use async_trait::async_trait;
use dispatch::{
    Added, Binding, BindingChange, Bound, HistoryEntry, KnownAs, NewVersion, PluginVersion,
    Registry, StoreError, TagFound, TagMove,
};

use super::SqliteStore;

#[async_trait]
impl Registry for SqliteStore {
    async fn add_version(&self, version: NewVersion) -> Result<Added, StoreError> {
        let clock = self.clock.clone();
        self.write(move |db| versions::add(db, &version, &clock))
            .await
    }

    async fn versions(&self, tenant: &str) -> Result<Vec<PluginVersion>, StoreError> {
        let tenant = tenant.to_owned();
        self.scan(move |db| versions::list(db, &tenant)).await
    }

    async fn known(&self) -> Result<Vec<KnownAs>, StoreError> {
        self.scan(versions::known).await
    }

    async fn remove_version(
        &self,
        tenant: &str,
        plugin: &str,
        version: &str,
        by: &str,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let clock = self.clock.clone();
        let [tenant, plugin, version] = [tenant, plugin, version].map(str::to_owned);
        let [by, reason] = [by, reason].map(str::to_owned);
        self.write(move |db| {
            let removed = [&tenant, &plugin, &version].map(String::as_str);
            versions::remove(db, removed, &by, &reason, &clock)
        })
        .await
    }

    async fn bindings(&self, tenant: &str) -> Result<Vec<Binding>, StoreError> {
        let tenant = tenant.to_owned();
        self.scan(move |db| bindings::list(db, &tenant)).await
    }

    async fn bind(&self, change: BindingChange) -> Result<Bound, StoreError> {
        let clock = self.clock.clone();
        self.write(move |db| bindings::bind(db, change, &clock))
            .await
    }

    async fn history(
        &self,
        tenant: &str,
        plugin: Option<&str>,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        let (tenant, plugin) = (tenant.to_owned(), plugin.map(str::to_owned));
        self.scan(move |db| history::list(db, &tenant, plugin.as_deref()))
            .await
    }

    async fn tag_found(&self, found: TagFound) -> Result<bool, StoreError> {
        let clock = self.clock.clone();
        self.write(move |db| tags::found(db, &found, &clock)).await
    }

    async fn tag_moves(&self, tenant: &str) -> Result<Vec<TagMove>, StoreError> {
        let tenant = tenant.to_owned();
        self.scan(move |db| tags::list(db, &tenant)).await
    }
}
