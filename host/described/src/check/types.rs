//! The types of a description: each a record or an enum, none containing itself.

use std::collections::BTreeSet;

use super::{Check, MAX_MEMBERS};
use crate::{Field, Kind, TypeDef};

impl Check<'_> {
    pub(super) fn type_def(&mut self, name: &str, def: &TypeDef) {
        let at = format!("type.{name}");
        self.name(&at, name);
        let is_own = name
            .parse()
            .is_ok_and(|kind: Kind| named(&kind) == Some(name));
        self.unless(
            is_own || !super::is_name(name),
            &at,
            "that is the name of a built-in type",
        );
        let members = def.cases.len() + def.fields.len();
        self.unless(
            def.cases.is_empty() != def.fields.is_empty(),
            &at,
            "a type has either `fields`, then it is a record, or `cases`, then it is an enum",
        );
        self.unless(
            members <= MAX_MEMBERS,
            &at,
            "that is more than 256 fields or cases",
        );
        self.cases(&at, def);
        for (name, field) in def.fields.iter() {
            self.field(&format!("{at}.fields.{name}"), name, field);
        }
    }

    fn cases(&mut self, at: &str, def: &TypeDef) {
        let mut written = BTreeSet::new();
        for (name, wire) in def.cases.iter() {
            let at = format!("{at}.cases.{name}");
            self.name(&at, name);
            self.unless(
                written.insert(wire),
                &at,
                "another case is written in the same way",
            );
        }
        if let Some(other) = &def.other {
            let known = def.cases.get(other).is_some();
            self.unless(known, at, "`other` names none of the cases");
        }
    }

    fn field(&mut self, at: &str, name: &str, field: &Field) {
        self.name(at, name);
        self.kind(at, &field.kind);
        self.pointer(at, &field.pointer(name));
        self.money(at, &field.kind, field.money.as_ref());
        self.unless(
            !(field.optional && field.default.is_some()),
            at,
            "a field with a default is always there, and not optional",
        );
    }

    pub(super) fn money(&mut self, at: &str, kind: &Kind, form: Option<&crate::MoneyForm>) {
        let Some(form) = form else { return };
        self.unless(*kind == Kind::Money, at, "`money` is for the type money");
        if let Some(misfit) = form.misfit() {
            self.note(at, misfit);
        }
    }

    /// Every type that is named must be there.
    pub(super) fn kind(&mut self, at: &str, kind: &Kind) {
        match kind {
            Kind::List(item) => self.kind(at, item),
            Kind::Named(name) if self.api.types.get(name).is_none() => {
                self.note(at, format!("there is no type {name}"));
            }
            _ => {}
        }
    }

    /// A value that contains itself has no end; WIT has no such types.
    pub(super) fn cycles(&mut self) {
        let mut done = BTreeSet::new();
        for (name, _) in self.api.types.iter() {
            let mut path = Vec::new();
            if let Some(cycle) = self.cycle(name, &mut path, &mut done) {
                self.note(
                    &format!("type.{name}"),
                    format!("it contains itself: {cycle}"),
                );
                return;
            }
        }
    }

    fn cycle<'a>(
        &'a self,
        name: &'a str,
        path: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<String> {
        if let Some(start) = path.iter().position(|known| *known == name) {
            return Some([&path[start..], &[name]].concat().join(" → "));
        }
        if done.contains(name) {
            return None;
        }
        path.push(name);
        let fields = self.api.types.get(name)?.fields.iter();
        let found = fields
            .filter_map(|(_, field)| named(&field.kind))
            .find_map(|inner| self.cycle(inner, path, done));
        path.pop();
        done.insert(name);
        found
    }
}

fn named(kind: &Kind) -> Option<&str> {
    match kind {
        Kind::List(item) => named(item),
        Kind::Named(name) => Some(name),
        _ => None,
    }
}
