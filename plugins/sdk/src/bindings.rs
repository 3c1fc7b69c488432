//! The generated bindings of the SDK's own world; plugins map their imports onto these.
#![allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic
)]

wit_bindgen::generate!({
    world: "switchboard:sdk/sdk",
    path: ["../wasi", "../../wit/common", "wit"],
    generate_all,
    generate_unused_types: true,
});
