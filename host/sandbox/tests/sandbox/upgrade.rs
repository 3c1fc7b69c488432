//! What a new version changes for its callers, and the texts and names that no version may have.

use expect_test::{Expect, expect};
use sandbox::{Comparison, LoadError};

use crate::guest::{TENANT, component, core, friendly, load, source, toolbox, with_section};

/// A guest of these functions, none of which is ever called.
fn guest(functions: &str) -> Vec<u8> {
    of_package("acme:points", functions)
}

fn of_package(package: &str, functions: &str) -> Vec<u8> {
    let wit = format!(
        "package {package}@1.0.0; interface points {{ {functions} }} world w {{ export points; }}"
    );
    let mut resolve = wit_parser::Resolve::default();
    resolve.push_source("own.wit", &wit).unwrap();
    let names = resolve
        .interfaces
        .iter()
        .next()
        .unwrap()
        .1
        .functions
        .clone();
    let exported = names.iter().map(|(name, function)| {
        let signature = resolve.wasm_signature(wit_parser::abi::AbiVariant::GuestExport, function);
        let word = |types: &[wit_parser::abi::WasmType], kind: &str| {
            let types: Vec<_> = types
                .iter()
                .map(|ty| match ty {
                    wit_parser::abi::WasmType::I64 => "i64",
                    wit_parser::abi::WasmType::F64 => "f64",
                    wit_parser::abi::WasmType::F32 => "f32",
                    _ => "i32",
                })
                .collect();
            if types.is_empty() {
                String::new()
            } else {
                format!("({kind} {})", types.join(" "))
            }
        };
        format!(
            "(func (export \"{package}/points@1.0.0#{name}\") {} {} unreachable)",
            word(&signature.params, "param"),
            word(&signature.results, "result"),
        )
    });
    component(&[&wit], &core(&exported.collect::<String>()))
}

/// What the second guest changes for callers of the first.
async fn check(old: &str, new: &str, expected: &Expect) {
    let (old, new) = (
        load(source(guest(old))).await,
        load(source(guest(new))).await,
    );
    let found = Comparison::of(&old.unwrap(), &new.unwrap());
    expected.assert_eq(&serde_json::to_string(&found).unwrap());
}

