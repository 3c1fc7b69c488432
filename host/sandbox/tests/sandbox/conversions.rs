//! Older majors as the newest: what is declared is held against both packages, and what is converted fits them.

use expect_test::{Expect, expect};
use sandbox::{LoadError, Toolbox, ToolboxSettings};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module};
use wit_parser::{ManglingAndAbi, Resolve};

const COMMON: &str = include_str!("../../../../wit/common/common.wit");

const OLDER: &str = "package switchboard:parcels@1.0.0;
interface parcels {
    enum status { moving, exception }
    record event { at: string, note: option<string> }
    record parcel { parcel-id: string, status: status, cents: s64, kilos: u32, events: list<event> }
    find: func(order-id: string, reason: string) -> result<parcel, string>;
    gone: func() -> string;
}";

const NEWER: &str = "package switchboard:parcels@2.0.0;
interface parcels {
    use switchboard:common/types@1.0.0.{money};
    enum status { moving, problem, lost }
    record event { at: string, note: string }
    record parcel {
        /// The parcel.
        id: string, status: status, cost: money, grams: u64, events: list<event>, why: string, service: string,
        insurance: option<string>,
    }
    /// Finds it.
    track: func(order: string, comment: option<string>, language: string) -> result<parcel, string>;
    added: func() -> string;
}";

const FINE: &str = r#"
[[conversion]]
from = "switchboard:parcels/parcels@1.0.0"
to = "switchboard:parcels/parcels@2.0.0"
[conversion.function.track]
was = "find"
dropped = ["language"]
[conversion.function.track.arguments]
"/order_id" = { from = "/order" }
"/reason" = { from = "/comment", default = "none given" }
[conversion.function.track.result]
"/id" = { from = "/parcel_id" }
"/status" = { cases = { exception = "problem" } }
"/cost" = { from = "", money = { minor_units = "/cents", currency = "USD" } }
"/grams" = { from = "/kilos", times = 1000 }
"/events/*/note" = { default = "-" }
"/why" = { argument = "/order" }
"/service" = { value = "standard" }
"#;

fn toolbox(conversions: &str) -> Result<Toolbox, LoadError> {
    let file = |path: &str, text: &str| (format!("wit/{path}"), text.to_owned());
    Toolbox::new(ToolboxSettings {
        contract: vec![
            file("common/common.wit", COMMON),
            file("parcels/parcels.wit", OLDER),
            file("parcels-2/parcels.wit", NEWER),
            file("conversions.toml", conversions),
        ],
        ..ToolboxSettings::default()
    })
}

fn refused(conversions: &str, expect: &Expect) {
    match toolbox(conversions) {
        Ok(_) => panic!("it fits"),
        Err(error) => expect.assert_eq(&error.to_string()),
    }
}

/// A component of this major, which traps when it is called.
fn exporting(version: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    for (path, text) in [
        ("common.wit", COMMON),
        ("older.wit", OLDER),
        ("newer.wit", NEWER),
    ] {
        resolve.push_source(path, text).unwrap();
    }
    let text =
        format!("package acme:w; world w {{ export switchboard:parcels/parcels@{version}; }}");
    let package = resolve.push_source("w.wit", &text).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .unwrap();
    ComponentEncoder::default()
        .module(&module)
        .unwrap()
        .encode()
        .unwrap()
}

