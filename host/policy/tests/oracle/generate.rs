//! Generated calls: mostly sensible, so that they get past the first rules, and at the edges of every figure.

use crate::asked::{Asked, Before, Order, Sum, Ticket, Yes};

/// 2026-11-20T12:00:00Z.
const NOW: i64 = 1_795_176_000;
const DAY: i64 = 24 * 60 * 60;

pub(crate) const CUSTOMERS: [&str; 2] = ["C-1", "C-2"];
const HUGE: [i64; 5] = [i64::MIN, i64::MIN + 1, 0, i64::MAX - 1, i64::MAX];

/// Every tool of the contract, and one that nobody has classified; those about money more often.
const TOOLS: [&str; 34] = [
    "process_refund",
    "process_refund",
    "process_refund",
    "process_refund",
    "process_refund",
    "add_credit",
    "add_credit",
    "cancel_order",
    "cancel_order",
    "create_return",
    "create_return",
    "update_ticket",
    "update_ticket",
    "update_customer_info",
    "lookup_order",
    "get_tracking_info",
    "list_refunds",
    "get_customer",
    "get_customer_orders",
    "get_ticket",
    "summarize_ticket",
    "suggest_response",
    "create_ticket",
    "escalate_to_human",
    "search_knowledge_base",
    "search_articles",
    "classify_inquiry",
    "analyze_sentiment",
    "get_conversation",
    "search_users",
    "assign_conversation",
    "add_tag",
    "update_user",
    "drop_everything",
];
const RARE_TOOLS: [&str; 2] = ["send_message", "create_conversation"];

/// A source of chance (splitmix64) that gives the same again for the same seed and case.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64, case: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ case.rotate_left(32));
        dice.roll();
        dice
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    pub(crate) fn between(&mut self, least: i64, greatest: i64) -> i64 {
        let width = u64::try_from(greatest - least).unwrap() + 1;
        least + i64::try_from(self.below(width)).unwrap()
    }

    pub(crate) fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let at = self.below(from.len() as u64);
        from[usize::try_from(at).unwrap()].clone()
    }

    fn unless_one_in<T>(&mut self, count: u64, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (!self.one_in(count)).then(|| make(self))
    }
}

/// One call.
pub(crate) fn asked(dice: &mut Dice) -> Asked {
    let tool = if dice.one_in(17) {
        dice.pick(&RARE_TOOLS)
    } else {
        dice.pick(&TOOLS)
    };
    let now = if dice.one_in(60) {
        dice.pick(&HUGE)
    } else {
        NOW
    };
    let customer = dice.pick(&[
        None,
        Some(CUSTOMERS[0]),
        Some(CUSTOMERS[0]),
        Some(CUSTOMERS[0]),
        Some(CUSTOMERS[1]),
    ]);
    let amount = dice.unless_one_in(25, amount);
    let drawn = amount
        .as_ref()
        .map_or(0, |amount| amount.minor.clamp(0, 60_000));
    Asked {
        tool,
        now,
        by_staff: dice.one_in(5),
        level: dice.pick(&[0, 1, 2, 2, 2, 2, 3, 3]),
        customer,
        yes: dice.pick(&[Yes::Nobodys, Yes::Nobodys, Yes::Customers, Yes::Staffs]),
        before: dice.pick(&[
            Before::Never,
            Before::Never,
            Before::Never,
            Before::Same,
            Before::Own,
            Before::Other,
        ]),
        about: dice.pick(&[
            None,
            customer,
            customer,
            customer,
            Some(CUSTOMERS[0]),
            Some(CUSTOMERS[1]),
        ]),
        order: dice.unless_one_in(7, |dice| order(dice, now, customer)),
        ticket: dice.unless_one_in(5, |dice| ticket(dice, now, customer)),
        amount,
        status: dice.pick(&[
            None,
            Some("open"),
            Some("resolved"),
            Some("closed"),
            Some("pending"),
        ]),
        spent: (spent(dice, tool, 0, drawn), spent(dice, tool, 1, drawn)),
        guessed: (guessed(dice, 5), guessed(dice, 20)),
    }
}

