//! From plain values to what the host would hand the rulebook: the same thing is said in many ways, and what is not known is
//! missing, null, or something that cannot be read as it.

use std::collections::BTreeMap;

use policy::{
    Actor, Call, Channel, Consent, ConsentFrom, Entity, Fact, Facts, Identity, Level, Prior, Role,
};
use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use crate::asked::{Asked, Before, Order, Sum, Ticket, Yes};
use crate::generate::Dice;

/// The call and the facts that say what was asked.
pub(crate) fn render(asked: &Asked, dice: &mut Dice) -> (Call, Facts) {
    let mut entities = BTreeMap::new();
    let mut arguments = Map::new();
    let order = asked
        .order
        .as_ref()
        .map(|order| (order.seen_at, order_attributes(order, dice)));
    let ticket = asked
        .ticket
        .as_ref()
        .map(|ticket| (ticket.seen_at, ticket_attributes(ticket, dice)));
    name(&mut arguments, &mut entities, "order", order, dice);
    name(&mut arguments, &mut entities, "ticket", ticket, dice);
    say_whom(&mut arguments, asked, dice);
    put(
        &mut arguments,
        "amount",
        asked.amount.as_ref().map(|sum| money(sum, dice)),
        &unreadable_sums(),
        dice,
    );
    put(
        &mut arguments,
        "status",
        asked.status.map(Value::from),
        &[json!(7), json!(["resolved"])],
        dice,
    );
    arguments.insert("reason".to_owned(), json!("it arrived broken"));
    let call = Call {
        tenant: "demo".to_owned(),
        case: "case".to_owned(),
        actor: actor(asked.by_staff, dice),
        channel: dice.pick(&[
            Channel::Chat,
            Channel::Mcp,
            Channel::Http,
            Channel::Terminal,
            Channel::Host,
        ]),
        tool: asked.tool.to_owned(),
        plugin_digest: "d".repeat(64),
        arguments,
    };
    (call, facts(asked, entities, dice))
}

fn actor(by_staff: bool, dice: &mut Dice) -> Actor {
    let role = if by_staff {
        dice.pick(&[Role::Supervisor, Role::Admin])
    } else {
        Role::Agent
    };
    Actor {
        role,
        subject: "somebody".to_owned(),
    }
}

fn facts(asked: &Asked, entities: BTreeMap<Entity, Fact>, dice: &mut Dice) -> Facts {
    let levels = [
        Level::Anonymous,
        Level::Claimed,
        Level::Matched,
        Level::Verified,
    ];
    let consent = |from| {
        Some(Consent {
            from,
            by: "somebody".to_owned(),
        })
    };
    Facts {
        now: asked.now,
        identity: Identity {
            level: levels[usize::from(asked.level)],
            customer: asked.customer.map(str::to_owned),
        },
        entities,
        spent: spent(asked, dice),
        consent: match asked.yes {
            Yes::Nobodys => None,
            Yes::Customers => consent(ConsentFrom::Customer),
            Yes::Staffs => consent(ConsentFrom::Staff),
        },
        prior: match asked.before {
            Before::Never => Prior::None,
            Before::Same => Prior::Same,
            Before::Own => Prior::Own,
            Before::Other => Prior::Other,
        },
    }
}

/// What a budget's sum is, where none was ever spent, may be zero or missing.
fn spent(asked: &Asked, dice: &mut Dice) -> BTreeMap<String, i64> {
    let kind = if asked.tool == "add_credit" {
        "credit"
    } else {
        "refund"
    };
    let sums = [
        (format!("{kind}_customer_day"), asked.spent.0),
        (format!("{kind}_tenant_day"), asked.spent.1),
        ("guesses_case_day".to_owned(), asked.guessed.0),
        ("guesses_customer_day".to_owned(), asked.guessed.1),
    ];
    sums.into_iter()
        .filter(|(_, sum)| *sum != 0 || dice.one_in(2))
        .collect()
}

/// Names an entity in the arguments. One that is not known is not named, or not seen, or another one was.
fn name(
    arguments: &mut Map<String, Value>,
    entities: &mut BTreeMap<Entity, Fact>,
    kind: &str,
    known: Option<(i64, Map<String, Value>)>,
    dice: &mut Dice,
) {
    let id = dice.pick(&[json!("ORD-1"), json!("8842"), json!(8842)]);
    let text = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let entity = |id: &str| Entity {
        kind: kind.to_owned(),
        id: id.to_owned(),
    };
    let fact = |(established_at, attributes)| Fact {
        established_at,
        attributes,
    };
    let others = json!({ "owner": "C-1", "status": "delivered" });
    let unrelated = (1_795_176_000, others.as_object().cloned().unwrap());
    let argument = format!("{kind}_id");
    match known {
        Some(known) => {
            entities.insert(entity(&text), fact(known));
            entities.insert(entity("another"), fact(unrelated));
            arguments.insert(argument, id);
        }
        None if dice.one_in(2) => {
            let unnamed = [json!(""), json!(null), json!({ "id": text })];
            put(arguments, &argument, None, &unnamed, dice);
            entities.insert(entity(&text), fact(unrelated));
        }
        None => {
            entities.insert(entity("another"), fact(unrelated));
            arguments.insert(argument, id);
        }
    }
}

