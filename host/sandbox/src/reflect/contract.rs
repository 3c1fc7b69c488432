//! The contract: the host's own WIT, against which exported interfaces are held and from which their documentation comes.

use std::collections::BTreeMap;
use std::path::Path;

use semver::Version;
use wit_parser::{
    Function, Interface, InterfaceId, PackageName, Resolve, SourceMap, Stability,
    UnresolvedPackageGroup,
};

use super::convert::{self, Conversion};
use super::offer::Offer;
use super::plan::Plan;
use crate::LoadError;

/// The namespace that belongs to the contract alone.
pub(super) const NAMESPACE: &str = "switchboard";

/// The host's own WIT packages.
pub(crate) struct Contract {
    resolve: Resolve,
    interfaces: BTreeMap<String, InterfaceId>,
    /// From older majors to newer ones, by the older interface's key.
    conversions: BTreeMap<String, Conversion>,
    tools: BTreeMap<String, String>,
}

impl Contract {
    /// Parses the files of the contract's folder: (path, text). Every folder is one package; `released/` is the frozen
    /// copy that the host itself does not read.
    pub(crate) fn parse(files: &[(String, String)]) -> Result<Self, LoadError> {
        let mut groups = parse_groups(files).map_err(LoadError::Wit)?;
        let mut resolve = Resolve::default();
        if let Some(main) = groups.pop() {
            let pushed = resolve.push_groups(main, groups);
            pushed.map_err(|error| LoadError::Wit(error.to_string()))?;
        }
        let interfaces = resolve
            .interfaces
            .iter()
            .filter_map(|(id, interface)| Some((key(&resolve, interface)?, id)))
            .collect();
        Ok(Self {
            conversions: conversions(files, &resolve)?,
            tools: tools(&resolve),
            resolve,
            interfaces,
        })
    }

    /// Every tool of the contract, and the interface that it belongs to.
    pub(crate) fn tools(&self) -> &BTreeMap<String, String> {
        &self.tools
    }

    /// The packages themselves, for others to build upon.
    pub(super) fn resolve(&self) -> &Resolve {
        &self.resolve
    }

    /// The tools of an exported interface of the contract's namespace: those of its newest major, where it is declared how an
    /// older one becomes that.
    pub(super) fn offers(
        &self,
        exported: &Resolve,
        interface: &Interface,
        name: &str,
        skipped: &mut Vec<String>,
    ) -> Result<Vec<Offer>, LoadError> {
        let plans = self.plans(exported, interface, name)?;
        let conversion = key(exported, interface).and_then(|key| self.conversions.get(&key));
        Ok(match conversion {
            Some(conversion) => conversion.offers(plans, skipped),
            None => plans.into_iter().map(Offer::direct).collect(),
        })
    }

    /// Holds an exported interface of the contract's namespace against the contract, and compiles it from the contract's
    /// side, where the documentation is.
    pub(super) fn plans(
        &self,
        exported: &Resolve,
        interface: &Interface,
        name: &str,
    ) -> Result<Vec<Plan>, LoadError> {
        let own = key(exported, interface)
            .and_then(|key| self.interfaces.get(&key))
            .map(|id| &self.resolve.interfaces[*id])
            .ok_or_else(|| LoadError::UnknownContract {
                interface: name.to_owned(),
            })?;
        let theirs = package(exported, interface).and_then(|p| p.version.clone());
        let ours = package(&self.resolve, own).and_then(|p| p.version.clone());
        if theirs > ours {
            return Err(LoadError::UnknownContract {
                interface: name.to_owned(),
            });
        }
        if let Some(extra) = interface
            .functions
            .keys()
            .find(|f| !own.functions.contains_key(*f))
        {
            return Err(broken(name, extra, "the contract has no such function"));
        }
        let mut plans = Vec::new();
        for (function, declared) in &own.functions {
            match interface.functions.get(function) {
                Some(given) => plans.push(self.matched(exported, name, declared, given)?),
                None if is_newer(declared, theirs.as_ref()) => {}
                None => return Err(broken(name, function, "the component does not export it")),
            }
        }
        Ok(plans)
    }

