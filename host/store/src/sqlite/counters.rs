//! Budgets that calls without an intent draw on.

use async_trait::async_trait;
use dispatch::{Charge, Counters, StoreError};

use super::SqliteStore;
use super::ledger::budgets;

#[async_trait]
impl Counters for SqliteStore {
    async fn draw(&self, tenant: &str, charges: Vec<Charge>) -> Result<Option<Charge>, StoreError> {
        let tenant = tenant.to_owned();
        self.write(move |db| {
            // Rolled back wherever it is dropped before its commit.
            let trial = db.savepoint()?;
            for charge in charges {
                if !budgets::draw(&trial, &tenant, &charge)? {
                    return Ok(Some(charge));
                }
            }
            trial.commit()?;
            Ok(None)
        })
        .await
    }

    async fn give_back(&self, tenant: &str, charges: Vec<Charge>) -> Result<(), StoreError> {
        let tenant = tenant.to_owned();
        self.write(move |db| {
            charges
                .iter()
                .try_for_each(|charge| budgets::give_back(db, &tenant, charge))
        })
        .await
    }
}
