//! Tickets, escalations and triage: three contracts over the demo backend and, where the host grants one, a language model.

mod completion;
mod escalation;
mod inquiry;
mod prose;
mod sentiment;
mod suggestion;
mod summary;
mod ticket;
mod words;

switchboard_sdk::plugin!(
    world: "demo:tickets/plugin",
    wit: ["../../wit/tickets", "../../wit/escalations", "../../wit/triage", "../../wit/host", "wit"]
);

use bindings::exports::switchboard::{
    escalations::escalations::{self, Escalation, EscalationPriority, OrderId},
    tickets::tickets::{
        self, CustomerId, Error, Suggestion, Ticket, TicketId, TicketPriority, TicketStatus,
        TicketSummary, Tone,
    },
    triage::triage::{self, Classification, Sentiment},
};
use switchboard_sdk::{Backend, Route};
use ticket::Record;

struct Plugin;

bindings::export!(Plugin with_types_in bindings);

impl tickets::Guest for Plugin {
    fn create_ticket(
        customer_id: Option<CustomerId>,
        subject: String,
        description: String,
        priority: TicketPriority,
        category: Option<String>,
    ) -> Result<Ticket, Error> {
        let wanted = ticket::NewTicket {
            customer_id,
            subject,
            description,
            priority: priority.into(),
            category,
        };
        let record: Record = Backend::configured()?.post(&Route::to("tickets"), &wanted)?;
        Ok(record.into())
    }

    fn get_ticket(ticket_id: TicketId) -> Result<Ticket, Error> {
        Ok(read(&ticket_id)?.into())
    }

    fn update_ticket(
        ticket_id: TicketId,
        status: Option<TicketStatus>,
        priority: Option<TicketPriority>,
        assignee: Option<String>,
        note: Option<String>,
    ) -> Result<Ticket, Error> {
        let changes = ticket::Changes {
            status: status.map(Into::into),
            priority: priority.map(Into::into),
            assignee,
            note,
        };
        let record: Record = Backend::configured()?.patch(&at(&ticket_id), &changes.checked()?)?;
        Ok(record.into())
    }

    fn summarize_ticket(ticket_id: TicketId) -> Result<TicketSummary, Error> {
        let record = read(&ticket_id)?;
        let answer = completion::ask(&summary::prompt(&record), summary::MOST_TOKENS);
        Ok(summary::of(record, answer.as_deref()))
    }

    fn suggest_response(ticket_id: TicketId, tone: Option<Tone>) -> Result<Suggestion, Error> {
        let record = read(&ticket_id)?;
        let tone = tone.unwrap_or(Tone::Friendly);
        let answer = completion::ask(&suggestion::prompt(&record, tone), suggestion::MOST_TOKENS);
        Ok(suggestion::of(record, tone, answer.as_deref()))
    }
}

impl escalations::Guest for Plugin {
    fn escalate_to_human(
        customer_id: Option<CustomerId>,
        reason: String,
        priority: EscalationPriority,
        team: String,
        summary: String,
        order_id: Option<OrderId>,
    ) -> Result<Escalation, Error> {
        let wanted = escalation::NewEscalation {
            reason,
            priority: priority.into(),
            team,
            summary,
            customer_id,
            order_id,
        };
        let record: escalation::Record =
            Backend::configured()?.post(&Route::to("escalations"), &wanted)?;
        Ok(record.into())
    }
}

impl triage::Guest for Plugin {
    fn classify_inquiry(text: String) -> Result<Classification, Error> {
        let answer = completion::ask(&inquiry::prompt(&text), inquiry::MOST_TOKENS);
        Ok(inquiry::of(&text, answer.as_deref()))
    }

    fn analyze_sentiment(text: String) -> Result<Sentiment, Error> {
        let answer = completion::ask(&sentiment::prompt(&text), sentiment::MOST_TOKENS);
        Ok(sentiment::of(&text, answer.as_deref()))
    }
}

fn read(ticket_id: &str) -> Result<Record, Error> {
    Backend::configured()?.get(&at(ticket_id))
}

fn at(ticket_id: &str) -> Route {
    Route::to("tickets").segment(ticket_id)
}
