//! What asking again means to the tools of a document, by the intents that `plugin new --openapi` wrote: on a host that
//! serves, and by what the API behind it saw.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use serde_json::{Value, json};

use super::{run, said};
use crate::desk::{Desk, OPERATOR_KEY};
use crate::programs::switchboard;

const DOCUMENT: &str = include_str!("helpdesk.yaml");

/// The helpdesk's requests, as "METHOD /path body".
type Asked = Arc<Mutex<Vec<String>>>;

/// The desk with the helpdesk's tools, and two cases in which Sarah is known.
struct Helpdesk {
    desk: Desk,
    asked: Asked,
}

impl Helpdesk {
    async fn open() -> Self {
        let (asked, url) = serve().await;
        let desk = Desk::open().await;
        let folder = tempfile::tempdir().unwrap();
        write_plugin(folder.path());
        let mut install = switchboard();
        install.args(["plugin", "install", ".", "--accept"]);
        install.args(["--set", &format!("base_url={url}")]);
        install.args(["--url", &desk.url("")]);
        install.env("SWITCHBOARD_OPERATOR_KEY", OPERATOR_KEY);
        install.current_dir(folder.path().join("helpdesk"));
        let installed = tokio::task::spawn_blocking(move || said(&install.output().unwrap()));
        let installed = installed.await.unwrap();
        assert!(installed.contains("it is live"), "{installed}");
        for case in ["one", "two"] {
            desk.know_sarah(case).await;
        }
        Self { desk, asked }
    }

    /// Calls that succeed, and the requests that came of them.
    async fn asks(&self, calls: &[(&str, &str, Value)], requests: &[&str]) {
        for (case, tool, arguments) in calls {
            let answer = self.desk.tool(case, tool, arguments.clone()).await;
            answer.expect(200);
        }
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        assert_eq!(asked, requests, "{calls:?}");
    }
}

/// As its author has it: the tools of the document, opened to customers who are known.
fn write_plugin(folder: &Path) {
    std::fs::write(folder.join("helpdesk.yaml"), DOCUMENT).unwrap();
    let new = ["plugin", "new", "helpdesk", "--openapi", "helpdesk.yaml"];
    said(&run(folder, &new));
    let plugin = folder.join("helpdesk");
    let manifest = std::fs::read_to_string(plugin.join("plugin.toml")).unwrap();
    let open = manifest.replace("# open_to = \"verified\"", "open_to = \"matched\"");
    assert_ne!(open, manifest);
    std::fs::write(plugin.join("plugin.toml"), open).unwrap();
    said(&run(&plugin, &["plugin", "build"]));
}

async fn serve() -> (Asked, String) {
    let asked = Asked::default();
    let app = Router::new().fallback(answer);
    let app = app.with_state(Arc::clone(&asked));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (asked, url)
}

async fn answer(State(asked): State<Asked>, method: Method, uri: Uri, body: String) -> StatusCode {
    let request = format!("{method} {} {body}", uri.path());
    asked.lock().unwrap().push(request.trim_end().to_owned());
    StatusCode::NO_CONTENT
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_again_does_it_once_and_another_thing_is_another() {
    let helpdesk = Helpdesk::open().await;
    let broken = || json!({ "subject": "Broken glass" });
    let late = || json!({ "subject": "Late" });
    let ticket = |case, arguments| (case, "file_ticket", arguments);
    let tickets = [ticket("one", broken()), ticket("one", broken())];
    let first = "POST /customers/C-1001/tickets {\"subject\":\"Broken glass\"}";
    helpdesk.asks(&tickets, &[first]).await;
    let second = "POST /customers/C-1001/tickets {\"subject\":\"Late\"}";
    let tickets = [ticket("one", late()), ticket("one", broken())];
    helpdesk.asks(&tickets, &[second]).await;
    let tickets = [ticket("two", broken()), ticket("two", broken())];
    helpdesk.asks(&tickets, &[first]).await;

    // A badge that was given says nothing of whether it was taken away since, in another case.
    let vip = || json!({ "badge": "vip" });
    for (tool, request) in [
        ("give_badge", "PUT /customers/C-1001/badges/vip"),
        ("take_badge", "DELETE /customers/C-1001/badges/vip"),
    ] {
        for case in ["one", "two"] {
            let calls = [(case, tool, vip()), (case, tool, vip())];
            helpdesk.asks(&calls, &[request]).await;
        }
    }

    let status = |case, status| {
        (
            case,
            "change_ticket",
            json!({ "id": "T-1", "status": status }),
        )
    };
    let open = "PATCH /tickets/T-1 {\"status\":\"open\"}";
    let closed = "PATCH /tickets/T-1 {\"status\":\"closed\"}";
    let calls = [
        status("one", "open"),
        status("two", "open"),
        status("two", "closed"),
    ];
    helpdesk.asks(&calls, &[open, closed]).await;
    helpdesk.asks(&[status("one", "open")], &[open]).await;
}
