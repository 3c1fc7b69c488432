//! Writes that happen once per `Idempotency-Key`: the key's record commits in the transaction of the effect.
//!
//! Only effects are remembered. A refused request changed nothing, and is judged afresh when it comes again.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::refusal::Refusal;
use crate::request::{Token, parse_json};

const LONGEST_KEY: usize = 255;

/// An authorized write: its body, and the key it must not happen twice under.
pub(crate) struct Write<T> {
    body: T,
    key: Option<Key>,
}

struct Key {
    name: String,
    /// SHA-256 over method, path, query and body, in hex.
    fingerprint: String,
}

/// What a write did: the status and the body of its answer.
pub(crate) struct Effect {
    status: StatusCode,
    body: Value,
}

impl Effect {
    /// 201 with what was made.
    pub(crate) fn created(made: &impl Serialize) -> Result<Self, Refusal> {
        Ok(Self {
            status: StatusCode::CREATED,
            body: serde_json::to_value(made)?,
        })
    }

    /// 200 with what was changed.
    pub(crate) fn changed(changed: &impl Serialize) -> Result<Self, Refusal> {
        Ok(Self {
            status: StatusCode::OK,
            body: serde_json::to_value(changed)?,
        })
    }
}

impl<T: Send + 'static> Write<T> {
    /// Carries the write out in one transaction, or replays the answer that its key already has.
    pub(crate) async fn carry_out<F>(self, app: &App, act: F) -> Result<Response, Refusal>
    where
        F: FnOnce(&Connection, T) -> Result<Effect, Refusal> + Send + 'static,
    {
        let Self { body, key } = self;
        app.store
            .write(move |db| {
                let Some(key) = key else {
                    return Ok(answer(act(db, body)?, false));
                };
                if let Some(saved) = saved_effect(db, &key)? {
                    return Ok(answer(saved, true));
                }
                let effect = act(db, body)?;
                save_effect(db, &key, &effect)?;
                Ok(answer(effect, false))
            })
            .await
    }
}

fn answer(effect: Effect, replayed: bool) -> Response {
    let mut response = (effect.status, axum::Json(effect.body)).into_response();
    if replayed {
        response
            .headers_mut()
            .insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    response
}

fn saved_effect(db: &Connection, key: &Key) -> Result<Option<Effect>, Refusal> {
    let saved: Option<(String, u16, String)> = db
        .prepare_cached("SELECT fingerprint, status, body FROM idempotency_keys WHERE name = ?1")?
        .query_row([&key.name], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let Some((fingerprint, status, body)) = saved else {
        return Ok(None);
    };
    if fingerprint != key.fingerprint {
        return Err(Refusal::KeyReuse);
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    Ok(Some(Effect {
        status,
        body: serde_json::from_str(&body)?,
    }))
}

fn save_effect(db: &Connection, key: &Key, effect: &Effect) -> Result<(), Refusal> {
    db.prepare_cached(
        "INSERT INTO idempotency_keys (name, fingerprint, status, body) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        key.name,
        key.fingerprint,
        effect.status.as_u16(),
        effect.body.to_string()
    ])?;
    Ok(())
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Write<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Refusal> {
        let (mut head, body) = request.into_parts();
        let Token = Token::from_request_parts(&mut head, app).await?;
        let name = key_name(&head.headers)?;
        if name.is_none() && app.require_idempotency_key {
            return Err(Refusal::invalid(
                "send an Idempotency-Key header with every write",
            ));
        }
        let target = format!("{} {}\n", head.method, head.uri);
        let bytes = Bytes::from_request(Request::from_parts(head, body), app)
            .await
            .map_err(|_| Refusal::Interrupted)?;
        let key = name.map(|name| Key {
            name,
            fingerprint: fingerprint(&target, &bytes),
        });
        Ok(Self {
            body: parse_json(&bytes)?,
            key,
        })
    }
}

fn fingerprint(target: &str, body: &[u8]) -> String {
    hex::encode(
        Sha256::new()
            .chain_update(target)
            .chain_update(body)
            .finalize(),
    )
}

fn key_name(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if !key.trim().is_empty() && key.len() <= LONGEST_KEY => Ok(Some(key.to_owned())),
        _ => Err(Refusal::invalid(format!(
            "Idempotency-Key must be 1 to {LONGEST_KEY} visible ASCII characters"
        ))),
    }
}
