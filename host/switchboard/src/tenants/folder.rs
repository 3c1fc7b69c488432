//! A tenant's folder: which files there can be, and reading them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use artifacts::{TrustSettings, signature_file};

use super::refusal::Text;
use super::{PluginOrigin, SecretRef, TenantError, entry, file, tools};
use crate::files;

/// The folder of its rules in it.
pub(super) const RULES: &str = "rules/";
/// The folder of its prompts in it.
pub(super) const PROMPTS: &str = "prompts/";

/// Bytes of one file, at most.
const LARGEST: usize = 256 << 10;

/// A tenant's folder as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TenantFolder {
    /// The tenant's name.
    pub(crate) name: String,
    /// Where it is; what plugins.toml names is found from here.
    pub(crate) path: PathBuf,
    /// Its texts by their path in it: `tenant.toml`, `rules/own.cedar`, `prompts/refund.md`.
    pub(crate) texts: BTreeMap<String, String>,
}

impl TenantFolder {
    /// Reads the folder of this tenant below `tenants`: those of its files that can have a meaning.
    pub(crate) fn read(tenants: &Path, name: &str) -> Result<Self, TenantError> {
        check_name(name).map_err(|message| TenantError::of_file("the folder's name", message))?;
        let path = tenants.join(name);
        let mut texts = BTreeMap::new();
        for (below, ending) in [("", "toml"), (RULES, "cedar"), (PROMPTS, "md")] {
            let found = match files::texts_in(&path.join(below), ending) {
                Ok(found) => found,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(TenantError::of_file(below, error)),
            };
            for (file, text) in found {
                let file = file.file_name().unwrap_or_default().to_string_lossy();
                // Editors keep drafts under such names.
                if !file.starts_with('.') {
                    texts.insert(format!("{below}{file}"), text);
                }
            }
        }
        for (file, text) in &texts {
            check_file(file).map_err(|message| TenantError::of_file(file, message))?;
            check_size(text).map_err(|message| TenantError::of_file(file, message))?;
        }
        let name = name.to_owned();
        Ok(Self { name, path, texts })
    }

    /// The same folder with other texts in these files, and without those that have none any more.
    pub(crate) fn with(
        &self,
        change: &BTreeMap<String, Option<String>>,
    ) -> Result<Self, TenantError> {
        let mut changed = self.clone();
        for (file, text) in change {
            let refused = |message| TenantError::of_file(file, message);
            check_file(file).map_err(refused)?;
            match text {
                Some(text) => {
                    check_size(text).map_err(refused)?;
                    changed.texts.insert(file.clone(), text.clone());
                }
                None => {
                    changed.texts.remove(file);
                }
            }
        }
        Ok(changed)
    }

    /// The files beside its texts that count: components with their signatures, the keys of those whom it trusts, and those that
    /// its secrets are in; as far as the texts can be read.
    pub(crate) fn named_files(&self) -> Vec<PathBuf> {
        let table = |file: &str| -> toml::Table {
            let text = self.texts.get(file).map_or("", String::as_str);
            toml::from_str(text).unwrap_or_default()
        };
        let plugins = table(entry::FILE);
        let components = plugins.values();
        let components = components.filter_map(|plugin| plugin.get("file")?.as_str());
        let components = components.map(|file| self.path.join(file));
        let mut tenant = table(file::FILE);
        let secrets: Vec<PathBuf> = tenant.values().flat_map(SecretRef::files_in).collect();
        let trust = tenant.remove("trust");
        let trust: Option<TrustSettings> = trust.and_then(|trust| trust.try_into().ok());
        let keys = trust.unwrap_or_default().files(&self.path);
        components
            .flat_map(|file| [signature_file(&file), file])
            .chain(keys)
            .chain(secrets)
            .collect()
    }

    /// Which shipped plugin there is under this name; none for any other, or where the text cannot be read.
    pub(crate) fn shipped(&self, plugin: &str) -> Option<PluginOrigin> {
        let plugins: toml::Table = toml::from_str(self.texts.get(entry::FILE)?).ok()?;
        let shipped = plugins.get(plugin)?.get("builtin")?.as_str()?;
        Some(PluginOrigin::Builtin(shipped.to_owned()))
    }

    pub(super) fn text<'a>(&'a self, file: &'a str) -> Option<Text<'a>> {
        let text = self.texts.get(file)?;
        Some(Text { file, text })
    }

