//! The repository's own contract: every function of it can be offered, and says what it is.

use std::fs;
use std::path::Path;

use wit_parser::Interface;

use crate::LoadError;
use crate::reflect::Contract;
use crate::reflect::contract::{NAMESPACE, package};

fn files() -> Vec<(String, String)> {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let mut files = Vec::new();
    for folder in fs::read_dir(wit)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        for file in folder
            .is_dir()
            .then(|| fs::read_dir(&folder).unwrap())
            .into_iter()
            .flatten()
        {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "wit") {
                files.push((
                    path.display().to_string(),
                    fs::read_to_string(&path).unwrap(),
                ));
            }
        }
    }
    files
}

#[test]
fn every_function_is_a_documented_tool() {
    let contract = Contract::parse(&files()).unwrap();
    let resolve = contract.resolve();
    let is_tool = |interface: &Interface| {
        package(resolve, interface)
            .is_some_and(|package| package.namespace == NAMESPACE && package.name != "host")
    };
    let mut tools = 0;
    for (id, interface) in resolve.interfaces.iter().filter(|(_, i)| is_tool(i)) {
        let name = resolve.id_of(id).unwrap();
        for plan in contract.plans(resolve, interface, &name).unwrap() {
            tools += 1;
            assert_ne!(
                plan.description(),
                format!("{}.", plan.title()),
                "{} says nothing",
                plan.tool()
            );
            assert_eq!(plan.output_schema()["type"], "object", "{}", plan.tool());
        }
    }
    assert!(tools >= 27, "only {tools} tools");
}

#[test]
fn a_broken_contract_says_where() {
    let files = [(
        "wit/a/a.wit".to_owned(),
        "package a:b;\ninterface i { f: func(x: nothing); }".to_owned(),
    )];
    let error = Contract::parse(&files).err().unwrap();
    assert!(
        matches!(&error, LoadError::Wit(text) if text.contains("a.wit:2")),
        "{error}"
    );
}

#[test]
fn the_frozen_copy_is_left_alone() {
    let files = [
        (
            "wit/a/a.wit".to_owned(),
            "package a:b@1.0.0; interface i { f: func(); }".to_owned(),
        ),
        (
            "wit/released/a/a.wit".to_owned(),
            "package a:b@1.0.0; interface i { f: func(); }".to_owned(),
        ),
        ("wit/README.md".to_owned(), "not WIT".to_owned()),
    ];
    Contract::parse(&files).unwrap();
}
