//! The vocabulary: one process with the tenants `acme` (the example of the README) and `globex`, each with a shop of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::post;
use demo_backend::{Backend, Options};
use serde_json::{Value, json};
use switchboard::{Config, Provider};
use tempfile::TempDir;

use crate::desk::{Answer, Desk, Shop};
use crate::models::completion;
use crate::tree::root;

pub(crate) const ACME_HELPDESK: &str = "key-of-acmes-helpdesk-0123456789";
pub(crate) const ACME_DANA: &str = "key-of-acmes-dana-0123456789abc";
pub(crate) const GLOBEX_BOT: &str = "key-of-globex-bot-0123456789abcd";
pub(crate) const GLOBEX_BOSS: &str = "key-of-globex-boss-0123456789abc";

pub(crate) const ACME_MODEL: &str = "key-of-acmes-model-0123456789ab";

const ENVIRONMENT: [(&str, &str); 7] = [
    ("ACME_MODEL_KEY", ACME_MODEL),
    ("ACME_HELPDESK_KEY", ACME_HELPDESK),
    ("ACME_DANA_KEY", ACME_DANA),
    ("ACME_SHOP_TOKEN", "token-of-acmes-shop"),
    ("GLOBEX_BOT_KEY", GLOBEX_BOT),
    ("GLOBEX_BOSS_KEY", GLOBEX_BOSS),
    ("GLOBEX_SHOP_TOKEN", "token-of-globex-shop"),
];

/// What a model was asked, each time with the `authorization` that came along.
pub(crate) type Asked = Arc<Mutex<Vec<Value>>>;

/// One process with two tenants beside the built-in one.
pub(crate) struct Town {
    pub(crate) desk: Desk,
    /// The tenants' folder.
    pub(crate) folder: PathBuf,
    shops: [demo_backend::Running; 2],
    _data: TempDir,
}

/// Somebody with a key of one tenant.
pub(crate) struct AtTenant<'a> {
    desk: &'a Desk,
    name: &'static str,
    key: &'a str,
    pub(crate) shop: Shop,
}

