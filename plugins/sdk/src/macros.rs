//! The macros that make a crate a plugin.

/// Binds the plugin's world and offers what an implementation needs: a module `bindings` with the contract's `exports` and
/// any further imports, and `bindings::export!`.
///
/// `folder` is the folder of the world, relative to the crate's, with the packages that it names in `deps`: what `switchboard
/// plugin new` writes. In this repository `wit` lists, in the order of dependence, the folders of the packages that the world
/// names, and last the folder of the world itself; `switchboard:common` comes first by itself. HTTP and settings are the
/// SDK's: a component imports them where it uses them, without a line in its world.
///
/// ```text
/// switchboard_sdk::plugin!(world: "acme:loyalty/plugin", folder: "wit");
/// switchboard_sdk::plugin!(world: "acme:crm/plugin", wit: ["../../wit/crm", "wit"]);
/// ```
#[macro_export]
macro_rules! plugin {
    (world: $world:tt, folder: $folder:tt) => {
        $crate::plugin!(world: $world, path: $folder);
    };
    (world: $world:tt, common: $common:tt, wit: [$($wit:tt),+ $(,)?]) => {
        $crate::plugin!(world: $world, path: [$common, $($wit),+]);
    };
    (world: $world:tt, wit: [$($wit:tt),+ $(,)?]) => {
        $crate::plugin!(world: $world, common: "../../wit/common", wit: [$($wit),+]);
    };
    (world: $world:tt, path: $path:tt) => {
        mod bindings {
            #![allow(
                unsafe_code,
                missing_docs,
                unreachable_pub,
                dead_code,
                clippy::all,
                clippy::pedantic
            )]

            $crate::wit_bindgen::generate!({
                world: $world,
                path: $path,
                runtime_path: "switchboard_sdk::wit_bindgen::rt",
                generate_all,
                with: { "switchboard:common/types@1.0.0": switchboard_sdk::types },
            });
        }
    };
}

/// Keeps a WIT package of the plugin's own, with its documentation, in the component.
///
/// A built component has the types of what it exports but not the comments. The host describes the tools of the shipped
/// contract from its own copy; for any other package it reads the text from the custom section `switchboard-wit`. Give the
/// path of the package's one WIT file, relative to the crate's folder.
///
/// ```text
/// switchboard_sdk::embed_wit!("wit/warranty.wit");
/// ```
#[macro_export]
macro_rules! embed_wit {
    ($path:literal) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code)]
        #[used]
        #[unsafe(link_section = "switchboard-wit")]
        static SWITCHBOARD_WIT: [u8; include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/",
            $path
        ))
        .len()] = *include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path));
    };
}
