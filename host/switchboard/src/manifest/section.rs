//! The custom sections in which a component carries texts of its author: its manifest, and its documentation.

use std::ops::Range;

use wasm_encoder::{ComponentSection as _, CustomSection};
use wasmparser::{Chunk, Parser, Payload};

/// The manifest.
pub(super) const MANIFEST: &str = "switchboard-manifest";
/// WIT with its comments, which the sandbox reads for descriptions.
pub(super) const WIT: &str = "switchboard-wit";

/// The sections of that name that the component itself carries; what is inside its modules is not the component's word.
struct Found<'a> {
    /// Where the whole section stands, header included.
    place: Range<usize>,
    data: &'a [u8],
}

/// The section's text; none if the component carries none.
pub(super) fn read<'a>(component: &'a [u8], name: &str) -> Result<Option<&'a str>, String> {
    let mut found = sections(component, name)?;
    let Some(one) = found.pop() else {
        return Ok(None);
    };
    if !found.is_empty() {
        return Err(format!("there is more than one section {name}"));
    }
    let text = std::str::from_utf8(one.data);
    text.map(Some)
        .map_err(|_| format!("the section {name} is no UTF-8 text"))
}

/// The same component with this text in the place of any other of that name.
pub(super) fn write(component: &[u8], name: &str, text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(component.len() + text.len() + 64);
    let mut kept_to = 0;
    for old in sections(component, name)? {
        bytes.extend_from_slice(&component[kept_to..old.place.start]);
        kept_to = old.place.end;
    }
    bytes.extend_from_slice(&component[kept_to..]);
    let section = CustomSection {
        name: name.into(),
        data: text.as_bytes().into(),
    };
    section.append_to_component(&mut bytes);
    Ok(bytes)
}

fn sections<'a>(component: &'a [u8], name: &str) -> Result<Vec<Found<'a>>, String> {
    if !Parser::is_component(component) {
        let what = if Parser::is_core_wasm(component) {
            "this is no WebAssembly component but a core module"
        } else {
            "this is no WebAssembly component"
        };
        return Err(what.to_owned());
    }
    let mut found = Vec::new();
    let mut parser = Parser::new(0);
    let mut at = 0;
    loop {
        let chunk = parser.parse(&component[at..], true);
        let Chunk::Parsed { consumed, payload } = chunk.map_err(|error| error.to_string())? else {
            return Err("the component ends early".to_owned());
        };
        let start = at;
        at += consumed;
        match payload {
            Payload::CustomSection(section) if section.name() == name => found.push(Found {
                place: start..at,
                data: section.data(),
            }),
            // What is nested is skipped; its end is not yet known to be there.
            Payload::ModuleSection {
                unchecked_range, ..
            }
            | Payload::ComponentSection {
                unchecked_range, ..
            } if unchecked_range.end <= component.len() => {
                at = unchecked_range.end;
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                return Err("the component ends early".to_owned());
            }
            Payload::End(_) => return Ok(found),
            _ => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest component there is.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn a_manifest_is_read_as_it_was_written_and_replaces_the_one_before() {
        assert_eq!(read(EMPTY, MANIFEST), Ok(None));
        let first = write(EMPTY, MANIFEST, "name = \"one\"").unwrap();
        let second = write(&first, MANIFEST, "name = \"another\"").unwrap();
        assert_eq!(read(&first, MANIFEST), Ok(Some("name = \"one\"")));
        assert_eq!(read(&second, MANIFEST), Ok(Some("name = \"another\"")));
        assert_eq!(
            second,
            write(EMPTY, MANIFEST, "name = \"another\"").unwrap()
        );
    }

    #[test]
    fn what_a_module_inside_carries_is_not_the_manifest() {
        let mut module = wasm_encoder::Module::new();
        module.section(&CustomSection {
            name: MANIFEST.into(),
            data: b"name = \"inner\"".into(),
        });
        let mut component = wasm_encoder::Component::new();
        component.section(&wasm_encoder::ModuleSection(&module));
        let component = component.finish();
        assert_eq!(read(&component, MANIFEST), Ok(None));
        let written = write(&component, MANIFEST, "name = \"outer\"").unwrap();
        assert_eq!(read(&written, MANIFEST), Ok(Some("name = \"outer\"")));
    }

    #[test]
    fn two_manifests_and_what_is_cut_short_are_refused() {
        let one = write(EMPTY, MANIFEST, "name = \"one\"").unwrap();
        let two = [&one[..], &one[EMPTY.len()..]].concat();
        assert!(read(&two, MANIFEST).unwrap_err().contains("more than one"));
        for end in EMPTY.len() + 1..one.len() {
            assert!(read(&one[..end], MANIFEST).is_err(), "{end} bytes");
        }
        assert!(read(b"\0asm\x01\0\0\0", MANIFEST).is_err());
        assert!(read(b"", MANIFEST).is_err());
    }
}
