//! The oracle: the support rules as prose has them, in plain Rust.
//!
//! What speaks against a call is gathered as grounds. They are listed in the order in which a customer would be told of them, and
//! each is of one kind: somebody else's data (people hear of it), a plain no, a matter for people, or a question to a person.

use crate::asked::{Asked, Before, Order, Sum, Yes};

/// The tenant's currency.
const HOME: &str = "USD";
/// Minor units, as all money here.
const REFUND_LIMIT: i64 = 15_000;
const CREDIT_LIMIT: i64 = 2_000;
const RETURN_DAYS: i64 = 30;
const LOOKUP_SECONDS: i64 = 60 * 60;
const SURE_ENOUGH: i64 = 850;
/// Customer and tenant, each day.
const REFUND_BUDGETS: (i64, i64) = (30_000, 500_000);
const CREDIT_BUDGETS: (i64, i64) = (5_000, 50_000);

/// Wrong order numbers in a day: in one case, for one customer.
const GUESSES: (i64, i64) = (5, 20);

/// Something against a call, in the order of what is said first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ground {
    OtherCustomer,
    NotOwner,
    StaffOnly,
    CustomerUnknown,
    EmailNeeded,
    LookupFirst,
    OwnerUnknown,
    NotMatched,
    LookupStale,
    AlreadyShipped,
    NotReturnable,
    NotEligible,
    NotCancellable,
    NotDelivered,
    WindowPassed,
    AlreadyRefunded,
    AmountInvalid,
    LookupIncomplete,
    CurrencyMismatch,
    AboveOrder,
    BudgetExceeded,
    ForeignCurrency,
    LimitExceeded,
    ResolveNeedsPerson,
    ConsentNeeded,
}

use Ground::{
    AboveOrder, AlreadyRefunded, AlreadyShipped, AmountInvalid, BudgetExceeded, ConsentNeeded,
    CurrencyMismatch, CustomerUnknown, EmailNeeded, ForeignCurrency, LimitExceeded, LookupFirst,
    LookupIncomplete, LookupStale, NotCancellable, NotDelivered, NotEligible, NotMatched, NotOwner,
    NotReturnable, OtherCustomer, OwnerUnknown, ResolveNeedsPerson, StaffOnly, WindowPassed,
};

/// What the host should decide: `allow`, `deny LOOKUP_FIRST`, `needs_consent staff P2 LIMIT_EXCEEDED`.
pub(crate) fn expected(asked: &Asked) -> String {
    if asked.tool == "drop_everything" {
        return "deny UNCLASSIFIED".to_owned();
    }
    if cannot_be_computed(asked) {
        return "deny RULE_ERROR".to_owned();
    }
    let mut grounds = grounds(asked);
    grounds.sort_unstable();
    if let Some(answer) = refusal(&grounds) {
        return answer;
    }
    let again = asked.before == Before::Same;
    if again { "replay" } else { "allow" }.to_owned()
}

/// Who hears of it: of somebody else's data people always do; of the rest, only where they can help.
fn refusal(grounds: &[Ground]) -> Option<String> {
    let first = *grounds.first()?;
    if matches!(first, OtherCustomer | NotOwner) {
        return Some(format!("escalate P1 {}", code(first)));
    }
    if let Some(no) = grounds.iter().find(|ground| **ground < BudgetExceeded) {
        return Some(format!("deny {}", code(*no)));
    }
    let has = |ground| grounds.contains(&ground);
    let code = code(first);
    Some(if has(BudgetExceeded) {
        "escalate P2 BUDGET_EXCEEDED".to_owned()
    } else if has(ForeignCurrency) || has(LimitExceeded) {
        format!("needs_consent staff P2 {code}")
    } else if has(ResolveNeedsPerson) {
        format!("needs_consent staff {code}")
    } else {
        format!("needs_consent customer {code}")
    })
}