#[tokio::test]
async fn more_tools_and_more_that_is_optional_are_compatible() {
    check(
        "get: func(id: string) -> string;",
        "get: func(id: string, year: option<u32>) -> string; spend: func(points: u32) -> bool;",
        &expect![[r#"{"added":["spend"],"removed":[],"incompatible":[],"redescribed":[],"capabilities":[]}"#]],
    )
    .await;
}

#[tokio::test]
async fn what_callers_would_trip_over_is_named() {
    check(
        "get: func(id: string) -> string; spend: func(points: u32) -> bool;",
        "get: func(id: u32, year: u32) -> u32;",
        &expect![[r#"{"added":[],"removed":["spend"],"incompatible":["spend: the tool is gone","get: argument /year is always there on one side only","get: argument /id is \"integer\", and was \"string\"","get: result /result is \"string\", and was \"integer\""],"redescribed":[],"capabilities":[]}"#]],
    )
    .await;
}

#[tokio::test]
async fn another_description_is_told() {
    let text = |words: &str| {
        let functions = format!(
            "/// {words}\n add: func(a: u32, b: u32) -> u32; echo: func(text: string) -> string;"
        );
        format!("package acme:friendly@1.0.0; interface friendly {{ {functions} }}")
    };
    let old = load(source(with_section(friendly(), &text("Adds."))))
        .await
        .unwrap();
    let new = load(source(with_section(
        friendly(),
        &text("Adds, and tells everybody."),
    )))
    .await
    .unwrap();
    let found = Comparison::of(&old, &new);
    assert_eq!(found.redescribed, ["add"]);
    assert!(found.is_compatible());
}

#[tokio::test]
async fn characters_that_nobody_sees_are_refused_wherever_a_model_would_read_them() {
    for hidden in [
        '\u{202e}',
        '\u{200b}',
        '\u{feff}',
        '\u{2066}',
        '\u{e0041}',
        '\u{fe0f}',
        '\u{7}',
        '\u{34f}',
        '\u{115f}',
        '\u{1160}',
        '\u{17b4}',
        '\u{17b5}',
        '\u{2800}',
        '\u{3164}',
        '\u{ffa0}',
        '\u{e000}',
    ] {
        let text = format!(
            "package acme:friendly@1.0.0; interface friendly {{
                add: func(a: u32, b: u32) -> u32;
                /// Says it again{hidden}.
                echo: func(text: string) -> string;
            }}"
        );
        // What the parser of WIT refuses itself is documentation that nobody gets to read.
        match load(source(with_section(friendly(), &text))).await {
            Err(LoadError::Hidden {
                tool,
                place,
                character,
            }) => {
                assert_eq!((tool.as_str(), place.as_str()), ("echo", "description"));
                assert_eq!(character, u32::from(hidden));
            }
            Ok(plugin) => assert!(
                plugin
                    .tools()
                    .all(|tool| !tool.description.contains(hidden))
            ),
            Err(other) => panic!("{other}"),
        }
    }
    let visible = "package acme:friendly@1.0.0; interface friendly {
            /// Größe, 大小, חיבור, 크기, ទំហំ, ⠓⠊, 🎉: all of it can be seen.
            add: func(a: u32, b: u32) -> u32;
            echo: func(text: string) -> string;
        }";
    load(source(with_section(friendly(), visible)))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_name_that_passes_for_another_is_refused() {
    let toolbox = toolbox();
    for (package, function) in [
        ("acme:points", "count"),
        ("acme:points", "co-unt"),
        ("acme:points", "c0unt"),
    ] {
        let bytes = of_package(package, &format!("{function}: func() -> u32;"));
        let plugin = toolbox.load(source(bytes)).await.unwrap();
        let refused = toolbox.publish(TENANT, &[plugin]).unwrap_err();
        let LoadError::Shadow { other, whose, .. } = &refused else {
            panic!("{refused}");
        };
        assert_eq!(
            (other.as_str(), whose.as_str()),
            ("count", "switchboard:probe/probe@1.0.0")
        );
    }
    let both = guest("get-points: func() -> u32; get-p0ints: func() -> u32;");
    let plugin = toolbox.load(source(both)).await.unwrap();
    let refused = toolbox.publish(TENANT, &[plugin]).unwrap_err();
    assert!(matches!(refused, LoadError::Shadow { .. }), "{refused}");
}

#[tokio::test]
async fn more_tools_and_words_than_anybody_reads_are_refused() {
    let functions = |count: usize| {
        let function = |at: usize| format!("tool-x{at}: func() -> u32;");
        (0..count).map(function).collect::<String>()
    };
    let told = |lines: usize| {
        let line = format!("/// {}\n", "word ".repeat(100));
        let text = format!(
            "package acme:friendly@1.0.0; interface friendly {{
                {}add: func(a: u32, b: u32) -> u32;
                echo: func(text: string) -> string;
            }}",
            line.repeat(lines)
        );
        with_section(friendly(), &text)
    };
    // Each of these has an enum of its own in its schema.
    let large = |count: usize| {
        let cases: Vec<String> = (0..400).map(|at| format!("case-of-many-x{at}")).collect();
        let function = |at: usize| format!("tool-x{at}: func(which: many) -> u32;");
        let functions: String = (0..count).map(function).collect();
        format!("enum many {{ {} }} {functions}", cases.join(", "))
    };
    for fits in [guest(&functions(256)), told(30), guest(&large(40))] {
        load(source(fits)).await.unwrap();
    }
    for (what, passes) in [
        ("tools", guest(&functions(257))),
        ("bytes in the description of a tool", told(40)),
        (
            "bytes in what its tools say of themselves",
            guest(&large(80)),
        ),
    ] {
        match load(source(passes)).await {
            Err(LoadError::TooComplex { what: found, .. }) => assert_eq!(found, what),
            other => panic!("{what}: {:?}", other.map(drop)),
        }
    }
}
