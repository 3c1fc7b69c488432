//! A real authorization server, oidc-provider from npm: tokens that a program gets for itself, and a person who signs in from the
//! TypeScript SDK with a code and PKCE. Without AUTHORIZATION_SERVERS=oidc-provider it says by name that it was skipped.

use std::io::{BufRead, BufReader, Lines};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::desk::{Answer, Desk, http_client};
use crate::tree::root;

const SCOPES: &str = "support support:approve openid-is-not-enough";

fn is_asked_for() -> bool {
    let asked = std::env::var("AUTHORIZATION_SERVERS").unwrap_or_default();
    let is_asked = asked.split(',').any(|one| one == "oidc-provider");
    if !is_asked {
        println!(
            "skipped: tokens of oidc-provider; AUTHORIZATION_SERVERS=oidc-provider installs what it needs and starts it"
        );
    }
    is_asked
}

/// The authorization server, as it was installed by this very test.
struct Provider {
    folder: PathBuf,
    issuer: String,
    server: Child,
    /// What it goes on saying: it would end if nobody held this.
    _says: Lines<BufReader<ChildStdout>>,
}

impl Provider {
    fn start() -> Self {
        let folder = installed();
        let mut server = node(&folder, "server.mjs")
            .arg(SCOPES)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let issuer = lines
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| line.strip_prefix("issuer=").map(str::to_owned));
        Self {
            folder,
            issuer: issuer.unwrap(),
            server,
            _says: lines,
        }
    }

    /// A token that a program gets for itself.
    async fn grants(&self, resource: &str, scope: &str) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", scope),
            ("resource", resource),
        ];
        let body: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = http_client()
            .post(format!("{}/token", self.issuer))
            .header("content-type", "application/x-www-form-urlencoded")
            .basic_auth("helpdesk", Some("secret-of-the-helpdesk"))
            .body(body);
        let answer = Answer::of(request.send().await.unwrap()).await.expect(200);
        answer["access_token"].as_str().unwrap().to_owned()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The folder with the server and its packages; npm looks at it each time, and does nothing where nothing has changed.
fn installed() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(install).clone()
}

fn install() -> PathBuf {
    let folder = root().join("target/tests/authorization-server");
    std::fs::create_dir_all(&folder).unwrap();
    for file in ["package.json", "server.mjs", "sign_in.mjs"] {
        let from = root().join("tests/oauth/provider").join(file);
        std::fs::copy(from, folder.join(file)).unwrap();
    }
    let install = [
        "install",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--silent",
    ];
    let done = Command::new("npm")
        .args(install)
        .current_dir(&folder)
        .status();
    assert!(
        done.unwrap().success(),
        "npm install in {}",
        folder.display()
    );
    folder
}

/// Runs a script by the Node that was installed beside it, or by the machine's own where there is none for this machine.
fn node(folder: &PathBuf, script: &str) -> Command {
    let mut own = ["x64", "arm64"]
        .iter()
        .map(|machine| folder.join(format!("node_modules/node-linux-{machine}/bin/node")));
    let node = own.find(|node| node.exists());
    let mut command = Command::new(node.unwrap_or_else(|| "node".into()));
    command.arg(script).current_dir(folder);
    command
}

/// A desk at the address that its tokens are for, which must be known before it starts.
async fn desk(issuer: &str) -> (Desk, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let resource = format!("http://{address}/mcp");
    let section = json!({
        "issuer": issuer, "resource": resource,
        "scopes": { "support": { "role": "agent" }, "support:approve": { "role": "supervisor" } },
    });
    let desk = Desk::open_with(|config| {
        config.listen = address;
        config.oauth = serde_json::from_value(section).unwrap();
    });
    (desk.await, resource)
}

#[tokio::test]
async fn tokens_of_a_real_authorization_server_count_for_their_resource_and_scope() {
    if !is_asked_for() {
        return;
    }
    let provider = Provider::start();
    let (desk, resource) = desk(&provider.issuer).await;
    let call = json!({ "arguments": { "email": "sarah@example.com" } });
    let called = async |token: &str| {
        let request = desk.http.post(desk.url("/api/tools/get_customer"));
        let request = request.bearer_auth(token).json(&call);
        Answer::of(request.send().await.unwrap()).await
    };
    let elsewhere = provider
        .grants("https://other.example/mcp", "support")
        .await;
    called(&elsewhere).await.expect(401);
    let too_little = provider.grants(&resource, "openid-is-not-enough").await;
    called(&too_little).await.expect(403);
    let good = provider.grants(&resource, "support").await;
    let (start, end) = good.split_at(good.len() / 2);
    let other = if end.starts_with('A') { 'B' } else { 'A' };
    called(&format!("{start}{other}{}", &end[1..]))
        .await
        .expect(401);
    assert_eq!(desk.shop.requests().await, Vec::<Value>::new());

    called(&good).await.expect(200);
    let approvals = async |token: &str| {
        let request = desk.http.get(desk.url("/api/approvals")).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(approvals(&good).await, 403);
    let approves = provider.grants(&resource, "support:approve").await;
    assert_eq!(approvals(&approves).await, 200);
    assert!(desk.audit().await.contains("token:helpdesk@"));
    println!(
        "oidc-provider: client_credentials, RS256, at+jwt: counts; wrong resource, scope or signature: refused"
    );
}

#[tokio::test]
async fn somebody_signs_in_from_a_client_with_a_code_and_pkce() {
    if !is_asked_for() {
        return;
    }
    let provider = Provider::start();
    let (desk, resource) = desk(&provider.issuer).await;
    let mut script = node(&provider.folder, "sign_in.mjs");
    script.args([&resource, "alice"]);
    // The desk answers on this thread's runtime, so the script must not hold it up.
    let done = tokio::task::spawn_blocking(move || script.output().unwrap());
    let done = done.await.unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(desk.audit().await.contains("token:alice@"));
    println!("oidc-provider: {}", said.trim());
}
