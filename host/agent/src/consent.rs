//! What a customer's answer to the host's question means: read here, by rules, and never by a model.

use crate::pattern::pattern;

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes, without conditions.
    Yes,
    /// No.
    No,
    /// An answer, and not a clear one: ask again.
    Unclear,
    /// No answer at all, but another request.
    Other,
}

/// Reads an answer to a yes-or-no question. Where in doubt it is not a yes.
pub fn read_answer(message: &str) -> Answer {
    let text = message
        .replace(['\u{2019}', '\u{2018}'], "'")
        .to_lowercase();
    let text = text.trim();
    if DOUBT.is_match(text) {
        return Answer::Unclear;
    }
    if PAUSE.is_match(text) {
        return Answer::Unclear;
    }
    if PLEASE_NOT.is_match(text) {
        return Answer::No;
    }
    let (yes, no) = (YES.is_match(text), NO.is_match(text));
    if yes {
        let conditional =
            text.ends_with('?') || CONDITION.is_match(&NO_PROBLEM.replace_all(text, ""));
        return if conditional {
            Answer::Unclear
        } else {
            Answer::Yes
        };
    }
    match no {
        true => Answer::No,
        false if is_request(text) => Answer::Other,
        false => Answer::Unclear,
    }
}

/// Long enough, or shaped like a question: it is about something else.
fn is_request(text: &str) -> bool {
    let words = text.split_whitespace().count();
    words >= 4 || (text.ends_with('?') && words >= 3) || (words >= 2 && REQUEST.is_match(text))
}

pattern!(
    YES,
    r"^\W*(?:(?:oh|ah|well|um|uh|sarah|ok|okay|great|perfect|right|hi|hello)\W+)*",
    r"(?:yes|yess+|yea|yeah|yep|yup|ye|y|ja|sure|ok|okay|okey|k|correct|confirm|confirmed|i confirm|agreed|agree|i agree|absolutely|definitely|certainly",
    r"|of course|please do|go ahead|do it|do that|proceed|go for it|sounds good|that's right|that is right|that's fine|that is fine|fine|fine by me|please\W*$|approved|i do|by all means|please go ahead|please cancel|cancel it|no problem)\b",
    r"|\b(?:go ahead|please do so|please do it|i confirm|you may|yes please)\b"
);
pattern!(
    NO,
    r"^\W*(?:(?:oh|ah|well|um|uh|ok|okay|hmm|actually|sorry|wait|hold on)\W+)*",
    r"(?:no|nope|nah|n|nay|never|never mind|nevermind|stop|negative|cancel that|forget it|rather not|i'd rather not|better not|not now|not yet|hold off|keep it|leave it|abort|decline|declined)\b",
    r"|\b(?:don't|do not|dont|please don't|changed my mind|rather not|not any ?more|keep (?:it|the order|my order))\b"
);
pattern!(PLEASE_NOT, r"^\W*please (?:don'?t|do not|no)\b");
pattern!(
    PAUSE,
    r"^\W*(?:(?:oh|ah|well|um|uh|ok|okay|hm+|actually|sorry|yes|yeah|please)\W+)*",
    r"(?:wait|hold on|hang on|one (?:sec|second|moment|minute)|just a (?:sec|second|moment|minute))",
    r"(?:\W+(?:a|an|one|for|just|please|sec|second|moment|minute|bit|there))*\W*$"
);
pattern!(NO_PROBLEM, r"\bno problem\b");
pattern!(
    DOUBT,
    r"\b(?:maybe|perhaps|not sure|unsure|i guess|i think so|don't know|dont know|do not know|dunno|possibly|depends|what do you mean|not certain|let me think)\b"
);
pattern!(
    CONDITION,
    r"\b(?:but|if|unless|only|except|provided|as long as|however|instead|first|no|not|nope|nah|nay|don't|dont|stop|wait)\b"
);
pattern!(
    REQUEST,
    r"^(?:where|when|what|how|why|who|which|can|could|track|show|list|help|refund|return)\b"
);

#[cfg(test)]
mod tests {
    use super::{Answer, read_answer};

    #[test]
    fn reads_answers() {
        use Answer::{No, Other, Unclear, Yes};
        let table = [
            ("yes", Yes),
            ("Yes!", Yes),
            ("YES PLEASE", Yes),
            ("yeah, go ahead", Yes),
            ("yep", Yes),
            ("y", Yes),
            ("ok do it", Yes),
            ("Sure, cancel it.", Yes),
            ("please do", Yes),
            ("I confirm", Yes),
            ("That's right", Yes),
            ("of course", Yes),
            ("Yes, and thank you so much for the help today", Yes),
            ("please go ahead", Yes),
            ("no problem", Yes),
            ("no", No),
            ("No thanks", No),
            ("nope", No),
            ("don't", No),
            ("please don\u{2019}t cancel it", No),
            ("please do not do that", No),
            ("wait, keep it", No),
            ("never mind", No),
            ("I changed my mind", No),
            ("stop", No),
            ("yes but only if you also give me a credit", Unclear),
            ("yes, unless it has shipped", Unclear),
            ("yes no", Unclear),
            ("yeah nah", Unclear),
            ("nah", No),
            ("yes?", Unclear),
            ("ok?", Unclear),
            ("hmm wait", Unclear),
            ("hold on", Unclear),
            ("wait a second please", Unclear),
            ("wait, no", No),
            ("wait, where is my other order?", Other),
            ("maybe", Unclear),
            ("I'm not sure", Unclear),
            ("hmm", Unclear),
            ("I guess yes", Unclear),
            ("what?", Unclear),
            ("", Unclear),
            ("Where is my other order ORD-1002?", Other),
            ("what is your return policy", Other),
            ("my e-mail address is now a@example.com", Other),
            ("track my parcel", Other),
        ];
        for (message, expected) in table {
            assert_eq!(read_answer(message), expected, "{message:?}");
        }
    }
}
