//! Finding what a reply claims to have happened.

use regex::Regex;
use std::sync::LazyLock;

use crate::pattern::pattern;

/// A sentence that says that something was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// `refund`, `credit`, `cancel`, `return`, `update`, `ticket`, `escalation` or `message`.
    pub kind: &'static str,
    /// The speaker says to have done it, rather than that it is so.
    pub own: bool,
    /// The part of it that makes the claim.
    pub clause: String,
    /// The whole sentence.
    pub sentence: String,
}

/// What is claimed, by kind: what the desk does, and how it is said of the thing itself.
struct Kind {
    name: &'static str,
    own: LazyLock<Regex>,
    state: LazyLock<Regex>,
}

/// Everything that a reply claims, in its order.
pub(super) fn find(reply: &str) -> Vec<Claim> {
    let straight = reply.replace(['\u{2019}', '\u{2018}'], "'");
    let plain = straight.replace(['*', '`'], "");
    SENTENCE
        .find_iter(&plain)
        .map(|sentence| sentence.as_str().trim())
        .flat_map(clauses)
        .collect()
}

fn clauses(sentence: &str) -> Vec<Claim> {
    if sentence.ends_with('?') {
        return Vec::new();
    }
    CLAUSE_BREAK
        .split(sentence)
        .filter(|clause| !HYPOTHETICAL.is_match(clause) && !NEGATED.is_match(clause))
        .flat_map(|clause| claims_in(clause, sentence))
        .collect()
}

fn claims_in(clause: &str, sentence: &str) -> Vec<Claim> {
    KINDS
        .iter()
        .filter_map(|kind| {
            let own = kind.own.is_match(clause);
            (own || kind.state.is_match(clause)).then(|| Claim {
                kind: kind.name,
                own,
                clause: clause.trim().to_owned(),
                sentence: sentence.to_owned(),
            })
        })
        .collect()
}

/// I did it, in its usual forms; `verbs` are past participles, also used as simple past.
macro_rules! kind {
    ($name:literal, own: $own:literal, state: $state:literal) => {
        Kind {
            name: $name,
            own: LazyLock::new(|| compile(&format!(
                r"(?i)\b(?:i|we)(?:'ve| have|'m| am)? ?(?:just |now |already |successfully |also |gone ahead and |been able to |happy to |went ahead and )*(?:{})",
                $own
            ))),
            state: LazyLock::new(|| compile(concat!("(?i)", $state))),
        }
    };
}

#[expect(clippy::expect_used, reason = "constants, compiled by the tests")]
fn compile(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

static KINDS: [Kind; 8] = [
    kind!("refund",
        own: r"refunded|(?:issued|processed|made|sent|initiated|completed|arranged|approved|given you|granted) (?:\w+ ){0,4}?refund|refunding|(?:sent|returned|paid|put|transferred) (?:\w+ ){0,3}?(?:money|payment|\S*\d\S*) back",
        state: r"\brefund(?: \S+){0,8}? (?:has been|have been|was|is|is now|has now been) (?:\w+ )?(?:issued|processed|completed?|approved|sent|made|initiated|on its way|underway|under way|done|through|confirmed)|(?:has|have|was|were|been|is|are) (?:\w+ )?refunded|\b(?:money|payment) (?:is|has been) (?:on its way|on the way|returned|sent back|paid back)|\byour refund (?:of \S+ ?\S* )?(?:went through|is complete|will (?:appear|arrive|show))|\brefund (?:issued|processed|complete|completed|confirmed)\b|you(?:'ve| have) received (?:a|your) (?:full |partial )?refund"),
    kind!("credit",
        own: r"credited|(?:added|booked|applied|issued|given|put|granted|placed) (?:\S+ ){0,6}?(?:credit|voucher)",
        state: r"\b(?:credit|voucher)(?: \S+){0,6}? (?:has been|have been|was|is now) (?:\w+ )?(?:added|booked|applied|issued|granted|placed)|(?:has|have|was|were|been) (?:\w+ )?credited"),
    kind!("cancel",
        own: r"(?:cancell?ed|stopped (?:\w+ ){0,2}?order)|(?:processed|completed|confirmed) (?:\w+ ){0,2}?cancellation",
        state: r"(?:has|have|was|were|been|is|is now|are) (?:\w+ )?cancell?ed\b|\bcancellation (?:is|has been|was) (?:\w+ )?(?:complete|completed|confirmed|processed|done)"),
    kind!("return",
        own: r"(?:created|generated|issued|prepared|made|sent|emailed|e-mailed|arranged|set up|started|initiated|registered) (?:\S+ ){0,6}?(?:return|label)",
        state: r"\b(?:return|label)(?: \S+){0,6}? (?:has been|have been|was|is|is now) (?:\w+ )?(?:created|generated|issued|sent|emailed|e-mailed|arranged|set up|ready|registered|initiated)|\bhere is (?:your|the) (?:\w+ )?(?:return )?label"),
    kind!("update",
        own: r"(?:updated|changed|corrected|edited|saved|modified) (?:\S+ ){0,5}?(?:address|e-?mail|phone|number|details|record|account|profile|information|ticket)",
        state: r"\b(?:address|e-?mail|phone|number|details|record|account|profile|information|ticket)(?: \S+){0,6}? (?:has been|have been|was|were|is now|are now) (?:\w+ )?(?:updated|changed|corrected|saved|modified)"),
    kind!("ticket",
        own: r"(?:opened|created|filed|logged|raised|submitted) (?:\S+ ){0,5}?(?:ticket|report|complaint)",
        state: r"\b(?:ticket|report|complaint)(?: \S+){0,5}? (?:has been|was|is now) (?:\w+ )?(?:opened|created|filed|logged|raised|submitted)"),
    kind!("escalation",
        own: r"(?:escalated|transferred|forwarded|notified|informed|alerted|assigned|handed (?:\S+ ){0,4}?over|passed (?:\S+ ){0,4}?(?:to|on)|asked (?:\S+ ){0,3}?(?:colleague|manager|supervisor|team)|(?:contacted|called) (?:\S+ ){0,3}?(?:colleague|manager|supervisor|team))",
        state: r"(?:has|have|was|been|is now) (?:\w+ )?escalated|\b(?:colleague|manager|supervisor|team|person)(?: \S+){0,3}? (?:has been|have been|was|is being) (?:\w+ )?(?:notified|informed|alerted|contacted|assigned|asked)"),
    kind!("message",
        own: r"(?:e-?mailed|messaged|texted|sent (?:\S+ ){0,4}?(?:e-?mail|message|text|sms|confirmation))\b",
        state: r"\b(?:e-?mail|message|confirmation)(?: \S+){0,4}? (?:has been|was|is) (?:\w+ )?sent"),
];

pattern!(SENTENCE, r"(?:[^.!?\n]|[.!?][^\s])+[.!?]*");
pattern!(
    CLAUSE_BREAK,
    r"(?i)[;:]\s|,? (?:but|however|although|though) "
);
pattern!(
    HYPOTHETICAL,
    r"(?i)\b(?:if|once|when|whenever|after|before|until|unless|would|could|should|might|may|can|cannot|can't|to be|will be|want|like me to|whether|in case|must|needs? to|as soon as|ask(?:ed)? (?:for|to)|request(?:ed|s)? (?:a|to))\b"
);
pattern!(
    NEGATED,
    r"(?i)\b(?:not|never|no|nothing|nobody|none|neither|without|unable|cannot|couldn't|wasn't|isn't|hasn't|haven't|weren't|didn't|won't|can't|don't)\b|n't\b"
);
