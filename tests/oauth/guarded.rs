//! The vocabulary: the town whose tenants take tokens of one authorization server, each for its own address; acme's plugins reach
//! their shop over a wire that is listened to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::issuer::Issuer;
use crate::tenants::Town;

pub(crate) const DEMO: &str = "https://desk.example/mcp";
pub(crate) const ACME: &str = "https://desk.example/t/acme/mcp";
pub(crate) const GLOBEX: &str = "https://desk.example/t/globex/mcp";

/// The town, and who signs its tokens.
pub(crate) struct Guarded {
    pub(crate) town: Town,
    pub(crate) issuer: Issuer,
    /// All that acme's plugins have sent, byte by byte.
    pub(crate) sent: Arc<Mutex<Vec<u8>>>,
}

impl Guarded {
    pub(crate) async fn open() -> Self {
        let issuer = Issuer::open().await;
        let demo: switchboard::OAuth = toml::from_str(&section(&issuer.url, DEMO)).unwrap();
        let town = Town::open_with(|config| config.oauth = demo).await;
        let guarded = Self {
            town,
            issuer,
            sent: Arc::default(),
        };
        let shop = guarded.town.acme().shop.url;
        let shop: SocketAddr = shop.strip_prefix("http://").unwrap().parse().unwrap();
        let wire = tapped(shop, Arc::clone(&guarded.sent)).await;
        let plugins = guarded.town.text("acme", "plugins.toml");
        let plugins = plugins.replace(&shop.to_string(), &wire.to_string());
        guarded.town.edit("acme", "plugins.toml", &plugins);
        guarded
            .takes_tokens("acme", &guarded.issuer.url, ACME)
            .await;
        guarded
            .takes_tokens("globex", &guarded.issuer.url, GLOBEX)
            .await;
        guarded
    }

    /// From now on a tenant takes this issuer's tokens.
    pub(crate) async fn takes_tokens(&self, tenant: &str, issuer: &str, resource: &str) {
        let text = self.town.text(tenant, "tenant.toml");
        let without = text.split("\n[oauth]").next().unwrap();
        let text = format!("{without}\n[oauth]\n{}", section(issuer, resource));
        self.town.edit(tenant, "tenant.toml", &text);
        let path = format!("/api/tenants/{tenant}/reload");
        self.town.operator("POST", &path, "").await.expect(200);
    }

    /// A request to acme with this token.
    pub(crate) fn acme(&self, method: &str, path: &str, token: &str) -> RequestBuilder {
        self.at("acme", method, path, token)
    }

    pub(crate) fn at(&self, tenant: &str, method: &str, path: &str, token: &str) -> RequestBuilder {
        let url = self.town.desk.url(&format!("/t/{tenant}{path}"));
        let request = self.town.desk.http.request(method.parse().unwrap(), url);
        request.bearer_auth(token)
    }

    /// A token of alice's for acme.
    pub(crate) fn alice(&self, scope: &str) -> String {
        self.issuer.token("alice", ACME, scope)
    }

    /// A call of a tool of acme's over HTTP.
    pub(crate) async fn calls(
        &self,
        token: &str,
        case: Option<&str>,
        tool: &str,
        arguments: Value,
    ) -> Response {
        let body = json!({ "case": case, "arguments": arguments });
        let request = self.acme("POST", &format!("/api/tools/{tool}"), token);
        request.json(&body).send().await.unwrap()
    }

    /// That nothing has reached acme's shop.
    pub(crate) fn nothing_was_sent(&self) {
        let sent = self.sent.lock().unwrap();
        assert!(sent.is_empty(), "{}", String::from_utf8_lossy(&sent));
    }
}

/// One message of the Model Context Protocol, in the older revision.
pub(crate) fn older(request: RequestBuilder, session: Option<&str>) -> RequestBuilder {
    let request = request
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25");
    match session {
        Some(id) => request.header("mcp-session-id", id),
        None => request,
    }
}

/// A session of the older revision, for the bearer of this token.
pub(crate) async fn opened(guarded: &Guarded, tenant: &str, token: &str) -> String {
    let client = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "s", "version": "1" } });
    let request = older(guarded.at(tenant, "POST", "/mcp", token), None);
    let response = request
        .json(&rpc("initialize", client))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status().as_u16(), 200, "{response:?}");
    let id = response.headers()["mcp-session-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let request = older(guarded.at(tenant, "POST", "/mcp", token), Some(&id));
    assert!(
        request
            .json(&told)
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );
    id
}

/// One message of the newest revision.
pub(crate) fn newest(request: RequestBuilder, method: &str, mut params: Value) -> RequestBuilder {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "stories", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let mut request = request
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    if let Some(name) = params["name"].as_str() {
        request = request.header("mcp-name", name);
    }
    request.json(&rpc(method, params))
}

pub(crate) fn rpc(method: &str, params: impl Into<Value>) -> Value {
    let params = params.into();
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// What a client is told in `WWW-Authenticate`.
pub(crate) fn challenge(response: &Response) -> &str {
    response.headers()["www-authenticate"].to_str().unwrap()
}

fn section(issuer: &str, resource: &str) -> String {
    format!(
        "issuer = \"{issuer}\"\nresource = \"{resource}\"\nscopes = {{ \"support\" = \"agent\", \"support:read\" = {{ role = \"agent\", tools = [\"get_*\"] }}, \"support:approve\" = \"supervisor\" }}\n"
    )
}

/// Hands everything on to the shop and back, and keeps what goes there.
async fn tapped(shop: SocketAddr, sent: Arc<Mutex<Vec<u8>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((plugin, _)) = listener.accept().await {
            let sent = Arc::clone(&sent);
            tokio::spawn(async move {
                let shop = TcpStream::connect(shop).await.unwrap();
                let ((mut from_plugin, mut to_plugin), (mut from_shop, mut to_shop)) =
                    (plugin.into_split(), shop.into_split());
                tokio::spawn(async move { tokio::io::copy(&mut from_shop, &mut to_plugin).await });
                let mut chunk = vec![0; 16 * 1024];
                while let Ok(length @ 1..) = from_plugin.read(&mut chunk).await {
                    sent.lock().unwrap().extend_from_slice(&chunk[..length]);
                    if to_shop.write_all(&chunk[..length]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}
