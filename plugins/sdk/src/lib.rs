//! What every Switchboard plugin in Rust needs: a JSON client over the governed HTTP capability, the contract's errors and
//! money, and the macros that make a crate a plugin.
//!
//! A plugin is a world (`wit/world.wit` in its folder), [`plugin!`] to bind it, and an implementation of the contract's
//! `Guest` trait. See the author's guide in `plugins/README.md`.

#[doc(hidden)]
pub mod bindings;

mod amount;
mod answer;
pub mod articles;
mod backend;
mod error;
mod macros;
mod route;
mod text;
mod transport;

pub use amount::Amount;
pub use answer::Answer;
pub use backend::Backend;
pub use bindings::switchboard::common::types;
pub use route::Route;
pub use text::excerpt;
pub use transport::Request;
pub use wasip2::http::types::Method;
pub use wit_bindgen;
