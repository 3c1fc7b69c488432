//! What the rules are told of one call: its Cedar context, built without a detour through JSON.

use cedar_policy::{Context, RestrictedExpression as Expression};

use super::vocabulary::{Fields, Vocabulary, is_base_kind};
use crate::{Call, Channel, ConsentFrom, Fact, Facts, Prior, Role, Settings, ToolRule};

/// A fact that cannot be told without overflowing, or a record that Cedar does not take. The call is refused.
pub(super) struct Untellable;

type Told<T> = Result<T, Untellable>;

/// Everything that a context is made from.
pub(super) struct Subject<'a> {
    pub(super) words: &'a Vocabulary,
    pub(super) settings: &'a Settings,
    /// `settings` as the rules see them, built at load.
    pub(super) figures: &'a Expression,
    pub(super) rule: &'a ToolRule,
    pub(super) call: &'a Call,
    pub(super) facts: &'a Facts,
}

/// The settings as rules see them.
pub(super) fn figures(settings: &Settings) -> Told<Expression> {
    record(vec![
        field("currency", text(&settings.currency)),
        field("refund_limit", long(settings.refund_limit)),
        field("return_window_days", long(settings.return_window_days)),
        field("credit_limit", long(settings.credit_limit)),
        field(
            "lookup_max_age_seconds",
            long(settings.lookup_max_age_seconds),
        ),
        field("resolve_confidence", long(settings.resolve_confidence)),
    ])
}

/// The context of one tool call.
pub(super) fn tool_call(subject: &Subject<'_>) -> Told<Context> {
    let (call, facts) = (subject.call, subject.facts);
    let staff = matches!(call.actor.role, Role::Supervisor | Role::Admin);
    let replay = matches!(facts.prior, Prior::Same | Prior::Own);
    let mut fields = vec![
        field("tenant", text(&call.tenant)),
        field("channel", text(channel(call.channel))),
        field("role", text(role(call.actor.role))),
        field("staff", flag(staff)),
        field("now", long(facts.now)),
        field("identity", identity(facts)?),
        field("arguments", arguments(subject)?),
        field("consent", consent(facts)?),
        field("replay", flag(replay)),
        field("settings", subject.figures.clone()),
    ];
    money(subject, &mut fields);
    budgets(subject, &mut fields)?;
    entity(subject, &mut fields)?;
    Context::from_pairs(fields).map_err(|_| Untellable)
}

fn identity(facts: &Facts) -> Told<Expression> {
    let identity = &facts.identity;
    let mut fields = vec![field("level", long(identity.level as u8))];
    if let Some(customer) = &identity.customer {
        fields.push(field("customer", text(customer)));
    }
    record(fields)
}

fn arguments(subject: &Subject<'_>) -> Told<Expression> {
    let arguments = &subject.call.arguments;
    let values = subject.rule.attributes.iter().filter_map(|(name, at)| {
        let value = crate::pointer::lookup(arguments, at)?.as_str()?;
        Some(field(name, text(value)))
    });
    record(values.collect())
}

fn consent(facts: &Facts) -> Told<Expression> {
    let given = |from| {
        facts
            .consent
            .as_ref()
            .is_some_and(|consent| consent.from == from)
    };
    record(vec![
        field("customer", flag(given(ConsentFrom::Customer))),
        field("staff", flag(given(ConsentFrom::Staff))),
    ])
}

fn money(subject: &Subject<'_>, fields: &mut Fields) {
    if let Some(amount) = subject.rule.amount(&subject.call.arguments) {
        fields.push(field("amount", long(amount.minor)));
        fields.push(field("currency", text(&amount.currency)));
    }
}

/// The tool's budgets as they would stand after the call. An amount that cannot be read overdraws all of them.
fn budgets(subject: &Subject<'_>, fields: &mut Fields) -> Told<()> {
    let draw = subject.rule.draw(&subject.call.arguments);
    let drawn = subject.rule.budgets.iter().map(|name| (name, draw));
    let guesses = subject.rule.guesses(subject.call, &subject.facts.identity);
    let (mut spent, mut over) = (vec![], vec![]);
    let counted = subject.rule.rates.iter().chain(guesses);
    for (name, draw) in drawn.chain(counted.map(|name| (name, Some(1)))) {
        let limit = subject.settings.budgets.get(name).ok_or(Untellable)?.limit;
        let before = subject.facts.spent.get(name).copied().unwrap_or(0);
        let after = match draw {
            Some(draw) => before.checked_add(draw).ok_or(Untellable)?,
            None => i64::MAX,
        };
        if after > limit || draw.is_none() {
            over.push(text(name));
        }
        let figures = vec![field("after", long(after)), field("limit", long(limit))];
        spent.push(field(name, record(figures)?));
    }
    fields.push(field("spent", record(spent)?));
    fields.push(field("over_budget", Expression::new_set(over)));
    Ok(())
}

/// What is known of the entity that the call names.
fn entity(subject: &Subject<'_>, fields: &mut Fields) -> Told<()> {
    let named = subject.rule.entity(&subject.call.arguments);
    fields.push(field("entity_named", flag(named.is_some())));
    let mut vendor = vec![];
    if let Some(entity) = &named {
        fields.push(field("entity_id", text(&entity.id)));
        if let Some(fact) = subject.facts.entities.get(entity) {
            let age = age(fact, subject.facts.now)?;
            let (base, beyond) = subject.words.split(&entity.kind, &fact.attributes);
            if is_base_kind(&entity.kind) {
                fields.push(field(&entity.kind, aged(base, age)?));
            }
            if subject.words.vendor.contains_key(&entity.kind) {
                vendor.push(field(&entity.kind, aged(beyond, age)?));
            }
        }
    }
    fields.push(field("vendor", record(vendor)?));
    Ok(())
}

fn age(fact: &Fact, now: i64) -> Told<i64> {
    now.checked_sub(fact.established_at).ok_or(Untellable)
}

fn aged(mut fields: Fields, age: i64) -> Told<Expression> {
    fields.push(field("age", long(age)));
    record(fields)
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Agent => "agent",
        Role::Supervisor => "supervisor",
        Role::Admin => "admin",
    }
}

fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Chat => "chat",
        Channel::Mcp => "mcp",
        Channel::Http => "http",
        Channel::Terminal => "terminal",
        Channel::Host => "host",
    }
}

pub(super) fn field(name: &str, value: Expression) -> (String, Expression) {
    (name.to_owned(), value)
}

pub(super) fn text(text: &str) -> Expression {
    Expression::new_string(text.to_owned())
}

pub(super) fn long(number: impl Into<i64>) -> Expression {
    Expression::new_long(number.into())
}

pub(super) fn flag(flag: bool) -> Expression {
    Expression::new_bool(flag)
}

fn record(fields: Fields) -> Told<Expression> {
    Expression::new_record(fields).map_err(|_| Untellable)
}
