//! An API whose bodies are forms: from its document to requests that its backend reads in one way, and what never gets there.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{run, said};
use crate::desk::{Desk, OPERATOR_KEY};
use crate::programs::switchboard;

const DOCUMENT: &str = include_str!("payments.yaml");
const CASES: &str = include_str!("refunds.toml");

/// What the provider was sent: "METHOD /path", its content types, its body.
type Asked = Arc<Mutex<Vec<(String, Vec<String>, String)>>>;

/// As its author has it, opened to customers who are known, and with these changes to its two files.
fn written(folder: &Path, api: &[(&str, &str)], manifest: &[(&str, &str)]) -> String {
    fs::write(folder.join("payments.yaml"), DOCUMENT).unwrap();
    let new = ["plugin", "new", "payments", "--openapi", "payments.yaml"];
    let told = said(&run(folder, &new));
    let plugin = folder.join("payments");
    let open = [("# open_to = \"verified\"", "open_to = \"matched\"")];
    for (file, changes) in [
        ("api.toml", api),
        ("plugin.toml", manifest),
        ("plugin.toml", &open),
    ] {
        let mut text = fs::read_to_string(plugin.join(file)).unwrap();
        for (from, to) in changes {
            assert!(text.contains(from), "{from:?} is not in {file}:\n{text}");
            text = text.replace(from, to);
        }
        fs::write(plugin.join(file), text).unwrap();
    }
    said(&run(&plugin, &["plugin", "build"]));
    told
}

async fn serve() -> (Asked, String) {
    let asked = Asked::default();
    let app = Router::new().fallback(answer);
    let app = app.with_state(Arc::clone(&asked));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (asked, url)
}

async fn answer(
    State(asked): State<Asked>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Json<Value> {
    let types = headers.get_all("content-type").iter();
    let types = types.map(|value| value.to_str().unwrap().to_owned());
    let line = format!("{method} {uri}");
    asked.lock().unwrap().push((line, types.collect(), body));
    Json(json!({ "id": "re_1", "amount": 4999 }))
}

/// A desk with the plugin in it and a case `one` in which Sarah is known, and what the provider is sent.
async fn installed(plugin: &Path) -> (Desk, Asked) {
    let (asked, url) = serve().await;
    let desk = Desk::open().await;
    let mut install = switchboard();
    install.args(["plugin", "install", ".", "--accept"]);
    install.args(["--set", &format!("base_url={url}")]);
    install.args(["--url", &desk.url("")]);
    install.env("SWITCHBOARD_OPERATOR_KEY", OPERATOR_KEY);
    install.current_dir(plugin);
    let installed = tokio::task::spawn_blocking(move || said(&install.output().unwrap()));
    let installed = installed.await.unwrap();
    assert!(installed.contains("it is live"), "{installed}");
    desk.know_sarah("one").await;
    (desk, asked)
}

#[test]
fn what_of_a_form_cannot_be_sent_is_said_by_field() {
    let folder = tempfile::tempdir().unwrap();
    let told = written(folder.path(), &[], &[]);
    let plugin = folder.path().join("payments");
    let again = "is a list that would be written as one name again and again, which parsers read differently";
    for line in [
        format!("POST /refunds: the field tags {again}"),
        format!("POST /refunds: the field expand[] {again}"),
        "POST /refunds: the field owner is an object, and `encoding` of its media type does not say `style: deepObject`".to_owned(),
        "POST /refunds: the field meta would be JSON inside of a form, so it is left out".to_owned(),
        "POST /refunds: the field _method cannot be sent: in a form a name is ASCII".to_owned(),
        "POST /refunds: the field a.b cannot be sent: in a form a name is ASCII".to_owned(),
        format!("POST /batches is not offered: its body: the field ids {again}"),
        "POST /owners is not offered: its body: the field owner is an object".to_owned(),
        "POST /texts is not offered: its body: a form has fields, and this one says none".to_owned(),
    ] {
        assert!(told.contains(&line), "{line:?} is missing:\n{told}");
    }
    let manifest = fs::read_to_string(plugin.join("plugin.toml")).unwrap();
    let destination = "methods = [\"POST\"]\npaths = [\"/v1/refunds\"]\nbodies = \"form\"\ntools = { create_refund = [";
    assert!(manifest.contains(destination), "{manifest}");
    assert_eq!(
        manifest.matches("bodies = ").count(),
        1,
        "JSON goes before a form:\n{manifest}"
    );
    let bound = "{ at = \"/user/note\", is = \"/user_note\" }";
    assert!(manifest.contains(bound), "{manifest}");
    // What the document says in characters that nobody sees has not come along: the tools load.
    let checked = said(&run(&plugin, &["plugin", "check"]));
    assert!(
        checked.contains("Gives money back \u{2764} of a charge."),
        "{checked}"
    );
}

#[test]
fn a_form_is_sent_once_whatever_goes_wrong() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), &[], &[]);
    let plugin = folder.path().join("payments");
    fs::create_dir(plugin.join("tests")).unwrap();
    fs::write(plugin.join("tests/refunds.toml"), CASES).unwrap();
    let tested = said(&run(&plugin, &["plugin", "test"]));
    assert!(
        tested.contains("6 passed") || tested.contains("6 cases"),
        "{tested}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_arrives_in_the_one_spelling_that_was_judged() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), &[], &[]);
    let (desk, asked) = installed(&folder.path().join("payments")).await;
    let arguments = json!({
        "charge": "ch_1&amount=9900;x=+1", "amount": 4999, "reason": "duplicate", "labels": ["x", "y"],
        "items": [{ "sku": "A B", "quantity": 2 }], "address": { "city": "Zürich", "line1": "%41" }, "user_note": "a\nb",
    });
    let answer = desk
        .tool("one", "create_refund", arguments)
        .await
        .expect(200);
    assert_eq!(answer["output"]["id"], "re_1", "{answer}");
    let note = json!({ "text": "hello" });
    desk.tool("one", "add_note", note).await.expect(200);
    let form = "address[city]=Z%C3%BCrich&address[line-1]=%2541&amount=4999&charge=ch_1%26amount%3D9900%3Bx%3D%2B1\
        &items[0][quantity]=2&items[0][sku]=A%20B&labels=x%2Cy&reason=duplicate&user[note]=a%0Ab";
    let sent = |line: &str, content_type: &str, body: &str| {
        (
            line.to_owned(),
            vec![content_type.to_owned()],
            body.to_owned(),
        )
    };
    assert_eq!(
        *asked.lock().unwrap(),
        [
            sent(
                "POST /v1/refunds",
                "application/x-www-form-urlencoded",
                form
            ),
            sent("POST /v1/notes", "application/json", "{\"text\":\"hello\"}"),
        ]
    );
}

