//! Who gets in at all: open to one's own machine, asked for a key everywhere else, and by TLS with the certificate that was named.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use reqwest::{Certificate, Client, Identity};
use serde_json::{Value, json};
use switchboard::{Config, Environment, Options, Secrets};
use tempfile::TempDir;

use crate::desk::{Answer, Desk, OPERATOR_KEY};
use crate::programs::{refuses, switchboard};

const HELPDESK: &str = "key-of-the-helpdesk-0123456789ab";

#[test]
fn an_open_address_without_keys_is_refused_in_one_line() {
    for (listen, hosts) in [
        ("0.0.0.0:0", ""),
        ("[::]:0", ""),
        ("127.0.0.1:0", "desk.example"),
    ] {
        let data = tempfile::tempdir().unwrap();
        let mut command = switchboard();
        command
            .args(["serve", "--listen", listen, "--data"])
            .arg(data.path());
        for name in [
            "SWITCHBOARD_OPERATOR_KEY",
            "SWITCHBOARD_STAFF_KEYS",
            "OAUTH_ISSUER",
        ] {
            command.env_remove(name);
        }
        let output = command.env("ALLOWED_HOSTS", hosts).output().unwrap();
        refuses(
            &output,
            &[
                listen,
                "SWITCHBOARD_STAFF_KEYS",
                "SWITCHBOARD_OPERATOR_KEY",
                "[oauth]",
                "127.0.0.1",
            ],
        );
        assert_eq!(
            String::from_utf8_lossy(&output.stderr)
                .trim()
                .lines()
                .count(),
            1,
            "{output:?}"
        );
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!said.contains("listening="), "{said}");
    }
}

async fn open_to_others() -> Desk {
    let keys = format!("helpdesk:agent:{HELPDESK} dana:supervisor:key-of-dana-0123456789abcdef");
    let keys = [("SWITCHBOARD_STAFF_KEYS", keys.as_str())];
    Desk::open_in(&keys, |config| config.listen = "0.0.0.0:0".parse().unwrap()).await
}

#[tokio::test]
async fn on_an_open_address_tools_ask_for_a_key_and_the_chat_does_not() {
    let desk = open_to_others().await;
    let call = json!({ "arguments": { "email": "sarah@example.com" } });
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} });
    for (path, body) in [
        ("/mcp", list),
        ("/api/tools/get_customer", call.clone()),
        ("/tickets/T-1/actions/suggest_response", json!({})),
    ] {
        let refused = desk.post(path, body).await;
        assert_eq!(refused.status, 401, "{path}: {refused:?}");
    }
    for path in [
        "/mcp",
        "/api/tools",
        "/customers/C-1001",
        "/tickets/T-1",
        "/faq/search?q=returns",
    ] {
        let answer = desk.http.get(desk.url(path)).send().await.unwrap();
        assert_eq!(answer.headers()["www-authenticate"], "Bearer", "{path}");
        assert_eq!(answer.status().as_u16(), 401, "{path}");
    }
    assert_eq!(desk.shop.requests().await, Vec::<Value>::new());
    for (key, sees_approvals) in [(HELPDESK, false), (OPERATOR_KEY, true)] {
        let called = desk.http.post(desk.url("/api/tools/get_customer"));
        let called = called.bearer_auth(key).json(&call).send().await.unwrap();
        Answer::of(called).await.expect(200);
        let waiting = desk.http.get(desk.url("/api/approvals")).bearer_auth(key);
        assert_eq!(
            waiting.send().await.unwrap().status().is_success(),
            sees_approvals
        );
    }
    // The page of a shop's customers, who have no keys.
    let page = desk.http.get(desk.url("/")).send().await.unwrap();
    assert!(page.status().is_success());
    desk.customer("s")
        .says("Where is my order ORD-8842? I am sarah@example.com")
        .await;
}

/// An authority, a server's certificate of it, and a client's; and an authority that nobody has named.
struct Papers {
    folder: TempDir,
}

impl Papers {
    fn made() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for authority in ["ours", "theirs"] {
            let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate().unwrap();
            let certificate = params.self_signed(&key).unwrap();
            put(&folder, &format!("{authority}.pem"), &certificate.pem());
            let issuer = Issuer::new(params, key);
            for (holder, name) in [("server", "127.0.0.1"), ("client", "the help desk")] {
                let key = KeyPair::generate().unwrap();
                let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
                let certificate = params.signed_by(&key, &issuer).unwrap();
                put(
                    &folder,
                    &format!("{holder}-of-{authority}.pem"),
                    &certificate.pem(),
                );
                put(
                    &folder,
                    &format!("{holder}-of-{authority}.key"),
                    &key.serialize_pem(),
                );
            }
        }
        Self { folder }
    }

    fn at(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn serve(&self, config: &mut Config) {
        config.tls.certificate = self.at("server-of-ours.pem");
        config.tls.key = self.at("server-of-ours.key");
    }

    /// A client that trusts our authority, with the certificate of this one if any.
    fn client(&self, certificate_of: Option<&str>) -> Client {
        let _ = crate::desk::http_client();
        let ours = Certificate::from_pem(&fs::read(self.at("ours.pem")).unwrap()).unwrap();
        let mut builder = Client::builder().no_proxy().tls_certs_only([ours]);
        if let Some(authority) = certificate_of {
            let read =
                |ending| fs::read_to_string(self.at(&format!("client-of-{authority}.{ending}")));
            let both = format!("{}{}", read("pem").unwrap(), read("key").unwrap());
            builder = builder.identity(Identity::from_pem(both.as_bytes()).unwrap());
        }
        builder.build().unwrap()
    }
}

