//! What a customer wants, out of free wording: one intent per message, by rules in the order of how sure they are.

use regex::Regex;

use super::details::{self, Details, details};
use super::spelling::plain;
use super::wanted::{Wanted, wanted};
use crate::pattern::pattern;
use crate::{Answer, read_answer, triggers};

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Intent {
    /// Money back for an order, asked for in so many words.
    Refund,
    /// Something is wrong with what was bought; what the customer wants done is not said.
    Complaint,
    /// Where an earlier refund is.
    RefundStatus,
    /// Where an order or a parcel is.
    Status,
    /// What was ordered so far.
    OrderList,
    /// An order should not be carried out.
    Cancel,
    /// Something should go back.
    Return,
    /// Goodwill credit.
    Credit,
    /// New contact details.
    Update,
    /// A ticket.
    Ticket,
    /// A person.
    Person,
    /// How things work.
    Question,
    /// What the customer is talking to.
    WhoAreYou,
    /// Politeness.
    Greeting,
    /// Politeness.
    Thanks,
    /// The end.
    Goodbye,
    /// Nothing but details, or an answer.
    Details,
    /// None of these.
    Unclear,
}

/// A message, understood.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) intent: Intent,
    pub(super) details: Details,
    /// A number on its own, which may be an order's.
    pub(super) bare_order: Option<String>,
    pub(super) address: Option<String>,
    pub(super) answer: Answer,
    /// Something was turned down.
    pub(super) declines: bool,
    /// Something is wrong, or late, whatever else the message asks for.
    pub(super) complains: bool,
    /// Lower case, slips put right.
    pub(super) plain: String,
    /// As it was said.
    pub(super) text: String,
}

/// Reads one message.
pub(super) fn understand(message: &str) -> Heard {
    let details = details(message);
    let plain = plain(message);
    let wanted = wanted(message);
    Heard {
        intent: intent(message, &plain, &details, &wanted),
        declines: wanted.declines,
        complains: COMPLAINT.is_match(&plain) || LATE.is_match(&plain),
        bare_order: details::bare_order(message),
        address: details::address(message),
        answer: read_answer(message),
        details,
        text: message.trim().to_owned(),
        plain,
    }
}

fn intent(message: &str, plain: &str, details: &Details, wanted: &Wanted) -> Intent {
    if WHO.is_match(plain) {
        return Intent::WhoAreYou;
    }
    if triggers::asks_for_person(message) {
        return Intent::Person;
    }
    let about_own_order = !details.orders.is_empty() || OWN_ORDER.is_match(plain);
    let is_question = (asks(message, plain) || GENERAL.is_match(plain)) && !about_own_order;
    let about_rules = RULES.is_match(plain) && details.orders.is_empty();
    if about_rules || (is_question && GENERAL.is_match(plain)) {
        return Intent::Question;
    }
    task_wanted(plain, wanted)
        .filter(|intent| {
            !(is_question
                && matches!(intent, Intent::Status | Intent::Return)
                && details.emails.is_empty())
        })
        .or_else(|| wanted.only_asks.then_some(Intent::Question))
        .or_else(|| looks_at(message, plain, details).then_some(Intent::Status))
        .or_else(|| is_question.then_some(Intent::Question))
        .or_else(|| (asks(message, plain) && !points(plain, details)).then_some(Intent::Question))
        .or_else(|| TOPIC.is_match(plain).then_some(Intent::Question))
        .or_else(|| politeness(plain).filter(|_| *details == Details::default()))
        .unwrap_or_else(|| rest(details))
}

/// An order is named and something about it is asked: whatever it is, the order must be looked up.
fn looks_at(message: &str, plain: &str, details: &Details) -> bool {
    let asks = asks(message, plain) && !points(plain, details);
    !details.orders.is_empty() && (asks || LOOK.is_match(plain))
}

/// "And ORD-8850?" only points at something, and goes on with what was asked before.
fn points(plain: &str, details: &Details) -> bool {
    const FEW: usize = 5;
    let few = *details != Details::default() && plain.split(' ').count() <= FEW;
    few && (!QUESTION_WORD.is_match(plain)
        || plain.contains("what about")
        || plain.contains("how about"))
}

