//! A conversation as the backend writes one, and as the contract wants one.

use serde::{Deserialize, Serialize};

use crate::bindings::exports::switchboard::conversations::conversations::{
    Assignee, Conversation, Part, PartAuthor,
};

/// How many messages of a conversation are shown.
const PARTS_SHOWN: usize = 10;

/// The body of a message into a conversation.
#[derive(Serialize)]
pub(crate) struct Reply {
    body: String,
    author: Author,
}

impl Reply {
    /// A message in the desk's own name.
    pub(crate) fn from_desk(body: String) -> Self {
        Self {
            body,
            author: Author::Bot,
        }
    }
}

/// The body that starts a conversation.
#[derive(Serialize)]
pub(crate) struct NewConversation {
    pub(crate) contact_id: String,
    pub(crate) body: String,
}

/// The body that labels a conversation.
#[derive(Serialize)]
pub(crate) struct Tag {
    pub(crate) name: String,
}

/// The body that gives a conversation to somebody: `{"admin_id": …}` or `{"team_id": …}`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Assignment {
    #[serde(rename = "admin_id")]
    Admin(String),
    #[serde(rename = "team_id")]
    Team(String),
}

impl From<Assignee> for Assignment {
    fn from(assignee: Assignee) -> Self {
        match assignee {
            Assignee::Admin(id) => Self::Admin(id),
            Assignee::Team(id) => Self::Team(id),
        }
    }
}

/// A conversation as the backend writes one.
#[derive(Deserialize)]
pub(crate) struct Record {
    id: String,
    contact_id: String,
    state: String,
    assignee: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    parts: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    id: String,
    author: Author,
    at: String,
    body: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Author {
    Contact,
    Admin,
    Bot,
}

impl From<Record> for Conversation {
    fn from(mut record: Record) -> Self {
        let earlier = record.parts.len().saturating_sub(PARTS_SHOWN);
        let shown = record.parts.split_off(earlier);
        Self {
            conversation_id: record.id,
            contact_id: record.contact_id,
            state: record.state,
            assignee: record.assignee,
            tags: record.tags,
            parts: shown.into_iter().map(Part::from).collect(),
            earlier_parts: u32::try_from(earlier).unwrap_or(u32::MAX),
        }
    }
}

impl From<Message> for Part {
    fn from(message: Message) -> Self {
        Self {
            part_id: message.id,
            author: match message.author {
                Author::Contact => PartAuthor::Contact,
                Author::Admin => PartAuthor::Admin,
                Author::Bot => PartAuthor::Bot,
            },
            at: message.at,
            body: message.body,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Assignment, Record};
    use crate::bindings::exports::switchboard::conversations::conversations::{
        Assignee, Conversation,
    };

    #[test]
    fn the_last_ten_messages_are_shown_oldest_first() {
        let parts: Vec<_> = (1..=12)
            .map(|n| json!({"id": n.to_string(), "author": "contact", "at": "2026-11-20T00:00:00Z", "body": "b"}))
            .collect();
        let record = json!({"id": "CV-1", "contact_id": "CT-1", "state": "open", "parts": parts});
        let shown = Conversation::from(serde_json::from_value::<Record>(record).unwrap());
        let ids: Vec<_> = shown
            .parts
            .iter()
            .map(|part| part.part_id.as_str())
            .collect();
        assert_eq!(ids, ["3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]);
        assert_eq!(shown.earlier_parts, 2);
    }

    #[test]
    fn an_assignment_names_a_colleague_or_a_team() {
        let team = Assignment::from(Assignee::Team("billing".into()));
        assert_eq!(
            serde_json::to_value(team).unwrap(),
            json!({"team_id": "billing"})
        );
    }
}
