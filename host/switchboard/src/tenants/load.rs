//! Loading a tenant: from the texts of its folder to its live state, or to the reason why not. Nothing is changed here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use agent::Prompts;
use artifacts::Trust;
use policy::{Rulebook, RulebookError, RulebookSource, ToolRule};

use super::identity::{Identity, KeyEntry};
use super::model::OwnModel;
use super::refusal::Text;
use super::{
    Channels, Credentials, Holder, Installed, PluginEntry, PluginOrigin, SecretRef, Tenant,
    TenantError, TenantFolder, entry, file, folder, tools,
};
use crate::host::figures;
use crate::oauth::Authority;
use crate::staff::{SHORTEST_KEY, is_plain_name};
use crate::{Classified, Config, Secret, secrets};

/// What all tenants start from.
pub(crate) struct Common {
    /// How the contract's tools are judged.
    pub(crate) contract: Arc<BTreeMap<String, ToolRule>>,
    /// The rules that a tenant's own are added to: (file, text).
    pub(crate) rules: Vec<(String, String)>,
    /// The prompts that a tenant's own take the place of: (name, text).
    pub(crate) prompts: &'static [(&'static str, &'static str)],
    /// The same, compiled, for tenants without prompts of their own.
    pub(crate) compiled: Arc<Prompts>,
}

/// Everything beside its folder that a tenant's state comes from.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    /// The figures that hold where the tenant sets none.
    pub(crate) config: &'a Config,
    /// What all tenants start from.
    pub(crate) common: &'a Common,
    /// Gets a secret, or says what to do.
    pub(crate) secret: &'a (dyn Fn(&SecretRef) -> Result<Secret, String> + Sync),
    /// Settings that every plugin has unless plugins.toml sets them.
    pub(crate) settings: &'a BTreeMap<String, String>,
    /// What is bound in the registry. Where plugins.toml has an entry of the same name, or tools.toml of the same tool, that wins.
    pub(crate) installed: &'a [Installed],
}

/// Makes a tenant's state of its folder.
pub(crate) fn load(folder: &TenantFolder, given: &Given<'_>) -> Result<Tenant, TenantError> {
    let (text, file) = tenant_file(folder)?;
    let config = file.over(given.config, text)?;
    let credentials = credentials(&file, given, text)?;
    let vendors = vendors(folder, given)?;
    let rules = all_rules(&vendors, given);
    let source = source(folder, (&file, &config), (&rules, &vendors), given, text)?;
    let own = model(&file, given, text)?.map(|own| (own.model, own.key));
    let (model, model_key) = own.unzip();
    Ok(Tenant {
        name: folder.name.clone(),
        rulebook: Arc::new(Rulebook::load(source).map_err(misfit)?),
        speaks: Arc::new(agent::Tenant {
            company: file.company.clone(),
            prompts: prompts(folder, given)?,
            rules,
            forbidden: figures::forbidden(&config),
            limits: figures::turn_limits(&config),
            model,
        }),
        model_key: model_key.flatten(),
        keys: keys(&file, given, text)?,
        session_secret: session_secret(&file, given, text)?,
        plugins: plugins(folder, given, &credentials)?,
        credentials,
        limits: figures::limits(&config),
        trust: trust(&file, folder, text)?,
        authority: authority(&file, text)?,
        channels: channels(&file, text)?,
        shares: file.shares,
    })
}

/// What a tenant's rulebook is made of; neither its plugins nor its secrets need to be there.
pub(crate) fn rules_of(
    folder: &TenantFolder,
    given: &Given<'_>,
) -> Result<RulebookSource, TenantError> {
    let (text, file) = tenant_file(folder)?;
    let config = file.over(given.config, text)?;
    let vendors = vendors(folder, given)?;
    let rules = all_rules(&vendors, given);
    source(folder, (&file, &config), (&rules, &vendors), given, text)
}

fn tenant_file(folder: &TenantFolder) -> Result<(Text<'_>, file::TenantFile), TenantError> {
    let text = folder.text(file::FILE);
    let text = text.ok_or_else(|| TenantError::of_file(file::FILE, MISSING))?;
    Ok((text, text.parse()?))
}

