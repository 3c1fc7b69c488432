//! What a wasm artifact's config says of its component: the names of what it exports and imports.

use wasmparser::{Encoding, Parser, Payload};

/// The names at a component's edge.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(super) struct Edge {
    pub(super) exports: Vec<String>,
    pub(super) imports: Vec<String>,
}

/// Reads them; an error in words where the bytes are no component.
pub(super) fn edge(bytes: &[u8]) -> Result<Edge, String> {
    let mut edge = Edge::default();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| error.to_string())? {
            Payload::Version { encoding, .. } => {
                if depth == 0 && encoding != Encoding::Component {
                    return Err("it is a core module, not a component".to_owned());
                }
                depth += 1;
            }
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    let import = import.map_err(|error| error.to_string())?;
                    edge.imports.push(import.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    let export = export.map_err(|error| error.to_string())?;
                    edge.exports.push(export.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(edge)
}
