//! The state of a matter, folded from the conversation: what is wanted, what is known, and what was asked last.

use super::amount::Amount;
use super::details::is_address;
use super::understand::{Heard, Intent, understand};
use crate::Answer;
use crate::pattern::pattern;

/// What the customer wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Task {
    Refund,
    /// Something is wrong, and a refund has not been asked for in so many words.
    Complaint,
    RefundStatus,
    Status,
    OrderList,
    Cancel,
    Return,
    Credit,
    RefuseDelivery,
    Update,
    Ticket,
    Person,
    Question,
    Small(Intent),
    /// Details came, and nobody knows what for.
    NothingYet,
    /// An offer was turned down.
    Declined,
    Unclear,
}

impl Task {
    /// It does not replace what is under way.
    fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Small(_) | Self::NothingYet | Self::Declined | Self::Unclear
        )
    }
}

/// What the last reply waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Expects {
    #[default]
    Nothing,
    /// E-mail address, order number, or both.
    Details,
    /// Yes or no to a refund of the order.
    RefundYes,
    /// Yes or no to a return label for the order.
    ReturnYes,
    /// Yes or no to cancelling the order.
    CancelYes,
    /// Yes or no to a ticket.
    TicketYes,
    /// What a ticket is about.
    TicketText,
    /// One of the ways out for a shipped order.
    Choice,
    /// The new value of a contact detail.
    NewValue,
}

impl Expects {
    /// It waits for a yes.
    fn is_offer(self) -> bool {
        matches!(
            self,
            Self::RefundYes | Self::ReturnYes | Self::CancelYes | Self::TicketYes
        )
    }
}

/// New contact details.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NewDetails {
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) address: Option<String>,
}

/// Where the matter stands.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// What is under way, until it is settled.
    pub(super) task: Option<Task>,
    pub(super) email: Option<String>,
    pub(super) order: Option<String>,
    pub(super) amount: Option<Amount>,
    pub(super) new: NewDetails,
    /// The customer's words that the task came from.
    pub(super) reason: String,
    pub(super) expects: Expects,
    /// Something went wrong in this conversation, or credit was offered: what goodwill credit is for.
    pub(super) is_wronged: bool,
}

impl State {
    /// Takes in the customer's next message, and says what to do about it.
    pub(super) fn hear(&mut self, message: &str) -> Task {
        let heard = understand(message);
        let next = self.next_task(&heard);
        self.is_wronged |= heard.complains || self.expects == Expects::Choice;
        if !next.is_passing() && self.task.as_ref() != Some(&next) {
            self.new = NewDetails::default();
            if !self.is_offered(&next) {
                self.reason.clone_from(&heard.text);
            }
        }
        if self.expects == Expects::RefundYes && next == Task::Refund {
            self.amount = None;
        }
        self.keep_details(&heard, &next);
        if !next.is_passing() {
            self.task = Some(next.clone());
        }
        next
    }

    /// Takes in how the turn ended: what the reply waits for, if the matter is not settled with it.
    pub(super) fn replied(&mut self, now: &Task, expects: Expects) {
        if now.is_passing() && *now != Task::Declined {
            // Small talk was the last thing said: a yes after it is no answer to the offer before it.
            if *now != Task::Unclear && self.expects.is_offer() {
                self.expects = Expects::Nothing;
                self.task = None;
            }
            return;
        }
        self.expects = expects;
        let read_only = matches!(
            self.task,
            Some(Task::Status | Task::OrderList | Task::RefundStatus)
        );
        if expects == Expects::Nothing && !read_only {
            self.task = None;
            self.amount = None;
        }
    }

    /// The reason for something that was offered is what the customer said before the offer.
    fn is_offered(&self, next: &Task) -> bool {
        let offered = match self.expects {
            Expects::RefundYes => matches!(next, Task::Refund),
            Expects::ReturnYes => matches!(next, Task::Return),
            Expects::CancelYes => matches!(next, Task::Cancel),
            Expects::TicketYes => matches!(next, Task::Ticket),
            Expects::Choice => !matches!(next, Task::Refund),
            _ => false,
        };
        offered && !self.reason.is_empty()
    }

