//! How a vendor's tool is classified, as a person writes it: what it does, and who may use it. The form of a tenant's
//! `tools.toml` and of a manifest's `[tool.NAME]`.

mod reserved;

use std::fmt;

use policy::ToolRule;
use serde::de::{
    DeserializeSeed, IntoDeserializer, MapAccess, Visitor, value::MapAccessDeserializer,
};
use serde::{Deserialize, Deserializer, Serialize};

/// One tool's classification: the fields of `wit/contract.toml`, and `open_to`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Classified {
    /// How it is judged.
    #[serde(flatten)]
    pub rule: ToolRule,
    /// Who may use it; nobody, unless a rule of the tenant's permits it, where it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_to: Option<OpenTo>,
}

/// Who may use a tool: how sure the host must be of who the customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenTo {
    /// Everybody, known or not.
    Anyone,
    /// Whoever said an e-mail address.
    Claimed,
    /// Whoever said an e-mail address and a number that only its owner should know.
    Matched,
    /// Whoever a signed session vouches for.
    Verified,
    /// Supervisors and admins.
    Staff,
}

impl Classified {
    /// The Cedar rules that `open_to` stands for; none where it is not said. `tool` must be a tool's name, as the rulebook
    /// checks it.
    pub fn rules(&self, tool: &str) -> Option<String> {
        let open_to = self.open_to?;
        let permit = format!(
            "@id(\"open_to.{tool}\")\npermit (principal, action == Action::\"{tool}\", resource);\n"
        );
        Some(permit + &open_to.forbids(tool))
    }
}

impl OpenTo {
    /// What stands against a call by somebody else; said as the shipped rules say it.
    fn forbids(self, tool: &str) -> String {
        let unless = "context.staff && action in Action::\"read\"";
        let unknown = forbid(
            tool,
            ("unknown", "CUSTOMER_UNKNOWN", "900"),
            "Happy to help! Could you please tell me the e-mail address of your account?",
            "find out who the customer is first: `get_customer` with their e-mail address",
            &format!(
                "(context.identity.level >= 1 && context.identity has customer) || ({unless})"
            ),
        );
        match self {
            Self::Anyone => String::new(),
            Self::Claimed => unknown,
            Self::Matched => {
                unknown
                    + &forbid(
                        tool,
                        ("not_matched", "IDENTITY_NOT_MATCHED", "700"),
                        "To keep your account safe, could you please give me the number of one of your orders?",
                        "the e-mail address and an order number must agree: `get_customer` with the address, then `lookup_order` with one of that customer's own orders",
                        &format!("context.identity.level >= 2 || ({unless})"),
                    )
            }
            Self::Verified => forbid(
                tool,
                ("not_verified", "IDENTITY_NOT_VERIFIED", "700"),
                "To keep your account safe, please sign in first; then I can help with that.",
                "this needs a customer who is signed in: nothing that is said here replaces that",
                &format!(
                    "(context.identity.level >= 3 && context.identity has customer) || ({unless})"
                ),
            ),
            Self::Staff => forbid(
                tool,
                ("staff_only", "STAFF_ONLY", "700"),
                "I'm sorry, that is not something I can do here.",
                "this tool is for staff: go on without it",
                "context.staff",
            ),
        }
    }
}

fn forbid(
    tool: &str,
    (id, code, prio): (&str, &str, &str),
    say: &str,
    hint: &str,
    unless: &str,
) -> String {
    format!(
        "@id(\"open_to.{tool}.{id}\")\n@code(\"{code}\")\n@prio(\"{prio}\")\n@say(\"{say}\")\n@hint(\"{hint}\")\n\
         forbid (principal, action == Action::\"{tool}\", resource)\nunless {{ {unless} }};\n"
    )
}

impl<'de> Deserialize<'de> for Classified {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ClassifiedVisitor)
    }
}

/// Takes `open_to` out of the map and leaves the rest to [`ToolRule`], which refuses what it does not know. (`flatten` would
/// take everything, and lose where it stood.)
struct ClassifiedVisitor;

impl<'de> Visitor<'de> for ClassifiedVisitor {
    type Value = Classified;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("how a tool is classified")
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Classified, M::Error> {
        let mut open_to = None;
        let rest = Rest {
            map,
            open_to: &mut open_to,
        };
        let rule = ToolRule::deserialize(MapAccessDeserializer::new(rest))?;
        Ok(Classified { rule, open_to })
    }
}

struct Rest<'a, M> {
    map: M,
    open_to: &'a mut Option<OpenTo>,
}

impl<'de, M: MapAccess<'de>> MapAccess<'de> for Rest<'_, M> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, M::Error> {
        while let Some(key) = self.map.next_key::<String>()? {
            if key != "open_to" {
                return seed.deserialize(key.into_deserializer()).map(Some);
            }
            *self.open_to = Some(self.map.next_value()?);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, M::Error> {
        self.map.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use policy::{Effect, Rulebook, RulebookSource, Settings};

    use super::*;

    fn parsed(text: &str) -> Result<Classified, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn open_to_stands_among_the_fields_of_the_contract() {
        let classified =
            parsed("effect = \"read\"\nopen_to = \"matched\"\nowner = [\"/customer_id\"]").unwrap();
        assert_eq!(classified.open_to, Some(OpenTo::Matched));
        assert_eq!(classified.rule.effect, Effect::Read);
        assert_eq!(classified.rule.owner, ["/customer_id"]);
        assert_eq!(parsed("effect = \"write\"").unwrap().open_to, None);
        let json = serde_json::to_value(&classified).unwrap();
        assert_eq!(
            serde_json::from_value::<Classified>(json).unwrap(),
            classified
        );
    }

    #[test]
    fn what_no_field_is_called_is_refused() {
        for (text, said) in [
            (
                "effect = \"read\"\nopento = \"anyone\"",
                "unknown field `opento`",
            ),
            (
                "effect = \"read\"\nopen_to = \"everyone\"",
                "unknown variant `everyone`",
            ),
            ("open_to = \"anyone\"", "missing field `effect`"),
        ] {
            let refusal = parsed(text).unwrap_err().to_string();
            assert!(refusal.contains(said), "{text:?}: {refusal}");
        }
    }

    /// Whoever may use a tool, its rules are rules: they parse, and they fit the schema.
    #[test]
    fn every_rule_fits_the_schema() {
        for open_to in ["anyone", "claimed", "matched", "verified", "staff"] {
            for effect in ["read", "write"] {
                let one = parsed(&format!("effect = {effect:?}\nopen_to = {open_to:?}")).unwrap();
                let rules = one.rules("get_points").unwrap();
                let tools = [("get_points".to_owned(), one.rule)].into();
                let mut source = RulebookSource::shipped(tools, Settings::default());
                source.policies.push(("tools.toml".to_owned(), rules));
                let loaded = Rulebook::load(source).map(|_| ());
                loaded.unwrap_or_else(|error| panic!("{open_to} {effect}: {error}"));
            }
        }
    }
}