impl Town {
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| ()).await
    }

    pub(crate) async fn open_with(change: impl FnOnce(&mut Config)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let shops = [shop(&data, "acme").await, shop(&data, "globex").await];
        let folder = data.path().join("tenants");
        for (file, text) in example() {
            let globex = text
                .replace("ACME", "GLOBEX")
                .replace("HELPDESK", "BOT")
                .replace("helpdesk", "bot")
                .replace("dana", "boss")
                .replace("DANA", "BOSS")
                .replace("Acme Outfitters", "Globex")
                .replace("\"40.00\"", "\"100.00\"");
            put(&folder, "acme", &file, &at(&text, &shops[0]));
            if !file.contains('/') {
                put(
                    &folder,
                    "globex",
                    &file,
                    &at(&without_tool_sets(&globex), &shops[1]),
                );
            }
        }
        let tenants = folder.clone();
        let desk = Desk::open_in(&ENVIRONMENT, |config| {
            config.tenants = tenants;
            change(config);
        })
        .await;
        Self {
            desk,
            folder,
            shops,
            _data: data,
        }
    }

    /// The same once more, after a stop, and after this was done to the tenants' folder meanwhile.
    pub(crate) async fn started_again(self, meanwhile: impl FnOnce(&Path)) -> Self {
        let folder = self.folder.clone();
        let desk = self.desk.started_again_after(|| meanwhile(&folder)).await;
        Self { desk, ..self }
    }

    /// With a language model that says one thing, and what it was asked.
    pub(crate) async fn with_model() -> (Self, Asked) {
        let (base_url, asked) = model().await;
        let town = Self::open_with(|config| {
            config.model.provider = Provider::Openai;
            config.model.base_url = base_url;
            config.model.name = "scripted".into();
        });
        (town.await, asked)
    }

    /// The help desk of acme, which sees some tools.
    pub(crate) fn acme(&self) -> AtTenant<'_> {
        AtTenant {
            desk: &self.desk,
            name: "acme",
            key: ACME_HELPDESK,
            shop: Shop::at(self.shops[0].addr, "token-of-acmes-shop"),
        }
    }

    /// The bot of globex, which sees all of them.
    pub(crate) fn globex(&self) -> AtTenant<'_> {
        AtTenant {
            desk: &self.desk,
            name: "globex",
            key: GLOBEX_BOT,
            shop: Shop::at(self.shops[1].addr, "token-of-globex-shop"),
        }
    }

    /// A file of a tenant's folder.
    pub(crate) fn text(&self, tenant: &str, file: &str) -> String {
        fs::read_to_string(self.folder.join(tenant).join(file)).unwrap()
    }

    /// Writes a file of a tenant's folder, as somebody with an editor.
    pub(crate) fn edit(&self, tenant: &str, file: &str, text: &str) {
        put(&self.folder, tenant, file, text);
    }

    /// One request of the operator.
    pub(crate) async fn operator(&self, method: &str, path: &str, body: &str) -> Answer {
        let method = method.parse().unwrap();
        let request = self.desk.http.request(method, self.desk.url(path));
        let request = request.bearer_auth(crate::desk::OPERATOR_KEY);
        Answer::of(request.body(body.to_owned()).send().await.unwrap()).await
    }

    /// How a tenant stands, as the operator sees it.
    pub(crate) async fn standing(&self, tenant: &str) -> Value {
        let listed = self.operator("GET", "/api/tenants", "").await.expect(200);
        let tenants = listed["tenants"].as_array().unwrap();
        let found = tenants.iter().find(|one| one["name"] == tenant);
        found.cloned().unwrap_or(Value::Null)
    }

    /// Waits until a tenant stands so: a change on the disk is seen when its event comes.
    pub(crate) async fn until(&self, tenant: &str, stands: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..1_500 {
            let standing = self.standing(tenant).await;
            if stands(&standing) {
                return standing;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("{tenant} stands at {}", self.standing(tenant).await);
    }
}

impl<'a> AtTenant<'a> {
    /// The same tenant's, with another key.
    pub(crate) fn with_key(self, key: &'a str) -> Self {
        Self { key, ..self }
    }

    pub(crate) async fn tool(&self, case: &str, tool: &str, arguments: Value) -> Answer {
        let body = json!({ "case": case, "arguments": arguments });
        self.post(&format!("/api/tools/{tool}"), body).await
    }

    pub(crate) async fn know_sarah(&self, case: &str) {
        let email = json!({ "email": "sarah@example.com" });
        self.tool(case, "get_customer", email).await.expect(200);
        self.look_up(case).await.expect(200);
    }

    pub(crate) async fn look_up(&self, case: &str) -> Answer {
        self.tool(case, "lookup_order", json!({ "order_id": "ORD-8842" }))
            .await
    }

    pub(crate) async fn refund(&self, case: &str, amount: &str) -> Value {
        let amount = json!({ "amount": amount, "currency": "USD" });
        let arguments = json!({ "order_id": "ORD-8842", "amount": amount, "reason": "broken" });
        self.tool(case, "process_refund", arguments).await.body
    }

    /// Below the tenant's own path.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        let request = self
            .desk
            .http
            .post(self.desk.url(&format!("/t/{}{path}", self.name)));
        Answer::of(
            request
                .bearer_auth(self.key)
                .json(&body)
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    /// Below the tenant's own path.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_at(&format!("/t/{}{path}", self.name)).await
    }

    /// At exactly this path.
    pub(crate) async fn get_at(&self, path: &str) -> Answer {
        let request = self
            .desk
            .http
            .get(self.desk.url(path))
            .bearer_auth(self.key);
        Answer::of(request.send().await.unwrap()).await
    }
}

/// That a request was refused so, and said this.
pub(crate) fn expect_refusal(answer: &Answer, status: u16, words: &str) {
    let message = answer.body["error"]["message"].as_str().unwrap_or_default();
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(message.contains(words), "{words:?} is missing: {answer:?}");
}

/// A language model that says one thing: where it is, and what it was asked.
pub(crate) async fn model() -> (String, Asked) {
    let asked: Asked = Arc::default();
    let heard = Arc::clone(&asked);
    let answer = move |headers: HeaderMap, body: String| async move {
        let mut request: Value = serde_json::from_str(&body).unwrap();
        let shown = headers.get("authorization");
        request["authorization"] = shown.map(|shown| shown.to_str().unwrap()).into();
        heard.lock().unwrap().push(request);
        completion(
            json!({ "role": "assistant", "content": "Hello, how can I help?" }),
            "stop",
        )
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let app = Router::new().route("/v1/chat/completions", post(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (base_url, asked)
}

async fn shop(data: &TempDir, tenant: &str) -> demo_backend::Running {
    let token = if tenant == "acme" {
        "token-of-acmes-shop"
    } else {
        "token-of-globex-shop"
    };
    let options = Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        data: data.path().join(format!("shop-of-{tenant}")),
        token: token.to_owned(),
        require_idempotency_key: true,
    };
    Backend::start(options).await.unwrap()
}

/// The files of the README's example.
fn example() -> Vec<(String, String)> {
    let folder = root().join("tests/data/tenants/acme");
    [
        "tenant.toml",
        "plugins.toml",
        "rules/own.cedar",
        "prompts/refund.md",
    ]
    .map(|file| {
        (
            file.to_owned(),
            fs::read_to_string(folder.join(file)).unwrap(),
        )
    })
    .into()
}

fn at(text: &str, shop: &demo_backend::Running) -> String {
    text.replace("127.0.0.1:9100", &shop.addr.to_string())
}

fn without_tool_sets(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("tools = "));
    lines.collect::<Vec<_>>().join("\n")
}

fn put(folder: &std::path::Path, tenant: &str, file: &str, text: &str) {
    let path = folder.join(tenant).join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
