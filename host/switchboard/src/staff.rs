//! Members of staff and their agents, each known by a key of their own, so that the audit log can name who approved what.

use policy::{Actor, Role};
use thiserror::Error;

use crate::Secret;

/// Characters that a key needs at least: whoever guesses one approves refunds.
pub(crate) const SHORTEST_KEY: usize = 24;

/// One member of staff, or a client of theirs that speaks to customers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// As the audit log names them: `user:dana`, `key:helpdesk`.
    pub name: String,
    /// What they may answer.
    pub role: Role,
    /// What they show.
    pub key: Secret,
}

/// Why the list of staff was refused; its keys are in none of the messages.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StaffError {
    /// Not `name:role:key`.
    #[error("entry {0} does not fit: expected name:role:key, as in dana:supervisor:KEY")]
    Shape(usize),
    /// A name that would not be clear in the audit log.
    #[error("entry {0}: a name is 1 to 64 letters, digits, `.`, `_`, `@` or `-`")]
    Name(usize),
    /// No such role.
    #[error("{name}: there is no role `{role}`; there are agent, supervisor and admin")]
    Role {
        /// Whose.
        name: String,
        /// As it was written.
        role: String,
    },
    /// A key that could be guessed.
    #[error(
        "{0}: the key is too short: use at least {SHORTEST_KEY} random characters, such as `openssl rand -hex 32` prints"
    )]
    ShortKey(String),
    /// Two people who could not be told apart.
    #[error("{0} has the name or the key of somebody before them")]
    Twice(String),
}

/// Everybody who holds a key of the built-in tenant.
#[derive(Clone, Debug, Default)]
pub struct Staff(Vec<Member>);

impl Staff {
    /// Reads `name:role:key` entries, separated by commas or white space.
    pub fn parse(text: &str) -> Result<Self, StaffError> {
        let entries = text.split(|c: char| c == ',' || c.is_whitespace());
        let mut staff = Self::default();
        for (index, entry) in entries.filter(|entry| !entry.is_empty()).enumerate() {
            staff.admit(member(index + 1, entry)?)?;
        }
        Ok(staff)
    }

    /// Everybody: name, as whom they act, and their key.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, Actor, &Secret)> {
        let members = self.0.iter();
        members.map(|member| (member.name.as_str(), member.actor(), &member.key))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Secret> {
        self.0.iter().map(|member| &member.key)
    }

    fn admit(&mut self, member: Member) -> Result<(), StaffError> {
        let same = |other: &Member| other.name == member.name || other.key == member.key;
        if self.0.iter().any(same) {
            return Err(StaffError::Twice(member.name));
        }
        self.0.push(member);
        Ok(())
    }
}

impl Member {
    fn actor(&self) -> Actor {
        Actor {
            role: self.role,
            subject: format!("{}:{}", kind_of(self.role), self.name),
        }
    }
}

/// What the subject of a key begins with: an agent's says which client it is, a person's who.
pub(crate) fn kind_of(role: Role) -> &'static str {
    match role {
        Role::Agent => "key",
        Role::Supervisor | Role::Admin => "user",
    }
}

/// A name that is clear in the audit log.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
    (1..=64).contains(&name.len()) && name.chars().all(plain)
}

fn member(entry_number: usize, entry: &str) -> Result<Member, StaffError> {
    let mut parts = entry.splitn(3, ':');
    let (Some(name), Some(role), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(StaffError::Shape(entry_number));
    };
    if !is_plain_name(name) {
        return Err(StaffError::Name(entry_number));
    }
    let name = name.to_owned();
    let role = match role {
        "agent" => Role::Agent,
        "supervisor" => Role::Supervisor,
        "admin" => Role::Admin,
        _ => {
            let role = role.to_owned();
            return Err(StaffError::Role { name, role });
        }
    };
    if key.len() < SHORTEST_KEY {
        return Err(StaffError::ShortKey(name));
    }
    let key = Secret::new(key);
    Ok(Member { name, role, key })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DANA: &str = "dana:supervisor:3d2f6f0e9a5b4c1d8e7f60a1";
    const RAVI: &str = "ravi:admin:90a1b2c3d4e5f60718293a4b";

    #[test]
    fn each_key_is_one_persons() {
        let staff = Staff::parse(&format!("{DANA}, {RAVI}\n")).unwrap();
        let members: Vec<_> = staff.members().collect();
        let (name, actor, key) = &members[1];
        assert_eq!(
            (*name, actor.role, actor.subject.as_str()),
            ("ravi", Role::Admin, "user:ravi")
        );
        assert_eq!(key.expose(), "90a1b2c3d4e5f60718293a4b");
        assert_eq!(members[0].1.subject, "user:dana");
    }

    #[test]
    fn what_does_not_fit_is_told_without_the_key() {
        for (text, part) in [
            ("dana", "entry 1 does not fit"),
            ("dana:supervisor", "entry 1 does not fit"),
            ("d an:supervisor:3d2f6f0e9a5b4c1d8e7f60a1", "entry 1 does"),
            ("d/a:supervisor:3d2f6f0e9a5b4c1d8e7f60a1", "a name is"),
            ("dana:boss:3d2f6f0e9a5b4c1d8e7f60a1", "no role `boss`"),
            ("dana:supervisor:changeme", "too short"),
            (&format!("{DANA} {DANA}"), "dana has the name"),
        ] {
            let message = Staff::parse(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
            assert!(!message.contains("3d2f"), "{message}");
        }
        assert!(Staff::parse(" ,\n").unwrap().0.is_empty());
    }
}
