//! What is loaded: each component once, however many tenants' plugins are made of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use serde_json::Value;
use wasmtime::Engine;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use crate::LoadError;
use crate::link::{self, Lent};
use crate::reflect::{Import, Offer, Reflection};
use crate::state::State;

/// A component that was read and compiled, with all that does not depend on whose plugin it is.
pub(crate) struct Loaded {
    pub(crate) imports: Vec<Import>,
    pub(crate) tools: Vec<LoadedTool>,
    component: Component,
    /// By what is lent to it.
    linked: Mutex<HashMap<Lent, InstancePre<State>>>,
}

/// One of its tools.
pub(crate) struct LoadedTool {
    pub(crate) offered: Offered,
    pub(crate) function: ComponentExportIndex,
}

/// What all plugins with this tool offer alike.
pub(crate) struct Offered {
    pub(crate) offer: Arc<Offer>,
    pub(crate) input_schema: Arc<Value>,
    pub(crate) output_schema: Arc<Value>,
}

impl From<Offer> for Offered {
    fn from(offer: Offer) -> Self {
        Self {
            input_schema: Arc::new(offer.plan.input_schema()),
            output_schema: Arc::new(offer.plan.output_schema()),
            offer: Arc::new(offer),
        }
    }
}

impl Loaded {
    /// Fails where the component does not export what it was read to offer.
    pub(crate) fn new(reflection: Reflection, component: Component) -> Result<Self, LoadError> {
        // Made now rather than by the first call.
        component
            .initialize_copy_on_write_image()
            .map_err(|error| LoadError::Sandbox(format!("{error:#}")))?;
        let tools = reflection.offers.into_iter();
        Ok(Self {
            imports: reflection.imports,
            tools: tools
                .map(|offer| tool(offer, &component))
                .collect::<Result<_, _>>()?,
            component,
            linked: Mutex::default(),
        })
    }

    /// The component with exactly this lent to it, ready to be instantiated.
    pub(crate) fn linked(
        &self,
        engine: &Engine,
        lent: Lent,
    ) -> Result<InstancePre<State>, LoadError> {
        let mut linked = lock(&self.linked);
        if let Some(pre) = linked.get(&lent) {
            return Ok(pre.clone());
        }
        let pre = link::linker(engine, lent)?
            .instantiate_pre(&self.component)
            .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
        linked.insert(lent, pre.clone());
        Ok(pre)
    }
}

fn tool(offer: Offer, component: &Component) -> Result<LoadedTool, LoadError> {
    Ok(LoadedTool {
        function: export(component, &offer)?,
        offered: offer.into(),
    })
}

fn export(component: &Component, offer: &Offer) -> Result<ComponentExportIndex, LoadError> {
    let (interface, function) = offer.export();
    component
        .get_export_index(None, interface)
        .and_then(|instance| component.get_export_index(Some(&instance), function))
        .ok_or_else(|| LoadError::Contract {
            interface: interface.to_owned(),
            function: function.to_owned(),
            message: "the component does not export it".to_owned(),
        })
}

/// All that some plugin is made of, by digest. What no plugin is made of any more goes by itself.
#[derive(Default)]
pub(crate) struct Library(Mutex<HashMap<String, Weak<Loaded>>>);

impl Library {
    pub(crate) fn get(&self, digest: &str) -> Option<Arc<Loaded>> {
        lock(&self.0).get(digest)?.upgrade()
    }

    /// Keeps it, unless somebody else has loaded the same meanwhile; gives back what is kept.
    pub(crate) fn put(&self, digest: &str, loaded: Arc<Loaded>) -> Arc<Loaded> {
        let mut all = lock(&self.0);
        if let Some(kept) = all.get(digest).and_then(Weak::upgrade) {
            return kept;
        }
        all.retain(|_, loaded| loaded.strong_count() > 0);
        all.insert(digest.to_owned(), Arc::downgrade(&loaded));
        loaded
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