    fn matched(
        &self,
        exported: &Resolve,
        interface: &str,
        declared: &Function,
        given: &Function,
    ) -> Result<Plan, LoadError> {
        let compile = |resolve, function: &Function| {
            Plan::compile(resolve, interface, function).map_err(|uses| LoadError::Unsupported {
                interface: interface.to_owned(),
                function: function.name.clone(),
                uses,
            })
        };
        let ours = compile(&self.resolve, declared)?;
        let theirs = compile(exported, given)?;
        if ours.signature() == theirs.signature() {
            Ok(ours)
        } else {
            let message = format!(
                "the contract says {}, the component exports {}",
                ours.signature(),
                theirs.signature()
            );
            Err(broken(interface, &given.name, &message))
        }
    }
}

/// What the contract's folder declares of its majors. Of two ways from one interface the one to the newest counts.
fn conversions(
    files: &[(String, String)],
    resolve: &Resolve,
) -> Result<BTreeMap<String, Conversion>, LoadError> {
    let by_name: BTreeMap<String, &Interface> = resolve
        .interfaces
        .iter()
        .filter_map(|(id, interface)| Some((resolve.id_of(id)?, interface)))
        .collect();
    let mut found: BTreeMap<String, (Option<Version>, Conversion)> = BTreeMap::new();
    for (path, text) in files {
        if Path::new(path)
            .file_name()
            .is_none_or(|name| name != convert::FILE)
        {
            continue;
        }
        for (from, conversion) in convert::conversions(path, text, resolve, &by_name)? {
            let version = |name: &str| {
                let package = package(resolve, by_name.get(name)?);
                package.and_then(|package| package.version.clone())
            };
            let to = version(conversion.newer());
            let Some(key) = by_name
                .get(&from)
                .and_then(|interface| key(resolve, interface))
            else {
                continue;
            };
            if found.get(&key).is_none_or(|(known, _)| *known < to) {
                found.insert(key, (to, conversion));
            }
        }
    }
    Ok(found
        .into_iter()
        .map(|(key, (_, one))| (key, one))
        .collect())
}

fn broken(interface: &str, function: &str, message: &str) -> LoadError {
    LoadError::Contract {
        interface: interface.to_owned(),
        function: function.to_owned(),
        message: message.to_owned(),
    }
}

/// Whether a function came into the contract after the version that a plugin was built for.
fn is_newer(function: &Function, built_for: Option<&Version>) -> bool {
    match (&function.stability, built_for) {
        (Stability::Stable { since, .. }, Some(version)) => since > version,
        _ => false,
    }
}

/// What is the same for all versions of an interface that can stand in for each other: `switchboard:crm/crm@1`.
fn key(resolve: &Resolve, interface: &Interface) -> Option<String> {
    let package = package(resolve, interface)?;
    let track = package
        .version
        .as_ref()
        .map(PackageName::version_compat_track);
    let track = track
        .map(|version| format!("@{version}"))
        .unwrap_or_default();
    let (namespace, name) = (&package.namespace, &package.name);
    Some(format!(
        "{namespace}:{name}/{}{track}",
        interface.name.as_ref()?
    ))
}

pub(super) fn package<'a>(resolve: &'a Resolve, interface: &Interface) -> Option<&'a PackageName> {
    interface.package.map(|id| &resolve.packages[id].name)
}

/// What plugins export of the contract; what the host lends them (`switchboard:host`) is no tool.
fn tools(resolve: &Resolve) -> BTreeMap<String, String> {
    let interfaces = resolve.interfaces.iter();
    let offered = interfaces.filter_map(|(id, interface)| {
        let package = package(resolve, interface)?;
        let is_lent = package.namespace != NAMESPACE
            || package.name == "host"
            || package.name == super::described::PACKAGE;
        (!is_lent).then(|| (resolve.id_of(id).unwrap_or_default(), interface))
    });
    let functions = offered.flat_map(|(id, interface)| {
        let names = interface.functions.keys();
        names.map(move |name| (name.replace('-', "_"), id.clone()))
    });
    functions.collect()
}

fn parse_groups(files: &[(String, String)]) -> Result<Vec<UnresolvedPackageGroup>, String> {
    let mut folders: BTreeMap<&Path, SourceMap> = BTreeMap::new();
    for (path, text) in files {
        let file = Path::new(path);
        let is_wit = file.extension().is_some_and(|extension| extension == "wit");
        let is_frozen = file.components().any(|part| part.as_os_str() == "released");
        if is_wit && !is_frozen {
            let folder = file.parent().unwrap_or(file);
            folders
                .entry(folder)
                .or_default()
                .push_str(path, text.as_str());
        }
    }
    folders
        .into_values()
        .map(|sources| {
            sources
                .parse()
                .map_err(|(sources, error)| error.render(&sources))
        })
        .collect()
}
