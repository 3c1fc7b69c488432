//! A plugin as its author built it, on a host that serves: installed by an operator, called over MCP, and refused there; and what its
//! vendor's backend saw of that.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::succeeds;
use crate::desk::{Desk, OPERATOR_KEY};
use crate::mcp::Session;
use crate::programs::switchboard;

const SARAH: &str = "C-1001";

/// Where the vendor keeps its members' points.
#[derive(Default)]
pub(super) struct Vendor {
    /// Every request, with what it says and the credential that it carries.
    asked: Mutex<Vec<String>>,
    /// Whose points it answers with, whoever is asked for.
    mistaken_for: Mutex<Option<&'static str>>,
}

impl Vendor {
    /// With the address that it is reached at.
    pub(super) async fn open() -> (Arc<Self>, String) {
        let vendor = Arc::new(Self::default());
        let app = Router::new().fallback(answer);
        let app = app.with_state(Arc::clone(&vendor));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (vendor, url)
    }

    /// That it was asked this, since it was looked at last.
    pub(super) fn saw(&self, requests: &[&str]) {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        assert_eq!(asked, requests);
    }
}

async fn answer(
    State(vendor): State<Arc<Vendor>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let said: Value = serde_json::from_str(&body).unwrap_or_default();
    let (points, reward) = (&said["points"], &said["reward"]);
    let says = match body.as_str() {
        "" => String::new(),
        _ => format!(" {reward} for {points}"),
    };
    let carried = ["authorization", "x-api-key"].map(|name| match headers.get(name) {
        Some(value) => format!(" with {name}: {}", value.to_str().unwrap()),
        None => String::new(),
    });
    let asked = format!("{method} {}{says}{}", uri.path(), carried.concat());
    vendor.asked.lock().unwrap().push(asked);
    let own = uri.path().split('/').nth(2).unwrap_or_default();
    let member = vendor.mistaken_for.lock().unwrap().unwrap_or(own);
    let (status, answer) = if method == Method::POST {
        let redemption = json!({ "id": "R-1", "member_id": member, "reward": reward, "points": points, "remaining": 150 });
        (StatusCode::CREATED, redemption)
    } else {
        let points = json!({ "id": member, "points": 250, "tier": "silver" });
        (StatusCode::OK, points)
    };
    (status, axum::Json(answer)).into_response()
}

/// Installs what was built in this folder, as its operator does, and calls it as a model's client does.
pub(super) fn is_governed_where_it_serves(folder: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let desk = Desk::open().await;
        let (vendor, url) = Vendor::open().await;
        install(folder, &desk, &url).await;
        vendor.saw(&[]);
        let session = Session::open(&desk).await;
        is_refused_while_nobody_is_known(&session, &vendor).await;
        is_called_for_the_customer_who_is_known(&session, &vendor).await;
        keeps_what_is_somebody_elses(&session, &vendor).await;
        let audit = desk.audit().await;
        for code in ["CUSTOMER_UNKNOWN", "IDENTITY_NOT_MATCHED", "NOT_OWNER"] {
            assert!(audit.contains(code), "{code} is not on record");
        }
    });
}

async fn install(folder: &Path, desk: &Desk, vendor: &str) {
    let mut command = switchboard();
    command.args(["plugin", "install", ".", "--accept"]);
    command.args(["--set", &format!("base_url={vendor}")]);
    command.args(["--url", &desk.url("")]);
    command.env("SWITCHBOARD_OPERATOR_KEY", OPERATOR_KEY);
    command.current_dir(folder);
    let installed = tokio::task::spawn_blocking(move || succeeds(&command.output().unwrap()));
    let installed = installed.await.unwrap();
    let says = installed.contains("is installed for demo") && installed.contains("it is live");
    assert!(says, "{installed}");
}

fn redemption() -> Value {
    json!({ "points": 100, "reward": "mug" })
}

fn expect_refusal(answer: &Value, words: &str) {
    assert_eq!(answer["isError"], true, "{answer}");
    assert!(answer.to_string().contains(words), "{words}: {answer}");
    assert!(!answer.to_string().contains("250"), "{answer}");
}

async fn is_refused_while_nobody_is_known(session: &Session<'_>, vendor: &Vendor) {
    let sarahs = json!({ "customer_id": SARAH });
    let claimed = session.tool("get_points", sarahs).await;
    expect_refusal(&claimed, "is set by the host");
    let answer = session.tool("get_points", json!({})).await;
    expect_refusal(&answer, "find out who the customer is first");
    let answer = session.tool("redeem_points", redemption()).await;
    expect_refusal(&answer, "find out who the customer is first");
    vendor.saw(&[]);
}

async fn is_called_for_the_customer_who_is_known(session: &Session<'_>, vendor: &Vendor) {
    let email = json!({ "email": "sarah@example.com" });
    session.tool("get_customer", email).await;
    let early = session.tool("get_points", json!({})).await;
    expect_refusal(&early, "the number of one of your orders");
    let order = json!({ "order_id": "ORD-8842" });
    session.tool("lookup_order", order).await;
    let others = json!({ "customer_id": "C-1002" });
    let others = session.tool("get_points", others).await;
    expect_refusal(&others, "is set by the host");
    vendor.saw(&[]);

    let own = session.tool("get_points", json!({})).await;
    let points = json!({ "customer_id": SARAH, "points": 250, "tier": "silver" });
    assert_eq!(own["structuredContent"], points, "{own}");
    vendor.saw(&["GET /members/C-1001"]);
    // Asking again gives the same redemption, and asks nobody.
    for _ in 0..2 {
        let redeemed = session.tool("redeem_points", redemption()).await;
        let redemption = &redeemed["structuredContent"]["redemption_id"];
        assert_eq!(redemption, "R-1", "{redeemed}");
    }
    vendor.saw(&["POST /members/C-1001/redemptions \"mug\" for 100"]);
}

/// The vendor's mistake is not the customer's to read.
async fn keeps_what_is_somebody_elses(session: &Session<'_>, vendor: &Vendor) {
    *vendor.mistaken_for.lock().unwrap() = Some("C-2002");
    let others = session.tool("get_points", json!({})).await;
    expect_refusal(&others, "can't find that under your details");
    assert!(!others.to_string().contains("C-2002"), "{others}");
    vendor.saw(&["GET /members/C-1001"]);
}
