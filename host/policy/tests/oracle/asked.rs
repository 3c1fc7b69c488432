//! What is asked, and what is known, as a support desk would put it: plain values, nothing of Cedar or JSON.

/// Money in minor units of a currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) minor: i64,
    pub(crate) currency: &'static str,
}

/// Whose yes was given to this very call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Yes {
    Nobodys,
    Customers,
    Staffs,
}

/// Whether the same was asked before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    Never,
    /// Settled or under way, on the same terms.
    Same,
    /// This very intent goes on.
    Own,
    /// Under the same key, on other terms.
    Other,
}

/// What this case has seen of the order that the call names. What a result did not say, or not so that it could be read, is
/// not there.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// Unix seconds.
    pub(crate) seen_at: i64,
    pub(crate) owner: Option<&'static str>,
    pub(crate) status: Option<&'static str>,
    pub(crate) total: Option<Sum>,
    pub(crate) refunded: Option<Sum>,
    pub(crate) eligible: Option<bool>,
    /// Unix seconds.
    pub(crate) delivered_at: Option<i64>,
}

/// What this case has seen of the ticket that the call names.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    /// Unix seconds.
    pub(crate) seen_at: i64,
    pub(crate) owner: Option<&'static str>,
    /// Thousandths.
    pub(crate) confidence: Option<i64>,
}

/// One call with everything that may matter to it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) tool: &'static str,
    /// Unix seconds.
    pub(crate) now: i64,
    pub(crate) by_staff: bool,
    /// 0 anonymous, 1 claimed, 2 matched, 3 verified.
    pub(crate) level: u8,
    /// The case's customer.
    pub(crate) customer: Option<&'static str>,
    pub(crate) yes: Yes,
    pub(crate) before: Before,
    /// The customer that the arguments name.
    pub(crate) about: Option<&'static str>,
    pub(crate) order: Option<Order>,
    pub(crate) ticket: Option<Ticket>,
    pub(crate) amount: Option<Sum>,
    /// The status that a ticket is to have.
    pub(crate) status: Option<&'static str>,
    /// Spent so far by the customer and by the tenant today.
    pub(crate) spent: (i64, i64),
    /// Wrong order numbers tried today in this case, and for this customer.
    pub(crate) guessed: (i64, i64),
}
