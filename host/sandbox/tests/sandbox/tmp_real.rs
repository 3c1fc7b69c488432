use async_trait::async_trait;
use dispatch::*;
use sandbox::*;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
#[derive(Default)]
struct G {
    deny: bool,
    log: Mutex<Vec<String>>,
    n: Mutex<u32>,
}
#[async_trait]
impl Gate for G {
    async fn http(&self, r: &OutboundHttp) -> Result<HttpApproval, policy::Refusal> {
        self.log.lock().unwrap().push(format!(
            "{} {} {}",
            r.method,
            r.url,
            String::from_utf8_lossy(&r.body)
        ));
        if self.deny {
            return Err(policy::Refusal {
                code: "NOPE".into(),
                say: String::new(),
                hint: None,
                rules: vec![],
            });
        }
        let mut n = self.n.lock().unwrap();
        *n += 1;
        Ok(HttpApproval {
            ordinal: *n,
            headers: vec![],
            private_network: true,
        })
    }
    async fn answered(&self, o: u32, a: Answer) {
        self.log.lock().unwrap().push(format!("{o} {a:?}"));
    }
    async fn complete(&self, _: CompletionRequest) -> Result<String, CompletionError> {
        Err(CompletionError::Budget)
    }
    fn scrub(&self, t: &str) -> String {
        t.to_owned()
    }
}
fn wit() -> Vec<(String, String)> {
    let mut v = vec![];
    for d in std::fs::read_dir("../../wit").unwrap() {
        let d = d.unwrap().path();
        if d.is_dir() && !d.ends_with("released") {
            for f in std::fs::read_dir(d).unwrap() {
                let f = f.unwrap().path();
                v.push((
                    f.display().to_string(),
                    std::fs::read_to_string(&f).unwrap(),
                ));
            }
        }
    }
    v
}
#[tokio::test(flavor = "multi_thread")]
async fn real() {
    tracing_sub();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut s, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut b = [0; 4096];
                loop {
                    let n = s.read(&mut b).await.unwrap_or(0);
                    if n == 0 {
                        return;
                    }
                    let body = r#"{"order_id":"ORD-1","customer_id":"C-1","status":"delivered","items":[],"total":{"minor":4999,"currency":"USD"},"placed_at":"2026-11-01T00:00:00Z","refund_eligible":true,"refunded":{"minor":0,"currency":"USD"}}"#;
                    s.write_all(format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
                }
            });
        }
    });
    let tb = Toolbox::new(ToolboxSettings {
        contract: wit(),
        cache: Some("../../target/tmp/cwasm".into()),
        capacity: Capacity::default(),
    })
    .unwrap();
    let mut plugins = vec![];
    for name in [
        "crm",
        "orders",
        "refunds",
        "knowledge",
        "tickets",
        "intercom",
    ] {
        let t = Instant::now();
        let bytes = std::fs::read(format!(
            "../../target/plugins/wasm32-wasip2/release/{name}.wasm"
        ))
        .unwrap();
        let len = bytes.len();
        let grant = serde_json::from_value(json!({"origin": format!("http://{addr}"), "methods": ["GET","POST"], "paths": ["/**"], "private_network": true})).unwrap();
        match tb
            .load(PluginSource {
                name: name.into(),
                version: "1".into(),
                bytes,
                config: [("base_url".to_owned(), format!("http://{addr}"))].into(),
                grants: vec![grant],
                model: true,
                limits: Limits::default(),
            })
            .await
        {
            Ok(p) => {
                println!(
                    "{name} {len} bytes {:?}: {:?}",
                    t.elapsed(),
                    p.tools().map(|t| t.name.clone()).collect::<Vec<_>>()
                );
                plugins.push(p);
            }
            Err(e) => println!("{name}: {e}"),
        }
    }
    println!("{:?}", tb.publish("t", &plugins));
    let snap = tb.snapshot("t").unwrap();
    let tool = snap.tools["lookup_order"].clone();
    println!(
        "{}\n{}",
        tool.spec().input_schema,
        tool.spec().output_schema
    );
    println!("{}", snap.tools["process_refund"].spec().input_schema);
    let run = |gate: Arc<G>| {
        let tool = tool.clone();
        async move {
            let args = tool.check(&json!({"order_id": "ORD-1"})).unwrap();
            tool.invoke(
                crate::guest::permit("lookup_order", &tool.spec().digest, Value::Object(args)),
                gate,
            )
            .await
        }
    };
    let g = Arc::new(G::default());
    println!("{:?}\n{:?}", run(g.clone()).await, g.log.lock().unwrap());
    let g = Arc::new(G {
        deny: true,
        ..G::default()
    });
    println!("{:?}\n{:?}", run(g.clone()).await, g.log.lock().unwrap());
    let p = |d: &str| crate::guest::permit("lookup_order", d, json!({"order_id":"ORD-1"}));
    let permits: Vec<_> = (0..60).map(|_| p(&tool.spec().digest)).collect();
    let g = Arc::new(G::default());
    let t = Instant::now();
    for x in permits {
        tool.invoke(x, g.clone()).await.unwrap();
    }
    println!("with http: {:?} per call", t.elapsed() / 60);
    let guest = crate::guest::Guest::live(crate::guest::source(crate::guest::friendly())).await;
    let s2 = guest.toolbox.snapshot(crate::guest::TENANT).unwrap();
    let add = s2.tools["add"].clone();
    let permits: Vec<_> = (0..60)
        .map(|_| crate::guest::permit("add", &add.spec().digest, json!({"a":1,"b":2})))
        .collect();
    let t = Instant::now();
    for x in permits {
        add.invoke(x, g.clone()).await.unwrap();
    }
    println!("add: {:?} per call", t.elapsed() / 60);
}
fn tracing_sub() {}
