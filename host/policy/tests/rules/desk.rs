//! The desk's part of the shipped rules' table: tickets, and the shared inbox.

use policy::ConsentFrom::{Customer, Staff};
use policy::Level;
use serde_json::{Value, json};

use crate::scenario::{BOB, SARAH, Scenario, call};
use crate::shipped::Case;

/// Reading tickets and changing them.
#[rustfmt::skip]
pub(crate) fn tickets() -> Vec<Case> {
    let sure = json!({ "owner": SARAH, "suggestion_confidence": 0.85 });
    let unsure = json!({ "owner": SARAH, "suggestion_confidence": 0.8499 });
    let theirs = || json!({ "owner": BOB, "status": "open" });
    let read = |tool| call(tool, json!({ "ticket_id": "T-1" }));
    let note = || ticket(json!({ "note": "n" }));
    vec![
        ("a ticket for nobody", read("get_ticket"), "deny CUSTOMER_UNKNOWN"),
        ("a ticket for a claim", read("get_ticket").claimed(SARAH), "deny IDENTITY_NOT_MATCHED"),
        ("a summary for a claim", read("summarize_ticket").claimed(SARAH), "deny IDENTITY_NOT_MATCHED"),
        ("a suggestion for a claim", read("suggest_response").claimed(SARAH), "deny IDENTITY_NOT_MATCHED"),
        ("a ticket for a match", read("get_ticket").matched(SARAH), "allow"),
        ("a ticket for staff", read("get_ticket").staff(), "allow"),
        ("a ticket that this case opened, for a claim", read("get_ticket").claimed(SARAH).seen("ticket", "T-1", own_ticket()), "allow"),
        ("a suggestion for it, for a claim", read("suggest_response").claimed(SARAH).seen("ticket", "T-1", own_ticket()), "allow"),
        ("another ticket than this case opened", read("get_ticket").claimed(SARAH).seen("ticket", "T-2", own_ticket()), "deny IDENTITY_NOT_MATCHED"),
        ("a ticket that nobody owns, for a claim", read("get_ticket").claimed(SARAH).seen("ticket", "T-1", json!({ "status": "open" })), "deny IDENTITY_NOT_MATCHED"),
        ("one's own without a level", read("get_ticket").identity(Level::Anonymous, Some(SARAH)).seen("ticket", "T-1", own_ticket()), "deny CUSTOMER_UNKNOWN"),
        ("somebody else's ticket, read again", read("get_ticket").matched(SARAH).seen("ticket", "T-1", theirs()), "escalate P1 NOT_OWNER"),
        ("a note for nobody", note(), "deny CUSTOMER_UNKNOWN"),
        ("a note before the lookup", note().matched(SARAH), "deny LOOKUP_FIRST"),
        ("a note before the lookup, for a claim", note().claimed(SARAH), "deny LOOKUP_FIRST"),
        ("a note after the lookup of another ticket", note().matched(SARAH).seen("ticket", "T-2", own_ticket()), "deny LOOKUP_FIRST"),
        ("a note on a ticket that nobody owns", note().matched(SARAH).seen("ticket", "T-1", json!({ "status": "open" })), "deny LOOKUP_FIRST"),
        ("a note after the lookup", note().matched(SARAH).seen("ticket", "T-1", own_ticket()), "allow"),
        ("a note on a ticket that this case opened, for a claim", note().claimed(SARAH).seen("ticket", "T-1", own_ticket()), "allow"),
        ("somebody else's ticket, changed", note().matched(SARAH).seen("ticket", "T-1", theirs()), "escalate P1 NOT_OWNER"),
        ("somebody's ticket, changed for nobody", note().seen("ticket", "T-1", theirs()), "deny CUSTOMER_UNKNOWN"),
        ("any ticket, changed by staff", note().staff().seen("ticket", "T-1", theirs()), "allow"),
        ("any ticket, changed by staff unseen", note().staff(), "allow"),
        ("resolved before a suggestion", resolve().seen("ticket", "T-1", own_ticket()), "ask staff RESOLVE_NEEDS_PERSON"),
        ("resolved before the lookup: nobody is asked", resolve(), "deny LOOKUP_FIRST"),
        ("resolved after a sure suggestion", resolve().seen("ticket", "T-1", sure.clone()), "allow"),
        ("resolved after an unsure suggestion", resolve().seen("ticket", "T-1", unsure), "ask staff RESOLVE_NEEDS_PERSON"),
        ("resolved after a suggestion for another ticket", resolve().seen("ticket", "T-1", own_ticket()).seen("ticket", "T-2", sure), "ask staff RESOLVE_NEEDS_PERSON"),
        ("closed is resolved", ticket(json!({ "status": "closed" })).matched(SARAH).seen("ticket", "T-1", own_ticket()), "ask staff RESOLVE_NEEDS_PERSON"),
        ("resolved with the customer's yes", resolve().seen("ticket", "T-1", own_ticket()).consent(Customer), "allow"),
        ("resolved by staff: a key is no yes", resolve().staff(), "ask staff RESOLVE_NEEDS_PERSON"),
        ("resolved by staff who said yes", resolve().staff().consent(Staff), "allow"),
    ]
}

