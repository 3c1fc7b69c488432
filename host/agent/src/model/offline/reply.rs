//! The planner's words to customers, made of tool results and of nothing else.

use std::fmt::Write;

use serde_json::Value;

use super::results::{date, list, money, text};

pub(super) const WHO_I_AM: &str = "I'm an automated assistant: not a person, and no language model either. I follow fixed rules, and I can look up orders and parcels, cancel orders, make refunds and returns, and search our help articles. I can bring in a colleague whenever you like.";
pub(super) const HELLO: &str = "Hello! What can I do for you? I can help with orders, deliveries, returns and refunds, and with questions about our products.";
pub(super) const WELCOME: &str = "You're welcome! Is there anything else I can help you with?";
pub(super) const GOODBYE: &str = "Thank you for getting in touch, and have a good day!";
pub(super) const DECLINED: &str =
    "All right, I leave everything as it is. Is there anything else I can help you with?";
pub(super) const NOT_POSSIBLE: &str =
    "I'm sorry, I could not do this just now, and nothing has been changed.";
pub(super) const CONFLICT: &str = "I'm sorry, there is already a request like this with other details, so I have left everything as it is. Shall I open a ticket so that a colleague looks into it?";
pub(super) const WHICH_AMOUNT: &str = "I want to get this right: which amount do you mean? Please write it as a number with the currency, such as 20.00 USD.";
pub(super) const NO_SUCH_TOOL: &str =
    "I'm sorry, I can't do this here myself. Shall I open a ticket so that a colleague can?";
pub(super) const NO_ARTICLE: &str = "I'm sorry, I found nothing about this in our help articles, and I don't want to guess. Shall I open a ticket so that a colleague can answer it?";
pub(super) const WHAT_TICKET: &str =
    "Gladly. What should the ticket be about? A sentence or two is enough.";
pub(super) const REFUSE_DELIVERY: &str = "You can simply refuse the parcel when the carrier brings it: it then comes back to us without any label. Please write to us again once it is on its way back, so that we can settle the rest with you. There is nothing else you need to do now.";
pub(super) const UNCLEAR: &str = "I'm sorry, I'm not sure what you mean. Is it about an order, a delivery, a return or refund, your contact details, or a question about our products?";
pub(super) const UNCLEAR_DETAILS: &str = "I'm sorry, I didn't get that. Could you please give me the e-mail address of your account and the order number, such as ORD-1234?";
pub(super) const UNCLEAR_CHOICE: &str = "I'm sorry, I didn't get which of these you would like: refuse the delivery, a return label, a credit, or a supervisor?";
pub(super) const UNCLEAR_YES_NO: &str =
    "I'm sorry, I didn't get that. Could you please answer yes or no?";

/// The carrier reports a problem.
const EXCEPTION: &str = " I'm sorry: the carrier reports a problem with this parcel. If you like, a colleague can look into it for you.";

const ANYTHING_ELSE: &str = "Is there anything else I can help you with?";

/// Asks for everything that is missing at once.
pub(super) fn missing(name: &str, email: bool, order: bool) -> String {
    let what = match (email, order) {
        (true, true) => {
            "the e-mail address of your account and the order number (such as ORD-1234)"
        }
        (true, false) => "the e-mail address of your account",
        _ => "the order number (such as ORD-1234)",
    };
    let thanks = if name.is_empty() {
        String::new()
    } else {
        format!("Thank you, {name}. ")
    };
    format!("{thanks}I'm happy to look into this. Could you please give me {what}?")
}

pub(super) fn unknown_email(email: &str) -> String {
    format!(
        "I can't find an account for {email}. Could you please check the e-mail address, or give me the one you ordered with?"
    )
}

pub(super) fn unknown_order(order: &str) -> String {
    format!("I can't find an order {order}. Could you please check the order number?")
}

pub(super) fn what_for(name: &str, order: Option<&str>) -> String {
    let comma = if name.is_empty() { "" } else { ", " };
    let about = order
        .map(|order| format!(" about order {order}"))
        .unwrap_or_default();
    format!("Thank you{comma}{name}. What can I do for you{about}?")
}