/// What changes something must be wanted; what is declined or only asked about leaves the rest of the message.
fn task_wanted(plain: &str, wanted: &Wanted) -> Option<Intent> {
    let first = task(plain)?;
    let acts = matches!(
        first,
        Intent::Refund | Intent::Cancel | Intent::Return | Intent::Credit | Intent::Ticket
    );
    if !acts || !(wanted.declines || wanted.only_asks) {
        return Some(first);
    }
    match task(&wanted.text) {
        // What is offered for a complaint has just been turned down.
        Some(Intent::Complaint) if wanted.declines => Some(Intent::Ticket),
        None if wanted.declines && REPLACEMENT.is_match(&wanted.text) => Some(Intent::Ticket),
        rest => rest,
    }
}

/// The first that fits, the surest first.
fn task(plain: &str) -> Option<Intent> {
    let rules: [(&Regex, Intent); 14] = [
        (&UPDATE, Intent::Update),
        (&REFUND_STATUS, Intent::RefundStatus),
        (&CANCELLED_YET, Intent::Status),
        (&CANCEL, Intent::Cancel),
        (&REFUND, Intent::Refund),
        (&TICKET, Intent::Ticket),
        (&RETURN, Intent::Return),
        (&CREDIT, Intent::Credit),
        (&CANCEL_SOFT, Intent::Cancel),
        (&ORDER_LIST, Intent::OrderList),
        (&STATUS, Intent::Status),
        (&COMPLAINT, Intent::Complaint),
        (&LATE, Intent::Status),
        (&MOVED, Intent::Update),
    ];
    rules
        .into_iter()
        .find(|(rule, _)| rule.is_match(plain))
        .map(|(_, intent)| intent)
}

fn politeness(plain: &str) -> Option<Intent> {
    if GOODBYE.is_match(plain) {
        Some(Intent::Goodbye)
    } else if THANKS.is_match(plain) {
        Some(Intent::Thanks)
    } else if GREETING.is_match(plain) {
        Some(Intent::Greeting)
    } else {
        None
    }
}

fn rest(details: &Details) -> Intent {
    if details == &Details::default() {
        Intent::Unclear
    } else {
        Intent::Details
    }
}

fn asks(message: &str, plain: &str) -> bool {
    plain.split(' ').count() >= 3
        && (message.trim_end().ends_with('?') || QUESTION_WORD.is_match(plain))
}

