//! A ticket as text for a model's prompt, within limits.

use std::fmt::Write;

use switchboard_sdk::excerpt;

use crate::ticket::Record;

const MOST_MESSAGE_CHARACTERS: usize = 1_500;
const MOST_CHARACTERS: usize = 6_000;

/// Subject, state and the latest messages that fit, oldest first, between marks that say what is material.
pub(crate) fn of(ticket: &Record) -> String {
    let mut text = format!(
        "<ticket>\nSubject: {}\nStatus: {:?}, priority: {:?}\n",
        excerpt(&ticket.subject, 300),
        ticket.status,
        ticket.priority
    );
    for message in latest(ticket) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{message}");
    }
    text.push_str("</ticket>");
    text
}

fn latest(ticket: &Record) -> Vec<String> {
    let mut left = MOST_CHARACTERS;
    let mut messages: Vec<String> = ticket
        .messages
        .iter()
        .rev()
        .map(|message| {
            let text = excerpt(&message.text, MOST_MESSAGE_CHARACTERS);
            format!("[{}, {}] {text}", message.from, message.at)
        })
        .take_while(|message| match left.checked_sub(message.chars().count()) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        })
        .collect();
    messages.reverse();
    messages
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::of;

    #[test]
    fn of_a_long_ticket_the_latest_messages_are_kept() {
        let messages: Vec<_> = (0..20)
            .map(
                |n| json!({"from": "customer", "at": format!("t{n}"), "text": "word ".repeat(200)}),
            )
            .collect();
        let ticket = serde_json::from_value(
            json!({"id": "T-1", "subject": "s", "description": "d", "status": "open",
            "priority": "normal", "messages": messages}),
        )
        .unwrap();
        let text = of(&ticket);
        assert!(text.chars().count() < 6_500);
        assert!(text.contains("t19]") && !text.contains("t0]"));
        assert!(text.find("t18]") < text.find("t19]"));
    }
}
