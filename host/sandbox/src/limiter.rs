//! Memory and table limits of one call, which also remember that they were reached.

use wasmtime::{ResourceLimiter, Result};

use crate::Limits;

pub(crate) struct Limiter {
    memory_bytes: usize,
    table_elements: usize,
    instances: usize,
    /// What was refused, for the error that the plugin's failure becomes.
    pub(crate) passed: Option<String>,
}

impl Limiter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            memory_bytes: limits.memory_bytes,
            table_elements: limits.table_elements,
            instances: limits.instances,
            passed: None,
        }
    }

    fn allow(&mut self, desired: usize, limit: usize, what: &str) -> bool {
        if desired > limit {
            self.passed = Some(format!("{what}: {limit} at most, {desired} asked for"));
        }
        desired <= limit
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(self.allow(desired, self.memory_bytes, "bytes of memory"))
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(self.allow(desired, self.table_elements, "table elements"))
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        self.instances
    }
}