#[test]
fn an_older_interface_is_offered_as_the_newest() {
    let toolbox = toolbox(FINE).unwrap();
    let inspected = |version: &str| {
        toolbox
            .inspect("parcels", "1.0.0", &exporting(version))
            .unwrap()
    };
    let (older, newer) = (inspected("1.0.0"), inspected("2.0.0"));
    let [tool] = older.tools.as_slice() else {
        panic!("{older:?}");
    };
    assert_eq!(tool.interface, "switchboard:parcels/parcels@2.0.0");
    assert_eq!(tool.description, newer.tools[0].description);
    assert_eq!(tool.input_schema, newer.tools[0].input_schema);
    assert_eq!(tool.output_schema, newer.tools[0].output_schema);
    assert_eq!(newer.tools.len(), 2);
    assert!(newer.skipped.is_empty(), "{newer:?}");
    expect![[r"
        switchboard:parcels/parcels@2.0.0#added has no counterpart in the older version
        switchboard:parcels/parcels@1.0.0#gone has no counterpart in switchboard:parcels/parcels@2.0.0"]]
    .assert_eq(&older.skipped.join("\n"));
}

/// What is changed in the declaration, and what is said of it.
#[expect(clippy::too_many_lines, reason = "a table, a row for each mistake")]
fn misfits() -> [(&'static str, &'static str, Expect); 21] {
    [
        (
            "parcels@2.0.0",
            "parcels@3.0.0",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@3.0.0: there is no such interface in the contract"
            ],
        ),
        (
            "function.track]",
            "function.trace]",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, trace: switchboard:parcels/parcels@2.0.0 has no such function"
            ],
        ),
        (
            "was = \"find\"",
            "was = \"search\"",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: the older version has no function search"
            ],
        ),
        (
            "dropped = [\"language\"]",
            "",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: language: the older function has no use for it, and `dropped` does not say so"
            ],
        ),
        (
            "dropped = [\"language\"]",
            "dropped = [\"language\", \"colour\"]",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: dropped: there is no parameter colour"
            ],
        ),
        (
            "\"/order_id\" = { from = \"/order\" }",
            "\"/order_id\" = { from = \"/number\" }",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: /order_id: the other version has nothing at /number"
            ],
        ),
        (
            "\"/reason\" = { from = \"/comment\", default = \"none given\" }",
            "",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: /reason: the other version has no such field, and no rule says where it comes from"
            ],
        ),
        (
            ", default = \"none given\"",
            "",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: /reason: it may be absent in the other version; a `default` is missing"
            ],
        ),
        (
            ", default = \"none given\"",
            ", default = 7",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: /reason: the constant does not fit: expected a string, found the number 7"
            ],
        ),
        (
            "cases = { exception = \"problem\" }",
            "cases = { exception = \"trouble\" }",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: /status: the case exception has no counterpart: there is no case trouble"
            ],
        ),
        (
            "cases = { exception = \"problem\" }",
            "cases = { broken = \"problem\" }",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: /status: there is no case broken to come from"
            ],
        ),
        (
            "\"/status\" = { cases = { exception = \"problem\" } }",
            "",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: /status: the case exception has no counterpart: there is no case exception"
            ],
        ),
        (
            "times = 1000",
            "times = 0",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: /grams: only whole numbers have units, and by positive numbers"
            ],
        ),
        (
            "\"/service\" = { value = \"standard\" }",
            "",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: /service: the other version has no such field, and no rule says where it comes from"
            ],
        ),
        (
            "\"/service\" = { value = \"standard\" }",
            "\"/service\" = { value = 3 }",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: /service: the constant does not fit: expected a string, found the number 3"
            ],
        ),
        (
            "\"/why\" = { argument = \"/order\" }",
            "\"/why\" = { argument = \"/customer_id\" }",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: /why: there is no argument /customer_id"
            ],
        ),
        (
            "\"/service\" =",
            "\"/services\" =",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: /service: the other version has no such field, and no rule says where it comes from"
            ],
        ),
        (
            "minor_units = \"/cents\"",
            "minor_units = \"/pennies\"",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: /cost: the other version has nothing at /pennies"
            ],
        ),
        (
            "currency = \"USD\"",
            "currency = \"dollars\"",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: /cost: currency must be a JSON pointer or an ISO 4217 code"
            ],
        ),
        (
            "\"/events/*/note\" = { default = \"-\" }",
            "",
            expect![
                "wit/conversions.toml: switchboard:parcels/parcels@1.0.0 → switchboard:parcels/parcels@2.0.0, track: /events/*/note: it may be absent in the other version; a `default` is missing"
            ],
        ),
        (
            "was =",
            "wos =",
            expect![[r#"
            wit/conversions.toml: the file: TOML parse error at line 6, column 1
              |
            6 | wos = "find"
              | ^^^
            unknown field `wos`, expected one of `was`, `arguments`, `dropped`, `result`
        "#]],
        ),
    ]
}

#[test]
fn a_declaration_that_does_not_fit_is_refused_by_file_and_place() {
    for (from, to, expect) in misfits() {
        let wrong = FINE.replace(from, to);
        assert_ne!(wrong, FINE, "{from}");
        refused(&wrong, &expect);
    }
}
