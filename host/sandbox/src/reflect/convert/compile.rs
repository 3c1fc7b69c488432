//! Holding the declared conversions against the types of both versions: what a rule names must exist, and what a version
//! requires must come from somewhere.

use std::collections::{BTreeMap, BTreeSet};

use described::MoneyForm;
use serde_json::Value;

use super::rules::Rule;
use super::step::{Member, Source, Step};
use crate::reflect::lower::Lowering;
use crate::reflect::pointer::Pointer;
use crate::reflect::schema::Side;
use crate::reflect::shape::{Field, Kind, Label, Shape, TextRule};

/// (where, what is wrong)
type Fault = (String, String);

/// One direction of one function.
pub(super) struct Compiling<'a> {
    rules: &'a BTreeMap<String, Rule>,
    /// What the newer function takes.
    arguments: &'a Shape,
    used: BTreeSet<&'a str>,
    /// What was read of the top level of the other version.
    read: BTreeSet<String>,
}

impl<'a> Compiling<'a> {
    pub(super) fn new(rules: &'a BTreeMap<String, Rule>, arguments: &'a Shape) -> Self {
        Self {
            rules,
            arguments,
            used: BTreeSet::new(),
            read: BTreeSet::new(),
        }
    }

    /// The way from a value of one version to the other's.
    pub(super) fn whole(&mut self, to: &Shape, from: &Shape) -> Result<Step, Fault> {
        let step = self.step(to, from, "")?;
        match self
            .rules
            .keys()
            .find(|path| !self.used.contains(path.as_str()))
        {
            None => Ok(step),
            Some(path) => Err((path.clone(), "there is nothing at that place".to_owned())),
        }
    }

    /// Refuses to leave out what a caller says, unless it is declared.
    pub(super) fn nothing_is_lost(&self, dropped: &[String]) -> Result<(), Fault> {
        let taken = fields(self.arguments);
        let is_param = |name: &String| taken.iter().any(|field| field.name.json == *name);
        if let Some(name) = dropped.iter().find(|name| !is_param(name)) {
            return Err((
                "dropped".to_owned(),
                format!("there is no parameter {name}"),
            ));
        }
        let names = taken.iter().map(|field| &field.name.json);
        let lost = names
            .filter(|name| !self.read.contains(*name))
            .find(|name| !dropped.contains(name));
        match lost {
            None => Ok(()),
            Some(name) => Err((
                name.clone(),
                "the older function has no use for it, and `dropped` does not say so".to_owned(),
            )),
        }
    }

    fn step(&mut self, to: &Shape, from: &Shape, path: &str) -> Result<Step, Fault> {
        match (&to.kind, &from.kind) {
            (Kind::Option(to), Kind::Option(from)) => self.step(to, from, path),
            (Kind::Option(to), _) => self.step(to, from, path),
            (Kind::Record(to), Kind::Record(_)) => {
                let members = to
                    .iter()
                    .filter_map(|field| self.member(field, from, path).transpose());
                members.collect::<Result<_, _>>().map(Step::Record)
            }
            (Kind::List(to), Kind::List(from)) => self
                .step(to, from, &format!("{path}/*"))
                .map(|step| Step::List(Box::new(step))),
            (Kind::Enum(to), Kind::Enum(from)) => cases(to, from, &BTreeMap::new(), path),
            (to, from) if is_same(to, from) => Ok(Step::Copy),
            _ => Err((
                place(path),
                format!("{from} does not become {to} by itself"),
            )),
        }
    }

    /// One field, from where its rule says, or from the field of the same name. None where it may be absent, and is.
    fn member(&mut self, field: &Field, from: &Shape, path: &str) -> Result<Option<Member>, Fault> {
        let name = &field.name.json;
        let path = format!("{path}/{name}");
        let rule = self.rules.get_key_value(&path).map(|(key, rule)| {
            self.used.insert(key);
            rule.clone()
        });
        let rule = rule.unwrap_or_default();
        let fault = |message: String| (place(&path), message);
        let to = some(&field.shape);
        if let Some(default) = &rule.default {
            fits(to, default).map_err(fault)?;
        }
        if let Some(value) = &rule.value {
            fits(to, value).map_err(fault)?;
            let source = Source::Value(value.clone());
            return Ok(Some(Member {
                name: name.clone(),
                source,
                step: Step::Copy,
                default: None,
            }));
        }
        let (source, found) = if let Some(pointer) = &rule.argument {
            let found = at(self.arguments, pointer);
            (
                Source::Argument(pointer.clone()),
                found.ok_or_else(|| fault(format!("there is no argument {pointer}")))?,
            )
        } else {
            let pointer = rule.from.clone().unwrap_or_else(|| format!("/{name}"));
            match at(from, &pointer) {
                Some(found) => {
                    let top = pointer.split('/').nth(1).map(str::to_owned);
                    self.read
                        .extend(top.filter(|_| path.matches('/').count() == 1));
                    (Source::Field(pointer), found)
                }
                None if rule.from.is_none() && field.shape.is_option() => return Ok(None),
                None if rule.from.is_none() => {
                    return Err(fault(
                        "the other version has no such field, and no rule says where it comes from"
                            .to_owned(),
                    ));
                }
                None => return Err(fault(format!("the other version has nothing at {pointer}"))),
            }
        };
        let is_always_there =
            !found.is_option() || field.shape.is_option() || rule.default.is_some();
        if !is_always_there {
            return Err(fault(
                "it may be absent in the other version; a `default` is missing".to_owned(),
            ));
        }
        let step = self.converted(to, some(found), &rule, &path)?;
        Ok(Some(Member {
            name: name.clone(),
            source,
            step,
            default: rule.default,
        }))
    }

