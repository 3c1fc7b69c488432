//! The vocabulary: a plugin in several versions, and the operator who brings them.

use std::path::Path;
use std::time::Duration;

use artifacts::{Envelope, SigningKey, Subject};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use switchboard::Manifest;

use crate::desk::{Answer, Desk, OPERATOR_KEY};
use crate::workbench::{described, shipped};

/// A component to be installed.
pub(crate) struct Parcel {
    pub(crate) version: String,
    bytes: Vec<u8>,
}

const TOOL: &str = r#"
name = "shelf"
[type.found.fields]
number = { type = "id", at = "/id", docs = "Its number." }
[tool.find_order]
docs = "Finds one order."
method = "GET"
path = "/orders/{number}"
parameters = { number = { type = "string", in = "path", docs = "Its number." } }
result = "found"
"#;
const OWNER: &str =
    "[type.found.fields]\nowner = { type = \"customer-id\", at = \"/customer_id\" }\n";
const ASKS: &str = r#"
[[asks.reach]]
origin = "{base_url}"
methods = ["GET"]
paths = ["/orders/*"]
private_network = true
"#;
const JUDGED: &str = "[tool.find_order]\neffect = \"read\"\nopen_to = \"anyone\"\n";

impl Parcel {
    /// The plugin as it is first.
    pub(crate) fn version(version: &str) -> Self {
        Self::made(version, TOOL, ASKS, JUDGED)
    }

    /// It tells whose an order is, too.
    pub(crate) fn with_owner(version: &str) -> Self {
        let tool = TOOL.replace("[type.found.fields]\n", OWNER);
        Self::made(version, &tool, ASKS, JUDGED)
    }

    /// It wants more of the shop.
    pub(crate) fn reaching_further(version: &str) -> Self {
        let asks = ASKS.replace("\"/orders/*\"", "\"/orders/*\", \"/customers/*\"");
        let tool = TOOL.replace("[type.found.fields]\n", OWNER);
        Self::made(version, &tool, &asks, JUDGED)
    }

    /// It asks for the same, and means another place by that.
    pub(crate) fn leading_elsewhere(version: &str) -> Self {
        let asks = ASKS.replace("{base_url}", "http://elsewhere.example");
        let tool = TOOL.replace("[type.found.fields]\n", OWNER);
        Self::made(version, &tool, &asks, JUDGED)
    }

    /// It says that its tool may be used otherwise.
    pub(crate) fn opened_wider(version: &str) -> Self {
        let tool = TOOL.replace("[type.found.fields]\n", OWNER);
        let judged = JUDGED.replace("anyone", "claimed");
        Self::made(version, &tool, ASKS, &judged)
    }

    /// It tells whose an order is, and is judged by that.
    pub(crate) fn judged_by_owner(version: &str) -> Self {
        let tool = TOOL.replace("[type.found.fields]\n", OWNER);
        let judged = format!("{JUDGED}owner = [\"/owner\"]\n");
        Self::made(version, &tool, ASKS, &judged)
    }

    /// Its author says of the tool what no tool of ours would put into a component.
    pub(crate) fn saying(version: &str, line: &str) -> Self {
        let (hidden, said) = (format!("# {line}\n"), format!("  {line}\n"));
        let mut parcel = Self::made(version, TOOL, ASKS, &format!("{JUDGED}{hidden}"));
        let places = parcel.bytes.windows(hidden.len());
        let at = { places }
            .position(|here| here == hidden.as_bytes())
            .unwrap();
        parcel.bytes[at..at + said.len()].copy_from_slice(said.as_bytes());
        parcel
    }

    /// It calls its argument by another name, and can do one thing more.
    pub(crate) fn renamed(version: &str) -> Self {
        let tool = TOOL.replace(
            "number = { type = \"string\"",
            "order = { type = \"string\"",
        );
        let tool = tool.replace("{number}", "{order}");
        let (_, second) = tool.split_once("[tool.").unwrap();
        let tool = format!("{tool}[tool.{}", second.replace("find_order", "find_again"));
        let judged = format!("{JUDGED}{}", JUDGED.replace("find_order", "find_again"));
        Self::made(version, &tool, ASKS, &judged)
    }

    /// It looks where nothing is.
    pub(crate) fn lost(version: &str) -> Self {
        let tool = TOOL.replace("/orders/{number}", "/orders/not-{number}");
        Self::made(version, &tool, ASKS, JUDGED)
    }

    /// It looks where it may not.
    pub(crate) fn trespassing(version: &str) -> Self {
        let tool = TOOL.replace("/orders/{number}", "/customers/{number}");
        Self::made(version, &tool, ASKS, JUDGED)
    }

    /// Its tool passes for one of the contract's.
    pub(crate) fn shadowing(version: &str) -> Self {
        let (tool, judged) = (TOOL, JUDGED);
        let shadow = |text: &str| text.replace("find_order", "look_up_order");
        Self::made(version, &shadow(tool), ASKS, &shadow(judged))
    }

    /// A shipped component under a version of its own.
    pub(crate) fn of_shipped(name: &str, version: &str) -> Self {
        let manifest = format!("name = \"{name}\"\nversion = \"{version}\"\n");
        Self {
            version: version.to_owned(),
            bytes: Manifest::embed(&manifest, &shipped(name), name.as_ref()).unwrap(),
        }
    }

    pub(crate) fn put_into(&self, folder: &Path) {
        std::fs::write(folder.join("shelf.wasm"), &self.bytes).unwrap();
    }

    fn made(version: &str, tool: &str, asks: &str, judged: &str) -> Self {
        let manifest = format!(
            "name = \"shelf\"\nversion = \"{version}\"\n[asks]\nsettings = {{ base_url = \"http://127.0.0.1:9\" }}\n{asks}{judged}"
        );
        Self {
            version: version.to_owned(),
            bytes: Manifest::embed(&manifest, &described(tool), "shelf".as_ref()).unwrap(),
        }
    }
}

