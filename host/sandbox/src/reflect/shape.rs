//! A compiled type: what a value looks like in JSON and as a component value, with every name resolved.

use std::fmt::{self, Display, Formatter};

/// A name in both worlds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// `order-id`.
    pub(crate) wit: String,
    /// `order_id`.
    pub(crate) json: String,
}

impl Name {
    pub(crate) fn new(wit: &str) -> Self {
        Self {
            wit: wit.to_owned(),
            json: wit.to_lowercase().replace('-', "_"),
        }
    }
}

/// A type with what its author wrote about it.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    pub(crate) docs: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Bool,
    Int(IntKind),
    F32,
    F64,
    Char,
    Text(TextRule),
    /// `list<u8>`: base64 in JSON.
    Bytes,
    /// `money` of `switchboard:common/types`.
    Money,
    List(Box<Shape>),
    Tuple(Vec<Shape>),
    Record(Vec<Field>),
    Variant(Vec<Case>),
    Enum(Vec<Label>),
    Flags(Vec<Label>),
    Option(Box<Shape>),
    Result {
        ok: Option<Box<Shape>>,
        error: Option<Box<Shape>>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntKind {
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
}

impl IntKind {
    /// The smallest and the largest value.
    pub(crate) fn bounds(self) -> (i128, i128) {
        match self {
            Self::S8 => (i8::MIN.into(), i8::MAX.into()),
            Self::U8 => (0, u8::MAX.into()),
            Self::S16 => (i16::MIN.into(), i16::MAX.into()),
            Self::U16 => (0, u16::MAX.into()),
            Self::S32 => (i32::MIN.into(), i32::MAX.into()),
            Self::U32 => (0, u32::MAX.into()),
            Self::S64 => (i64::MIN.into(), i64::MAX.into()),
            Self::U64 => (0, u64::MAX.into()),
        }
    }
}

/// What a string must look like; recognised by the name of its alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextRule {
    Plain,
    Id,
    Email,
    Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: Name,
    pub(crate) shape: Shape,
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) label: Label,
    pub(crate) payload: Option<Shape>,
}

/// A case of an enum or a variant, or a flag.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) name: Name,
    pub(crate) docs: Option<String>,
}

impl Shape {
    pub(crate) fn plain(kind: Kind) -> Self {
        Self { kind, docs: None }
    }

    pub(crate) fn is_option(&self) -> bool {
        matches!(self.kind, Kind::Option(_))
    }

    /// Whether its JSON form is always an object.
    pub(crate) fn is_object(&self) -> bool {
        matches!(self.kind, Kind::Record(_) | Kind::Money)
    }
}

/// The type as it crosses the component boundary, without aliases and documentation: equal text, equal type.
impl Display for Shape {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Bool => to.write_str("bool"),
            Kind::Int(int) => to.write_str(&format!("{int:?}").to_lowercase()),
            Kind::F32 => to.write_str("f32"),
            Kind::F64 => to.write_str("f64"),
            Kind::Char => to.write_str("char"),
            Kind::Text(_) => to.write_str("string"),
            Kind::Bytes => to.write_str("list<u8>"),
            Kind::Money => to.write_str("record { minor-units: s64, currency: string }"),
            Kind::List(item) => write!(to, "list<{item}>"),
            Kind::Tuple(items) => write!(to, "tuple<{}>", joined(items, Shape::to_string)),
            Kind::Record(fields) => write!(to, "record {{ {} }}", joined(fields, field_text)),
            Kind::Variant(cases) => write!(to, "variant {{ {} }}", joined(cases, case_text)),
            Kind::Enum(labels) => write!(to, "enum {{ {} }}", joined(labels, label_text)),
            Kind::Flags(labels) => write!(to, "flags {{ {} }}", joined(labels, label_text)),
            Kind::Option(some) => write!(to, "option<{some}>"),
            Kind::Result { ok, error } => {
                write!(
                    to,
                    "result<{}, {}>",
                    or_unit(ok.as_deref()),
                    or_unit(error.as_deref())
                )
            }
        }
    }
}

fn joined<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(", ")
}

fn field_text(field: &Field) -> String {
    format!("{}: {}", field.name.wit, field.shape)
}

fn case_text(case: &Case) -> String {
    match &case.payload {
        Some(payload) => format!("{}({payload})", case.label.name.wit),
        None => case.label.name.wit.clone(),
    }
}

fn label_text(label: &Label) -> String {
    label.name.wit.clone()
}

fn or_unit(shape: Option<&Shape>) -> String {
    shape.map_or_else(|| "_".to_owned(), ToString::to_string)
}
