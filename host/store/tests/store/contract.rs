//! What every engine keeps: functions over the ports, which know nothing of the engine behind them.

pub(crate) mod audit;
pub(crate) mod cases;
pub(crate) mod consents;
pub(crate) mod key_values;
pub(crate) mod leases;
pub(crate) mod ledger;
pub(crate) mod operators;
pub(crate) mod registry;
