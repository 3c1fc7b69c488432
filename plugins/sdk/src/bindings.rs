//! The generated bindings of the SDK's own world: the contract's common types, which plugins map theirs onto, and settings.
#![allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic
)]

wit_bindgen::generate!({
    world: "switchboard:sdk/sdk",
    path: "wit",
    generate_all,
    generate_unused_types: true,
});
