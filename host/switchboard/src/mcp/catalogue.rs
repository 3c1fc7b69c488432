//! A case's tools as MCP describes them, converted once per snapshot and rulebook.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use dispatch::{Dispatcher, Snapshot, ToolSpec};
use policy::{Effect, Rulebook};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::Value;

use super::answer;
use crate::tenants::ToolSet;

/// The tools of one snapshot under one rulebook, by name.
pub(super) struct Catalogue {
    /// What it was made of: the live version and one on trial are of one generation.
    snapshot: Weak<Snapshot>,
    generation: u64,
    rulebook: String,
    tools: Vec<Tool>,
}

impl Catalogue {
    fn new(snapshot: &Arc<Snapshot>, rules: &Rulebook, seen: &ToolSet) -> Self {
        let describe = |(name, tool): (&String, &Arc<dyn dispatch::Tool>)| {
            let effect = rules.tool(name).map_or(Effect::Write, |rule| rule.effect);
            described(tool.spec(), effect)
        };
        Self {
            snapshot: Arc::downgrade(snapshot),
            generation: snapshot.generation,
            rulebook: rules.version().to_owned(),
            tools: snapshot
                .tools
                .iter()
                .filter(|(name, _)| seen.admits(name))
                .map(describe)
                .collect(),
        }
    }

    /// All of them, in the order of their names.
    pub(super) fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// One by name.
    pub(super) fn tool(&self, name: &str) -> Option<&Tool> {
        let by_name = |tool: &Tool| tool.name.as_ref().cmp(name);
        let index = self.tools.binary_search_by(by_name).ok()?;
        self.tools.get(index)
    }

    fn shows(&self, snapshot: &Arc<Snapshot>, rules: &Rulebook) -> bool {
        self.snapshot.as_ptr() == Arc::as_ptr(snapshot) && self.rulebook == rules.version()
    }
}

/// The newest catalogues of what one principal sees, converted again when the snapshot or the rules have changed.
pub(super) struct Catalogues {
    dispatcher: Dispatcher,
    tenant: String,
    seen: ToolSet,
    /// Of the live version, and of one on trial.
    newest: RwLock<[Option<Arc<Catalogue>>; 2]>,
}

impl Catalogues {
    pub(super) fn new(dispatcher: Dispatcher, tenant: String, seen: ToolSet) -> Self {
        Self {
            dispatcher,
            tenant,
            seen,
            newest: RwLock::default(),
        }
    }

    /// Whether not all cases see the same tools now.
    pub(super) fn differ(&self) -> bool {
        self.dispatcher.tools().has_trial(&self.tenant)
    }

    /// The catalogue of this case as it is now, that of most cases where none is named; none where the tenant is gone.
    pub(super) fn now(&self, case: Option<&str>) -> Option<Arc<Catalogue>> {
        let tools = self.dispatcher.tools();
        let live = tools.snapshot(&self.tenant)?;
        let own = case.and_then(|case| tools.snapshot_for(&self.tenant, case));
        let snapshot = own.as_ref().unwrap_or(&live);
        let place = usize::from(!Arc::ptr_eq(snapshot, &live));
        let rules = self.dispatcher.rulebook(&self.tenant)?;
        let kept = self.newest.read().unwrap_or_else(PoisonError::into_inner);
        match &kept[place] {
            Some(catalogue) if catalogue.shows(snapshot, &rules) => {
                return Some(Arc::clone(catalogue));
            }
            _ => drop(kept),
        }
        let fresh = Arc::new(Catalogue::new(snapshot, &rules, &self.seen));
        let mut newest = self.newest.write().unwrap_or_else(PoisonError::into_inner);
        newest[place] = Some(Arc::clone(&fresh));
        Some(fresh)
    }
}

/// What is not as it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changed {
    /// The list of tools.
    pub(super) tools: bool,
    /// The rules, or the tools that they are told for.
    pub(super) rules: bool,
}

impl Changed {
    /// Between what was told and what is now.
    pub(super) fn between(told: Option<&Catalogue>, now: Option<&Catalogue>) -> Self {
        Self {
            tools: tools_of(now) != tools_of(told),
            rules: rules_of(now) != rules_of(told),
        }
    }
}

fn rules_of(catalogue: Option<&Catalogue>) -> Option<(&str, u64)> {
    catalogue.map(|catalogue| (catalogue.rulebook.as_str(), catalogue.generation))
}

fn tools_of(catalogue: Option<&Catalogue>) -> &[Tool] {
    catalogue.map_or(&[], Catalogue::tools)
}

fn described(spec: &ToolSpec, effect: Effect) -> Tool {
    Tool::new(
        spec.name.clone(),
        spec.description.clone(),
        object(&spec.input_schema),
    )
    .with_title(spec.title.clone())
    .with_raw_output_schema(object(&answer::schema(&spec.output_schema)))
    .with_annotations(annotations(effect))
}

/// What a client may expect of a tool. A write is idempotent because the ledger makes it so; it reaches beyond the tenant's
/// own records (money moves, a parcel goes out, somebody gets a message), which a read never does.
fn annotations(effect: Effect) -> ToolAnnotations {
    let hints = ToolAnnotations::new().idempotent(true);
    match effect {
        Effect::Read => hints.read_only(true).destructive(false).open_world(false),
        Effect::Write => hints.read_only(false).destructive(true).open_world(true),
        Effect::Escalation => hints.read_only(false).destructive(false).open_world(true),
    }
}

/// A schema as MCP wants it: an object at the top. Reflection makes nothing else.
fn object(schema: &Value) -> Arc<JsonObject> {
    Arc::new(schema.as_object().cloned().unwrap_or_default())
}
