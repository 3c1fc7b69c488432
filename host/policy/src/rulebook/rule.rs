//! One rule: a Cedar policy with what its annotations say, checked while it is read.

use cedar_policy::{Effect, Policy, PolicyId, PolicySet};
use cedar_policy_core::ast::{self, Expr, PrincipalOrResourceConstraint as Constraint};
use cedar_policy_core::est;
use miette::Diagnostic;

use crate::{ConsentFrom, Priority, RulebookError};

const ANNOTATIONS: &[&str] = &[
    "id", "code", "say", "hint", "escalate", "consent", "alarm", "prio",
];

/// A policy, by its `@id`.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) policy: Policy,
    /// When it applies, to actions that its scope admits.
    pub(super) condition: Expr,
    /// The file that it came from.
    pub(super) file: String,
    /// Where it starts there: `line:column`.
    pub(super) at: String,
    /// What it says when it is against a call; none for a permit.
    pub(super) objection: Option<Objection>,
}

impl Rule {
    /// Its id with what it says against a call; none for a permit.
    pub(super) fn as_objection(&self) -> Option<(&str, &Objection)> {
        Some((&self.id, self.objection.as_ref()?))
    }
}

/// What a `forbid` says when it decides.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Objection {
    /// `@prio`: of several, the highest is heard.
    pub(super) prio: i64,
    /// `@code`
    pub(super) code: String,
    /// `@say`
    pub(super) say: String,
    /// `@hint`
    pub(super) hint: Option<String>,
    /// `@escalate`: people can help, so they are told if nothing else is against the call.
    pub(super) escalate: Option<Priority>,
    /// `@consent`: this person's yes lifts it.
    pub(super) consent: Option<ConsentFrom>,
    /// `@alarm`: people hear of the attempt, whatever else is against the call. It asks nobody to approve anything.
    pub(super) alarm: Option<Priority>,
}

/// Reads one policy file.
pub(super) fn read(file: &str, text: &str) -> Result<Vec<Rule>, RulebookError> {
    let set: PolicySet = text
        .parse()
        .map_err(|error| parse_error(file, text, &error))?;
    if let Some(template) = set.templates().next() {
        let at = start(text, template.as_ref().loc().map(|loc| loc.span.offset()));
        let message = format!("{at}: templates (?principal, ?resource) are not supported");
        return Err(parse_failure(file, &message));
    }
    let mut rules = vec![];
    for policy in set.policies() {
        rules.push(read_rule(file, text, policy)?);
    }
    rules.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(rules)
}

/// `line:column` of a diagnostic, counted from one; empty where it points nowhere.
pub(super) fn position(text: &str, diagnostic: &dyn Diagnostic) -> Option<String> {
    let offset = diagnostic.labels()?.next()?.offset();
    Some(line_and_column(text, offset))
}

fn line_and_column(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let last = before.rsplit('\n').next().unwrap_or_default();
    let column = last.chars().count().saturating_add(1);
    format!("{line}:{column}")
}

fn parse_error(
    file: &str,
    text: &str,
    error: &(impl Diagnostic + std::fmt::Display),
) -> RulebookError {
    let at = position(text, error).map_or_else(String::new, |at| format!("{at}: "));
    let help = error
        .help()
        .map_or_else(String::new, |help| format!(" ({help})"));
    parse_failure(file, &format!("{at}{error}{help}"))
}

fn parse_failure(file: &str, message: &str) -> RulebookError {
    RulebookError::Parse {
        file: file.to_owned(),
        message: message.to_owned(),
    }
}

/// Where a policy starts.
fn start(text: &str, offset: Option<usize>) -> String {
    line_and_column(text, offset.unwrap_or(0))
}

fn read_rule(file: &str, text: &str, policy: &Policy) -> Result<Rule, RulebookError> {
    let at = start(text, policy.as_ref().loc().map(|loc| loc.span.offset()));
    let wrong = |message: String| parse_failure(file, &format!("{at}: {message}"));
    let id = policy
        .annotation("id")
        .filter(|id| !id.is_empty())
        .ok_or_else(|| wrong("a rule without @id(\"…\")".to_owned()))?;
    for (name, _) in policy.annotations() {
        if !ANNOTATIONS.contains(&name) {
            return Err(wrong(format!(
                "rule {id}: unknown annotation @{name}; there are @{}",
                ANNOTATIONS.join(", @")
            )));
        }
    }
    let objection = match policy.effect() {
        Effect::Permit => None,
        Effect::Forbid => {
            Some(read_objection(policy).map_err(|message| wrong(format!("rule {id}: {message}")))?)
        }
    };
    Ok(Rule {
        id: id.to_owned(),
        condition: placeless(policy.as_ref(), condition(policy.as_ref())),
        policy: policy.new_id(PolicyId::new(id)),
        file: file.to_owned(),
        objection,
        at,
    })
}

/// The same without its places in the text: each step of an evaluation copies its place, and counts on one counter that all
/// threads share. Taken only if nothing else is different.
fn placeless(policy: &ast::Policy, written: Expr) -> Expr {
    let form = written.clone().into_expr::<est::Builder>();
    form.try_into_ast(policy.id())
        .ok()
        .filter(|plain| *plain == written)
        .unwrap_or(written)
}

/// When the policy applies, to actions that its scope admits. Most scopes say nothing of principal and resource, so that
/// nothing is left of them.
fn condition(policy: &ast::Policy) -> Expr {
    let is_open = matches!(policy.principal_constraint().as_inner(), Constraint::Any)
        && matches!(policy.resource_constraint().as_inner(), Constraint::Any);
    if !is_open {
        return policy.condition();
    }
    let always = || Expr::val(true);
    policy
        .non_scope_constraints()
        .cloned()
        .unwrap_or_else(always)
}

fn read_objection(policy: &Policy) -> Result<Objection, String> {
    let text = |name: &str| policy.annotation(name).map(str::to_owned);
    let required = |name: &str| {
        text(name)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| format!("a forbid needs @{name}(\"…\")"))
    };
    let prio = text("prio").map_or(Ok(0), |prio| prio.parse());
    Ok(Objection {
        prio: prio.map_err(|_| "@prio takes a whole number, such as @prio(\"300\")".to_owned())?,
        code: required("code")?,
        say: required("say")?,
        hint: text("hint"),
        escalate: read_priority(policy, "escalate")?,
        consent: read_consent(policy)?,
        alarm: read_priority(policy, "alarm")?,
    })
}

fn read_priority(policy: &Policy, name: &str) -> Result<Option<Priority>, String> {
    match policy.annotation(name) {
        None => Ok(None),
        Some("P1") => Ok(Some(Priority::P1)),
        Some("P2") => Ok(Some(Priority::P2)),
        Some("P3") => Ok(Some(Priority::P3)),
        Some(_) => Err(format!("@{name} takes \"P1\", \"P2\" or \"P3\"")),
    }
}

fn read_consent(policy: &Policy) -> Result<Option<ConsentFrom>, String> {
    match policy.annotation("consent") {
        None => Ok(None),
        Some("customer") => Ok(Some(ConsentFrom::Customer)),
        Some("staff") => Ok(Some(ConsentFrom::Staff)),
        Some(_) => Err("@consent takes \"customer\" or \"staff\"".to_owned()),
    }
}
