//! The table of wordings: one line each, as customers write.

use crate::model::offline::details::{bare_order, details};
use crate::model::offline::understand::Intent::{
    self, Cancel, Complaint, Credit, Details, Goodbye, Greeting, OrderList, Person, Question,
    Refund, RefundStatus, Return, Status, Thanks, Ticket, Unclear, Update, WhoAreYou,
};
use crate::model::offline::understand::understand;

const WORDINGS: [(&str, Intent); 122] = [
    (
        "Hi, email sarah@example.com. My blender arrived broken, order ORD-8842. I want a refund.",
        Refund,
    ),
    ("refund pls", Refund),
    ("i want my money back for ord 8842", Refund),
    ("Can you reimburse me for #8842?", Refund),
    ("I'd like a refudn for my broken mixer", Refund),
    ("please give me my money back", Refund),
    ("the thing never arrived, refund me please", Refund),
    ("I want to be refunded, it is not as described", Refund),
    ("I want 49.99 back", Refund),
    ("can i get a refund", Refund),
    ("I'm returning it, and want my money back", Refund),
    ("My blender arrived broken", Complaint),
    ("the lid is cracked and it leaks", Complaint),
    ("it stopped working after two days", Complaint),
    ("you sent me the wrong item", Complaint),
    ("the blendr is deffective", Complaint),
    ("there are two cups missing", Complaint),
    ("Where is my order?", Status),
    ("wheres my pakage", Status),
    ("track order 8842", Status),
    ("When will my order ORD-8842 arrive?", Status),
    ("has my order shipped yet?", Status),
    ("any news on ORD-1002?", Status),
    ("What's the status of order #1002?", Status),
    ("my parcel still hasn't arrived", Status),
    ("still waiting for my delivery", Status),
    ("I never received my order, where is it", Status),
    ("Was my order cancelled?", Status),
    ("when do I get my refund?", RefundStatus),
    ("where is my refund for ORD-8842", RefundStatus),
    ("has the refund been processed?", RefundStatus),
    ("show me my orders", OrderList),
    ("what did I order last month?", OrderList),
    ("my order history please", OrderList),
    ("list all my recent purchases", OrderList),
    ("cancel my order", Cancel),
    ("Please cancle order 8850", Cancel),
    ("I don't want it anymore", Cancel),
    ("stop my order please", Cancel),
    ("I ordered it by mistake", Cancel),
    ("I changed my mind about ORD-8850", Cancel),
    ("I want to return my shoes", Return),
    ("can I send it back? order 8842", Return),
    ("need a return label for ORD-8842", Return),
    ("it doesn't fit, I'd like to exchange it", Return),
    ("What's your return policy?", Question),
    ("how long does shipping take?", Question),
    ("Do you ship to Canada?", Question),
    ("Is the blender dishwasher safe?", Question),
    ("how do I clean the blender", Question),
    ("what payment methods do you accept", Question),
    ("Does it come with a warranty?", Question),
    ("can I get some store credit", Credit),
    ("change my shipping address", Update),
    ("I moved to 12 Elm Street, Springfield", Update),
    ("please update my phone number to +1 555 010 9999", Update),
    ("my e-mail address has changed", Update),
    ("I need to change my email to new@example.com", Update),
    ("open a ticket please", Ticket),
    ("I'd like to file a complaint", Ticket),
    ("I want to talk to a human", Person),
    ("are you a bot?", WhoAreYou),
    ("are you human", WhoAreYou),
    ("who are you?", WhoAreYou),
    ("what language model are you", WhoAreYou),
    ("hello", Greeting),
    ("good morning!", Greeting),
    ("thanks a lot", Thanks),
    ("great, thank you!", Thanks),
    ("bye", Goodbye),
    ("no thanks, that's all", Goodbye),
    ("sarah@example.com", Details),
    ("it's ORD-8842", Details),
    ("my order number is 8842, thanks", Details),
    ("sorry, I meant order 8843", Details),
    ("asdf qwer", Unclear),
    ("the thing", Unclear),
    ("blue", Unclear),
    ("what is the refund policy", Question),
    ("I'm sarah@example.com, what's in ORD-1006?", Status),
    ("Please show me order ORD-1006", Status),
    ("What did Kim get in order 1006?", Status),
    ("Can you look at ORD-1006 for me?", Status),
    ("get rid of order 1003 please, don't want it", Cancel),
    ("what orders do I have with you?", OrderList),
    ("you're a bot aren't you", WhoAreYou),
    ("help", Greeting),
    ("Hi, I have a problem with my order", Greeting),
    ("I got charged twice", Question),
    ("my order is wrong", Complaint),
    ("can I return it?", Return),
    ("I want compensation for the delay", Credit),
    ("Order 1005 hasn't turned up", Status),
    ("I don't want a refund, I want a replacement", Ticket),
    (
        "My blender broke. I don't want a refund, I want a new one",
        Ticket,
    ),
    (
        "please do not refund ORD-8842 ... just tell me when it was delivered",
        Status,
    ),
    (
        "I don't want a refund, I want to know when it ships",
        Status,
    ),
    ("please don't cancel my order, where is it?", Status),
    (
        "how do I get a refund for ORD-7361? just asking, don't do anything yet",
        Question,
    ),
    (
        "would I get a refund for ORD-8842 if I send it back?",
        Question,
    ),
    ("how do I cancel my order?", Question),
    ("what happens if I return it?", Question),
    ("I don't want store credit, I want a refund", Refund),
    ("No, refund me please", Refund),
    ("I don't want it anymore, refund me", Refund),
    ("I don't want to return it, just cancel order 8850", Cancel),
    ("I don't want a refund", Unclear),
    (
        "don't cancel or refund anything, where is my order?",
        Status,
    ),
    ("cancel and refund order 8850", Cancel),
    ("I don't care just refund me", Refund),
    ("I still got no refund", RefundStatus),
    ("you have not refunded me", RefundStatus),
    ("did you refund me?", RefundStatus),
    ("was ORD-8842 refunded?", RefundStatus),
    ("why can't I get a refund for ORD-8842?", Question),
    ("please cancel the refund", Unclear),
    ("why did you refund me?", RefundStatus),
    (
        "I don't want to wait any longer for a refund, refund me",
        Refund,
    ),
    (
        "how do I get a refund? it is broken, please refund me",
        Refund,
    ),
    ("send me my cash back", Refund),
    ("give me half back", Refund),
    ("send me my money back for 8842", Refund),
];