fn amount(dice: &mut Dice) -> Sum {
    let minor = match dice.below(40) {
        0 => dice.pick(&HUGE),
        1..=8 => dice.pick(&[-1, 0, 1, 1_999, 2_000, 2_001, 14_999, 15_000, 15_001]),
        9..=24 => dice.between(1, 4_000),
        _ => dice.between(1, 40_000),
    };
    sum(dice, minor)
}

fn sum(dice: &mut Dice, minor: i64) -> Sum {
    let currency = if dice.one_in(16) {
        dice.pick(&["EUR", "JPY"])
    } else {
        "USD"
    };
    Sum { minor, currency }
}

fn owner(dice: &mut Dice, customer: Option<&'static str>) -> &'static str {
    match customer {
        Some(customer) if !dice.one_in(8) => customer,
        _ => dice.pick(&CUSTOMERS),
    }
}

fn seen_at(dice: &mut Dice, now: i64) -> i64 {
    let age = match dice.below(40) {
        0 => dice.pick(&HUGE),
        1..=4 => dice.pick(&[3_599, 3_600, 3_601]),
        5 => dice.between(-3_600, -1),
        _ => dice.between(0, 4_500),
    };
    now.wrapping_sub(age)
}

fn order(dice: &mut Dice, now: i64, customer: Option<&'static str>) -> Order {
    let total = dice.unless_one_in(12, |dice| {
        let minor = match dice.below(20) {
            0 => dice.pick(&HUGE),
            1 => 0,
            _ => dice.between(1, 60_000),
        };
        sum(dice, minor)
    });
    let paid = total.clone().map_or(0, |total| total.minor);
    let refunded = dice.unless_one_in(12, |dice| {
        let minor = match dice.below(20) {
            0 => dice.pick(&HUGE),
            1 => paid,
            2 => paid.saturating_sub(1),
            3 => -1,
            4..=7 => dice.between(1, 20_000),
            _ => 0,
        };
        let currency = match &total {
            Some(total) if !dice.one_in(15) => total.currency,
            _ => "USD",
        };
        Sum { minor, currency }
    });
    let statuses = [
        "pending",
        "processing",
        "shipped",
        "delivered",
        "delivered",
        "cancelled",
        "returned",
        "Delivered",
    ];
    Order {
        seen_at: seen_at(dice, now),
        owner: dice.unless_one_in(15, |dice| owner(dice, customer)),
        status: dice.unless_one_in(15, |dice| dice.pick(&statuses)),
        total,
        refunded,
        eligible: dice.unless_one_in(15, |dice| !dice.one_in(6)),
        delivered_at: dice.unless_one_in(8, delivered_at),
    }
}

fn delivered_at(dice: &mut Dice) -> i64 {
    let ago = match dice.below(12) {
        0..=2 => 30 * DAY + dice.between(-1, 1),
        3 => -dice.between(0, 90) * DAY,
        _ => dice.between(0, 40 * DAY),
    };
    NOW - ago
}

fn ticket(dice: &mut Dice, now: i64, customer: Option<&'static str>) -> Ticket {
    Ticket {
        seen_at: seen_at(dice, now),
        owner: dice.unless_one_in(6, |dice| owner(dice, customer)),
        confidence: dice.unless_one_in(3, |dice| match dice.below(3) {
            0 => dice.pick(&[0, 849, 850, 851, 1_000]),
            _ => dice.between(0, 1_000),
        }),
    }
}

/// Often so much that the call ends just below a budget, at it, or above.
fn spent(dice: &mut Dice, tool: &str, budget: usize, drawn: i64) -> i64 {
    let limits = if tool == "add_credit" {
        [5_000, 50_000]
    } else {
        [30_000, 500_000]
    };
    match dice.below(30) {
        0 => dice.pick(&HUGE),
        1..=5 => limits[budget] - drawn + dice.between(-1, 1),
        6..=7 => dice.between(0, limits[budget] * 2),
        8..=12 => dice.between(0, limits[budget] / 10),
        _ => 0,
    }
}

fn guessed(dice: &mut Dice, most: i64) -> i64 {
    match dice.below(30) {
        0 => dice.pick(&HUGE),
        1..=6 => most + dice.between(-2, 1),
        7..=12 => dice.between(0, most),
        _ => 0,
    }
}