    fn next_task(&self, heard: &Heard) -> Task {
        let gives = heard.intent == Intent::Details || self.gives_what_was_asked(heard);
        match self.expects {
            offer if offer.is_offer() => {
                if let Some(task) = self.answer(heard) {
                    return task;
                }
            }
            Expects::Choice => {
                if let Some(task) = choice(heard) {
                    return task;
                }
            }
            Expects::TicketText
                if heard.intent == Intent::Unclear || task_of(heard.intent) == Task::Complaint =>
            {
                return Task::Ticket;
            }
            Expects::Details | Expects::NewValue if gives => return self.going_on(),
            _ => {}
        }
        match heard.intent {
            Intent::Unclear | Intent::Details | Intent::Thanks | Intent::Goodbye
                if heard.declines =>
            {
                Task::Declined
            }
            Intent::Details => self.going_on(),
            intent => task_of(intent),
        }
    }

    /// The task under way; details alone say nothing about what to do next.
    fn going_on(&self) -> Task {
        self.task.clone().unwrap_or(Task::NothingYet)
    }

    fn answer(&self, heard: &Heard) -> Option<Task> {
        let asked = match self.expects {
            Expects::RefundYes => Task::Refund,
            Expects::ReturnYes => Task::Return,
            Expects::CancelYes => Task::Cancel,
            _ => Task::Ticket,
        };
        let own = !matches!(
            heard.intent,
            Intent::Unclear | Intent::Details | Intent::Thanks | Intent::Goodbye
        );
        match heard.answer {
            Answer::Yes if !own || task_of(heard.intent) == asked => Some(asked),
            Answer::No if own => Some(instead_of(&asked, task_of(heard.intent))),
            Answer::No => Some(Task::Declined),
            _ => None,
        }
    }

    fn gives_what_was_asked(&self, heard: &Heard) -> bool {
        match self.expects {
            Expects::Details => heard.intent == Intent::Unclear && heard.bare_order.is_some(),
            Expects::NewValue => {
                heard.details.phone.is_some()
                    || is_address(&heard.text)
                    || !heard.details.emails.is_empty()
            }
            _ => false,
        }
    }

    fn keep_details(&mut self, heard: &Heard, task: &Task) {
        if *task == Task::Update {
            self.keep_new_details(heard);
        } else if let Some(email) = heard.details.emails.first() {
            self.email = Some(email.clone());
        }
        let bare = || {
            let waits =
                self.expects == Expects::Details || (self.order.is_none() && concerns_order(task));
            heard.bare_order.clone().filter(|_| waits)
        };
        if let Some(order) = heard.details.orders.first().cloned().or_else(bare) {
            self.order = Some(order);
        }
        if heard.details.amount.is_some() {
            self.amount.clone_from(&heard.details.amount);
        }
    }

    /// In "change my e-mail from a to b" the last address is the new one; one that merely identifies stays what it is.
    fn keep_new_details(&mut self, heard: &Heard) {
        let about =
            |word: &str| heard.plain.contains(word) || self.reason.to_lowercase().contains(word);
        let about_mail = self.wants_new_email(heard);
        let mut emails = heard.details.emails.clone();
        if about_mail && self.new.email.is_none() && (emails.len() > 1 || self.takes_as_new(heard))
        {
            self.new.email = emails.pop();
        }
        if let Some(email) = emails.into_iter().next() {
            self.email = Some(email);
        }
        if about("phone") || about("mobile") || about("cell") || about("number") {
            self.new.phone = heard.details.phone.clone().or(self.new.phone.take());
        }
        let whole = (self.expects == Expects::NewValue && is_address(&heard.text))
            .then(|| heard.text.clone());
        if about("address") || about("moved") {
            let found = heard.address.clone().or(whole);
            if !(about_mail && found.is_none()) {
                self.new.address = found.or(self.new.address.take());
            }
        }
    }

