//! The vocabulary: an authorization server inside the test, which signs whatever it is told to.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::KeyPair;
use serde_json::{Value, json};

/// An authorization server with one key at a time.
pub(crate) struct Issuer {
    pub(crate) url: String,
    told: Arc<Told>,
    key: KeyPair,
    pub(crate) key_id: String,
}

/// What it tells, and how often it was asked.
struct Told {
    url: String,
    keys: Mutex<Value>,
    fetches: AtomicUsize,
    is_down: AtomicBool,
}

impl Issuer {
    pub(crate) async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let key = new_key();
        let told = Arc::new(Told {
            url: url.clone(),
            keys: Mutex::new(json!([jwk(&key, "first")])),
            fetches: AtomicUsize::new(0),
            is_down: AtomicBool::new(false),
        });
        let app = Router::new()
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route("/jwks", get(keys))
            .with_state(Arc::clone(&told));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            url,
            told,
            key,
            key_id: "first".to_owned(),
        }
    }

    /// Its claims for alice, at this resource, with these scopes, for an hour.
    pub(crate) fn claims(&self, resource: &str, scope: &str) -> Value {
        json!({ "iss": self.url, "sub": "alice", "aud": resource, "exp": now() + 3_600, "iat": now(), "scope": scope, "client_id": "inbox" })
    }

    /// A token of it with exactly these claims.
    pub(crate) fn signs(&self, claims: &Value) -> String {
        self.signs_as(&self.header(), claims)
    }

    pub(crate) fn signs_as(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &signing(&self.key)).unwrap()
    }

    /// A token for somebody at a resource.
    pub(crate) fn token(&self, subject: &str, resource: &str, scope: &str) -> String {
        let mut claims = self.claims(resource, scope);
        claims["sub"] = subject.into();
        self.signs(&claims)
    }

    pub(crate) fn header(&self) -> Header {
        Header {
            typ: Some("at+jwt".to_owned()),
            kid: Some(self.key_id.clone()),
            ..Header::new(Algorithm::ES256)
        }
    }

    /// From now on it signs with another key.
    pub(crate) fn rotates(&mut self) {
        self.key = new_key();
        "second".clone_into(&mut self.key_id);
        *self.told.keys.lock().unwrap() = json!([jwk(&self.key, "second")]);
    }

    /// From now on it answers with an error.
    pub(crate) fn breaks_down(&self) {
        self.told.is_down.store(true, Ordering::SeqCst);
    }

    /// How often its keys were asked for.
    pub(crate) fn fetches(&self) -> usize {
        self.told.fetches.load(Ordering::SeqCst)
    }

    /// Everything about its key that anybody may know, as bytes: what a forger might sign with.
    pub(crate) fn public_forms(&self) -> Vec<Vec<u8>> {
        vec![
            self.key.public_key_raw().to_vec(),
            self.key.public_key_pem().into_bytes(),
            jwk(&self.key, &self.key_id).to_string().into_bytes(),
        ]
    }
}

async fn metadata(State(told): State<Arc<Told>>) -> Json<Value> {
    let url = &told.url;
    Json(
        json!({ "issuer": url, "jwks_uri": format!("{url}/jwks"), "response_types_supported": ["code"] }),
    )
}

async fn keys(State(told): State<Arc<Told>>) -> Result<Json<Value>, StatusCode> {
    told.fetches.fetch_add(1, Ordering::SeqCst);
    if told.is_down.load(Ordering::SeqCst) {
        return Err(StatusCode::BAD_GATEWAY);
    }
    Ok(Json(json!({ "keys": *told.keys.lock().unwrap() })))
}

/// A key that nobody publishes.
pub(crate) fn new_key() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap()
}

pub(crate) fn signing(key: &KeyPair) -> EncodingKey {
    EncodingKey::from_ec_der(&key.serialize_der())
}

pub(crate) fn jwk(key: &KeyPair, id: &str) -> Value {
    // A point that is not compressed: 4, x, y.
    let (x, y) = key.public_key_raw()[1..].split_at(32);
    let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": id, "x": text(x), "y": text(y) })
}

/// Unix seconds.
pub(crate) fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.unwrap().as_secs().try_into().unwrap()
}