pub(super) fn or_a_colleague(said: &str) -> String {
    format!("{said} If you don't have one at hand, just say that you would like a colleague.")
}

pub(super) fn first_name(customer: &Value) -> String {
    let name = text(customer, "name").split_whitespace().next();
    name.unwrap_or_default().to_owned()
}

/// What an effect came to, in the past tense: it has settled.
pub(super) fn done(tool: &str, output: &Value, again: bool) -> String {
    let order = text(output, "order_id");
    match tool {
        "process_refund" => refunded(order, output, again),
        "cancel_order" if again => {
            format!("Order {order} has already been cancelled. {ANYTHING_ELSE}")
        }
        "cancel_order" => format!("Order {order} has been cancelled. {ANYTHING_ELSE}"),
        "create_return" => label(order, output, again),
        "add_credit" => {
            let amount = money(output, "amount").unwrap_or_default();
            if again {
                return format!(
                    "A credit of {amount} had already been booked to your account before; it is booked only once. {ANYTHING_ELSE}"
                );
            }
            format!(
                "I have added a credit of {amount} to your account, for your next order. {ANYTHING_ELSE}"
            )
        }
        "update_customer_info" => {
            format!("Your contact details have been updated. {ANYTHING_ELSE}")
        }
        "create_ticket" => {
            let ticket = text(output, "ticket_id");
            if again {
                return format!(
                    "Ticket {ticket} was already opened for you; a colleague will work on it. {ANYTHING_ELSE}"
                );
            }
            format!(
                "I have opened ticket {ticket} for you; a colleague will work on it. {ANYTHING_ELSE}"
            )
        }
        _ => format!("That is done. {ANYTHING_ELSE}"),
    }
}

fn refunded(order: &str, refund: &Value, again: bool) -> String {
    let amount = money(refund, "amount").unwrap_or_default();
    let reference = match text(refund, "refund_id") {
        "" => String::new(),
        id => format!(" (reference {id})"),
    };
    if again {
        return format!(
            "Order {order} has already been refunded: {amount}{reference}. It is refunded only once, so there is nothing more to do. {ANYTHING_ELSE}"
        );
    }
    match text(refund, "status") {
        "failed" => format!(
            "The payment provider did not accept the refund for order {order}, so no money has moved. Would you like me to open a ticket?"
        ),
        "pending" => format!(
            "The refund of {amount} for order {order} has been initiated{reference}; it goes to your original payment method. {ANYTHING_ELSE}"
        ),
        _ => format!(
            "I'm sorry about the trouble. I have refunded {amount} for order {order} to your original payment method{reference}. Banks usually show it within a few days. {ANYTHING_ELSE}"
        ),
    }
}

fn label(order: &str, output: &Value, again: bool) -> String {
    let link = text(output, "label_url");
    let carrier = text(output, "carrier");
    let until = date(output, "expires_at")
        .map(|day| format!(" The label is valid until {day}."))
        .unwrap_or_default();
    let begins = if again {
        "There is already a prepaid return label"
    } else {
        "I have created a prepaid return label"
    };
    format!(
        "{begins} for order {order}: {link} Please print it, put it on the parcel and hand it to {carrier}.{until} {ANYTHING_ELSE}"
    )
}

pub(super) fn offer_refund(order: &Value) -> String {
    let (what, id) = (items(order), text(order, "order_id"));
    let total = money(order, "total").unwrap_or_default();
    format!(
        "I'm sorry to hear that about your {what}. I can refund {total} for order {id}. Would you like me to do that?"
    )
}

pub(super) fn complaint_without_refund(order: &Value) -> String {
    let id = text(order, "order_id");
    format!(
        "I'm sorry to hear that. For order {id} I can't offer a refund myself. Shall I open a ticket so that a colleague looks into it?"
    )
}

