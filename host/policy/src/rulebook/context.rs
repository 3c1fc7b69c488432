//! What the rules are told of one call: its Cedar context, typed by construction, and no more of it than they look at.

use cedar_policy_core::ast::{Context, Value, ValueKind};

use super::vocabulary::{self, Fields, Vocabulary};
use crate::{
    Call, ConsentFrom, Entity, Fact, Facts, Identity, Money, Prior, Role, Settings, ToolRule,
};

/// A fact that cannot be told without overflowing, or a record that has a field twice. The call is refused.
pub(super) struct Untellable;

pub(super) type Told<T> = Result<T, Untellable>;

/// Everything that a context is made from.
pub(super) struct Subject<'a> {
    pub(super) words: &'a Vocabulary,
    pub(super) settings: &'a Settings,
    /// `settings` as the rules see them, built at load.
    pub(super) figures: &'a Value,
    pub(super) rule: &'a ToolRule,
    pub(super) call: &'a Call,
    pub(super) facts: &'a Facts,
}

/// The settings as rules see them.
pub(super) fn figures(settings: &Settings) -> Told<Value> {
    let seconds = i64::from(settings.lookup_max_age_seconds);
    record(vec![
        ("currency", text(&settings.currency)),
        ("refund_limit", settings.refund_limit.into()),
        (
            "return_window_days",
            i64::from(settings.return_window_days).into(),
        ),
        ("credit_limit", settings.credit_limit.into()),
        ("lookup_max_age_seconds", seconds.into()),
        (
            "resolve_confidence",
            i64::from(settings.resolve_confidence).into(),
        ),
    ])
}

/// These attributes of one tool call's context. Whatever cannot be told refuses the call, also where it is not among them.
pub(super) fn tool_call(subject: &Subject<'_>, attributes: &[String]) -> Told<Context> {
    let known = Known::of(subject)?;
    of_attributes(attributes, |name| known.tell(name))
}

/// A context of these attributes. `tell` gives a value, none where there is none, and fails for a name that it does not know.
pub(super) fn of_attributes(
    attributes: &[String],
    tell: impl Fn(&str) -> Told<Option<Value>>,
) -> Told<Context> {
    let mut fields = Vec::with_capacity(attributes.len());
    for name in attributes {
        fields.extend(tell(name)?.map(|value| (name.as_str(), value)));
    }
    match record(fields)?.value {
        ValueKind::Record(fields) => Ok(Context::Value(fields)),
        _ => Err(Untellable),
    }
}

/// What several attributes are made from, and everything that may turn out to be untellable.
struct Known<'a> {
    subject: &'a Subject<'a>,
    amount: Option<Money>,
    draws: Vec<Draw<'a>>,
    entity: Option<Entity>,
    /// What the case has established of the entity, and how long ago.
    fact: Option<(&'a Fact, i64)>,
    vendor: Value,
}

/// One of the tool's budgets as it would stand after the call.
struct Draw<'a> {
    budget: &'a str,
    after: i64,
    limit: i64,
    is_over: bool,
}

impl<'a> Known<'a> {
    fn of(subject: &'a Subject<'a>) -> Told<Self> {
        let arguments = &subject.call.arguments;
        let amount = subject.rule.amount(arguments);
        let entity = subject.rule.entity(arguments);
        let fact = match entity
            .as_ref()
            .and_then(|one| subject.facts.entities.get(one))
        {
            Some(fact) => Some((fact, age(fact, subject.facts.now)?)),
            None => None,
        };
        Ok(Self {
            draws: draws(subject, amount.as_ref())?,
            vendor: vendor(subject, entity.as_ref(), fact)?,
            subject,
            amount,
            entity,
            fact,
        })
    }

    /// One attribute, as the schema types it.
    fn tell(&self, name: &str) -> Told<Option<Value>> {
        let (call, facts) = (self.subject.call, self.subject.facts);
        let staff = || matches!(call.actor.role, Role::Supervisor | Role::Admin);
        let amount = self.amount.as_ref();
        Ok(Some(match name {
            "tenant" => text(&call.tenant),
            "channel" => text(call.channel.name()),
            "role" => text(role(call.actor.role)),
            "staff" => staff().into(),
            "now" => facts.now.into(),
            "identity" => identity(&facts.identity)?,
            "entity_named" => self.entity.is_some().into(),
            "entity_id" => return Ok(self.entity.as_ref().map(|entity| text(&entity.id))),
            "order" | "ticket" | "customer" => return self.base(name),
            "vendor" => self.vendor.clone(),
            "amount" => return Ok(amount.map(|amount| amount.minor.into())),
            "currency" => return Ok(amount.map(|amount| text(&amount.currency))),
            "arguments" => arguments(self.subject)?,
            "consent" => consent(facts)?,
            "replay" => matches!(facts.prior, Prior::Same | Prior::Own).into(),
            "spent" => self.spent()?,
            "over_budget" => self.over_budget(),
            "settings" => self.subject.figures.clone(),
            _ => return Err(Untellable),
        }))
    }

