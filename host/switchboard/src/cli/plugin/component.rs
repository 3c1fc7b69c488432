//! A component as a command is given it: a file, or the folder that it was built in, with its manifest.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sandbox::{Inspection, Toolbox, ToolboxSettings};

use crate::{Manifest, embedded, files};

/// A component that was read, and nothing more.
pub(super) struct Component {
    pub(super) file: PathBuf,
    pub(super) bytes: Vec<u8>,
    /// What its author says of it; none where it carries no manifest.
    pub(super) manifest: Option<Manifest>,
    pub(super) inspection: Inspection,
}

impl Component {
    /// Reads the component `at`: a file, or the one that `switchboard plugin build` leaves in a plugin's folder.
    pub(super) fn read(at: &Path) -> anyhow::Result<Self> {
        let file = file_at(at)?;
        let bytes = files::read_bytes(&file).with_context(|| {
            format!(
                "cannot read {}; `switchboard plugin build` makes a component",
                file.display()
            )
        })?;
        Self::of(file, bytes)
    }

    /// The component that these bytes are.
    pub(super) fn of(file: PathBuf, bytes: Vec<u8>) -> anyhow::Result<Self> {
        let manifest = Manifest::of_component(&bytes, &file)?;
        let (name, version) = match &manifest {
            Some(manifest) => (manifest.name.clone(), manifest.version.to_string()),
            None => (stem(&file), "unversioned".to_owned()),
        };
        let toolbox = Toolbox::new(ToolboxSettings {
            contract: embedded::contract_wit(),
            compiler: crate::cli::compiler(),
            ..ToolboxSettings::default()
        })?;
        let inspection = toolbox.inspect(&name, &version, &bytes)?;
        if let Some(manifest) = &manifest {
            manifest.check_tools(inspection.tools.iter().map(|tool| tool.name.as_str()))?;
        }
        Ok(Self {
            file,
            bytes,
            manifest,
            inspection,
        })
    }

    /// The interfaces that it exports tools of, each once.
    pub(super) fn interfaces(&self) -> Vec<&str> {
        let mut interfaces: Vec<&str> = self
            .inspection
            .tools
            .iter()
            .map(|tool| tool.interface.as_str())
            .collect();
        interfaces.dedup();
        interfaces
    }
}

pub(super) fn file_at(at: &Path) -> anyhow::Result<PathBuf> {
    if !files::is_folder(at) {
        return Ok(at.to_owned());
    }
    let (_, manifest) = super::manifest_of(at)?;
    Ok(at.join(format!("{}.wasm", manifest.name)))
}

fn stem(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or(file.as_os_str());
    stem.to_string_lossy().into_owned()
}