fn say_whom(arguments: &mut Map<String, Value>, asked: &Asked, dice: &mut Dice) {
    let about = asked.about.map(Value::from);
    // An id that is no text names nobody to `get_customer`; for the others it would be an id like any other.
    put(
        arguments,
        "id",
        about.clone(),
        &[json!(1), json!(["C-1"])],
        dice,
    );
    put(
        arguments,
        "customer_id",
        about,
        &[json!(""), json!({})],
        dice,
    );
    if dice.one_in(2) {
        arguments.insert("email".to_owned(), json!("sarah@example.com"));
    }
}

fn order_attributes(order: &Order, dice: &mut Dice) -> Map<String, Value> {
    let mut attributes = Map::new();
    let no_text = [json!(5), json!(true), json!(["C-1"])];
    let no_flag = [json!("true"), json!(1)];
    let no_instant = [
        json!("last week"),
        json!(1_795_000_000),
        json!("2026-11-15"),
        json!("2026-13-01T00:00:00Z"),
    ];
    let sums = unreadable_sums();
    let total = order.total.as_ref().map(|sum| money(sum, dice));
    let refunded = order.refunded.as_ref().map(|sum| money(sum, dice));
    let delivered = order.delivered_at.map(|at| instant(at, dice));
    put(
        &mut attributes,
        "owner",
        order.owner.map(Value::from),
        &no_text,
        dice,
    );
    put(
        &mut attributes,
        "status",
        order.status.map(Value::from),
        &no_text,
        dice,
    );
    put(&mut attributes, "total", total, &sums, dice);
    put(&mut attributes, "refunded", refunded, &sums, dice);
    put(
        &mut attributes,
        "refund_eligible",
        order.eligible.map(Value::from),
        &no_flag,
        dice,
    );
    put(
        &mut attributes,
        "delivered_at",
        delivered,
        &no_instant,
        dice,
    );
    if dice.one_in(4) {
        attributes.insert("nobody_knows_this".to_owned(), json!(1));
    }
    attributes
}

fn ticket_attributes(ticket: &Ticket, dice: &mut Dice) -> Map<String, Value> {
    let mut attributes = Map::new();
    let confidence = ticket
        .confidence
        .map(|thousandths| share(thousandths, dice));
    put(
        &mut attributes,
        "owner",
        ticket.owner.map(Value::from),
        &[json!(5), json!({})],
        dice,
    );
    put(
        &mut attributes,
        "suggestion_confidence",
        confidence,
        &[json!("0.99"), json!(true), json!(2)],
        dice,
    );
    attributes
}

/// A value, or one of the ways in which it can be missing.
fn put(
    to: &mut Map<String, Value>,
    name: &str,
    value: Option<Value>,
    instead: &[Value],
    dice: &mut Dice,
) {
    let value = match value {
        Some(value) => value,
        None => match dice.below(4) {
            0 | 1 => return,
            2 => Value::Null,
            _ => dice.pick(instead),
        },
    };
    to.insert(name.to_owned(), value);
}

fn unreadable_sums() -> Vec<Value> {
    vec![
        json!("10.00"),
        json!({ "amount": "a lot", "currency": "USD" }),
        json!({ "amount": 10.0, "currency": "USD" }),
        json!({ "amount": "10.001", "currency": "USD" }),
        json!({ "amount": "10.5", "currency": "JPY" }),
        json!({ "amount": "10.00", "currency": "usd" }),
        json!({ "amount": "10.00", "currency": "XXX" }),
        json!({ "amount": "10.00", "currency": "USD", "note": "" }),
        json!({ "amount": "99999999999999999999.00", "currency": "USD" }),
        json!({ "amount": "+10.00", "currency": "USD" }),
        json!({ "amount": "", "currency": "USD" }),
    ]
}

/// "50", "50.0" and "50.00" are the same dollars.
fn money(sum: &Sum, dice: &mut Dice) -> Value {
    let sign = if sum.minor < 0 { "-" } else { "" };
    let minor = sum.minor.unsigned_abs();
    let amount = if sum.currency == "JPY" {
        format!("{sign}{minor}")
    } else {
        let (whole, cents) = (minor / 100, minor % 100);
        match cents {
            0 if dice.one_in(2) => format!("{sign}{whole}"),
            _ if cents % 10 == 0 && dice.one_in(2) => format!("{sign}{whole}.{}", cents / 10),
            _ => format!("{sign}{whole}.{cents:02}"),
        }
    };
    json!({ "amount": amount, "currency": sum.currency })
}

/// The same second, in any time zone, with parts of a second or without.
fn instant(at: i64, dice: &mut Dice) -> Value {
    let hours = i8::try_from(dice.between(-12, 14)).unwrap();
    let zone = UtcOffset::from_hms(hours, 0, 0).unwrap();
    let mut at = OffsetDateTime::from_unix_timestamp(at)
        .unwrap()
        .to_offset(zone);
    if dice.one_in(4) {
        at = at.replace_millisecond(900).unwrap();
    }
    Value::from(at.format(&Rfc3339).unwrap())
}

/// A share that lies in these thousandths.
fn share(thousandths: i64, dice: &mut Dice) -> Value {
    if thousandths == 1_000 {
        return dice.pick(&[json!(1), json!(1.0)]);
    }
    let rest = dice.pick(&["", "0", "4", "9", "99"]);
    serde_json::from_str(&format!("0.{thousandths:03}{rest}")).unwrap()
}