fn grounds(asked: &Asked) -> Vec<Ground> {
    let mut grounds = match asked.tool {
        "get_customer" => by_id(asked),
        "lookup_order" => [unknown(asked), someone_elses_order(asked)].concat(),
        "get_tracking_info" | "list_refunds" => [unknown(asked), of_order(asked)].concat(),
        "get_customer_orders" => of_customer(asked),
        "update_customer_info" => [of_customer(asked), details(asked)].concat(),
        "add_credit" => [of_customer(asked), money(asked, CREDIT_LIMIT)].concat(),
        "process_refund" => [of_order_write(asked), refund(asked)].concat(),
        "cancel_order" => [of_order_write(asked), cancel(asked)].concat(),
        "create_return" => [of_order_write(asked), label(asked)].concat(),
        "get_ticket" | "summarize_ticket" | "suggest_response" | "update_ticket" => ticket(asked),
        "get_conversation"
        | "search_users"
        | "assign_conversation"
        | "add_tag"
        | "send_message"
        | "create_conversation"
        | "update_user" => inbox(asked),
        // Articles, triage, opening a ticket and calling a person are open to everybody.
        _ => vec![],
    };
    if over_budget(asked) && !is_repeated(asked) {
        grounds.push(BudgetExceeded);
    }
    grounds
}

/// The same intent was decided before: what could have changed since is not asked again.
fn is_repeated(asked: &Asked) -> bool {
    matches!(asked.before, Before::Same | Before::Own)
}

/// Staff may read without a known customer; what they change for one needs them.
fn staff_reads(asked: &Asked) -> bool {
    let reads = [
        "lookup_order",
        "get_tracking_info",
        "list_refunds",
        "get_customer_orders",
    ];
    asked.by_staff && reads.contains(&asked.tool)
}

fn is_known(asked: &Asked) -> bool {
    asked.level >= 1 && asked.customer.is_some()
}

fn when(holds: bool, ground: Ground) -> Option<Ground> {
    holds.then_some(ground)
}

fn unknown(asked: &Asked) -> Vec<Ground> {
    let unknown = !is_known(asked) && !staff_reads(asked);
    when(unknown, CustomerUnknown).into_iter().collect()
}

/// An id can be guessed. One's own shows nothing new.
fn by_id(asked: &Asked) -> Vec<Ground> {
    let Some(id) = asked.about else {
        return vec![];
    };
    let own = is_known(asked) && asked.customer == Some(id);
    when(!own && !asked.by_staff, EmailNeeded)
        .into_iter()
        .collect()
}

fn of_customer(asked: &Asked) -> Vec<Ground> {
    let mut grounds = unknown(asked);
    if staff_reads(asked) {
        return grounds;
    }
    grounds.extend(when(asked.level < 2, NotMatched));
    if let (Some(about), Some(customer)) = (asked.about, asked.customer) {
        grounds.extend(when(about != customer, OtherCustomer));
    }
    grounds
}

/// Whoever can change the e-mail address can take the account over.
fn details(asked: &Asked) -> Vec<Ground> {
    let heard = asked.yes != Yes::Nobodys || asked.by_staff || is_repeated(asked);
    when(!heard, ConsentNeeded).into_iter().collect()
}

fn someone_elses_order(asked: &Asked) -> Vec<Ground> {
    let owner = asked.order.as_ref().and_then(|order| order.owner);
    let (Some(owner), Some(customer)) = (owner, asked.customer) else {
        return vec![];
    };
    when(owner != customer && !staff_reads(asked), NotOwner)
        .into_iter()
        .collect()
}

/// The order must have been looked up in this case, and be the customer's.
fn of_order(asked: &Asked) -> Vec<Ground> {
    if staff_reads(asked) {
        return vec![];
    }
    match &asked.order {
        None => vec![LookupFirst],
        Some(order) if order.owner.is_none() => vec![OwnerUnknown],
        Some(_) => someone_elses_order(asked),
    }
}

fn of_order_write(asked: &Asked) -> Vec<Ground> {
    let mut grounds = [unknown(asked), of_order(asked)].concat();
    grounds.extend(when(asked.level < 2, NotMatched));
    if let Some(order) = &asked.order {
        let stale = asked.now - order.seen_at > LOOKUP_SECONDS;
        grounds.extend(when(stale && !is_repeated(asked), LookupStale));
    }
    grounds
}

fn status(asked: &Asked) -> Option<&'static str> {
    asked.order.as_ref()?.status
}

fn cancel(asked: &Asked) -> Vec<Ground> {
    if is_repeated(asked) {
        return vec![];
    }
    let mut grounds = vec![];
    match status(asked) {
        Some("pending" | "processing") => {}
        Some("shipped" | "delivered") => grounds.push(AlreadyShipped),
        _ => grounds.push(NotCancellable),
    }
    grounds.extend(when(asked.yes == Yes::Nobodys, ConsentNeeded));
    grounds
}