fn put(folder: &TempDir, file: &str, text: &str) {
    fs::write(folder.path().join(file), text).unwrap();
}

#[tokio::test]
async fn with_a_certificate_everything_is_served_by_tls() {
    let papers = Papers::made();
    let desk = Desk::open_with(|config| papers.serve(config)).await;
    let url = &desk.running.url;
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    let client = papers.client(None);
    let health = client
        .get(format!("{url}/api/health"))
        .send()
        .await
        .unwrap();
    assert_eq!(Answer::of(health).await.expect(200)["ready"], true);
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": { "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "s", "version": "1" } } });
    let opened = client.post(format!("{url}/mcp")).json(&list);
    let opened = opened
        .header("accept", "application/json, text/event-stream")
        .send()
        .await
        .unwrap();
    assert!(
        opened.headers().contains_key("mcp-session-id"),
        "{opened:?}"
    );
    // In the clear nobody is answered, and who does not shake hands keeps nobody waiting.
    let silent = tokio::net::TcpStream::connect(desk.running.addr)
        .await
        .unwrap();
    desk.http
        .get(desk.url("/api/health"))
        .send()
        .await
        .unwrap_err();
    client.get(format!("{url}/")).send().await.unwrap();
    drop(silent);
    desk.running.shutdown().await;
}

#[tokio::test]
async fn with_mutual_tls_nobody_connects_without_a_certificate() {
    let papers = Papers::made();
    let desk = Desk::open_with(|config| {
        papers.serve(config);
        config.tls.client_ca = papers.at("ours.pem");
    })
    .await;
    let tools = format!("{}/api/tools", desk.running.url);
    for stranger in [papers.client(None), papers.client(Some("theirs"))] {
        let refused = stranger.get(&tools).send().await.unwrap_err();
        assert!(refused.is_connect() || refused.is_request(), "{refused:?}");
        let call = json!({ "arguments": { "email": "sarah@example.com" } });
        let called = stranger.post(format!("{tools}/get_customer")).json(&call);
        called.send().await.unwrap_err();
    }
    assert_eq!(desk.shop.requests().await, Vec::<Value>::new());
    let known = papers
        .client(Some("ours"))
        .get(&tools)
        .send()
        .await
        .unwrap();
    assert!(known.status().is_success(), "{known:?}");
}

/// Certificate, key and authorities of clients, and what is said of them.
const UNUSABLE: [([&str; 3], &[&str]); 8] = [
    (
        ["gone.pem", "server-of-ours.key", ""],
        &["tls.certificate", "gone.pem", "cannot be read"],
    ),
    (
        ["server-of-ours.pem", "gone.key", ""],
        &["tls.key", "gone.key", "cannot be read"],
    ),
    (
        ["empty.pem", "server-of-ours.key", ""],
        &["empty.pem", "no certificate in it"],
    ),
    (
        ["broken.pem", "server-of-ours.key", ""],
        &["tls.certificate", "broken.pem", "does not fit"],
    ),
    (
        ["server-of-ours.pem", "ours.pem", ""],
        &["tls.key", "ours.pem", "expected a private key"],
    ),
    (
        ["server-of-ours.pem", "client-of-ours.key", ""],
        &["server-of-ours.pem", "client-of-ours.key", "does not fit"],
    ),
    (
        ["server-of-ours.pem", "server-of-ours.key", "gone.pem"],
        &["tls.client_ca", "gone.pem"],
    ),
    (
        ["server-of-ours.pem", "", ""],
        &["tls.key is empty", "TLS_KEY"],
    ),
];

#[tokio::test]
async fn certificates_that_cannot_be_used_are_named() {
    let papers = Papers::made();
    put(&papers.folder, "empty.pem", "");
    put(
        &papers.folder,
        "broken.pem",
        "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n",
    );
    for ([certificate, key, client_ca], words) in UNUSABLE {
        let at = |file: &str| {
            if file.is_empty() {
                PathBuf::new()
            } else {
                papers.at(file)
            }
        };
        let said = refusal(papers.folder.path(), |config| {
            config.tls.certificate = at(certificate);
            config.tls.key = at(key);
            config.tls.client_ca = at(client_ca);
        })
        .await;
        for word in words {
            assert!(said.contains(word), "{word:?} is missing: {said}");
        }
    }
}

#[tokio::test]
async fn tokens_that_cannot_be_told_apart_are_refused_at_the_start() {
    let papers = Papers::made();
    let said = refusal(papers.folder.path(), |config| {
        config.oauth.issuer = "https://id.example".into();
        config.oauth.resource = "http://desk.example/mcp".into();
    });
    let said = said.await;
    assert!(
        said.contains("key oauth.resource") && said.contains("use https"),
        "{said}"
    );
}

/// Why the program does not start with this configuration.
async fn refusal(data: &Path, change: impl FnOnce(&mut Config)) -> String {
    let mut config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        data_dir: data.join("data"),
        ..Config::default()
    };
    change(&mut config);
    let nothing: Environment = [].into_iter().collect();
    let options = Options {
        secrets: Secrets::of(&nothing).unwrap(),
        ..Options::new(config)
    };
    match switchboard::start(options).await {
        Ok(_) => panic!("it started"),
        Err(error) => error.to_string(),
    }
}