    fn converted(
        &mut self,
        to: &Shape,
        from: &Shape,
        rule: &Rule,
        path: &str,
    ) -> Result<Step, Fault> {
        if let Some(form) = &rule.money {
            return money(to, from, form, path);
        }
        if rule.times.is_some() || rule.divided_by.is_some() {
            let (times, divided_by) = (rule.times.unwrap_or(1), rule.divided_by.unwrap_or(1));
            let is_whole = |shape: &Shape| matches!(shape.kind, Kind::Int(_));
            return (is_whole(to) && is_whole(from) && times > 0 && divided_by > 0)
                .then_some(Step::Scale { times, divided_by })
                .ok_or_else(|| {
                    (
                        place(path),
                        "only whole numbers have units, and by positive numbers".to_owned(),
                    )
                });
        }
        match (&to.kind, &from.kind) {
            (Kind::Enum(to), Kind::Enum(from)) => cases(to, from, &rule.cases, path),
            _ if !rule.cases.is_empty() => {
                Err((place(path), "it is no enum in both versions".to_owned()))
            }
            _ => self.step(to, from, path),
        }
    }
}

/// Every case of the one version must be a case of the other.
fn cases(
    to: &[Label],
    from: &[Label],
    renamed: &BTreeMap<String, String>,
    path: &str,
) -> Result<Step, Fault> {
    let is_case = |labels: &[Label], name: &str| labels.iter().any(|label| label.name.json == name);
    let fault = |message: String| (place(path), message);
    if let Some(name) = renamed.keys().find(|name| !is_case(from, name)) {
        return Err(fault(format!("there is no case {name} to come from")));
    }
    let mut all = BTreeMap::new();
    for label in from {
        let name = &label.name.json;
        let becomes = renamed.get(name).unwrap_or(name);
        if !is_case(to, becomes) {
            return Err(fault(format!(
                "the case {name} has no counterpart: there is no case {becomes}"
            )));
        }
        all.insert(name.clone(), becomes.clone());
    }
    Ok(Step::Cases(all))
}

fn money(to: &Shape, from: &Shape, form: &MoneyForm, path: &str) -> Result<Step, Fault> {
    if let Some(misfit) = form.misfit() {
        return Err((place(path), misfit.to_owned()));
    }
    match (&to.kind, &from.kind) {
        (Kind::Money, Kind::Money) => Err((place(path), "it is money in both versions".to_owned())),
        (Kind::Money, _) => match form.pointers().find(|pointer| at(from, pointer).is_none()) {
            None => Ok(Step::ReadMoney(form.clone())),
            Some(pointer) => Err((
                place(path),
                format!("the other version has nothing at {pointer}"),
            )),
        },
        (_, Kind::Money) => Ok(Step::WriteMoney(form.clone())),
        _ => Err((place(path), "it is money in neither version".to_owned())),
    }
}

/// Whether every value of the one type is one of the other.
fn is_same(to: &Kind, from: &Kind) -> bool {
    match (to, from) {
        (Kind::Text(to), Kind::Text(from)) => to == from || *to == TextRule::Plain,
        (Kind::Int(to), Kind::Int(from)) => {
            let ((least, most), (lower, upper)) = (to.bounds(), from.bounds());
            least <= lower && upper <= most
        }
        (Kind::F64, Kind::F32) => true,
        (to, from) => {
            let text = |kind: &Kind| Shape::plain(kind.clone()).to_string();
            text(to) == text(from)
        }
    }
}

/// The shape at a pointer of plain fields.
fn at<'a>(shape: &'a Shape, pointer: &str) -> Option<&'a Shape> {
    let mut shape = shape;
    for token in pointer.split('/').skip(1) {
        let field = fields(some(shape))
            .iter()
            .find(|field| field.name.json == token)?;
        shape = &field.shape;
    }
    Some(shape)
}

fn fields(shape: &Shape) -> &[Field] {
    match &shape.kind {
        Kind::Record(fields) => fields,
        _ => &[],
    }
}

/// What an option holds.
fn some(shape: &Shape) -> &Shape {
    match &shape.kind {
        Kind::Option(some) => some,
        _ => shape,
    }
}

fn fits(shape: &Shape, value: &Value) -> Result<(), String> {
    let mut lowering = Lowering::of(Side::Output);
    let _ = lowering.value(shape, value, Pointer::Root);
    match lowering.violations.into_iter().next() {
        None => Ok(()),
        Some(violation) => Err(format!("the constant does not fit: {}", violation.message)),
    }
}

fn place(path: &str) -> String {
    if path.is_empty() {
        "the whole".to_owned()
    } else {
        path.to_owned()
    }
}