/// The shared inbox.
#[rustfmt::skip]
pub(crate) fn inbox() -> Vec<Case> {
    let of = |tool| call(tool, json!({ "conversation_id": "c1", "contact_id": "p1", "query": "q", "body": "b", "tag": "t", "assignee": "a" }));
    vec![
        ("the inbox for nobody", of("get_conversation"), "deny STAFF_ONLY"),
        ("the inbox for a claim", of("get_conversation").claimed(SARAH), "deny STAFF_ONLY"),
        ("the inbox for a session", of("get_conversation").identity(Level::Verified, Some(SARAH)), "deny STAFF_ONLY"),
        ("the inbox for staff", of("get_conversation").staff(), "allow"),
        ("contacts for a match", of("search_users").matched(SARAH), "deny STAFF_ONLY"),
        ("contacts for staff", of("search_users").staff(), "allow"),
        ("a tag for a match", of("add_tag").matched(SARAH), "deny STAFF_ONLY"),
        ("a tag for staff", of("add_tag").staff(), "allow"),
        ("an assignment for a match", of("assign_conversation").matched(SARAH), "deny STAFF_ONLY"),
        ("an assignment for staff", of("assign_conversation").staff(), "allow"),
        ("a message for a match", of("send_message").matched(SARAH), "deny STAFF_ONLY"),
        ("a message for staff", of("send_message").staff(), "allow"),
        ("a conversation for a match", of("create_conversation").matched(SARAH), "deny STAFF_ONLY"),
        ("a conversation for staff", of("create_conversation").staff(), "allow"),
        ("a contact changed with the customer's yes", contact().matched(SARAH).consent(Customer), "deny STAFF_ONLY"),
        ("a contact changed by staff", contact().staff(), "allow"),
        ("articles for anybody", of("search_articles"), "allow"),
    ]
}

/// What a lookup says of Sarah's ticket.
pub(crate) fn own_ticket() -> Value {
    json!({ "owner": SARAH, "status": "open" })
}

/// Sarah's ticket T-1, not looked up yet, is to be resolved.
pub(crate) fn resolve() -> Scenario {
    ticket(json!({ "status": "resolved" })).matched(SARAH)
}

pub(crate) fn ticket(change: Value) -> Scenario {
    let mut arguments = json!({ "ticket_id": "T-1" });
    let change = change.as_object().expect("an object").clone();
    arguments.as_object_mut().expect("an object").extend(change);
    call("update_ticket", arguments)
}

pub(crate) fn contact() -> Scenario {
    call(
        "update_user",
        json!({ "contact_id": "p1", "email": "new@example.com" }),
    )
}
