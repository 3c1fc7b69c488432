//! What a component may be made of: checked by reading its outline, before anything that could cost time or memory is done
//! with it.

use wasmparser::{Parser, Payload};

use crate::LoadError;

/// Functions of all modules together. Language runtimes have some ten thousand.
const FUNCTIONS: usize = 100_000;
/// Types of all modules and components together.
const TYPES: usize = 50_000;
/// Bytes of the largest function. Compilers take more than proportionally long for large ones.
const FUNCTION_BYTES: usize = 1 << 20;
/// Modules, and components inside the component.
const PARTS: usize = 200;
/// Components inside components inside components.
const DEPTH: usize = 10;
/// Imports, exports, globals, segments and the like, of all parts together.
const ENTRIES: usize = 200_000;

/// Says whether this is a component of a size and shape that the host takes.
pub(crate) fn check(bytes: &[u8], limit: usize) -> Result<(), LoadError> {
    if bytes.len() > limit {
        let bytes = bytes.len();
        Err(LoadError::TooLarge { bytes, limit })
    } else if Parser::is_core_wasm(bytes) {
        Err(LoadError::NotAComponent("a core module"))
    } else if Parser::is_component(bytes) {
        outline(bytes)
    } else {
        Err(LoadError::NotAComponent("something else"))
    }
}

fn outline(bytes: &[u8]) -> Result<(), LoadError> {
    let mut counts = Counts::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|error| LoadError::Invalid(error.to_string()))?;
        counts.add(&payload)?;
    }
    Ok(())
}

/// What was found so far.
#[derive(Default)]
struct Counts {
    functions: usize,
    types: usize,
    parts: usize,
    depth: usize,
    entries: usize,
}

impl Counts {
    fn add(&mut self, payload: &Payload<'_>) -> Result<(), LoadError> {
        match payload {
            Payload::FunctionSection(section) => {
                self.functions += section.count() as usize;
                within("functions", self.functions, FUNCTIONS)
            }
            Payload::CodeSectionEntry(body) => {
                within("bytes in one function", body.range().len(), FUNCTION_BYTES)
            }
            Payload::TypeSection(section) => self.types(section.count()),
            Payload::ComponentTypeSection(section) => self.types(section.count()),
            Payload::CoreTypeSection(section) => self.types(section.count()),
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                self.parts += 1;
                self.depth += 1;
                within("modules and components", self.parts, PARTS)?;
                within("components inside one another", self.depth, DEPTH)
            }
            Payload::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(())
            }
            other => {
                self.entries += entries(other);
                within("imports, exports and other entries", self.entries, ENTRIES)
            }
        }
    }

    fn types(&mut self, count: u32) -> Result<(), LoadError> {
        self.types += count as usize;
        within("types", self.types, TYPES)
    }
}

/// How many things a section lists.
fn entries(payload: &Payload<'_>) -> usize {
    let count = match payload {
        Payload::ImportSection(section) => section.count(),
        Payload::TableSection(section) => section.count(),
        Payload::MemorySection(section) => section.count(),
        Payload::TagSection(section) => section.count(),
        Payload::GlobalSection(section) => section.count(),
        Payload::ExportSection(section) => section.count(),
        Payload::ElementSection(section) => section.count(),
        Payload::DataSection(section) => section.count(),
        Payload::InstanceSection(section) => section.count(),
        Payload::ComponentInstanceSection(section) => section.count(),
        Payload::ComponentAliasSection(section) => section.count(),
        Payload::ComponentCanonicalSection(section) => section.count(),
        Payload::ComponentImportSection(section) => section.count(),
        Payload::ComponentExportSection(section) => section.count(),
        _ => 0,
    };
    count as usize
}

fn within(what: &'static str, found: usize, limit: usize) -> Result<(), LoadError> {
    if found > limit {
        return Err(LoadError::TooComplex { what, found, limit });
    }
    Ok(())
}
