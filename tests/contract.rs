//! The contract keeps its word: what is in `wit/` may only add to what was released.

use std::fs;
use std::path::Path;

use wit_component::semver_check;
use wit_parser::{Resolve, WorldId};

const RELEASED: &str = "1.0.0";
/// `semver_check` wants both in one `Resolve`, where a package's name and version exist once.
const STAND_IN: &str = "0.9.0";

#[test]
fn the_contract_only_adds_to_what_was_released() {
    let wit = crate::tree::root().join("wit");
    let released = texts(&wit.join("released"), |text| {
        text.replace(&at(RELEASED), &at(STAND_IN))
    });
    assert_eq!(compare(&released, &texts(&wit, str::to_owned)), Ok(()));
}

#[test]
fn a_changed_field_would_be_noticed() {
    let wit = crate::tree::root().join("wit");
    let released = texts(&wit.join("released"), |text| {
        text.replace(&at(RELEASED), &at(STAND_IN))
    });
    let broken = texts(&wit, |text| {
        text.replace("sku: string,", "sku: string, colour: string,")
    });
    assert!(compare(&released, &broken).is_err());
}

fn compare(released: &[(String, String)], current: &[(String, String)]) -> Result<(), String> {
    let mut resolve = Resolve::default();
    let before = world(&mut resolve, released, STAND_IN);
    let now = world(&mut resolve, current, RELEASED);
    semver_check(resolve, before, now).map_err(|error| format!("{error:#}"))
}

/// A world that imports every interface of these packages.
fn world(resolve: &mut Resolve, packages: &[(String, String)], version: &str) -> WorldId {
    let mut imports = String::new();
    for (name, text) in packages {
        let package = resolve.push_str(name, text).unwrap();
        for interface in resolve.packages[package].interfaces.keys() {
            imports += "import switchboard:";
            imports += &[name, "/", interface, "@", version, "; "].concat();
        }
    }
    let text = format!("package switchboard:all@{version}; world all {{ {imports} }}");
    let package = resolve.push_str("all", &text).unwrap();
    resolve.packages[package].worlds["all"]
}

/// Every package of a folder as (name, text), `common` first because the others build upon it.
fn texts(folder: &Path, edit: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| folder.join(name).join(format!("{name}.wit")).is_file())
        .collect();
    names.sort_by_key(|name| (name != "common", name.clone()));
    assert!(names.len() > 10, "{} holds {names:?}", folder.display());
    let read = |name: String| {
        let text = fs::read_to_string(folder.join(&name).join(format!("{name}.wit"))).unwrap();
        (name, edit(&text))
    };
    names.into_iter().map(read).collect()
}

fn at(version: &str) -> String {
    format!("@{version}")
}