    fn wants_new_email(&self, heard: &Heard) -> bool {
        let said = format!("{} {}", self.reason.to_lowercase(), heard.plain);
        let mail =
            said.contains("email") || said.contains("e-mail") || said.contains("mail address");
        mail && CHANGES_EMAIL.is_match(&said.replace("e-mail", "email"))
    }

    /// A single address is the new one after "to", or where a new one was asked for.
    fn takes_as_new(&self, heard: &Heard) -> bool {
        let after_to = heard.details.emails.last().is_some_and(|email| {
            heard.plain.contains(&format!("to {email}"))
                || heard.plain.contains(&format!("is now {email}"))
        });
        after_to || (self.expects == Expects::NewValue && self.email.is_some())
    }
}

/// A no closes the offer, whatever comes with it; only another request is taken up.
fn instead_of(offered: &Task, wanted: Task) -> Task {
    match wanted {
        Task::Complaint if *offered == Task::Refund => Task::Ticket,
        wanted if wanted == *offered || wanted.is_passing() => Task::Declined,
        wanted => wanted,
    }
}

fn task_of(intent: Intent) -> Task {
    match intent {
        Intent::Refund => Task::Refund,
        Intent::Complaint => Task::Complaint,
        Intent::RefundStatus => Task::RefundStatus,
        Intent::Status => Task::Status,
        Intent::OrderList => Task::OrderList,
        Intent::Cancel => Task::Cancel,
        Intent::Return => Task::Return,
        Intent::Credit => Task::Credit,
        Intent::Update => Task::Update,
        Intent::Ticket => Task::Ticket,
        Intent::Person => Task::Person,
        Intent::Question => Task::Question,
        Intent::Unclear | Intent::Details => Task::Unclear,
        small => Task::Small(small),
    }
}

/// Which way out of a shipped order was chosen.
fn choice(heard: &Heard) -> Option<Task> {
    let chosen = [
        (&CHOOSES_RETURN, Task::Return),
        (&CHOOSES_CREDIT, Task::Credit),
        (&CHOOSES_PERSON, Task::Person),
        (&CHOOSES_REFUSAL, Task::RefuseDelivery),
    ];
    chosen
        .into_iter()
        .find(|(rule, _)| rule.is_match(&heard.plain))
        .map(|(_, task)| task)
}

fn concerns_order(task: &Task) -> bool {
    matches!(
        task,
        Task::Refund
            | Task::Complaint
            | Task::RefundStatus
            | Task::Status
            | Task::Cancel
            | Task::Return
    )
}

pattern!(
    CHANGES_EMAIL,
    r"(?:change|update|correct|replace|switch|new|edit|set|fix|modify|amend|wrong|old)\b(?: \S+){0,5}? email"
);
pattern!(
    CHOOSES_RETURN,
    r"^(?:2|two|b|option 2|second|the second)\b|\b(?:return|label|send (?:it|them) back|option 2|option two|second (?:one|option)|number 2)\b"
);
pattern!(
    CHOOSES_CREDIT,
    r"^(?:3|three|c|option 3|third|the third)\b|\b(?:credit|voucher|option 3|option three|third (?:one|option)|number 3|keep it)\b"
);
pattern!(
    CHOOSES_PERSON,
    r"^(?:4|four|d|option 4|fourth|last|the last)\b|\b(?:supervisor|manager|colleague|person|human|someone|option 4|option four|last (?:one|option)|number 4|escalate)\b"
);
pattern!(
    CHOOSES_REFUSAL,
    r"^(?:1|one|a|option 1|first|the first)\b|\b(?:refuse|refusing|reject|decline (?:it|the)|turn (?:it )?away|option 1|option one|first (?:one|option)|number 1|dont accept|not accept)\b"
);