/// Where parcels arrive: a tenant, as its operator reaches it.
pub(crate) struct Bay<'a> {
    desk: &'a Desk,
    tenant: &'a str,
    key: &'a str,
}

impl<'a> Bay<'a> {
    pub(crate) fn of(desk: &'a Desk) -> Self {
        let (tenant, key) = ("demo", OPERATOR_KEY);
        Self { desk, tenant, key }
    }

    /// Changed by whoever shows this key.
    pub(crate) fn by(self, key: &'a str) -> Self {
        Self { key, ..self }
    }

    pub(crate) fn at(self, tenant: &'a str) -> Self {
        Self { tenant, ..self }
    }

    /// The plugin as plugins.toml binds it.
    pub(crate) fn bound(&self, version: &str) -> String {
        let url = &self.desk.shop.url;
        format!(
            "[shelf]\nversion = \"{version}\"\n[[shelf.reach]]\norigin = \"{url}\"\nmethods = [\"GET\"]\npaths = [\"/orders/*\"]\n"
        )
    }

    pub(crate) async fn install(&self, parcel: &Parcel, accept: bool) -> Answer {
        self.send(&parcel.bytes, accept).await
    }

    pub(crate) async fn send(&self, bytes: &[u8], accept: bool) -> Answer {
        let body = json!({
            "component": BASE64_STANDARD.encode(bytes),
            "accept": accept,
            "settings": { "base_url": self.desk.shop.url },
        });
        self.ask(Method::POST, "", Some(body)).await
    }

    /// Signed with this key.
    pub(crate) async fn install_signed(&self, parcel: &Parcel, key: &SigningKey) -> Answer {
        let subject = Subject::new("shelf", &parcel.version, &parcel.bytes).unwrap();
        let body = json!({
            "component": BASE64_STANDARD.encode(&parcel.bytes),
            "signatures": Envelope::sign(&subject, key, None).to_line().unwrap(),
            "accept": true,
            "settings": { "base_url": self.desk.shop.url },
        });
        self.ask(Method::POST, "", Some(body)).await
    }

    /// Fetched by the host.
    pub(crate) async fn install_from(&self, source: &str) -> Answer {
        let body = json!({
            "source": source,
            "accept": true,
            "settings": { "base_url": self.desk.shop.url },
        });
        self.ask(Method::POST, "", Some(body)).await
    }

    /// With another place in the settings.
    pub(crate) async fn install_with(&self, parcel: &Parcel, base_url: &str) -> Answer {
        let body = json!({
            "component": BASE64_STANDARD.encode(&parcel.bytes),
            "accept": true,
            "settings": { "base_url": base_url },
        });
        self.ask(Method::POST, "", Some(body)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, &format!("/{path}"), Some(body))
            .await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, &format!("/{path}"), None).await
    }

    pub(crate) async fn remove(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, &format!("/{path}"), None).await
    }

    /// A plugin as it stands; null where there is none.
    pub(crate) async fn plugin(&self, name: &str) -> Value {
        let listed = self.ask(Method::GET, "", None).await.expect(200);
        let plugins = listed["plugins"].as_array().unwrap();
        let found = plugins.iter().find(|one| one["name"] == name);
        found.cloned().unwrap_or_default()
    }

    /// What was done, newest first: `swap user:operator 1.0.0 → 1.1.0: why`.
    pub(crate) async fn history(&self, plugin: &str) -> Vec<String> {
        let told = self.get(&format!("{plugin}/history")).await.expect(200);
        let entries = told["history"].as_array().unwrap().iter();
        let version = |pinned: &Value| pinned["version"].as_str().unwrap_or("-").to_owned();
        let line = |entry: &Value| {
            let said = |key: &str| entry[key].as_str().unwrap().to_owned();
            let (from, to) = (version(&entry["from"]), version(&entry["to"]));
            format!(
                "{} {} {from} → {to}: {}",
                said("action"),
                said("by"),
                said("reason")
            )
        };
        entries.map(line).collect()
    }

    /// What was done, once it is told: the host records some things beside the requests.
    pub(crate) async fn until_history(
        &self,
        plugin: &str,
        is_told: impl Fn(&[String]) -> bool,
    ) -> Vec<String> {
        for _ in 0..500 {
            let told = self.history(plugin).await;
            if is_told(&told) {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it is never told: {:?}", self.history(plugin).await)
    }

    /// Why what lies in this folder was refused, once the host says so in these words.
    pub(crate) async fn until_refused(&self, folder: &Path, words: &str) -> String {
        let beside = folder.join("shelf.wasm.refused");
        for _ in 0..1_000 {
            let reason = std::fs::read_to_string(&beside).unwrap_or_default();
            if reason.contains(words) {
                return reason;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{words:?} is never told: {}", self.plugin("shelf").await)
    }

    /// A call of the plugin's tool.
    pub(crate) async fn find(&self) -> Answer {
        self.find_in("c").await
    }

    /// What it gives.
    pub(crate) async fn found(&self) -> Value {
        self.found_in("c").await
    }

    pub(crate) async fn found_in(&self, case: &str) -> Value {
        self.find_in(case).await.expect(200)["output"].clone()
    }

    pub(crate) async fn find_in(&self, case: &str) -> Answer {
        let arguments = json!({ "number": "ORD-8842" });
        self.desk.tool(case, "find_order", arguments).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let url = self
            .desk
            .url(&format!("/t/{}/api/plugins{path}", self.tenant));
        let mut request = self.desk.http.request(method, url).bearer_auth(self.key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request.send().await.unwrap()).await
    }
}