fn label(asked: &Asked) -> Vec<Ground> {
    if is_repeated(asked) {
        return vec![];
    }
    let mut grounds = vec![];
    let sent = matches!(status(asked), Some("shipped" | "delivered"));
    grounds.extend(when(!sent, NotReturnable));
    if let Some(order) = &asked.order {
        grounds.extend(when(is_past_window(asked, order), WindowPassed));
        if let Some((total, refunded)) = sums(order) {
            let nothing_left = refunded > 0 && refunded >= total;
            grounds.extend(when(nothing_left, AlreadyRefunded));
        }
    }
    grounds
}

fn is_past_window(asked: &Asked, order: &Order) -> bool {
    order
        .delivered_at
        .is_some_and(|at| asked.now - at > RETURN_DAYS * 24 * 60 * 60)
}

/// Total and refunded; sums in two currencies cannot be held against each other, so then neither is known.
fn sums(order: &Order) -> Option<(i64, i64)> {
    match (&order.total, &order.refunded) {
        (Some(total), Some(refunded)) if total.currency == refunded.currency => {
            Some((total.minor, refunded.minor))
        }
        _ => None,
    }
}

/// The currency in which the order was paid, as far as its sums agree on one.
fn currency(order: &Order) -> Option<&'static str> {
    match (&order.total, &order.refunded) {
        (Some(total), Some(refunded)) => {
            (total.currency == refunded.currency).then_some(total.currency)
        }
        (Some(one), None) | (None, Some(one)) => Some(one.currency),
        (None, None) => None,
    }
}

fn refund(asked: &Asked) -> Vec<Ground> {
    let mut grounds = money(asked, REFUND_LIMIT);
    let Some(order) = &asked.order else {
        return grounds;
    };
    let sums = sums(order).filter(|(total, refunded)| *total >= 0 && *refunded >= 0);
    grounds.extend(when(sums.is_none(), LookupIncomplete));
    if let Some(amount) = &asked.amount {
        let other = currency(order).is_some_and(|paid| paid != amount.currency);
        grounds.extend(when(other, CurrencyMismatch));
    }
    if is_repeated(asked) {
        return grounds;
    }
    grounds.extend(when(order.eligible != Some(true), NotEligible));
    let over = order.delivered_at.is_some() || order.status == Some("cancelled");
    grounds.extend(when(!over, NotDelivered));
    grounds.extend(when(is_past_window(asked, order), WindowPassed));
    if let (Some((total, refunded)), Some(amount)) = (sums, &asked.amount) {
        grounds.extend(when(amount.minor > total - refunded, AboveOrder));
    }
    grounds
}

/// Above zero; above the limit, or in a currency in which there is none, a colleague decides.
fn money(asked: &Asked, limit: i64) -> Vec<Ground> {
    let Some(Sum { minor, currency }) = asked.amount else {
        return vec![AmountInvalid];
    };
    let mut grounds = vec![];
    grounds.extend(when(minor <= 0, AmountInvalid));
    if asked.yes != Yes::Staffs && !is_repeated(asked) {
        grounds.extend(when(currency != HOME, ForeignCurrency));
        grounds.extend(when(minor > limit, LimitExceeded));
    }
    grounds
}

fn ticket(asked: &Asked) -> Vec<Ground> {
    let mut grounds = vec![];
    let owner = asked.ticket.as_ref().and_then(|ticket| ticket.owner);
    if !asked.by_staff {
        let own = owner.is_some() && owner == asked.customer;
        let elses = owner.is_some() && asked.customer.is_some() && !own;
        grounds.extend(when(elses, NotOwner));
        grounds.extend(when(!is_known(asked), CustomerUnknown));
        grounds.extend(when(asked.level < 2 && !own, NotMatched));
        let blind = asked.tool == "update_ticket" && owner.is_none();
        grounds.extend(when(blind, LookupFirst));
    }
    let ends = asked.tool == "update_ticket" && matches!(asked.status, Some("resolved" | "closed"));
    if ends && !is_repeated(asked) && asked.yes == Yes::Nobodys {
        let suggested = asked.ticket.as_ref().and_then(|ticket| ticket.confidence);
        let sure = suggested.is_some_and(|confidence| confidence >= SURE_ENOUGH);
        grounds.extend(when(!sure, ResolveNeedsPerson));
    }
    grounds
}