    /// What is known of the entity that the call names, if it is of this kind.
    fn base(&self, kind: &str) -> Told<Option<Value>> {
        let is_named = self.entity.as_ref().is_some_and(|named| named.kind == kind);
        let Some((fact, age)) = self.fact.filter(|_| is_named) else {
            return Ok(None);
        };
        vocabulary::base(kind, &fact.attributes)
            .map(|fields| aged(fields, age))
            .transpose()
    }

    fn spent(&self) -> Told<Value> {
        let mut fields = Vec::with_capacity(self.draws.len());
        for draw in &self.draws {
            let figures = vec![("after", draw.after.into()), ("limit", draw.limit.into())];
            fields.push((draw.budget, record(figures)?));
        }
        record(fields)
    }

    fn over_budget(&self) -> Value {
        let over = self.draws.iter().filter(|draw| draw.is_over);
        Value::set(over.map(|draw| text(draw.budget)), None)
    }
}

/// The tool's budgets as they would stand after the call. An amount that cannot be read overdraws all of them.
fn draws<'a>(subject: &'a Subject<'a>, amount: Option<&Money>) -> Told<Vec<Draw<'a>>> {
    let rule = subject.rule;
    let by_amount = rule.budgets.iter().map(|name| (name, rule.drawn(amount)));
    let guesses = rule.guesses(subject.call, &subject.facts.identity);
    let counted = rule.rates.iter().chain(guesses);
    let mut told: Vec<Draw<'a>> = vec![];
    for (name, drawn) in by_amount.chain(counted.map(|name| (name, Some(1)))) {
        if told.iter().any(|other| other.budget == name) {
            return Err(Untellable);
        }
        let limit = subject.settings.budgets.get(name).ok_or(Untellable)?.limit;
        let before = subject.facts.spent.get(name).copied().unwrap_or(0);
        let after = match drawn {
            Some(drawn) => before.checked_add(drawn).ok_or(Untellable)?,
            None => i64::MAX,
        };
        told.push(Draw {
            budget: name,
            after,
            limit,
            is_over: after > limit || drawn.is_none(),
        });
    }
    Ok(told)
}

fn vendor(
    subject: &Subject<'_>,
    entity: Option<&Entity>,
    fact: Option<(&Fact, i64)>,
) -> Told<Value> {
    let (Some(entity), Some((fact, age))) = (entity, fact) else {
        return record(vec![]);
    };
    match subject.words.beyond(&entity.kind, &fact.attributes) {
        Some(fields) => record(vec![(&entity.kind, aged(fields, age)?)]),
        None => record(vec![]),
    }
}

fn identity(identity: &Identity) -> Told<Value> {
    let mut fields = vec![("level", i64::from(identity.level as u8).into())];
    fields.extend(identity.customer.iter().map(|id| ("customer", text(id))));
    record(fields)
}

fn arguments(subject: &Subject<'_>) -> Told<Value> {
    let arguments = &subject.call.arguments;
    let values = subject.rule.attributes.iter().filter_map(|(name, at)| {
        let value = crate::pointer::lookup(arguments, at)?.as_str()?;
        Some((name.as_str(), text(value)))
    });
    record(values.collect())
}

fn consent(facts: &Facts) -> Told<Value> {
    let given = |from| {
        facts
            .consent
            .as_ref()
            .is_some_and(|consent| consent.from == from)
    };
    record(vec![
        ("customer", given(ConsentFrom::Customer).into()),
        ("staff", given(ConsentFrom::Staff).into()),
    ])
}

fn age(fact: &Fact, now: i64) -> Told<i64> {
    now.checked_sub(fact.established_at).ok_or(Untellable)
}

fn aged(mut fields: Fields<'_>, age: i64) -> Told<Value> {
    fields.push(("age", age.into()));
    record(fields)
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Agent => "agent",
        Role::Supervisor => "supervisor",
        Role::Admin => "admin",
    }
}

fn text(text: &str) -> Value {
    text.into()
}

/// A record that has each field once: of two with one name the engine would take the last in silence.
fn record(fields: Fields<'_>) -> Told<Value> {
    let count = fields.len();
    let record = Value::record(fields, None);
    match record.value_kind() {
        ValueKind::Record(fields) if fields.len() == count => Ok(record),
        _ => Err(Untellable),
    }
}
