//! What a version asks for beyond another, line by line.

use super::*;

const POINTS: &str = r#"
name = "loyalty"
version = "1.0.0"
[[asks.reach]]
origin = "https://api.example.com"
methods = ["POST"]
paths = ["/members/{customer_id}/redemptions"]
nature = "deduplicates"
tools = { redeem_points = [{ at = "/points", is = "/points" }] }
[tool.redeem_points]
effect = "write"
open_to = "matched"
owner = ["/customer_id"]
private = ["/address"]
"#;

fn asking(text: &str) -> Accepted {
    let manifest = Manifest::parse(text, "plugin.toml".as_ref()).unwrap();
    Accepted::of(&manifest, &BTreeMap::new())
}

#[test]
fn all_that_a_first_version_asks_for_is_named() {
    let said = asking(POINTS).beyond(&Accepted::default());
    assert_eq!(
        said,
        [
            "POST https://api.example.com /members/{customer_id}/redemptions, which is said to deduplicate what is repeated, for redeem_points, with /points = /points in the body",
            "the tool redeem_points: write, open to matched",
            "the tool redeem_points: owner = [\"/customer_id\"]",
            "the tool redeem_points: private = [\"/address\"]",
        ]
    );
    assert!(asking(POINTS).beyond(&asking(POINTS)).is_empty());
}

/// Another kind of body is another thing to accept.
#[test]
fn how_bodies_are_read_is_said() {
    let form = POINTS.replace("nature =", "bodies = \"form\"\nnature =");
    let unread = form.replace("{ at = \"/points\", is = \"/points\" }", "");
    for (text, words) in [
        (
            &form,
            "for redeem_points, with /points = /points in a form as its body",
        ),
        (&unread, "for redeem_points, with any form as its body"),
    ] {
        let said = asking(text).beyond(&asking(POINTS));
        assert!(said.len() == 1 && said[0].ends_with(words), "{said:?}");
    }
    assert_eq!(asking(POINTS).beyond(&asking(&form)).len(), 1);
}

#[test]
fn what_a_further_version_says_otherwise_has_a_line_for_each_field() {
    let destination = "POST https://api.example.com /members/{customer_id}/redemptions, ";
    for (old, new, said) in [
        (
            "owner = [\"/customer_id\"]\n",
            "",
            vec!["the tool redeem_points: owner is said no more (was [\"/customer_id\"])".to_owned()],
        ),
        (
            "private = [\"/address\"]",
            "private = []\nestablishes = [{ kind = \"member\", id = \"/id\", attributes = { owner = \"/customer_id\" } }]",
            vec![
                "the tool redeem_points: establishes = [{ kind = \"member\", id = \"/id\", attributes = { owner = \"/customer_id\" } }] (was not said)".to_owned(),
                "the tool redeem_points: private is said no more (was [\"/address\"])".to_owned(),
            ],
        ),
        (
            "effect = \"write\"\nopen_to = \"matched\"",
            "effect = \"read\"",
            vec![
                "the tool redeem_points: effect = \"read\" (was \"write\")".to_owned(),
                "the tool redeem_points: open_to is said no more (was \"matched\")".to_owned(),
            ],
        ),
        (
            "owner",
            "question = \"Yes?\\n- nothing\\u202E else\"\nowner",
            vec!["the tool redeem_points: question = \"\"\"\\nYes?\\n- nothing\\u{202e} else\"\"\" (was not said)".to_owned()],
        ),
        (
            "[{ at = \"/points\", is = \"/points\" }]",
            "[]",
            vec![format!("{destination}which is said to deduplicate what is repeated, for redeem_points, with any body")],
        ),
        (
            "tools = { redeem_points = [{ at = \"/points\", is = \"/points\" }] }",
            "",
            vec![format!("{destination}which is said to deduplicate what is repeated, for every tool of it, with any body")],
        ),
        (
            "nature = \"deduplicates\"",
            "nature = \"queryable:60\"",
            vec![format!("{destination}which is said to know after 60 s what became of a request, for redeem_points, with /points = /points in the body")],
        ),
    ] {
        assert!(POINTS.contains(old), "{old}");
        let other = asking(&POINTS.replacen(old, new, 1));
        assert_eq!(other.beyond(&asking(POINTS)), said, "{new}");
    }
}
