//! Reading a case's events: as the conversation that a model goes on with, and for what the host must know of it.

use dispatch::{EscalationRef, Event, PendingConsent};
use serde_json::json;

use super::steps::CLARIFY;
use crate::{Arguments, Message, ToolCall, ToolResult};

/// The conversation, at most `limit` messages of it, beginning with the customer. A call whose result was never stored (the
/// process stopped) is answered with just that.
pub(super) fn messages(events: &[Event], limit: usize) -> Vec<Message> {
    let mut messages = Vec::new();
    for (place, event) in events.iter().enumerate() {
        match event {
            Event::Customer { text, .. } => messages.push(Message::Customer(text.clone())),
            Event::Text { text } => messages.push(Message::Assistant {
                text: text.clone(),
                calls: Vec::new(),
            }),
            Event::ToolCall {
                id,
                tool,
                arguments,
            } => {
                messages.push(called(id, tool, arguments));
                let rest = events.get(place + 1..).unwrap_or_default();
                messages.push(Message::Results(vec![result_of(id, tool, rest)]));
            }
            _ => {}
        }
    }
    newest(messages, limit)
}

fn called(id: &str, tool: &str, arguments: &serde_json::Value) -> Message {
    Message::Assistant {
        text: String::new(),
        calls: vec![ToolCall {
            id: id.to_owned(),
            tool: tool.to_owned(),
            arguments: Arguments::Json(arguments.clone()),
        }],
    }
}

fn result_of(call: &str, tool: &str, rest: &[Event]) -> ToolResult {
    let stored = rest.iter().find_map(|event| match event {
        Event::ToolResult {
            id,
            outcome,
            content,
            ..
        } if id == call => Some((outcome.clone(), content.clone())),
        _ => None,
    });
    let (outcome, content) = stored.unwrap_or_else(|| {
        let message =
            "No result was stored: the host stopped meanwhile. Ask again; nothing is done twice.";
        ("interrupted".to_owned(), json!({ "message": message }))
    });
    ToolResult {
        id: call.to_owned(),
        tool: tool.to_owned(),
        outcome,
        content,
    }
}

/// The newest messages, from one of the customer's on: a result without its call would be refused by model services.
fn newest(mut messages: Vec<Message>, limit: usize) -> Vec<Message> {
    let customer = |message: &Message| matches!(message, Message::Customer(_));
    let floor = messages.len().saturating_sub(limit);
    let start = messages
        .iter()
        .skip(floor)
        .position(customer)
        .map(|place| floor + place)
        .or_else(|| messages.iter().rposition(customer));
    messages.drain(..start.unwrap_or(0));
    messages
}

/// Of these questions the one that stands in the last thing the customer was told; the last one, where several do.
pub(super) fn shown_last(events: &[Event], pending: Vec<PendingConsent>) -> Option<PendingConsent> {
    let told = events.iter().rev().find_map(|event| match event {
        Event::Text { text } => Some((None, text)),
        Event::ConsentAsked { id, question } => Some((Some(id), question)),
        _ => None,
    });
    let (asked, text) = told?;
    pending
        .into_iter()
        .filter(|consent| asked.is_none_or(|id| consent.id == *id))
        .filter_map(|consent| Some((text.rfind(&consent.question)?, consent)))
        .max_by_key(|(place, _)| *place)
        .map(|(_, consent)| consent)
}

/// How often the customer had a reply.
pub(super) fn replies(events: &[Event]) -> usize {
    let is_reply = |event: &&Event| matches!(event, Event::Text { .. });
    events.iter().filter(is_reply).count()
}

/// How many turns in a row, up to the last finished one, ended in asking what the customer means.
pub(super) fn clarifications(events: &[Event]) -> usize {
    let turns: Vec<&[Event]> = events
        .split(|event| matches!(event, Event::Customer { .. }))
        .collect();
    let asked = |turn: &&&[Event]| {
        turn.iter()
            .any(|event| matches!(event, Event::ToolCall { tool, .. } if tool == CLARIFY))
    };
    turns.iter().rev().skip(1).take_while(asked).count()
}

/// The people who were called last.
pub(super) fn last_escalation(events: &[Event]) -> Option<EscalationRef> {
    events.iter().rev().find_map(|event| match event {
        Event::Escalation { id, priority, team } => Some(EscalationRef {
            id: id.clone(),
            priority: *priority,
            team: team.clone(),
        }),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use dispatch::Event;
    use dispatch::policy::Channel;
    use serde_json::json;

    use super::{clarifications, messages};
    use crate::Message;

    fn customer(text: &str) -> Event {
        Event::Customer {
            text: text.to_owned(),
            channel: Channel::Chat,
        }
    }

    fn call(id: &str, tool: &str) -> Event {
        Event::ToolCall {
            id: id.to_owned(),
            tool: tool.to_owned(),
            arguments: json!({}),
        }
    }

    fn text(text: &str) -> Event {
        Event::Text {
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_call_without_a_result_says_so() {
        let read = messages(&[customer("hi"), call("1", "lookup_order")], 10);
        let Some(Message::Results(results)) = read.last() else {
            panic!("{read:?}")
        };
        assert_eq!(results[0].outcome, "interrupted");
    }

    #[test]
    fn the_newest_messages_begin_with_the_customer() {
        let events = [
            customer("a"),
            call("1", "x"),
            text("b"),
            customer("c"),
            text("d"),
        ];
        assert_eq!(
            messages(&events, 4).first(),
            Some(&Message::Customer("c".into()))
        );
        assert_eq!(messages(&events, 1).len(), 2);
        assert_eq!(messages(&events, 50).len(), 6);
    }

    #[test]
    fn clarifications_count_in_a_row() {
        let unclear = [customer("x"), call("1", "ask_clarification"), text("?")];
        let clear = [customer("x"), text("done")];
        let now = [customer("x")];
        let count = |turns: &[&[Event]]| clarifications(&turns.concat());
        assert_eq!(count(&[&unclear, &unclear, &now]), 2);
        assert_eq!(count(&[&unclear, &clear, &now]), 0);
        assert_eq!(count(&[&unclear, &clear, &unclear, &now]), 1);
        assert_eq!(count(&[&now]), 0);
    }
}