pattern!(
    WHO,
    r"\b(?:are|r) (?:you|u) (?:a |an |just |really |actually |even |some |kind of )*(?:real|human|humans|bot|robot|ai|machine|person|chatgpt|gpt|claude|computer|language model|llm|automated|alive|chatbot)\b",
    r"|\bwho are you\b|\bwhat are you(?:$| (?:a|an|exactly|actually)\b)|\b(?:what|which) (?:\w+ ){0,3}(?:bot|ai|model|llm) (?:are you|is this|do you)\b|\bam i (?:talking|speaking|chatting) (?:to|with) (?:a |an )?(?:real |actual )?(?:bot|robot|human|person|machine|ai|computer)\b",
    r"|\b(?:youre|you are|u r|ur) (?:a |an |just |only )*(?:bot|robot|ai|machine|chatbot)\b|\bis this (?:a |an )?(?:bot|robot|ai|automated|chatbot|real person|human)\b|\bwhich (?:ai|model|llm)\b"
);
pattern!(
    OWN_ORDER,
    r"\b(?:my|the|this|that) (?:\w+ )?(?:order|orders|package|parcel|delivery|shipment|stuff|item|items|purchase)\b|\b(?:my|this|that) (?:refund|money)\b|\b(?:return|replace|exchange|send|ship) (?:it|this|them|these|my)\b|\breplacement\b|\bit\b.*\b(?:arrived?|broken?|damaged)\b"
);
pattern!(
    GENERAL,
    r"\b(?:policy|policies|warranty|guarantee|opening hours|payment methods?|gift cards?|do you (?:ship|deliver|offer|sell|have|accept|take|support|provide)|can you ship|how does|how do (?:i|you|we)|how can i|how long (?:do|does|is)|what happens (?:if|when)|what (?:is|are|s) (?:your|the)|whats your|are there)\b"
);
pattern!(REPLACEMENT, r"\breplac\w+|\b(?:new|another) one\b");
pattern!(
    UPDATE,
    r"\b(?:update|updating|change|changing|correct|edit|replace|modify|switch|set|fix|amend)\b(?: \S+){0,6}? (?:address|email|mail|phone|mobile|telephone|cell|contact|phonenumber)\b",
    r"|\b(?:new|another|different) (?:\w+ )?(?:address|email|phone|mobile|telephone)\b|\b(?:address|email|phone|phone number|mobile) (?:has |is )?(?:changed|wrong|outdated|out of date|old)\b"
);
pattern!(
    RULES,
    r"\b(?:polic(?:y|ies)|warranty|guarantee|terms and conditions)\b"
);
pattern!(
    LOOK,
    r"\b(?:show|details?|look|lookup|info|information|tell|see|know|check|read|open|find|contents?|invoice)\b"
);
pattern!(
    TOPIC,
    r"\b(?:charged|overcharged|invoice|receipt|payments?|password|log ?in|sign ?in|account|discount|coupon|promo\w*|battery|batteries|manual|spare parts?|recipes?)\b"
);
pattern!(
    MOVED,
    r"\b(?:ive|i have|i just|we|weve|i) (?:just |recently )?moved (?:to|house|home|in)\b"
);
pattern!(
    REFUND_STATUS,
    r"\b(?:where is|wheres|where s|when (?:will|do|does|can)|status of|has|did|have|what about|any news|how long)\b(?: \S+){0,5}? (?:refund|refunded|money back|reimbursement)\b(?: \S+){0,4}?(?: (?:processed|arrive|arrived|come|yet|issued|go|gone|take|been|status|get|through|here|show))|\b(?:where is|wheres|status of|when will i (?:get|receive|see)|when do i get|have i been|did i get|am i getting) (?:\S+ ){0,2}?(?:refund|refunded|money back|money)\b|\bnot (?:received|gotten|seen) (?:my |the |any )?refund\b",
    r"|\b(?:still|got|received|have|had|seen|is) no (?:refund|money)\b|\bnot (?:been )?refunded\b|\b(?:did|have|has) (?:you|they|it) (?:\w+ )?refund(?:ed)?\b|\b(?:was|is|were|am) (?:\S+ ){0,3}refunded\b"
);
pattern!(
    CANCELLED_YET,
    r"\b(?:is|was|has|did)\b(?: \S+){0,4}? (?:cancelled|canceled)\b"
);
pattern!(
    CANCEL,
    r"\bcancel(?:l?ing|l?ation|led|ed)?\b|\bcall off\b|\b(?:stop|halt|abort|undo|withdraw) (?:the |my |this )?(?:order|shipment|purchase|delivery)\b"
);
pattern!(
    CANCEL_SOFT,
    r"\b(?:dont|do not|no longer|not) (?:want|need|send|ship)(?: \S+){0,4}? (?:anymore|any more|order|longer|now)\b|\b(?:dont|do not) (?:ship|send) (?:it|my|the)\b|\b(?:dont|do not) want (?:it|this|that|them|(?:the|my|this) order)\b|\bno longer (?:want|need)\b|\bordered (?:it |this |that )?(?:by (?:mistake|accident)|accidentally|twice)\b|\bchanged my mind\b"
);
pattern!(
    REFUND,
    r"\brefund\w*|\breimburs\w*|\bmoney ?back\b|\bmy money\b|\bpay me back\b|\bgive me (?:my |back |the )*(?:cash|money|\$?\d)|\b(?:send|give|get|pay|hand) (?:me |us )?(?:\S+ ){0,2}?(?:cash|money|half|funds|\$\d\S*)\b(?: \S+){0,3}? back\b|\b(?:send|give|pay) (?:me |us )?back (?:my |the |half |of |all )*(?:cash|money|half|funds|\$\d)|\bwant (?:my |back |the )*(?:cash|\$?\d+(?:\.\d+)?) back\b|\b(?:want|get|have) it back on my card\b|\bcredit (?:it |this |that )?(?:back )?(?:to )?my card\b"
);
pattern!(
    TICKET,
    r"\btickets?\b|\b(?:file|make|raise|lodge|submit|log|open) (?:a |an |my )?(?:formal |new )?(?:complaint|case|report|issue|request)\b|\breport (?:a|an|this|the) (?:\w+ )?(?:problem|issue|bug|error|fault)\b"
);
pattern!(
    RETURN,
    r"\breturn(?:ing|ed)?\b|\b(?:send|ship|mail|bring|give) (?:\S+ ){0,4}?back\b|\breturn label\b|\bexchang\w+|\bswap\b|\b(?:doesnt|does not|dont|didnt) fit\b|\btoo (?:small|big|large|tight)\b|\bwrong size\b"
);
pattern!(
    CREDIT,
    r"\b(?:store |goodwill |account )?credit\b|\bvouchers?\b|\bcompensat\w+|\bgoodwill\b"
);
pattern!(
    ORDER_LIST,
    r"\b(?:list|show|see|view|tell me|give me|all|what|which|recent|past|previous|history of|last|any)\b(?: \S+){0,4}? (?:orders|purchases)\b|\b(?:order|purchase) history\b|\bwhat (?:did|have|all did|else did) i (?:order|ordered|buy|bought|purchase|purchased)\b|\bwhat are my orders\b|\bmy orders\b|\bi (?:dont|do not|cant) (?:know|remember|find|have) (?:my |the )?order (?:number|no|id)\b"
);
pattern!(
    STATUS,
    r"\bwh?eres?\b|\bwhere\b|\btrack\w*|\bstatus\b|\bwhen (?:will|is|does|do|can|should)\b(?: \S+){0,6}? (?:arrive|come|get|ship|deliver|delivered|here|due|expect|shipped|show)|\beta\b|\b(?:has|have|is|did|was)\b(?: \S+){0,4}? (?:shipped|ship|dispatched|sent|left|delivered|on (?:its|the) way)\b|\bon its way\b|\bhow (?:long until|much longer|soon)\b|\bany (?:news|update|word) (?:on|about|of)\b|\bcheck (?:on )?(?:my|the|an|order)\b|\bfollow up on (?:my|the|an)?\b|\bwhats (?:happening|going on|up) with (?:my|the|order)\b|\blook up (?:my|the|an)? ?order\b|\bexpected delivery\b|\bdelivery date\b",
    r"|\bwhen (?:it|they|my \w+|the \w+) (?:was|were|will|is|are|has|have|ships?|arrives?|comes?|gets?|leaves?)\b"
);
pattern!(
    COMPLAINT,
    r"\b(?:broke|broken|breaks|damaged?|defective|defect|faulty|cracked|shattered|smashed|crushed|dented|leak(?:s|ing|ed)?|dead on arrival|doa|malfunction\w*|scratched|torn|spoiled|expired)\b|\b(?:doesnt|does not|not|isnt|wont|stopped|quit|never|didnt) (?:\w+ )?(?:work|working|worked|turn on|start|charge|power)\b|\b(?:order|item|product|it) (?:is|was) wrong\b|\bwrong (?:item|product|colou?r|one|model|thing|order|\w+)\b|\b(?:not|nothing) (?:as|like) (?:described|pictured|advertised|the)|\bdifferent from\b|\bmissing\b|\bincomplete\b|\bpoor quality\b|\bnever (?:arrived|came|got|received|showed|turned up|delivered)\b|\bfell apart\b|\bin pieces\b"
);
pattern!(
    LATE,
    r"\b(?:hasnt|has not|havent|have not|didnt|did not|not|isnt|still) (?:\w+ )?(?:arrived?|come|received?|gotten|got|here|shown|turned|waiting|delivered)\b|\bstill waiting\b|\b(?:is|its|are|running) (?:\w+ )?(?:late|delayed|overdue)\b|\bwaiting for (?:my|the|an)\b|\b(?:late|delayed|lost) (?:delivery|order|package|parcel)\b"
);
pattern!(
    QUESTION_WORD,
    r"^(?:hi |hello |hey |ok |so |and |please |just )*(?:what|how|why|when|which|who|do|does|is|are|can|could|will|would|should|tell me about)\b"
);
pattern!(
    GOODBYE,
    r"\b(?:bye|goodbye|good bye|see you|see ya|cya|have a (?:nice|good|great)|thats all|thats it|that is all|nothing else|no thanks|no thank you|all good|im good|im done|all set)\b"
);
pattern!(
    THANKS,
    r"\b(?:thanks?|thank you|thx|ty|cheers|appreciate\w*|awesome|perfect|great|wonderful|brilliant|excellent|lovely|amazing|good job|well done|cool)\b"
);
pattern!(
    GREETING,
    r"^(?:please )?help(?: me)?(?: please)?$|\b(?:need|want) (?:some |your )?(?:help|assistance|support)\b|\bi have (?:a|an|another|some) (?:\w+ )?(?:question|problem|issue|request)s?\b|\b(?:can|could) you help\b|^(?:hi|hello|hey|hiya|howdy|yo|good (?:morning|afternoon|evening|day)|greetings|hallo|hola|moin)\b(?: \S+){0,3}$"
);