const MISSING: &str = "there is no such file; write one with at least company = \"…\"";

fn plugins(
    folder: &TenantFolder,
    given: &Given<'_>,
    credentials: &Credentials,
) -> Result<Vec<PluginEntry>, TenantError> {
    let mut entries = match folder.text(entry::FILE) {
        Some(text) => entry::parse(text, given.settings, credentials)?,
        None => Vec::new(),
    };
    for entry in &mut entries {
        if let PluginOrigin::File(file) = &mut entry.origin {
            *file = folder.path.join(&file);
        }
    }
    let by_hand = given
        .installed
        .iter()
        .filter(|installed| !installed.by_folder);
    for Installed {
        plugin, accepted, ..
    } in by_hand
    {
        if entries.iter().all(|entry| entry.name != *plugin) {
            // What cannot be granted any more is refused where it is made ready, or left out there: the others do not hang on it.
            let entry = accepted.entry(plugin, given.settings, credentials);
            entries.push(entry.unwrap_or_else(|_| PluginEntry {
                settings: given.settings.clone(),
                ..PluginEntry::installed(plugin)
            }));
        }
    }
    Ok(entries)
}

fn vendors(
    folder: &TenantFolder,
    given: &Given<'_>,
) -> Result<BTreeMap<String, Classified>, TenantError> {
    let installed = given.installed.iter();
    let accepted = installed.flat_map(|installed| &installed.accepted.tools);
    // Also what was accepted before manifests were refused for it does not make a customer of anybody: such a tool is denied.
    let accepted = accepted.filter(|(_, tool)| tool.reserved(&given.common.contract).is_none());
    let accepted = accepted.map(|(name, tool)| (name.clone(), tool.clone()));
    let mut all: BTreeMap<String, Classified> = accepted.collect();
    if let Some(text) = folder.text(tools::FILE) {
        all.extend(tools::parse(text.text, &given.common.contract)?);
    }
    // The contract's tools are judged as the contract says.
    all.retain(|name, _| !given.common.contract.contains_key(name));
    Ok(all)
}

fn all_rules(
    vendors: &BTreeMap<String, Classified>,
    given: &Given<'_>,
) -> Arc<BTreeMap<String, ToolRule>> {
    let contract = &given.common.contract;
    if vendors.is_empty() {
        return Arc::clone(contract);
    }
    let own = vendors
        .iter()
        .map(|(name, tool)| (name.clone(), tool.rule.clone()));
    Arc::new(
        contract
            .iter()
            .map(|(name, rule)| (name.clone(), rule.clone()))
            .chain(own)
            .collect(),
    )
}

type Tools<'a> = (
    &'a BTreeMap<String, ToolRule>,
    &'a BTreeMap<String, Classified>,
);