pub(super) fn too_much(order: &Value) -> String {
    let id = text(order, "order_id");
    let total = money(order, "total").unwrap_or_default();
    format!(
        "Order {id} came to {total} in total, so I can't refund more than that. Shall I refund {total}?"
    )
}

/// The record shows that everything paid has gone back.
pub(super) fn is_refunded_in_full(order: &Value) -> bool {
    let refunded = text(&order["refunded"], "amount");
    !refunded.is_empty() && refunded == text(&order["total"], "amount")
}

pub(super) fn refunded_before(order: &Value) -> String {
    let id = text(order, "order_id");
    let refunded = money(order, "refunded").unwrap_or_default();
    format!(
        "Order {id} has already been refunded: {refunded} went back to your original payment method. {ANYTHING_ELSE}"
    )
}

pub(super) fn refunds(order: &str, output: &Value) -> String {
    let refunds = list(output, "refunds");
    if refunds.is_empty() {
        return format!(
            "I see no refund for order {order} so far. If you would like one, just tell me what was wrong with it."
        );
    }
    let mut said = format!("For order {order} I see:");
    for refund in refunds {
        let amount = money(refund, "amount").unwrap_or_default();
        let day = date(refund, "created_at").unwrap_or_default();
        let state = match text(refund, "status") {
            "succeeded" => "paid back; banks usually show it within a few days",
            "pending" => "accepted, and not yet paid out",
            _ => "not accepted by the payment provider",
        };
        let _ = write!(said, "\n- {amount}, {day}: {state}");
    }
    said
}

/// Where an order stands, and its parcels.
pub(super) fn status(order: &Value, shipments: &[Value]) -> String {
    let id = text(order, "order_id");
    let what = items(order);
    let day = |field| {
        date(order, field)
            .map(|day| format!(" on {day}"))
            .unwrap_or_default()
    };
    let mut said = match text(order, "status") {
        "pending" => format!(
            "Order {id} ({what}) was placed{} and is waiting to be packed. It has not been shipped yet.",
            day("placed_at")
        ),
        "processing" => {
            format!("Order {id} ({what}) is being packed and has not been shipped yet.")
        }
        "shipped" => format!(
            "Order {id} ({what}) left our warehouse{} and is on its way to you.",
            day("shipped_at")
        ),
        "delivered" => format!("Order {id} ({what}) was delivered{}.", day("delivered_at")),
        "cancelled" => format!("Order {id} ({what}) was cancelled."),
        "returned" => format!("Order {id} ({what}) was returned to us."),
        other => format!("Order {id} ({what}) has the status {other}."),
    };
    for parcel in shipments {
        said.push_str(&tracking(parcel));
    }
    said
}

fn tracking(parcel: &Value) -> String {
    let (carrier, number) = (text(parcel, "carrier"), text(parcel, "tracking_number"));
    let mut said = format!(" You can follow it with {carrier} under tracking number {number}");
    let stands = text(parcel, "status").replace('_', " ");
    let _ = write!(said, " ({stands}).");
    if stands == "exception" {
        said.push_str(EXCEPTION);
    }
    if let Some(day) = date(parcel, "estimated_delivery") {
        let _ = write!(said, " It should arrive by {day}.");
    }
    if let Some(last) = list(parcel, "events").last() {
        let (what, place) = (text(last, "description"), text(last, "location"));
        if !what.is_empty() {
            let _ = write!(said, " Latest news: {what}, {place}.");
        }
    }
    said
}

pub(super) fn orders(orders: &[Value]) -> String {
    const SHOWN: usize = 10;
    if orders.is_empty() {
        return "I see no orders on your account.".to_owned();
    }
    let mut said = "These are your orders, newest first:".to_owned();
    for order in orders.iter().take(SHOWN) {
        let total = money(order, "total").unwrap_or_default();
        let day = date(order, "placed_at").unwrap_or_default();
        let _ = write!(
            said,
            "\n- {}: {}, {total}, {day}, {}",
            text(order, "order_id"),
            items(order),
            text(order, "status")
        );
    }
    if orders.len() > SHOWN {
        let _ = write!(said, "\n… and {} older ones.", orders.len() - SHOWN);
    }
    said
}

