//! Attacks on keys and values: other names, other owners, other sizes.

use crate::bindings::exports::acme::hostile::attacks::Error;
use crate::bindings::wasi::keyvalue::store;
use crate::held;

pub(crate) fn read(keys: &[&str]) -> Result<String, Error> {
    let own = store::open("").map_err(refused)?;
    for key in keys {
        if let Ok(Some(value)) = own.get(key) {
            return Ok(String::from_utf8_lossy(&value).into_owned());
        }
    }
    held("none of these keys has a value")
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
