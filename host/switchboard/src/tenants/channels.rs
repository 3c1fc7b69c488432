//! Which of the channels that a network reaches are open for a tenant: those that its tenant.toml names, or all.

use policy::Channel;
use serde::Serialize;
use toml::Spanned;

use super::refusal::{TenantError, Text};

/// What can be open or closed. The terminal is the host's own machine, and the host does not shut itself out.
const ALL: [Channel; 3] = [Channel::Chat, Channel::Http, Channel::Mcp];

/// The channels that are open, each once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Channels(Vec<Channel>);

impl Default for Channels {
    fn default() -> Self {
        Self(ALL.into())
    }
}

impl Channels {
    /// As tenant.toml names them; a name of no channel is refused where it stands.
    pub(super) fn named(names: &[Spanned<String>], text: Text<'_>) -> Result<Self, TenantError> {
        for name in names {
            if ALL.iter().all(|known| known.name() != name.get_ref()) {
                return Err(text.refuse(name, "channels", unknown(name.get_ref())));
            }
        }
        let is_named =
            |channel: &Channel| names.iter().any(|name| name.get_ref() == channel.name());
        Ok(Self(ALL.into_iter().filter(is_named).collect()))
    }

    /// Whether whoever comes this way is let in.
    pub(crate) fn admit(&self, channel: Channel) -> bool {
        self.0.contains(&channel)
    }
}

fn unknown(name: &str) -> String {
    let known = ALL.map(Channel::name).join(", ");
    format!("there is no channel {name:?} for a tenant; there are {known}")
}
