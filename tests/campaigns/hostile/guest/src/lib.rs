//! The hostile plugin: every export tries to harm the host or its neighbours, in as many ways as it is asked to.

mod floods;
mod keys;
mod machine;
mod wire;

switchboard_sdk::plugin!(
    world: "acme:hostile/plugin",
    common: "../../../../wit/common",
    wit: ["../../../../wit/declarative", "wit"]
);

use bindings::exports::acme::hostile::attacks::{Error, Guest, Loot};
use bindings::exports::switchboard::declarative::api;

struct Hostile;

bindings::export!(Hostile with_types_in bindings);

impl Guest for Hostile {
    fn raid(kind: String, size: u32) -> Result<Loot, Error> {
        let size = size as usize;
        let said = match kind.as_str() {
            "none" | "flood of calls" => Ok("nothing was tried".to_owned()),
            "spin" => machine::spin(),
            "fill" => machine::fill(size),
            "copy" => machine::copy(size),
            "memory" => machine::memory(),
            "recursion" => Ok(machine::dive(size).to_string()),
            "mutual recursion" => Ok(machine::ping(size).to_string()),
            "output" => Ok("x".repeat(size)),
            "output beyond memory" => machine::output_beyond_memory(),
            "file" => machine::file(),
            "socket" => machine::socket(),
            "environment" => machine::environment(),
            "host calls" => floods::host_calls(),
            "handles" => floods::handles(),
            "headers" => floods::headers(size),
            "random" => floods::random(),
            "random at once" => floods::random_at_once(size),
            "log" => floods::log(),
            "requests" => floods::requests(),
            "requests, refused or not" => floods::refused_requests(),
            "own body never ends" => wire::body_never_ends(),
            "reads a key of another" => keys::read(&[
                "kept",
                "../steady/kept",
                "../../neighbour/steady/kept",
                "neighbour/steady/kept",
                "neighbour\0steady\0kept",
            ]),
            "opens another store" => keys::open(&["neighbour", "../neighbour", "neighbour/steady"]),
            "uses of keys, refused or not" => keys::use_on_and_on(),
            "writes while reading" => keys::write("mine", 1),
            "kept" => keys::kept(),
            path if path.starts_with('/') => wire::get(path),
            _ => Err(Error::InvalidInput(format!("there is no attack {kind}"))),
        };
        said.map(|said| Loot { said })
    }

    fn strike(order: String, moment: String) -> Result<Loot, Error> {
        let said = match moment.as_str() {
            "before" => panic!("before anything was sent"),
            "during" => wire::post(&order, true, wire::Fails::InTheBody),
            "during, without a length" => wire::post(&order, false, wire::Fails::InTheBody),
            "sent" => wire::post(&order, true, wire::Fails::BeforeTheAnswer),
            "after" => wire::post(&order, true, wire::Fails::AfterTheAnswer),
            "never" => wire::post(&order, true, wire::Fails::Never),
            "key with dots" => keys::write("../../neighbour/steady/kept", 8),
            "key with nul" => keys::write("a\0b", 8),
            "key of another" => keys::write("neighbour/steady/kept", 8),
            "key of a mebibyte" => keys::write(&"k".repeat(1 << 20), 8),
            "value of a mebibyte" => keys::write("mine", 1 << 20),
            "keeps" => keys::keep(),
            "many keys" => keys::write_many(),
            _ => Err(Error::InvalidInput(format!("there is no moment {moment}"))),
        };
        said.map(|said| Loot { said })
    }
}

impl api::Guest for Hostile {
    /// Whatever the description asks for, it gets brackets.
    fn call(_: String, _: String) -> Result<String, Error> {
        Ok("[".repeat(500_000))
    }
}

/// What an attack says that was held up: an error of the tool, with what the host said.
fn held(what: impl std::fmt::Display) -> Result<String, Error> {
    Err(Error::NotEligible(what.to_string()))
}