/// Its author wrote another kind of body than its grant is for, or other fields than were permitted: the provider never hears of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_was_not_judged_as_one_never_leaves() {
    let form = "\nbody = \"form\"";
    let grant = "bodies = \"form\"\n";
    let constant =
        "\nbody = \"form\"\nconstants = [{ in = \"body\", at = \"/user/note\", value = \"x\" }]";
    for (api, manifest) in [
        (&[(form, ""), ("\njoin = \",\"", "")][..], &[][..]),
        (&[], &[(grant, "")]),
        (
            &[
                ("at = \"/user/note\"", "at = \"/user/remark\""),
                (form, constant),
            ],
            &[],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path(), api, manifest);
        let (desk, asked) = installed(&folder.path().join("payments")).await;
        let arguments = json!({ "charge": "ch_1", "amount": 4999 });
        let answer = desk
            .tool("one", "create_refund", arguments)
            .await
            .expect(403);
        assert!(answer.to_string().contains("NOT_AS_PERMITTED"), "{answer}");
        assert!(asked.lock().unwrap().is_empty(), "nothing was sent");
    }
}

/// What the one writes the other reads, whatever is in it: guest and host do not share the code.
#[test]
fn every_text_arrives_as_it_was_meant() {
    let all = (0..0x3000)
        .chain(0x1_f600..0x1_f700)
        .filter_map(char::from_u32);
    let texts: Vec<String> = all.map(|c| format!("{c}{c}=a&{c};")).collect();
    for texts in texts.chunks(100) {
        let tree = json!({ "a": texts, "b-c": { "D_e": [{ "f": texts[0] }, { "f": "" }] } });
        let form = described::encode_form(&tree).unwrap();
        assert_eq!(policy::read_form(form.as_bytes()), Ok(tree), "{form}");
    }
    let typed = json!({ "n": 5, "f": 0.1, "big": i64::MIN, "yes": true });
    let said = json!({ "n": "5", "f": "0.1", "big": "-9223372036854775808", "yes": "true" });
    let form = described::encode_form(&typed).unwrap();
    assert_eq!(policy::read_form(form.as_bytes()), Ok(said));
    // As deep and as long as the one writes, the other reads.
    let deep = json!({ "z": { "a": { "b": { "c": { "d": { "e": ["x"] } } } } } });
    assert!(described::encode_form(&deep).is_err());
    let deep = &deep["z"];
    let long = json!({ "a": vec!["x"; 256] });
    for tree in [deep, &long] {
        let form = described::encode_form(tree).unwrap();
        assert_eq!(policy::read_form(form.as_bytes()).as_ref(), Ok(tree));
    }
}
