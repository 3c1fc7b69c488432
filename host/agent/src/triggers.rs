//! What a customer may say that people must hear of before a model does anything: whole words, never substrings.

use dispatch::policy::Priority;
use regex::Captures;

use crate::model::offline;
use crate::pattern::pattern;

/// Why people are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerKind {
    /// Lawyers, courts, lawsuits.
    Legal,
    /// Fraud, stolen accounts, chargebacks.
    Security,
    /// The customer asks for a person.
    Person,
    /// The customer is in distress.
    Distress,
    /// The customer is angry, and two attempts have not helped.
    Anger,
}

/// A call for people, before the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Why.
    pub kind: TriggerKind,
    /// How urgent.
    pub priority: Priority,
    /// Whose it is.
    pub team: &'static str,
    /// In few words, for the hand-off.
    pub reason: &'static str,
}

/// Reads a customer's message; `attempts` is how many replies they have had in this matter.
pub fn screen(message: &str, attempts: usize) -> Option<Trigger> {
    let text = plain(message);
    let kind = if is_legal(&text) {
        TriggerKind::Legal
    } else if is_security(&text) {
        TriggerKind::Security
    } else if asks_for_person(&text) {
        TriggerKind::Person
    } else if DISTRESS.is_match(&text) {
        TriggerKind::Distress
    } else if attempts >= 2 && is_angry(&text) {
        TriggerKind::Anger
    } else {
        return None;
    };
    Some(trigger(kind))
}

fn trigger(kind: TriggerKind) -> Trigger {
    let (priority, team, reason) = match kind {
        TriggerKind::Legal => (
            Priority::P1,
            "legal",
            "The customer speaks of legal action.",
        ),
        TriggerKind::Security => (
            Priority::P1,
            "security",
            "The customer speaks of fraud or a security problem.",
        ),
        TriggerKind::Person => (Priority::P1, "general", "The customer asks for a person."),
        TriggerKind::Distress => (Priority::P2, "general", "The customer is in distress."),
        TriggerKind::Anger => (
            Priority::P2,
            "general",
            "The customer is angry after two attempts.",
        ),
    };
    Trigger {
        kind,
        priority,
        team,
        reason,
    }
}

/// Straight quotes, and no e-mail or web addresses: whatever stands in them is no word of the customer's.
fn plain(message: &str) -> String {
    let straight = message.replace(['\u{2019}', '\u{2018}', '`'], "'");
    let words = ADDRESS.replace_all(&straight, " ");
    let put_right = |word: &Captures<'_>| corrected(&word[0]).to_owned();
    WORD.replace_all(&words, put_right).into_owned()
}

/// Words that call people, as they should be spelled.
const CALLS: [&str; 12] = [
    "supervisor",
    "manager",
    "human",
    "person",
    "somebody",
    "someone",
    "speak",
    "lawyer",
    "attorney",
    "fraud",
    "unacceptable",
    "representative",
];

/// Words of their own, one letter away from one that calls people.
const NEIGHBOURS: [&str; 12] = [
    "manage", "managed", "manages", "layer", "lawler", "freud", "steak", "sneak", "spear",
    "humane", "parson", "persona",
];

/// One slip of the fingers in a word that calls people is put right; other words stay as they are.
fn corrected(word: &str) -> &str {
    let lower = word.to_lowercase();
    if NEIGHBOURS.contains(&lower.as_str()) {
        return word;
    }
    let meant = |call: &&&str| {
        lower.starts_with(&call[..1])
            && !lower.starts_with(**call)
            && offline::distance(call, &lower) == 1
    };
    CALLS.iter().find(meant).map_or(word, |call| call)
}

/// "fraud", except where it only names a service.
fn is_security(text: &str) -> bool {
    SECURITY
        .find_iter(text)
        .any(|found| !HARMLESS_FRAUD.is_match(&text[found.start()..]))
}

fn is_legal(text: &str) -> bool {
    LEGAL.is_match(text) || legal_as_threat(text) || sues(text)
}

/// "legal", except where it only describes a name, an age or a permission.
fn legal_as_threat(text: &str) -> bool {
    LEGAL_WORD
        .find_iter(text)
        .any(|found| !HARMLESS_LEGAL.is_match(&text[found.start()..]))
}

/// "sue" is a verb and a name: the words around it tell.
fn sues(text: &str) -> bool {
    SUE.find_iter(text).any(|found| {
        let before = &text[..found.start()];
        let after = &text[found.end()..];
        if SUE_VERB_AFTER.is_match(after) || SUE_VERB_BEFORE.is_match(before) {
            return true;
        }
        let is_name = found.as_str().starts_with("Su")
            || SUE_NAME_BEFORE.is_match(before)
            || SUE_NAME_AFTER.is_match(after);
        !is_name
    })
}

/// "talk to a human", "human please", "is there a manager I can speak to"; not "are you human?" or "my manager".
pub(crate) fn asks_for_person(text: &str) -> bool {
    !DECLINES_PERSON.is_match(text)
        && (WANTS_PERSON.is_match(text)
            || PERSON_WANTED.is_match(text)
            || ONLY_PERSON.is_match(text))
}

fn is_angry(text: &str) -> bool {
    ANGER.is_match(text) || shouts(text)
}

/// Several words, all of them in capitals.
fn shouts(text: &str) -> bool {
    let words: Vec<&str> = text
        .split_whitespace()
        .filter(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 2)
        .collect();
    words.len() >= 4
        && words
            .iter()
            .all(|word| !word.chars().any(char::is_lowercase))
}