fn inbox(asked: &Asked) -> Vec<Ground> {
    when(!asked.by_staff, StaffOnly).into_iter().collect()
}

/// An order number may be guessed, one after the other, until it makes a claimed customer a matched one. Staff and the
/// matched have nothing to guess.
fn is_guess(asked: &Asked) -> bool {
    asked.tool == "lookup_order" && !asked.by_staff && asked.level < 2
}

/// The day's budgets of the tool, customer and tenant.
fn budgets(asked: &Asked) -> Option<(i64, i64)> {
    match asked.tool {
        "process_refund" => Some(REFUND_BUDGETS),
        "add_credit" => Some(CREDIT_BUDGETS),
        _ => None,
    }
}

/// An amount that cannot be read could be any.
fn over_budget(asked: &Asked) -> bool {
    if is_guess(asked) {
        return asked.guessed.0 + 1 > GUESSES.0 || asked.guessed.1 + 1 > GUESSES.1;
    }
    let Some((customer, tenant)) = budgets(asked) else {
        return false;
    };
    let Some(amount) = &asked.amount else {
        return true;
    };
    let draw = amount.minor.max(0);
    asked.spent.0 + draw > customer || asked.spent.1 + draw > tenant
}

/// Sums, ages and spans that no number can hold: nothing may be concluded, so nothing is allowed.
fn cannot_be_computed(asked: &Asked) -> bool {
    let draw = asked.amount.as_ref().map(|amount| amount.minor.max(0));
    let overflows = |before: i64| draw.is_some_and(|draw| before.checked_add(draw).is_none());
    let budget = budgets(asked).is_some() && (overflows(asked.spent.0) || overflows(asked.spent.1));
    let guessed = [asked.guessed.0, asked.guessed.1];
    let guess = is_guess(asked) && guessed.contains(&i64::MAX);
    let elapsed = |since: i64| asked.now.checked_sub(since).is_none();
    let order = asked.order.as_ref().filter(|_| names_order(asked));
    let windowed = matches!(asked.tool, "process_refund" | "create_return");
    let delivered = order.and_then(|order| order.delivered_at);
    let ticket = asked.ticket.as_ref().filter(|_| names_ticket(asked));
    budget
        || guess
        || order.is_some_and(|order| elapsed(order.seen_at))
        || ticket.is_some_and(|ticket| elapsed(ticket.seen_at))
        || (windowed && delivered.is_some_and(elapsed))
}

fn names_order(asked: &Asked) -> bool {
    matches!(
        asked.tool,
        "lookup_order"
            | "get_tracking_info"
            | "list_refunds"
            | "process_refund"
            | "cancel_order"
            | "create_return"
    )
}

fn names_ticket(asked: &Asked) -> bool {
    matches!(
        asked.tool,
        "get_ticket" | "summarize_ticket" | "suggest_response" | "update_ticket"
    )
}

fn code(ground: Ground) -> &'static str {
    match ground {
        OtherCustomer => "OTHER_CUSTOMER",
        NotOwner => "NOT_OWNER",
        StaffOnly => "STAFF_ONLY",
        CustomerUnknown => "CUSTOMER_UNKNOWN",
        EmailNeeded => "EMAIL_NEEDED",
        LookupFirst => "LOOKUP_FIRST",
        OwnerUnknown => "OWNER_UNKNOWN",
        NotMatched => "IDENTITY_NOT_MATCHED",
        LookupStale => "LOOKUP_STALE",
        AlreadyShipped => "ALREADY_SHIPPED",
        NotReturnable => "NOT_RETURNABLE",
        NotEligible => "NOT_ELIGIBLE",
        NotCancellable => "NOT_CANCELLABLE",
        NotDelivered => "NOT_DELIVERED",
        WindowPassed => "WINDOW_PASSED",
        AlreadyRefunded => "ALREADY_REFUNDED",
        AmountInvalid => "AMOUNT_INVALID",
        LookupIncomplete => "LOOKUP_INCOMPLETE",
        CurrencyMismatch => "CURRENCY_MISMATCH",
        AboveOrder => "ABOVE_ORDER",
        BudgetExceeded => "BUDGET_EXCEEDED",
        ForeignCurrency => "FOREIGN_CURRENCY",
        LimitExceeded => "LIMIT_EXCEEDED",
        ResolveNeedsPerson => "RESOLVE_NEEDS_PERSON",
        ConsentNeeded => "CONSENT_NEEDED",
    }
}
