//! The host's own words to customers: what is said where no model may speak, or none does.

use dispatch::EscalationRef;

/// Nothing more can be said.
pub(super) const SORRY: &str = "I'm sorry, I can't answer right now because of a problem on our side. Please try again in a few minutes.";

/// In place of a reply that the guard did not let out.
pub(super) const SAFE: &str = "I'm sorry, I can't put that into words reliably. Could you tell me once more what you need, or would you like me to bring in a colleague?";

/// The model declined.
pub(super) const DECLINED: &str = "I'm sorry, that is something I can't help with here. Is there anything about your orders or our products that I can do for you?";

/// The model ran out of room before it said anything.
pub(super) const CUT_SHORT: &str =
    "I'm sorry, my answer became too long. Could you tell me which part matters most to you?";

/// The customer said no.
pub(super) const NOT_DONE: &str = "All right, I have not done that, and everything stays as it is. Is there anything else I can help you with?";

/// The question has gone: expired, answered elsewhere, or voided by a change.
pub(super) const QUESTION_GONE: &str = "That question is no longer open, so nothing has been done. If you still want it, please tell me again.";

/// The answer was neither yes nor no.
pub(super) fn ask_again(question: &str) -> String {
    format!("I need a clear yes or no before I do anything. {question}")
}

/// Another request came in between.
pub(super) fn still_open(reply: &str, question: &str) -> String {
    format!("{reply}\n\nYour earlier request is still waiting for your answer: {question}")
}

/// People have been called.
pub(super) fn handed_over(because: &str, to: &EscalationRef) -> String {
    let because = without_offers(because);
    let gap = if because.is_empty() { "" } else { " " };
    let reference = reference(&to.id);
    format!(
        "{because}{gap}I have passed your case to a colleague on our {} team, who will get back to you.{reference} You don't need to repeat anything.",
        to.team
    )
}

/// The case is with people, and somebody writes again.
pub(super) fn with_colleague(to: Option<&EscalationRef>) -> String {
    let reference = to.map(|to| reference(&to.id)).unwrap_or_default();
    format!(
        "Thank you for your message. A colleague has your case and will get back to you.{reference}"
    )
}

/// A colleague who has been called need not be offered any more.
fn without_offers(because: &str) -> String {
    let (offers, rest): (Vec<&str>, Vec<&str>) = because
        .split_inclusive(['.', '!', '?'])
        .map(str::trim)
        .filter(|sentence| !sentence.is_empty())
        .partition(|sentence| sentence.contains("colleague"));
    if rest.is_empty() {
        offers.join(" ")
    } else {
        rest.join(" ")
    }
}

fn reference(id: &str) -> String {
    format!(" Your reference is {id}.")
}

/// A text in pieces of a few words, for streaming; joined they are the text.
pub(super) fn pieces(text: &str) -> Vec<String> {
    const WORDS: usize = 6;
    let words: Vec<&str> = text.split_inclusive(' ').collect();
    words.chunks(WORDS).map(<[&str]>::concat).collect()
}
