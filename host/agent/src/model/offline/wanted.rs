//! What a message really asks to have done: without what it declines, and without what it only asks about.

use super::spelling::plain;
use crate::pattern::pattern;

/// A message, down to what is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// In plain words.
    pub(super) text: String,
    /// Something was turned down: "I don't want a refund".
    pub(super) declines: bool,
    /// Something was only asked about: "how do I get a refund?"
    pub(super) only_asks: bool,
}

/// Reads a message clause by clause: "no, refund it" asks for what "no refund" declines.
pub(super) fn wanted(message: &str) -> Wanted {
    let mut wanted = Wanted::default();
    let does_nothing_yet = ONLY_ASKS.is_match(&plain(message));
    let mut kept = Vec::new();
    for clause in CLAUSE_END.split(message) {
        let clause = plain(clause);
        let left = DECLINED.replace_all(&clause, " ");
        wanted.declines |= left != clause;
        let asks = (does_nothing_yet || ASKS_ABOUT.is_match(&left)) && EFFECT.is_match(&left);
        wanted.only_asks |= asks;
        kept.push(if asks {
            EFFECT.replace_all(&left, " ").into_owned()
        } else {
            left.into_owned()
        });
    }
    let words = kept.join(" ");
    wanted.text = words.split_whitespace().collect::<Vec<_>>().join(" ");
    wanted
}

pattern!(
    CLAUSE_END,
    r"[.,;:!?\u{2026}\u{2014}]+(?:\s+|$)|\n+|(?i)\s+(?:but|so|just tell)\s+"
);
pattern!(
    DECLINED,
    r"\b(?:(?:(?:dont|do not|no|not|without|neednt|wont|instead of|rather than)",
    r"|(?:didnt|did not|never|wouldnt|would not|rather not|am not|im not) (?:want|ask|asked|need|like|have|say|said|request|requested|wanted|after|asking|looking))",
    r"(?: (?:really|actually|even|longer|want|need|like|have|had|asking|ask|looking|after|interested|in|about|for|to|with|you|me|us|please|give|issue|make|process|do|start|get|be|any|a|an|the|my|our|this|that|full|partial|store)){0,9}",
    r"|(?:forget|skip|stop|cancel)(?: (?:about|the|my|this|that|any|a)){1,3})",
    r" (?:refund(?:s|ed|ing)?|reimburse\w*|money ?back|money|cancel(?:l?ing|l?ation|led|ed)?|return(?:s|ing|ed)?|credits?|vouchers?|compensation|(?:send|ship|give) (?:it|them|this|that|anything) back)\b",
    r"(?:(?: (?:or|and|nor|to|get|give|me|a|any|the|my|store)){1,5} (?:refund\w*|money ?back|cancel\w*|return\w*|credits?|vouchers?)\b)*"
);
pattern!(
    ASKS_ABOUT,
    r"\bhow (?:do|can|could|would|does|will|might|should) (?:i|we|one|you|it|they|someone|somebody|people)\b|\bhow to\b|\b(?:how|what) (?:does|do|about) (?:a|an|the|your) (?:refund|return|cancellation)s?\b",
    r"|\b(?:would|will|do|might) (?:i|we) (?:\w+ )?(?:get|have|receive|need|be|pay|lose)\b|\bam i (?:\w+ )?(?:eligible|entitled|able|allowed)\b",
    r"|\bwhy (?:cant|can|cannot|did|didnt|was|wasnt|is|isnt|am|do|dont|have|havent)\b|\bwhat (?:if|happens|would happen)\b|\bif i (?:\w+ )?(?:cancel|return|send|ask|asked|wanted|decide)\w*\b|\bwhat do i (?:have|need) to\b|\b(?:want|like) to know (?:if|whether|how)\b"
);
pattern!(
    ONLY_ASKS,
    r"\b(?:just|only) (?:asking|wondering|curious|checking|a question|want to know|wanted to know)\b|\b(?:dont|do not) (?:do|change|start|process) anything\b|\b(?:dont|do not) do (?:it|that|this) yet\b|\bhypothetical\w*|\bout of curiosity\b|\bin theory\b"
);
pattern!(
    EFFECT,
    r"\brefund\w*|\breimburs\w*|\bmoney ?back\b|\bmy money\b|\bcash\b|\bcancel\w*|\breturn\w*|\bsend (?:it|them|this|that) back\b|\bcredits?\b|\bvouchers?\b|\bcompensat\w*|\bexchang\w*|\bback\b"
);