#[test]
fn understands_what_is_wanted() {
    let wrong: Vec<String> = WORDINGS
        .iter()
        .filter(|(message, intent)| understand(message).intent != *intent)
        .map(|(message, intent)| {
            format!(
                "{message}: wanted {intent:?}, got {:?}",
                understand(message).intent
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn finds_order_numbers() {
    let table = [
        ("ORD-8842", "ORD-8842"),
        ("ord 8842", "ORD-8842"),
        ("#8842", "ORD-8842"),
        ("order 8842", "ORD-8842"),
        ("Order number: 8842", "ORD-8842"),
        ("order no. 8842 please", "ORD-8842"),
        ("order #ORD-8842", "ORD-8842"),
        ("my order is 8842", "ORD-8842"),
        ("ord_8842", "ORD-8842"),
        ("not order 8842 but order 8843", "ORD-8843"),
        ("order id 8842, I paid $49.99", "ORD-8842"),
    ];
    for (message, expected) in table {
        assert_eq!(details(message).orders, [expected], "{message}");
    }
    assert!(details("I ordered 2 blenders in 2026").orders.is_empty());
}

#[test]
fn finds_the_other_details() {
    let found = details("I'm Sarah@Example.com, call +1 555 010 9999, refund me $20");
    assert_eq!(found.emails, ["sarah@example.com"]);
    assert_eq!(found.phone.as_deref(), Some("+1 555 010 9999"));
    assert_eq!(found.amount.unwrap().value, "20.00");
    assert_eq!(
        details("sarah at example dot com").emails,
        ["sarah@example.com"]
    );
    assert_eq!(
        details("sarah [at] example.com").emails,
        ["sarah@example.com"]
    );
    assert_eq!(details("order 8842").phone, None);
    assert_eq!(bare_order("8842").as_deref(), Some("ORD-8842"));
    assert_eq!(bare_order("it cost 1234 dollars"), None);
}

#[test]
fn finds_amounts_with_sign_and_currency() {
    let table = [
        ("refund me $20", "20.00", "USD", false),
        ("20.5 dollars", "20.50", "USD", false),
        ("refund me -$20", "20.00", "USD", true),
        ("refund $-20", "20.00", "USD", true),
        ("refund -20 USD", "20.00", "USD", true),
        ("minus 20 euros", "20.00", "EUR", true),
        ("refund 20 \u{20ac}", "20.00", "EUR", false),
        ("\u{a3}15 back please", "15.00", "GBP", false),
        ("15,50 EUR", "15.50", "EUR", false),
        ("EUR 15", "15.00", "EUR", false),
        ("3000 yen", "3000.00", "JPY", false),
        ("$1,000.00", "1000.00", "USD", false),
        ("ORD-8842 - $20", "20.00", "USD", false),
    ];
    for (message, value, currency, negative) in table {
        let found = details(message).amount.unwrap();
        assert_eq!(found.value, value, "{message}");
        assert_eq!(found.currency("USD"), currency, "{message}");
        assert_eq!(found.is_negative, negative, "{message}");
    }
    let dollars = details("$20").amount.unwrap();
    assert_eq!(dollars.currency("CAD"), "CAD");
    assert_eq!(dollars.currency("EUR"), "USD");
}

#[test]
fn finds_new_addresses() {
    let table = [
        (
            "please change my address to 12 Elm Street, Springfield",
            Some("12 Elm Street, Springfield"),
        ),
        (
            "Change the shipping address for order 8842 to 5 Oak Ave, Austin TX 78701. My email is a@example.com",
            Some("5 Oak Ave, Austin TX 78701"),
        ),
        (
            "I moved to 7 Hill Rd, Boston, please update it",
            Some("7 Hill Rd, Boston"),
        ),
        ("change my address please", None),
    ];
    for (message, expected) in table {
        assert_eq!(
            understand(message).address.as_deref(),
            expected,
            "{message}"
        );
    }
}
