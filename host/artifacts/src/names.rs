//! What a signature may name: plugins and versions, in characters that leave no doubt where one ends.

use semver::Version;

/// The longest name, in characters.
const MAX_NAME: usize = 63;
/// The longest version, in characters.
const MAX_VERSION: usize = 128;

/// `[a-z0-9][a-z0-9_-]*`, as a plugin's manifest has it.
pub(crate) fn is_plugin(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= MAX_NAME
        && name.bytes().next().is_some_and(plain)
        && name
            .bytes()
            .all(|byte| plain(byte) || matches!(byte, b'-' | b'_'))
}

/// A semantic version.
pub(crate) fn is_version(version: &str) -> bool {
    version.len() <= MAX_VERSION && Version::parse(version).is_ok()
}
