//! The capability `wasi:keyvalue/store`: the plugin's own keys, through the gate.

use std::sync::Arc;

use dispatch::KeyValueError;
use wasmtime::component::{ComponentType, Lift, Linker, Lower, Resource, ResourceType};
use wasmtime::{Result, StoreContextMut};

use crate::invocation::Invocation;
use crate::reach::Reach;
use crate::shadow::{Answered, Asked, Recordable};
use crate::state::State;

/// The interface as components import it.
const INTERFACE: &str = "wasi:keyvalue/store@0.2.0-draft";

/// The stores that can be opened; both are the plugin's one store.
const NAMES: [&str; 2] = ["", "default"];

/// `error` of the interface.
#[derive(Clone, Debug, ComponentType, Lift, Lower)]
#[component(variant)]
pub(crate) enum Error {
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

/// `key-response` of the interface.
#[derive(Clone, Debug, ComponentType, Lift, Lower)]
#[component(record)]
pub(crate) struct Keys {
    pub(crate) keys: Vec<String>,
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
            let invocation = invocation(&store);
            Box::new(async move { Ok((value(&invocation.reach, key).await,)) })
        },
    )?;
    interface.func_wrap_async(
        "[method]bucket.exists",
        |store: Caller<'_>, (_, key): (Handle, String)| {
            let invocation = invocation(&store);
            Box::new(async move {
                let value = value(&invocation.reach, key).await;
                Ok((value.map(|value| value.is_some()),))
            })
        },
    )?;
    interface.func_wrap_async(
        "[method]bucket.set",
        |store: Caller<'_>, (_, key, value): (Handle, String, Vec<u8>)| {
            let invocation = invocation(&store);
            Box::new(async move { Ok((set(&invocation.reach, key, Some(value)).await,)) })
        },
    )?;
    interface.func_wrap_async(
        "[method]bucket.delete",
        |store: Caller<'_>, (_, key): (Handle, String)| {
            let invocation = invocation(&store);
            Box::new(async move { Ok((set(&invocation.reach, key, None).await,)) })
        },
    )?;
    interface.func_wrap_async(
        "[method]bucket.list-keys",
        |store: Caller<'_>, (_, cursor): (Handle, Option<u64>)| {
            let invocation = invocation(&store);
            Box::new(async move { Ok((page(&invocation.reach, cursor).await,)) })
        },
    )
}

fn invocation(store: &Caller<'_>) -> Arc<Invocation> {
    store.data().invocation.clone()
}

fn open(name: &str) -> Result<Handle, Error> {
    if NAMES.contains(&name) {
        Ok(Resource::new_own(0))
    } else {
        Err(Error::NoSuchStore)
    }
}

async fn value(reach: &Reach, key: String) -> Result<Option<Vec<u8>>, Error> {
    let asked = Asked::Value { key: key.clone() };
    match reach {
        Reach::Out(out) => {
            let asking = async { Ok(out.gate.value(&key).await?) };
            out.record(asked, asking).await
        }
        Reach::Replay(replay) => replay.answer(asked),
    }
}

async fn set(reach: &Reach, key: String, value: Option<Vec<u8>>) -> Result<(), Error> {
    let asked = Asked::SetValue {
        key: key.clone(),
        value: value.clone(),
    };
    match reach {
        Reach::Out(out) => {
            let asking = async { Ok(out.gate.set_value(&key, value).await?) };
            out.record(asked, asking).await
        }
        Reach::Replay(replay) => replay.answer(asked),
    }
}

async fn page(reach: &Reach, cursor: Option<u64>) -> Result<Keys, Error> {
    let from = cursor.unwrap_or(0);
    match reach {
        Reach::Out(out) => {
            let asking = async {
                let (keys, cursor) = out.gate.keys(from).await?;
                Ok(Keys { keys, cursor })
            };
            out.record(Asked::Keys { from }, asking).await
        }
        Reach::Replay(replay) => replay.answer(Asked::Keys { from }),
    }
}

impl Recordable for Result<Option<Vec<u8>>, Error> {
    fn recorded(&self) -> Answered {
        Answered::Value(self.clone())
    }

    fn again(answered: &Answered) -> Option<Self> {
        match answered {
            Answered::Value(answer) => Some(answer.clone()),
            _ => None,
        }
    }

    fn unanswered() -> Self {
        Err(not_recorded())
    }
}

impl Recordable for Result<(), Error> {
    fn recorded(&self) -> Answered {
        Answered::SetValue(self.clone())
    }

    fn again(answered: &Answered) -> Option<Self> {
        match answered {
            Answered::SetValue(answer) => Some(answer.clone()),
            _ => None,
        }
    }

    fn unanswered() -> Self {
        Err(not_recorded())
    }
}

impl Recordable for Result<Keys, Error> {
    fn recorded(&self) -> Answered {
        Answered::Keys(self.clone())
    }

    fn again(answered: &Answered) -> Option<Self> {
        match answered {
            Answered::Keys(answer) => Some(answer.clone()),
            _ => None,
        }
    }

    fn unanswered() -> Self {
        Err(not_recorded())
    }
}

/// What a replay that asks for something else gets.
fn not_recorded() -> Error {
    Error::Other("this is not recorded".to_owned())
}