    /// The texts below a folder in it whose names end so, by their whole path.
    pub(super) fn below<'a>(
        &'a self,
        folder: &'a str,
        ending: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let texts = self.texts.iter();
        texts
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .filter(move |(path, _)| path.starts_with(folder) && path.ends_with(ending))
    }
}

/// A tenant's name, in paths, files and the audit log.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = (1..=63).contains(&name.len())
        && name.bytes().next().is_some_and(plain)
        && name.bytes().all(|byte| plain(byte) || byte == b'-');
    if fits {
        return Ok(());
    }
    Err(format!(
        "`{name}` is no tenant's name: use 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit"
    ))
}

/// What a file in a tenant's folder can be called: nothing that leads out of it, and nothing that would have no meaning.
pub(crate) fn check_file(path: &str) -> Result<(), String> {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(_, name)| {
        path.split_at(path.len() - name.len())
    });
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_plain = !name.starts_with('.') && name.len() <= 64 && name.bytes().all(plain);
    let has_meaning = match folder {
        "" => [file::FILE, entry::FILE, tools::FILE].contains(&name),
        RULES => name
            .strip_suffix(".cedar")
            .is_some_and(|stem| !stem.is_empty()),
        PROMPTS => name
            .strip_suffix(".md")
            .is_some_and(|stem| !stem.is_empty()),
        _ => false,
    };
    if is_plain && has_meaning {
        return Ok(());
    }
    Err(format!(
        "there is no such file in a tenant's folder: there are {}, {}, {}, rules/NAME.cedar and prompts/NAME.md",
        file::FILE,
        entry::FILE,
        tools::FILE
    ))
}

fn check_size(text: &str) -> Result<(), String> {
    if text.len() <= LARGEST {
        return Ok(());
    }
    Err(format!(
        "it has {} bytes, and may have {LARGEST}",
        text.len()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_a_tenants_folder() {
        for fits in [
            "tenant.toml",
            "plugins.toml",
            "tools.toml",
            "rules/own.cedar",
            "prompts/refund.md",
        ] {
            assert_eq!(check_file(fits), Ok(()), "{fits}");
        }
        for refused in [
            "",
            "/",
            ".",
            "..",
            "../tenant.toml",
            "../other/tenant.toml",
            "/etc/passwd",
            "rules/../tenant.toml",
            "rules/../../b/rules/x.cedar",
            "rules//x.cedar",
            "rules/a/x.cedar",
            "rules/.x.cedar",
            "rules/x.md",
            "prompts/x.cedar",
            "prompts/\u{0}.md",
            "rules/x\\y.cedar",
            "tenant.toml/",
            "TENANT.TOML",
            "plugin.toml",
            "x.wasm",
            "rules/",
            "rules\\x.cedar",
        ] {
            assert!(check_file(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn files_with_secrets_are_watched_wherever_tenant_toml_names_them() {
        let text = r#"
            company = "Acme"
            session_secret = { file = "/run/secrets/session" }
            keys = [
                { name = "a", role = "agent", key = { file = "/run/secrets/a" } },
                { name = "b", role = "agent", key = { env = "B" } },
            ]
            [credentials.shop]
            bearer = { file = "/run/secrets/shop" }
            [model]
            provider = "openai"
            key = { file = "/run/secrets/model" }
            [trust]
            keys = [{ name = "vendor", file = "vendor.pub" }]
        "#;
        let folder = TenantFolder {
            path: "/tenants/acme".into(),
            texts: [(file::FILE.to_owned(), text.to_owned())].into(),
            ..TenantFolder::default()
        };
        let mut named = folder.named_files();
        named.sort();
        let expected = [
            "/run/secrets/a",
            "/run/secrets/model",
            "/run/secrets/session",
            "/run/secrets/shop",
            "/tenants/acme/vendor.pub",
        ];
        assert_eq!(named, expected.map(PathBuf::from));
        let broken = TenantFolder {
            texts: [(file::FILE.to_owned(), "company = ".to_owned())].into(),
            ..TenantFolder::default()
        };
        assert!(broken.named_files().is_empty());
    }

    #[test]
    fn a_tenants_name_is_plain() {
        for (name, fits) in [
            ("acme", true),
            ("a-1", true),
            ("1", true),
            ("", false),
            ("-a", false),
            ("Acme", false),
            ("a_b", false),
            ("a.b", false),
            ("..", false),
            ("a/b", false),
            ("é", false),
        ] {
            assert_eq!(check_name(name).is_ok(), fits, "{name}");
        }
        assert!(check_name(&"a".repeat(64)).is_err());
    }
}