fn source(
    folder: &TenantFolder,
    (file, config): (&file::TenantFile, &Config),
    (rules, vendors): Tools<'_>,
    given: &Given<'_>,
    text: Text<'_>,
) -> Result<RulebookSource, TenantError> {
    let settings = figures::settings(config)
        .map_err(|error| file.blame(error.key(), &error.to_string(), text))?;
    let mut policies = if file.keeps_shipped_rules(text)? {
        given.common.rules.clone()
    } else {
        Vec::new()
    };
    let own = folder.below(folder::RULES, ".cedar");
    policies.extend(own.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let opened = tools::rules(vendors);
    if !opened.is_empty() {
        policies.push((tools::FILE.to_owned(), opened));
    }
    Ok(RulebookSource {
        policies,
        tools: rules.clone(),
        settings,
    })
}

fn misfit(error: RulebookError) -> TenantError {
    match error {
        RulebookError::Parse { file, message } => TenantError::of_file(&file, message),
        RulebookError::Invalid(message) => TenantError::of_file("rules", message),
    }
}

fn prompts(folder: &TenantFolder, given: &Given<'_>) -> Result<Arc<Prompts>, TenantError> {
    let own: Vec<_> = folder.below(folder::PROMPTS, ".md").collect();
    if own.is_empty() {
        return Ok(Arc::clone(&given.common.compiled));
    }
    let own = own
        .into_iter()
        .map(|(path, text)| (&path[folder::PROMPTS.len()..], text));
    let prompts = Prompts::load(given.common.prompts.iter().copied().chain(own));
    prompts
        .map(Arc::new)
        .map_err(|error| TenantError::of_file("prompts", error))
}

fn credentials(
    file: &file::TenantFile,
    given: &Given<'_>,
    text: Text<'_>,
) -> Result<Credentials, TenantError> {
    let mut credentials = Credentials::default();
    for (name, entry) in &file.credentials {
        let added = credentials.add(name, entry.get_ref(), given.secret);
        added.map_err(|message| text.refuse(entry, format!("credentials.{name}"), message))?;
    }
    Ok(credentials)
}

fn keys(
    file: &file::TenantFile,
    given: &Given<'_>,
    text: Text<'_>,
) -> Result<Vec<Holder>, TenantError> {
    let mut names = BTreeSet::new();
    let mut holders = Vec::with_capacity(file.keys.len());
    for entry in &file.keys {
        let refused = |message: String| text.refuse(entry, "keys", message);
        let holder = holder(entry.get_ref(), given).map_err(refused)?;
        if !names.insert(holder.identity.name.clone()) {
            return Err(refused(format!(
                "there is a key of {} already: each name once",
                holder.identity.name
            )));
        }
        holders.push(holder);
    }
    Ok(holders)
}

fn holder(entry: &KeyEntry, given: &Given<'_>) -> Result<Holder, String> {
    let name = &entry.name;
    if !is_plain_name(name) {
        return Err(
            "name does not fit: use 1 to 64 letters, digits, `.`, `_`, `@` or `-`".to_owned(),
        );
    }
    let key = (given.secret)(&entry.key)?;
    if key.expose().len() < SHORTEST_KEY {
        return Err(format!(
            "the key of {name} is too short: use at least {SHORTEST_KEY} random characters, such as `openssl rand -hex 32` prints"
        ));
    }
    let identity = Arc::new(Identity::of(entry));
    Ok(Holder { identity, key })
}

fn model(
    file: &file::TenantFile,
    given: &Given<'_>,
    text: Text<'_>,
) -> Result<Option<OwnModel>, TenantError> {
    let Some(entry) = &file.model else {
        return Ok(None);
    };
    let built = entry.get_ref().build(given.config, given.secret);
    built
        .map(Some)
        .map_err(|message| text.refuse(entry, "model", message))
}

fn trust(
    file: &file::TenantFile,
    folder: &TenantFolder,
    text: Text<'_>,
) -> Result<Trust, TenantError> {
    let Some(settings) = &file.trust else {
        return Ok(Trust::default());
    };
    let trust = Trust::load(settings.get_ref(), &folder.path);
    trust.map_err(|error| text.refuse(settings, "trust", error))
}

fn channels(file: &file::TenantFile, text: Text<'_>) -> Result<Channels, TenantError> {
    match &file.channels {
        Some(names) => Channels::named(names, text),
        None => Ok(Channels::default()),
    }
}

fn authority(
    file: &file::TenantFile,
    text: Text<'_>,
) -> Result<Option<Arc<Authority>>, TenantError> {
    let Some(settings) = &file.oauth else {
        return Ok(None);
    };
    let oauth = settings.get_ref();
    oauth
        .check()
        .map_err(|(key, message)| text.refuse(settings, key, message))?;
    Ok(Some(Arc::new(Authority::new(oauth.clone()))))
}

fn session_secret(
    file: &file::TenantFile,
    given: &Given<'_>,
    text: Text<'_>,
) -> Result<Option<Secret>, TenantError> {
    let Some(place) = &file.session_secret else {
        return Ok(None);
    };
    let refused = |message: String| text.refuse(place, "session_secret", message);
    let secret = (given.secret)(place.get_ref()).map_err(refused)?;
    if secrets::is_too_short_to_sign(&secret) {
        return Err(refused("the secret is too short: use at least 32 random characters, such as `openssl rand -hex 32` prints".to_owned()));
    }
    Ok(Some(secret))
}

#[cfg(test)]
mod tests;
