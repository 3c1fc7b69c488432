//! The documentation of a vendor's own packages: WIT text that a plugin carries in a custom section, because doc comments
//! do not survive the bindings generator.

use wasmparser::{Parser, Payload};
use wit_parser::{Resolve, SourceMap};

use super::contract::Contract;

/// The custom section, of the component or of a core module in it.
const SECTION: &str = "switchboard-wit";
/// More text than this is no documentation of tools.
const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// The packages that a component documents; none if it carries no text.
pub(super) fn documented(component: &[u8], contract: &Contract) -> Result<Option<Resolve>, String> {
    let texts = sections(component)?;
    let mut groups = Vec::new();
    for text in texts {
        let mut source = SourceMap::new();
        source.push_str(SECTION, text);
        groups.push(
            source
                .parse()
                .map_err(|(source, error)| error.render(&source))?,
        );
    }
    let Some(main) = groups.pop() else {
        return Ok(None);
    };
    let mut resolve = contract.resolve().clone();
    let pushed = resolve.push_groups(main, groups);
    pushed.map_err(|error| error.to_string())?;
    Ok(Some(resolve))
}

fn sections(component: &[u8]) -> Result<Vec<String>, String> {
    let mut texts = Vec::new();
    let mut bytes = 0;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(|error| error.to_string())?;
        let Payload::CustomSection(section) = payload else {
            continue;
        };
        if section.name() != SECTION {
            continue;
        }
        bytes += section.data().len();
        if bytes > MAX_TEXT_BYTES {
            return Err(format!("more than {MAX_TEXT_BYTES} bytes of text"));
        }
        let text = std::str::from_utf8(section.data()).map_err(|error| error.to_string())?;
        // The same package may be embedded by several modules of one component.
        if !texts.iter().any(|known| known == text) {
            texts.push(text.to_owned());
        }
    }
    Ok(texts)
}
