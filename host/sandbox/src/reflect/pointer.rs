//! Where in a JSON document something is: a JSON pointer that costs nothing until it is shown.

use std::fmt::{self, Display, Formatter};

/// A place below a place.
#[derive(Clone, Copy)]
pub(crate) enum Pointer<'a> {
    Root,
    Field(&'a Pointer<'a>, &'a str),
    Item(&'a Pointer<'a>, usize),
}

impl Pointer<'_> {
    pub(crate) fn field<'a>(&'a self, name: &'a str) -> Pointer<'a> {
        Pointer::Field(self, name)
    }

    pub(crate) fn item(&self, index: usize) -> Pointer<'_> {
        Pointer::Item(self, index)
    }
}

impl Display for Pointer<'_> {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(parent, name) => {
                write!(
                    to,
                    "{parent}/{}",
                    name.replace('~', "~0").replace('/', "~1")
                )
            }
            Self::Item(parent, index) => write!(to, "{parent}/{index}"),
        }
    }
}
