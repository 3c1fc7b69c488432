//! Conversations of the inbox: started, answered, assigned, tagged.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::contacts::Contact;
use super::{Done, Found};
use crate::app::App;
use crate::idempotency::{Effect, Write};
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::request::{Id, check_line, check_text};
use crate::store::record::{self, Record};

/// A conversation takes no more parts than this.
const MOST_PARTS: usize = 500;
const MOST_TAGS: usize = 100;

/// Whether anybody still has to do something.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    Open,
    Snoozed,
    Closed,
}

/// Who wrote a part.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Author {
    Contact,
    Admin,
    #[default]
    Bot,
}

/// One message of a conversation.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    id: String,
    author: Author,
    at: Moment,
    body: String,
}

/// A conversation with a contact.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Conversation {
    id: String,
    contact_id: String,
    state: Stage,
    /// The admin's or the team's id.
    assignee: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    /// Oldest first.
    parts: Vec<Part>,
}

impl Record for Conversation {
    const KIND: &'static str = "conversation";

    fn id(&self) -> &str {
        &self.id
    }

    fn listed_under(&self) -> Option<String> {
        Some(self.contact_id.clone())
    }

    fn moments(&mut self) -> Vec<&mut Moment> {
        self.parts.iter_mut().map(|part| &mut part.at).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConversation {
    contact_id: String,
    body: String,
    /// Who speaks first; the bot, where nobody is named.
    #[serde(default)]
    author: Author,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reply {
    body: String,
    author: Author,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assignment {
    admin_id: Option<String>,
    team_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tag {
    name: String,
}

/// `GET /conversations/{id}`
pub(crate) async fn get(State(app): State<Arc<App>>, Id(id): Id) -> Found {
    let conversation: Conversation = app.store.read(move |db| record::get(db, &id)).await?;
    Ok(Json(json!(conversation.shown())))
}

/// `POST /conversations`
pub(crate) async fn create(State(app): State<Arc<App>>, write: Write<NewConversation>) -> Done {
    write.carry_out(&app, start).await
}

/// `POST /conversations/{id}/reply`: opens a closed conversation again.
pub(crate) async fn reply(State(app): State<Arc<App>>, Id(id): Id, write: Write<Reply>) -> Done {
    write
        .carry_out(&app, move |db, reply| {
            change(db, &id, |conversation| {
                conversation.add_part(reply.author, reply.body)?;
                conversation.state = Stage::Open;
                Ok(())
            })
        })
        .await
}

/// `POST /conversations/{id}/assign`: to an admin or to a team.
pub(crate) async fn assign(
    State(app): State<Arc<App>>,
    Id(id): Id,
    write: Write<Assignment>,
) -> Done {
    write
        .carry_out(&app, move |db, assignment| {
            let ((Some(assignee), None) | (None, Some(assignee))) =
                (assignment.admin_id, assignment.team_id)
            else {
                return Err(Refusal::invalid("give either admin_id or team_id"));
            };
            check_line("assignee", &assignee)?;
            change(db, &id, |conversation| {
                conversation.assignee = Some(assignee);
                Ok(())
            })
        })
        .await
}

/// `POST /conversations/{id}/tags`: a tag that is there already changes nothing.
pub(crate) async fn tag(State(app): State<Arc<App>>, Id(id): Id, write: Write<Tag>) -> Done {
    write
        .carry_out(&app, move |db, tag| {
            check_line("name", &tag.name)?;
            change(db, &id, |conversation| conversation.add_tag(tag.name))
        })
        .await
}

impl Conversation {
    fn add_part(&mut self, author: Author, body: String) -> Result<(), Refusal> {
        check_text("body", &body)?;
        if self.parts.len() >= MOST_PARTS {
            return Err(Refusal::not_eligible(
                "the conversation is full; start a new one",
            ));
        }
        let id = format!("{}-{}", self.id, self.parts.len() + 1);
        self.parts.push(Part {
            id,
            author,
            at: Moment::now(),
            body,
        });
        Ok(())
    }

    fn add_tag(&mut self, name: String) -> Result<(), Refusal> {
        if self.tags.contains(&name) {
            return Ok(());
        }
        if self.tags.len() >= MOST_TAGS {
            return Err(Refusal::not_eligible("the conversation has too many tags"));
        }
        self.tags.push(name);
        Ok(())
    }
}

fn start(db: &Connection, wanted: NewConversation) -> Result<Effect, Refusal> {
    let _contact: Contact = record::get(db, &wanted.contact_id)?;
    let mut conversation = Conversation {
        id: record::next_id::<Conversation>(db, "CV")?,
        contact_id: wanted.contact_id,
        state: Stage::Open,
        assignee: None,
        tags: Vec::new(),
        parts: Vec::new(),
    };
    conversation.add_part(wanted.author, wanted.body)?;
    record::insert(db, &conversation)?;
    Effect::created(&conversation)
}

fn change(
    db: &Connection,
    id: &str,
    how: impl FnOnce(&mut Conversation) -> Result<(), Refusal>,
) -> Result<Effect, Refusal> {
    let mut conversation: Conversation = record::get(db, id)?;
    how(&mut conversation)?;
    record::update(db, &conversation)?;
    Effect::changed(&conversation.shown())
}