pattern!(WORD, r"[A-Za-z]{5,16}");
pattern!(
    HARMLESS_FRAUD,
    r"(?i)^fraud (?:protection|prevention|detection|insurance|cover(?:age)?)\b"
);
pattern!(ADDRESS, r"\S+@\S+|https?://\S+");
pattern!(
    LEGAL,
    r"(?i)\b(lawyers?|attorneys?|solicitors?|lawsuits?|litigation|suing|sued|small claims|class action",
    r"|in court|to court|court (?:case|order|action)|ombudsman|trading standards|consumer protection)\b"
);
pattern!(LEGAL_WORD, r"(?i)\b(?:il)?legal(?:ly)?\b");
pattern!(
    HARMLESS_LEGAL,
    r"(?i)^legal(?:ly)? (?:names?|named|age|size|guardian|document size|paper)\b"
);
pattern!(SUE, r"(?i)\bsue\b");
pattern!(
    SUE_VERB_AFTER,
    r"(?i)^ (?:you|u|ya|your|the|them|this|these|him|her|everyone|all|for|over|if|unless|asap|until)\b"
);
pattern!(
    SUE_VERB_BEFORE,
    r"(?i)(?:\b(?:to|will|gonna|can|could|should|would|may|might|must|shall|i|we|rather|let's|lets|threaten to)|'ll|'d) (?:just |now |also |definitely |really )?$"
);
pattern!(
    SUE_NAME_BEFORE,
    r"(?i)(?:\b(?:name is|name's|names|called|call me|this is|i am|i'm|im|regards|thanks|cheers|sincerely|hi|hello|hey|dear|ms|mrs|miss|aunt|with|from|for|and)[ ,.!\n-]*|^\s*-\s*)$"
);
pattern!(SUE_NAME_AFTER, r"(?i)^ (?:here|speaking|again|is|and i)\b");
pattern!(
    SECURITY,
    r"(?i)\b(fraud|frauds|fraudulent(?:ly)?|fraudsters?|scam|scams|scammed|scammers?|scamming|chargebacks?|charge back",
    r"|identity theft|stolen (?:card|identity|account)|(?:card|account|identity) (?:was|is|has been|got) (?:stolen|hacked|compromised)",
    r"|hacked|hackers?|phishing|data breach|police|unauthori[sz]ed (?:charges?|payments?|purchases?|transactions?|orders?|access))\b"
);
pattern!(
    DISTRESS,
    r"(?i)\b(unacceptable|inacceptable|unaceptable|outrageous|outraged|disgraceful|appalling|appalled|despicable|in tears|desperate|begging you|suicidal|kill myself)\b"
);
pattern!(
    ANGER,
    r"(?i)\b(angry|furious|livid|pissed|ridiculous|useless|pathetic|incompetent|terrible|horrible|awful|joke|rubbish|garbage",
    r"|hate|hopeless|fed up|sick of|sick and tired|had enough|worst|wtf|damn|bullshit|crap|idiots?|stupid|frustrat(?:ed|ing)|wasting my time|waste of time)\b"
);
pattern!(
    DECLINES_PERSON,
    r"(?i)\b(?:don'?t|do not|no|not|needn'?t|without) (?:need |want |needing |having )?(?:to (?:talk|speak|chat) (?:to|with) )?(?:a |an |any )?(?:real |live )?(?:human|person|manager|supervisor|agent|representative)\b",
    r"|\b(?:don'?t|do not|no need to) escalate\b"
);
pattern!(
    WANTS_PERSON,
    r"(?i)\b(?:gimme|lemme see|talk|talking|speak|speaking|spoke|chat|connect|connected|transfer|transferred|escalate|want|wanna|need|get|give|put|pass|reach|contact|demand|request|require|prefer|hand|bring|fetch|call|ask for|asking for|through to|like|let me have|see)\b",
    r"(?:[ ,]+(?:me|us|this|it|now|please|to|with|for|in|on|over|through|up|directly|right|rather|instead|have|be|speak|talk|chat|talking|speaking|a|an|the|your|ur|yr|some|any|real|live|actual|human|proper|senior|another|different|customer|support|service|care|store|shift|team|back)){0,9}",
    r"[ ,]+(?:humans?|(?:real|live|actual|human) (?:person|people|being|agent)|person|people|managers?|supervisors?|boss|superior|representatives?|reps?|agents?|operator|colleague|staff|somebody|someone|human being)\b"
);
pattern!(
    PERSON_WANTED,
    r"(?i)\b(?:is|are) there (?:a|an|any|some) (?:real |live |actual )?(?:human|person|people|manager|supervisor|agent|representative|someone|somebody|anyone)(?: \w+){0,4} (?:i|we) (?:can|could|may) (?:talk|speak|chat)",
    r"|\b(?:anyone|anybody|someone|somebody) (?:real|human)\b",
    r"|\b(?:where is|where's) (?:your|the) (?:manager|supervisor)\b",
    r"|\b(?:can|could|may|will) (?:a|an|your|some) (?:real |live |actual )?(?:human|person|manager|supervisor|agent|representative|colleague) (?:please )?(?:help|call|contact|look|take|handle|answer|reply|deal|step|get)\b",
    r"|\bescalate (?:this|it|my|the)\b|\b(?:this|it) (?:to be |must be |should be |needs to be )escalated\b",
    r"|\b(?:someone|somebody|anyone|anybody|(?:a|an|your|some) (?:human|person|manager|supervisor|agent|representative|colleague)) (?:please |to |should |must |needs to )*(?:call|phone|ring|contact) me\b"
);
pattern!(
    ONLY_PERSON,
    r"(?i)^\W*(?:(?:a|an|the|your|real|live|actual|human|please|now|pls|hi|hello|hey|ok|okay|no|just|customer|support|service|and|connect)\W+){0,5}(?:human|person|manager|supervisor|representative|agent|operator|human being)(?:\W+(?:please|now|pls|agent|asap|only|thanks))*\W*$"
);

#[cfg(test)]
mod tests;
