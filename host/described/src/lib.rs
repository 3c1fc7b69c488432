//! What a description of an HTTP API says: its tools, their types, and how both are written to the wire.
//!
//! The host reads an [`Api`], checks it and offers its tools by the WIT that it amounts to ([`Api::wit`]). The stock component
//! that carries them out gets one [`Task`] a call: everything it must know of the one tool. Both see the same types, so that
//! what was checked is what is carried out. Pure: nothing here reads a file or sends a request.

mod api;
mod check;
mod form;
mod kind;
mod money;
mod named;
mod path;
mod place;
mod task;
mod wit;

pub use api::{
    Api, Constant, Encoding, ErrorRule, Errors, FailureKind, Field, Method, Pages, PagesStyle,
    Parameter, Place, Tool, TypeDef,
};
pub use check::{Fault, MAX_TOOLS, MAX_TYPES, is_free_header, is_free_name};
pub use form::{FORM_TYPE, FormMisfit, encode_form, is_form_name};
pub use kind::{Kind, KindError};
pub use money::{MoneyForm, MoneyMisfit};
pub use named::Named;
pub use path::{PathError, PathTemplate, SegmentError, percent_encode};
pub use place::set;
pub use task::Task;

/// The custom section in which a component carries its description, as TOML.
pub const SECTION: &str = "switchboard-api";
