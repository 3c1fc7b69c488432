//! From a WIT type to a compiled shape.

use wit_parser::{Docs, Resolve, Type, TypeDef, TypeDefKind, TypeOwner};

use super::shape::{Case, Field, IntKind, Kind, Label, Name, Shape, TextRule};

/// How deep a type may nest; a value nests no deeper than its type.
const MAX_DEPTH: usize = 32;
/// How many nodes one function's types may have once they are written out: sharing could make them explode.
const MAX_NODES: usize = 10_000;

/// Compiles the types of one function.
pub(super) struct Compiler<'a> {
    resolve: &'a Resolve,
    nodes: usize,
}

/// Why a type cannot be offered to a model; the text completes "it uses …".
pub(super) type Unsupported = String;

impl<'a> Compiler<'a> {
    pub(super) fn new(resolve: &'a Resolve) -> Self {
        Self { resolve, nodes: 0 }
    }

    pub(super) fn shape(&mut self, ty: &Type) -> Result<Shape, Unsupported> {
        self.at_depth(ty, 0)
    }

    fn at_depth(&mut self, ty: &Type, depth: usize) -> Result<Shape, Unsupported> {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            return Err(format!(
                "a type that nests more than {MAX_DEPTH} levels or has more than {MAX_NODES} parts"
            ));
        }
        match ty {
            Type::Id(id) => self.defined(&self.resolve.types[*id], depth),
            primitive => Ok(Shape::plain(primitive_kind(*primitive)?)),
        }
    }

    fn defined(&mut self, def: &TypeDef, depth: usize) -> Result<Shape, Unsupported> {
        let next = depth + 1;
        let kind = match &def.kind {
            TypeDefKind::Type(aliased) => return self.alias(def, aliased, depth),
            TypeDefKind::Record(_) if self.is_common(def, "money") => Kind::Money,
            TypeDefKind::Record(record) => Kind::Record(
                (record.fields.iter())
                    .map(|field| self.field(&field.name, &field.ty, &field.docs, next))
                    .collect::<Result<_, _>>()?,
            ),
            TypeDefKind::Variant(variant) => Kind::Variant(
                (variant.cases.iter())
                    .map(|case| self.case(case, next))
                    .collect::<Result<_, _>>()?,
            ),
            TypeDefKind::Enum(of) => {
                Kind::Enum(of.cases.iter().map(|c| label(&c.name, &c.docs)).collect())
            }
            TypeDefKind::Flags(of) => {
                Kind::Flags(of.flags.iter().map(|f| label(&f.name, &f.docs)).collect())
            }
            TypeDefKind::Tuple(tuple) => Kind::Tuple(
                (tuple.types.iter())
                    .map(|item| self.at_depth(item, next))
                    .collect::<Result<_, _>>()?,
            ),
            TypeDefKind::Option(some) => Kind::Option(Box::new(self.at_depth(some, next)?)),
            TypeDefKind::Result(result) => Kind::Result {
                ok: self.payload(result.ok.as_ref(), next)?,
                error: self.payload(result.err.as_ref(), next)?,
            },
            TypeDefKind::List(Type::U8) => Kind::Bytes,
            TypeDefKind::List(item) => Kind::List(Box::new(self.at_depth(item, next)?)),
            other => return Err(format!("a {}", other.as_str())),
        };
        Ok(Shape {
            kind,
            docs: text(&def.docs),
        })
    }

    /// An alias adds its documentation and, on a string that has none yet, its rule.
    fn alias(&mut self, def: &TypeDef, aliased: &Type, depth: usize) -> Result<Shape, Unsupported> {
        let mut shape = self.at_depth(aliased, depth)?;
        if matches!(shape.kind, Kind::Text(TextRule::Plain)) {
            shape.kind = Kind::Text(self.text_rule(def));
        }
        if let Some(docs) = text(&def.docs) {
            shape.docs = Some(docs);
        }
        Ok(shape)
    }

    fn text_rule(&self, def: &TypeDef) -> TextRule {
        let name = def.name.as_deref().unwrap_or_default();
        if self.is_common(def, "timestamp") {
            TextRule::Timestamp
        } else if self.is_common(def, "email") {
            TextRule::Email
        } else if name.ends_with("-id") {
            TextRule::Id
        } else {
            TextRule::Plain
        }
    }

    /// Whether this is the type of that name in `switchboard:common/types`, of any version.
    fn is_common(&self, def: &TypeDef, name: &str) -> bool {
        let TypeOwner::Interface(owner) = def.owner else {
            return false;
        };
        let interface = &self.resolve.interfaces[owner];
        let package = interface.package.map(|id| &self.resolve.packages[id].name);
        def.name.as_deref() == Some(name)
            && interface.name.as_deref() == Some("types")
            && package.is_some_and(|p| p.namespace == "switchboard" && p.name == "common")
    }

    fn field(
        &mut self,
        name: &str,
        ty: &Type,
        docs: &Docs,
        depth: usize,
    ) -> Result<Field, Unsupported> {
        let mut shape = self.at_depth(ty, depth)?;
        if let Some(docs) = text(docs) {
            shape.docs = Some(docs);
        }
        Ok(Field {
            name: Name::new(name),
            shape,
        })
    }

    fn case(&mut self, case: &wit_parser::Case, depth: usize) -> Result<Case, Unsupported> {
        Ok(Case {
            label: label(&case.name, &case.docs),
            payload: self.payload(case.ty.as_ref(), depth)?.map(|shape| *shape),
        })
    }

    fn payload(
        &mut self,
        ty: Option<&Type>,
        depth: usize,
    ) -> Result<Option<Box<Shape>>, Unsupported> {
        ty.map(|ty| self.at_depth(ty, depth).map(Box::new))
            .transpose()
    }
}

fn primitive_kind(ty: Type) -> Result<Kind, Unsupported> {
    Ok(match ty {
        Type::Bool => Kind::Bool,
        Type::S8 => Kind::Int(IntKind::S8),
        Type::U8 => Kind::Int(IntKind::U8),
        Type::S16 => Kind::Int(IntKind::S16),
        Type::U16 => Kind::Int(IntKind::U16),
        Type::S32 => Kind::Int(IntKind::S32),
        Type::U32 => Kind::Int(IntKind::U32),
        Type::S64 => Kind::Int(IntKind::S64),
        Type::U64 => Kind::Int(IntKind::U64),
        Type::F32 => Kind::F32,
        Type::F64 => Kind::F64,
        Type::Char => Kind::Char,
        Type::String => Kind::Text(TextRule::Plain),
        Type::ErrorContext => return Err("an error-context".to_owned()),
        Type::Id(_) => return Err("a type that is defined by itself".to_owned()),
    })
}

fn label(name: &str, docs: &Docs) -> Label {
    Label {
        name: Name::new(name),
        docs: text(docs),
    }
}

/// Documentation as it is given to a model: none rather than empty.
pub(super) fn text(docs: &Docs) -> Option<String> {
    let contents = docs.contents.as_deref()?.trim();
    (!contents.is_empty()).then(|| contents.to_owned())
}
