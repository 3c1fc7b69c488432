//! Exports of the contract's namespace are held against the contract.

use expect_test::{Expect, expect};

use crate::guest::{component, core, load, source};

/// A component that exports `switchboard:probe/probe` with these functions.
fn probe(version: &str, functions: &str, items: &str) -> Vec<u8> {
    let wit = format!(
        "package switchboard:probe@{version};
         interface probe {{ {functions} }}
         world w {{ export probe; }}"
    );
    component(
        &[&wit],
        &core(&items.replace('@', &format!("switchboard:probe/probe@{version}#"))),
    )
}

const COUNT: &str = "(func (export \"@count\") (param i32 i32) (result i32) (local.get 1))";
const NAME: &str = "(func (export \"@name\") (result i32) (i32.const 16))";
const THIRD: &str = "(func (export \"@third\") (result i32) (i32.const 3))";

async fn refused(bytes: Vec<u8>, expect: &Expect) {
    match load(source(bytes)).await {
        Ok(_) => panic!("it was loaded"),
        Err(error) => expect.assert_eq(&error.to_string()),
    }
}

#[tokio::test]
async fn documentation_comes_from_the_host_s_own_text() {
    let functions =
        "count: func(text: string) -> u32; name: func() -> string; third: func() -> u32;";
    let bytes = probe("1.0.0", functions, &[COUNT, NAME, THIRD].concat());
    let plugin = load(source(bytes)).await.unwrap();
    let count = plugin.tools().find(|tool| tool.name == "count").unwrap();
    assert_eq!(count.description, "Counts the bytes of a text.");
}

#[tokio::test]
async fn a_missing_function_is_named() {
    let bytes = probe(
        "1.0.0",
        "count: func(text: string) -> u32; third: func() -> u32;",
        &[COUNT, THIRD].concat(),
    );
    refused(bytes, &expect!["switchboard:probe/probe@1.0.0#name does not fit the contract: the component does not export it"]).await;
}

#[tokio::test]
async fn a_function_of_another_type_is_named() {
    let functions = "count: func(text: string) -> u32; name: func() -> u32; third: func() -> u32;";
    let bytes = probe("1.0.0", functions, &[COUNT, NAME, THIRD].concat());
    refused(bytes, &expect!["switchboard:probe/probe@1.0.0#name does not fit the contract: the contract says func() -> string, the component exports func() -> u32"]).await;
}

#[tokio::test]
async fn a_function_too_many_is_named() {
    let functions = "count: func(text: string) -> u32; name: func() -> string; third: func() -> u32; more: func();";
    let more = "(func (export \"@more\"))";
    refused(
        probe("1.0.0", functions, &[COUNT, NAME, THIRD, more].concat()),
        &expect!["switchboard:probe/probe@1.0.0#more does not fit the contract: the contract has no such function"],
    )
    .await;
}

#[tokio::test]
async fn a_version_that_this_host_does_not_know_is_named() {
    refused(
        probe("1.1.0", "third: func() -> u32;", THIRD),
        &expect!["switchboard:probe/probe@1.1.0 is not in this host's contract; build the plugin against the contract of this host"],
    )
    .await;
    refused(
        probe("2.0.0", "third: func() -> u32;", THIRD),
        &expect!["switchboard:probe/probe@2.0.0 is not in this host's contract; build the plugin against the contract of this host"],
    )
    .await;
}
