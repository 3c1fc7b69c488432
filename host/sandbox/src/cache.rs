//! Compiled code on disk, in a directory that the host owns. It is native code: it never comes from a tenant.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::{Compiler, LoadError, engine};

/// Files that this process has begun to write.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// Compiles components, and remembers the result by the component's digest and the engine's fingerprint.
pub(crate) struct Cache {
    directory: Option<PathBuf>,
    compiler: Option<Compiler>,
}

impl Cache {
    /// Without a directory every load compiles; without a compiler it does so in this very process.
    pub(crate) fn new(directory: Option<PathBuf>, compiler: Option<Compiler>) -> Self {
        Self {
            directory,
            compiler,
        }
    }

    /// The compiled component: from the cache, or compiled now. Blocks for as long as that takes.
    pub(crate) fn component(
        &self,
        engine: &Engine,
        digest: &str,
        bytes: &[u8],
    ) -> Result<Component, LoadError> {
        let entry = self.entry(engine, digest);
        if let Some(component) = entry.as_deref().and_then(|entry| load(engine, entry)) {
            return Ok(component);
        }
        let code = self.compile(engine, bytes)?;
        if let Some(entry) = entry {
            // A cache that cannot be written costs time, nothing else.
            match save(&code, &entry) {
                Ok(()) => {
                    if let Some(component) = load(engine, &entry) {
                        return Ok(component);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, entry = %entry.display(), "compiled code could not be cached");
                }
            }
        }
        // SAFETY: as below; it never left this host's hands.
        #[allow(unsafe_code)]
        let component = unsafe { Component::deserialize(engine, &code) };
        // It compiles, but asks for more memories, tables or the like than any instance here can have.
        component.map_err(|error| LoadError::Invalid(format!("this host cannot run it: {error:#}")))
    }

    /// Fails where reading the component would take the host with it: see [`Compiler::try_reading`]. What is here already was read
    /// before. Without a compiler nobody has tried. Blocks.
    pub(crate) fn try_reading(
        &self,
        engine: &Engine,
        digest: &str,
        bytes: &[u8],
    ) -> Result<(), LoadError> {
        match &self.compiler {
            Some(compiler) if !self.holds(engine, digest) => compiler.try_reading(bytes),
            _ => Ok(()),
        }
    }

    /// Whether there is an entry; what is wrong with one, loading it shows.
    pub(crate) fn holds(&self, engine: &Engine, digest: &str) -> bool {
        let entry = self.entry(engine, digest);
        entry.is_some_and(|entry| seal(&entry).exists())
    }

    /// Deletes what was compiled of a component, by this version of the host and others. What runs of it goes on.
    pub(crate) fn forget(&self, digest: &str) -> io::Result<()> {
        let Some(directory) = &self.directory else {
            return Ok(());
        };
        let of_it = format!("{digest}-");
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&of_it) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn entry(&self, engine: &Engine, digest: &str) -> Option<PathBuf> {
        let directory = self.directory.as_ref()?;
        Some(directory.join(format!("{digest}-{}.cwasm", engine::fingerprint(engine))))
    }

    fn compile(&self, engine: &Engine, bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
        match &self.compiler {
            Some(compiler) => Handle::current().block_on(compiler.compile(bytes)),
            None => engine
                .precompile_component(bytes)
                .map_err(|error| LoadError::Invalid(format!("{error:#}"))),
        }
    }
}

/// Loads an entry if it is there and is, byte for byte, what was written.
fn load(engine: &Engine, entry: &Path) -> Option<Component> {
    let code = fs::read(entry).ok()?;
    let expected = fs::read_to_string(seal(entry)).ok()?;
    if hex::encode(Sha256::digest(&code)) != expected {
        tracing::warn!(entry = %entry.display(), "cached code is damaged; compiling again");
        return None;
    }
    // SAFETY: the bytes are what this host's own compiler produced (the seal says so) and lie in a directory that only
    // the host writes; entries are never overwritten in place, so the mapping cannot change underneath. The engine
    // itself refuses code of another version, with other settings or for another machine.
    #[allow(unsafe_code)]
    let component = unsafe { Component::deserialize_file(engine, entry) };
    component
        .inspect_err(|error| tracing::warn!(%error, "cached code is unusable; compiling again"))
        .ok()
}

/// Writes code and seal as new files, each moved into place once it is durable; the seal last.
fn save(code: &[u8], entry: &Path) -> io::Result<()> {
    if let Some(directory) = entry.parent() {
        fs::create_dir_all(directory)?;
    }
    place(entry, code)?;
    place(&seal(entry), hex::encode(Sha256::digest(code)).as_bytes())
}

fn place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Two hosts may share the directory, and two loads a host: each writes a file of its own.
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("{}-{number}.new", std::process::id()));
    let mut file = fs::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

fn seal(entry: &Path) -> PathBuf {
    entry.with_extension("sha256")
}
