//! Attacks on keys and values: other names, other owners, other sizes; and what the neighbour keeps meanwhile.

use crate::bindings::exports::acme::hostile::attacks::Error;
use crate::bindings::wasi::keyvalue::store;
use crate::held;

/// The neighbour's one key, and its value.
const KEPT: (&str, &[u8]) = ("kept", b"the neighbour's own");

/// What the neighbour does before the attacks.
pub(crate) fn keep() -> Result<String, Error> {
    let own = store::open("").map_err(refused)?;
    own.set(KEPT.0, KEPT.1).map_err(refused)?;
    Ok("written".to_owned())
}

/// What the neighbour looks at after them: its key is as it was, and the only one.
pub(crate) fn kept() -> Result<String, Error> {
    let own = store::open("").map_err(refused)?;
    let keys = own.list_keys(None).map_err(refused)?.keys;
    let value = own.get(KEPT.0).map_err(refused)?;
    if keys == [KEPT.0] && value.as_deref() == Some(KEPT.1) {
        return Ok("as it was".to_owned());
    }
    held(format!("{keys:?}, and {value:?}"))
}

pub(crate) fn read(keys: &[&str]) -> Result<String, Error> {
    let own = store::open("").map_err(refused)?;
    for key in keys {
        // Some of these names are keys of its own by now, which is no harm.
        if own
            .get(key)
            .is_ok_and(|value| value.as_deref() == Some(KEPT.1))
        {
            return Ok((*key).to_owned());
        }
    }
    held("none of these keys has the neighbour's value")
}

/// Uses its keys, and goes on when it may use them no more.
pub(crate) fn use_on_and_on() -> Result<String, Error> {
    let own = store::open("").map_err(refused)?;
    loop {
        let _ = std::hint::black_box(own.get(KEPT.0));
    }
}

pub(crate) fn open(names: &[&str]) -> Result<String, Error> {
    for name in names {
        if store::open(name).is_ok() {
            return Ok((*name).to_owned());
        }
    }
    held("none of these stores can be opened")
}

pub(crate) fn write(key: &str, bytes: usize) -> Result<String, Error> {
    let own = store::open("").map_err(refused)?;
    own.set(key, &vec![b'x'; bytes]).map_err(refused)?;
    Ok("written".to_owned())
}

pub(crate) fn write_many() -> Result<String, Error> {
    let own = store::open("").map_err(refused)?;
    for number in 0..1_000_000 {
        own.set(&number.to_string(), b"x").map_err(refused)?;
    }
    Ok("written".to_owned())
}

fn refused(error: store::Error) -> Error {
    Error::NotEligible(format!("{error:?}"))
}
