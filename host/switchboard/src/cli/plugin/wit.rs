//! A plugin's own WIT as text: what its component would lose, for the bindings keep types and not comments.

use std::path::Path;

use anyhow::Context as _;
use wit_component::WitPrinter;
use wit_parser::Resolve;

/// The package in `folder`, without its worlds: interfaces, types and comments. None where it has no interfaces of its own.
pub(super) fn documentation(folder: &Path) -> anyhow::Result<Option<String>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_dir(folder)
        .with_context(|| format!("the WIT in {} does not fit", folder.display()))?;
    if resolve.packages[package].interfaces.is_empty() {
        return Ok(None);
    }
    // What a world imports may be unknown to the host that reads this; what it offers is told by the interfaces.
    resolve.packages[package].worlds.clear();
    let mut printer = WitPrinter::default();
    printer.print(&resolve, package, &[])?;
    Ok(Some(printer.output.to_string()))
}
