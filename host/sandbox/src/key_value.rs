//! The capability `wasi:keyvalue/store`: the plugin's own keys, through the gate.

use std::sync::Arc;

use dispatch::{Gate, KeyValueError};
use wasmtime::component::{ComponentType, Lift, Linker, Lower, Resource, ResourceType};
use wasmtime::{Result, StoreContextMut};

use crate::state::State;

/// The interface as components import it.
const INTERFACE: &str = "wasi:keyvalue/store@0.2.0-draft";

/// The stores that can be opened; both are the plugin's one store.
const NAMES: [&str; 2] = ["", "default"];

/// `error` of the interface.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum Error {
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

/// `key-response` of the interface.
#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Keys {
    keys: Vec<String>,
    cursor: Option<u64>,
}

/// The one store that a plugin has; its handles hold nothing.
struct Bucket;

impl From<KeyValueError> for Error {
    fn from(error: KeyValueError) -> Self {
        match error {
            KeyValueError::Denied(_) => Self::AccessDenied,
            KeyValueError::Limit(_) | KeyValueError::Unavailable => Self::Other(error.to_string()),
        }
    }
}

type Handle = Resource<Bucket>;
type Caller<'a> = StoreContextMut<'a, State>;

/// Makes the plugin's keys available to a component.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> Result<()> {
    let mut interface = linker.instance(INTERFACE)?;
    interface.resource("bucket", ResourceType::host::<Bucket>(), |_, _| Ok(()))?;
    interface.func_wrap("open", |_: Caller<'_>, (name,): (String,)| {
        Ok((open(&name),))
    })?;
    interface.func_wrap_async(
        "[method]bucket.get",
        |store: Caller<'_>, (_, key): (Handle, String)| {
            let gate = gate(&store);
            Box::new(async move { Ok((gate.value(&key).await.map_err(Error::from),)) })
        },
    )?;
    interface.func_wrap_async(
        "[method]bucket.exists",
        |store: Caller<'_>, (_, key): (Handle, String)| {
            let gate = gate(&store);
            Box::new(async move {
                let value = gate.value(&key).await;
                Ok((value.map(|value| value.is_some()).map_err(Error::from),))
            })
        },
    )?;
    interface.func_wrap_async(
        "[method]bucket.set",
        |store: Caller<'_>, (_, key, value): (Handle, String, Vec<u8>)| {
            let gate = gate(&store);
            Box::new(
                async move { Ok((gate.set_value(&key, Some(value)).await.map_err(Error::from),)) },
            )
        },
    )?;
    interface.func_wrap_async(
        "[method]bucket.delete",
        |store: Caller<'_>, (_, key): (Handle, String)| {
            let gate = gate(&store);
            Box::new(async move { Ok((gate.set_value(&key, None).await.map_err(Error::from),)) })
        },
    )?;
    interface.func_wrap_async(
        "[method]bucket.list-keys",
        |store: Caller<'_>, (_, cursor): (Handle, Option<u64>)| {
            let gate = gate(&store);
            Box::new(async move { Ok((page(&*gate, cursor).await,)) })
        },
    )
}

fn gate(store: &Caller<'_>) -> Arc<dyn Gate> {
    store.data().invocation.gate.clone()
}

fn open(name: &str) -> Result<Handle, Error> {
    if NAMES.contains(&name) {
        Ok(Resource::new_own(0))
    } else {
        Err(Error::NoSuchStore)
    }
}

async fn page(gate: &dyn Gate, cursor: Option<u64>) -> Result<Keys, Error> {
    let (keys, cursor) = gate.keys(cursor.unwrap_or(0)).await?;
    Ok(Keys { keys, cursor })
}
