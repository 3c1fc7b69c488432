//! Laws: what comes out of a component goes in again unchanged, for every type.

use proptest::collection::vec;
use proptest::prelude::*;
use wasmtime::component::Val;

use crate::reflect::lift;
use crate::reflect::lower::Lowering;
use crate::reflect::pointer::Pointer;
use crate::reflect::schema::Side;
use crate::reflect::shape::{Case, Field, IntKind, Kind, Label, Name, Shape, TextRule};

fn named(prefix: &str, index: usize) -> Name {
    Name::new(&format!("{prefix}-{index}"))
}

fn label(index: usize) -> Label {
    Label {
        name: named("case", index),
        docs: None,
    }
}

fn leaf() -> BoxedStrategy<(Shape, Val)> {
    fn pair(kind: Kind, val: Val) -> (Shape, Val) {
        (Shape::plain(kind), val)
    }
    prop_oneof![
        any::<bool>().prop_map(|v| pair(Kind::Bool, Val::Bool(v))),
        any::<i8>().prop_map(|v| pair(Kind::Int(IntKind::S8), Val::S8(v))),
        any::<u8>().prop_map(|v| pair(Kind::Int(IntKind::U8), Val::U8(v))),
        any::<i16>().prop_map(|v| pair(Kind::Int(IntKind::S16), Val::S16(v))),
        any::<u16>().prop_map(|v| pair(Kind::Int(IntKind::U16), Val::U16(v))),
        any::<i32>().prop_map(|v| pair(Kind::Int(IntKind::S32), Val::S32(v))),
        any::<u32>().prop_map(|v| pair(Kind::Int(IntKind::U32), Val::U32(v))),
        any::<i64>().prop_map(|v| pair(Kind::Int(IntKind::S64), Val::S64(v))),
        any::<u64>().prop_map(|v| pair(Kind::Int(IntKind::U64), Val::U64(v))),
        any::<f32>()
            .prop_filter("finite", |v| v.is_finite())
            .prop_map(|v| pair(Kind::F32, Val::Float32(v))),
        any::<f64>()
            .prop_filter("finite", |v| v.is_finite())
            .prop_map(|v| pair(Kind::F64, Val::Float64(v))),
        any::<char>().prop_map(|v| pair(Kind::Char, Val::Char(v))),
        "[^\0]{0,20}".prop_map(|v| pair(Kind::Text(TextRule::Plain), Val::String(v))),
        "[!-~]{1,20}".prop_map(|v| pair(Kind::Text(TextRule::Id), Val::String(v))),
        vec(any::<u8>(), 0..9)
            .prop_map(|v| { pair(Kind::Bytes, Val::List(v.into_iter().map(Val::U8).collect())) }),
        (
            any::<i64>(),
            prop_oneof![Just("USD"), Just("JPY"), Just("BHD")]
        )
            .prop_map(|(v, code)| {
                let currency = Val::String(code.to_owned());
                let fields = vec![
                    ("minor-units".to_owned(), Val::S64(v)),
                    ("currency".to_owned(), currency),
                ];
                pair(Kind::Money, Val::Record(fields))
            }),
        (1..9_usize, any::<prop::sample::Index>()).prop_map(|(count, chosen)| {
            let labels: Vec<Label> = (0..count).map(label).collect();
            let val = Val::Enum(labels[chosen.index(count)].name.wit.clone());
            pair(Kind::Enum(labels), val)
        }),
        vec(any::<bool>(), 1..9).prop_map(|set| {
            let labels: Vec<Label> = (0..set.len()).map(label).collect();
            let chosen = labels.iter().zip(&set).filter(|(_, on)| **on);
            let val = Val::Flags(chosen.map(|(label, _)| label.name.wit.clone()).collect());
            pair(Kind::Flags(labels), val)
        }),
    ]
    .boxed()
}

fn value() -> BoxedStrategy<(Shape, Val)> {
    leaf()
        .prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                (inner.clone(), any::<bool>()).prop_map(|((shape, val), present)| {
                    let val = Val::Option(present.then(|| Box::new(val)));
                    (Shape::plain(Kind::Option(Box::new(shape))), val)
                }),
                (inner.clone(), 0..4_usize)
                    .prop_filter("list<u8> is base64", |((shape, _), _)| {
                        !matches!(shape.kind, Kind::Int(IntKind::U8))
                    })
                    .prop_map(|((shape, val), times)| {
                        let val = Val::List(vec![val; times]);
                        (Shape::plain(Kind::List(Box::new(shape))), val)
                    }),
                vec(inner.clone(), 0..4).prop_map(|items| {
                    let (shapes, vals) = items.into_iter().unzip();
                    (Shape::plain(Kind::Tuple(shapes)), Val::Tuple(vals))
                }),
                vec(inner.clone(), 1..4).prop_map(record),
                (vec(inner.clone(), 1..4), any::<bool>())
                    .prop_map(|(items, bare)| variant(items, bare)),
                (inner.clone(), inner, any::<bool>()).prop_map(|((ok, yes), (error, no), good)| {
                    let kind = Kind::Result {
                        ok: Some(Box::new(ok)),
                        error: Some(Box::new(error)),
                    };
                    let val = if good {
                        Ok(Some(Box::new(yes)))
                    } else {
                        Err(Some(Box::new(no)))
                    };
                    (Shape::plain(kind), Val::Result(val))
                }),
            ]
        })
        .boxed()
}

fn record(items: Vec<(Shape, Val)>) -> (Shape, Val) {
    let (mut fields, mut vals) = (Vec::new(), Vec::new());
    for (index, (shape, val)) in items.into_iter().enumerate() {
        let name = named("field", index);
        vals.push((name.wit.clone(), val));
        fields.push(Field { name, shape });
    }
    (Shape::plain(Kind::Record(fields)), Val::Record(vals))
}

fn variant(items: Vec<(Shape, Val)>, bare: bool) -> (Shape, Val) {
    let chosen = items.last().map(|(_, val)| val.clone());
    let last = items.len() - 1;
    let mut cases: Vec<Case> = (items.into_iter().enumerate())
        .map(|(index, (shape, _))| Case {
            label: label(index),
            payload: Some(shape),
        })
        .collect();
    let payload = if bare {
        cases[last].payload = None;
        None
    } else {
        chosen.map(Box::new)
    };
    let name = cases[last].label.name.wit.clone();
    (
        Shape::plain(Kind::Variant(cases)),
        Val::Variant(name, payload),
    )
}

proptest! {
    #[test]
    fn what_comes_out_goes_in((shape, val) in value()) {
        let json = lift::value(&shape, &val, Pointer::Root).unwrap();
        let mut lowering = Lowering::of(Side::Input);
        let back = lowering.value(&shape, &json, Pointer::Root);
        prop_assert!(lowering.violations.is_empty(), "{json}: {:?}", lowering.violations);
        prop_assert_eq!(back, Some(val));
    }

    #[test]
    fn whatever_is_given_is_taken_or_refused_by_name(text in "\\PC{0,40}", (shape, _) in value()) {
        let json = serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text));
        let mut lowering = Lowering::of(Side::Input);
        let taken = lowering.value(&shape, &json, Pointer::Root);
        prop_assert_eq!(taken.is_some(), lowering.violations.is_empty());
    }
}