pub(super) fn shipped_options(order: &str) -> String {
    format!(
        "Order {order} has left our warehouse, so it can no longer be cancelled. You can:\n\
         1. refuse the delivery at the door,\n\
         2. send it back: I create a prepaid return label,\n\
         3. keep it, and I add a small credit to your account,\n\
         4. speak to a supervisor.\n\
         Which would you like?"
    )
}

pub(super) fn delivered_instead(order: &Value) -> String {
    let id = text(order, "order_id");
    let day = date(order, "delivered_at")
        .map(|day| format!(" on {day}"))
        .unwrap_or_default();
    format!(
        "Order {id} was delivered{day}, so it can no longer be cancelled. You can send it back: shall I create a prepaid return label?"
    )
}

pub(super) fn cancel_instead(order: &str) -> String {
    format!(
        "Order {order} has not been shipped yet, so there is nothing to send back. Shall I cancel it instead?"
    )
}

pub(super) fn which_value(reason: &str) -> String {
    let reason = reason.to_lowercase();
    let what = if reason.contains("phone") || reason.contains("mobile") {
        "telephone number"
    } else if reason.contains("mail") {
        "e-mail address"
    } else {
        "address"
    };
    format!(
        "Gladly. What is the new {what}? Please also give me the e-mail address of your account and one of your order numbers, if you have not yet."
    )
}

/// An article that the search itself finds less fitting than this is no answer.
const RELEVANT: f64 = 0.4;

/// The best article that has to do with the question; none if none has.
pub(super) fn article(question: &str, output: &Value) -> Option<String> {
    let words = keywords(question);
    let fits = |article: &&Value| {
        let body =
            format!("{} {}", text(article, "title"), text(article, "excerpt")).to_lowercase();
        let relevant = article["relevance"].as_f64().is_none_or(|r| r >= RELEVANT);
        relevant && (words.is_empty() || words.iter().any(|word| begins_a_word(&body, stem(word))))
    };
    let best = list(output, "articles").iter().find(fits)?;
    let (title, excerpt, url) = (
        text(best, "title"),
        text(best, "excerpt"),
        text(best, "url"),
    );
    Some(format!(
        "Here is what our help article \"{title}\" says: {} You can read it in full at {url}",
        excerpt.trim()
    ))
}

fn begins_a_word(body: &str, stem: &str) -> bool {
    body.split(|c: char| !c.is_alphanumeric())
        .any(|word| word.starts_with(stem))
}

/// The words of a question that carry its subject.
pub(super) fn keywords(question: &str) -> Vec<String> {
    const EMPTY: [&str; 70] = [
        "what", "whats", "when", "where", "which", "your", "yours", "does", "have", "with", "from",
        "that", "this", "there", "they", "them", "then", "than", "about", "would", "could",
        "should", "will", "much", "many", "long", "take", "takes", "please", "tell", "know",
        "need", "want", "like", "hello", "just", "some", "into", "onto", "been", "being", "were",
        "also", "only", "very", "more", "most", "how", "can", "you", "the", "and", "for", "are",
        "was", "is", "it", "do", "my", "me", "of", "to", "in", "on", "at", "an", "if", "i", "a",
        "any",
    ];
    super::spelling::plain(question)
        .split(' ')
        .filter(|word| word.len() > 2 && !EMPTY.contains(word))
        .map(str::to_owned)
        .collect()
}

/// Without its ending, so that "batteries" finds "battery".
fn stem(word: &str) -> &str {
    let keep = if word.len() > 5 {
        word.len() - 2
    } else {
        word.len()
    };
    word.get(..keep).unwrap_or(word)
}

/// What was bought, in a few words.
fn items(order: &Value) -> String {
    let names: Vec<&str> = list(order, "items")
        .iter()
        .map(|item| text(item, "name"))
        .collect();
    match names.as_slice() {
        [] => "your order".to_owned(),
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, rest @ ..] => format!("{one} and {} more items", rest.len()),
    }
}
