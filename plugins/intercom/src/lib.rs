//! A shared inbox: `switchboard:conversations` over the demo backend.

mod article;
mod contact;
mod conversation;

switchboard_sdk::plugin!(world: "demo:intercom/plugin", wit: ["../../wit/conversations", "wit"]);

use bindings::exports::switchboard::conversations::conversations::{
    ArticleList, Assignee, Attribute, ContactId, Conversation, ConversationId, Email, Error, Guest,
    User, UserList,
};
use conversation::{Assignment, NewConversation, Record, Reply, Tag};
use switchboard_sdk::{Backend, Route, articles};

struct Intercom;

bindings::export!(Intercom with_types_in bindings);

impl Guest for Intercom {
    fn send_message(conversation_id: ConversationId, body: String) -> Result<Conversation, Error> {
        change(&conversation_id, "reply", &Reply::from_desk(body))
    }

    fn create_conversation(contact_id: ContactId, body: String) -> Result<Conversation, Error> {
        let wanted = NewConversation { contact_id, body };
        let record: Record = Backend::configured()?.post(&Route::to("conversations"), &wanted)?;
        Ok(record.into())
    }

    fn get_conversation(conversation_id: ConversationId) -> Result<Conversation, Error> {
        let record: Record = Backend::configured()?.get(&at(&conversation_id))?;
        Ok(record.into())
    }

    fn search_users(query: String) -> Result<UserList, Error> {
        let route = contact::search(&query)?;
        let found: contact::Found = Backend::configured()?.get(&route)?;
        Ok(found.into())
    }

    fn update_user(
        contact_id: ContactId,
        name: Option<String>,
        email: Option<Email>,
        phone: Option<String>,
        custom: Option<Vec<Attribute>>,
    ) -> Result<User, Error> {
        let details = contact::Details::new(name, email, phone, custom)?;
        let route = Route::to("contacts").segment(&contact_id);
        let record: contact::Record = Backend::configured()?.patch(&route, &details)?;
        Ok(record.into())
    }

    fn search_articles(query: String, limit: Option<u32>) -> Result<ArticleList, Error> {
        let route = articles::route(&query, limit)?;
        let hits: articles::Hits = Backend::configured()?.get(&route)?;
        Ok(hits.into())
    }

    fn assign_conversation(
        conversation_id: ConversationId,
        assignee: Assignee,
    ) -> Result<Conversation, Error> {
        change(&conversation_id, "assign", &Assignment::from(assignee))
    }

    fn add_tag(conversation_id: ConversationId, tag: String) -> Result<Conversation, Error> {
        change(&conversation_id, "tags", &Tag { name: tag })
    }
}

fn at(conversation_id: &str) -> Route {
    Route::to("conversations").segment(conversation_id)
}

/// Does one thing to a conversation, and shows it as it is after.
fn change(
    conversation_id: &str,
    action: &str,
    body: &impl serde::Serialize,
) -> Result<Conversation, Error> {
    let route = at(conversation_id).segment(action);
    let record: Record = Backend::configured()?.post(&route, body)?;
    Ok(record.into())
}
