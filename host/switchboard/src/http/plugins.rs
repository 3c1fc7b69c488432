//! A tenant's plugins, for whoever runs the program: what runs, what was done, and every change while calls run.

use std::collections::BTreeMap;

use artifacts::{Digest, Fetched, parse_signatures};
use axum::Json;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dispatch::{TagMove, Tolerance};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ApiError;
use super::access::Operator;
use super::desk::Desk;
use super::request::{JsonBody, LargeJsonBody, QueryOf, Segment};
use crate::host::life::{Acceptance, Life, LifeError, Offered, Parcel, Portrait, Terms};

/// What is to be installed: fetched by the host, or brought along.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToInstall {
    /// A file on the host's machine, or `oci://host/repository:tag`.
    source: Option<String>,
    /// The component, in base64.
    component: Option<String>,
    /// The text of its signature file.
    #[serde(default)]
    signatures: String,
    #[serde(default)]
    accept: bool,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    #[serde(default)]
    reason: String,
}

/// Which version, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToVersion {
    version: String,
    #[serde(default)]
    accept: bool,
    #[serde(default)]
    reason: String,
}

/// Which version is tried, and by how many.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToTry {
    version: String,
    per_mille: u16,
    #[serde(default)]
    tolerance: Tolerance,
    #[serde(default)]
    accept: bool,
    #[serde(default)]
    reason: String,
}

/// Why, and which version where it is not the live one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    version: Option<String>,
    #[serde(default)]
    reason: String,
}

/// Why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JustWhy {
    #[serde(default)]
    reason: String,
}

/// A version alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OneVersion {
    version: String,
}

/// `?version=&reason=`: one version, or the plugin as a whole.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WhatToRemove {
    version: Option<String>,
    #[serde(default)]
    reason: String,
}

fn life<'a>(desk: &'a Desk, by: &'a Operator) -> Life<'a> {
    Life::of(&desk.roster, desk.tenant.clone(), &by.0.subject)
}

/// `GET /api/plugins`.
pub(super) async fn list(desk: Desk, by: Operator) -> Result<Json<Value>, ApiError> {
    let portraits = life(&desk, &by).portraits().await?;
    let plugins: Vec<Value> = portraits.iter().map(shown).collect();
    Ok(Json(json!({ "plugins": plugins })))
}

/// `POST /api/plugins`.
pub(super) async fn install(
    desk: Desk,
    by: Operator,
    LargeJsonBody(body): LargeJsonBody<ToInstall>,
) -> Result<Json<Value>, ApiError> {
    let offered = Offered {
        parcel: parcel(&body)?,
        accept: if body.accept {
            Acceptance::Given
        } else {
            Acceptance::Open
        },
        settings: body.settings,
        reason: body.reason,
    };
    let done = life(&desk, &by).install(offered).await?;
    Ok(Json(json!({
        "plugin": done.plugin,
        "version": done.pinned.version,
        "digest": done.pinned.digest,
        "known": done.known,
        "live": done.live,
        "tag_moved": done.tag_moved.map(|moved| moved.to_string()),
    })))
}

fn parcel(body: &ToInstall) -> Result<Parcel, ApiError> {
    match (&body.source, &body.component) {
        (Some(source), None) => {
            let source = source.parse();
            source
                .map(Parcel::From)
                .map_err(|error: artifacts::SourceError| ApiError::invalid(error.to_string()))
        }
        (None, Some(component)) => {
            let bytes = BASE64_STANDARD.decode(component);
            let bytes = bytes
                .map_err(|error| ApiError::invalid(format!("component is not base64: {error}")))?;
            let signatures = parse_signatures(&body.signatures);
            let signatures =
                signatures.map_err(|error| ApiError::invalid(format!("signatures: {error}")))?;
            Ok(Parcel::Brought(Box::new(Fetched {
                digest: Digest::of(&bytes),
                bytes,
                source: "a request".to_owned(),
                signatures,
                tag_moved: None,
            })))
        }
        _ => Err(ApiError::invalid(
            "send either source (a file on the host's machine, or oci://host/repository:tag) or component (base64)",
        )),
    }
}

/// `POST /api/plugins/{plugin}/swap`.
pub(super) async fn swap(
    desk: Desk,
    by: Operator,
    Segment(plugin): Segment,
    JsonBody(body): JsonBody<ToVersion>,
) -> Result<Json<Value>, ApiError> {
    let life = life(&desk, &by);
    Box::pin(life.swap(&plugin, &body.version, body.accept, body.reason)).await?;
    portrait(&desk, &by, &plugin).await
}

/// `POST /api/plugins/{plugin}/canary`.
pub(super) async fn canary(
    desk: Desk,
    by: Operator,
    Segment(plugin): Segment,
    JsonBody(body): JsonBody<ToTry>,
) -> Result<Json<Value>, ApiError> {
    let terms = Terms {
        per_mille: body.per_mille,
        tolerance: body.tolerance,
    };
    let life = life(&desk, &by);
    Box::pin(life.canary(&plugin, &body.version, terms, body.accept, &body.reason)).await?;
    portrait(&desk, &by, &plugin).await
}

/// `POST /api/plugins/{plugin}/promote`.
pub(super) async fn promote(
    desk: Desk,
    by: Operator,
    Segment(plugin): Segment,
    JsonBody(body): JsonBody<JustWhy>,
) -> Result<Json<Value>, ApiError> {
    life(&desk, &by).promote(&plugin, body.reason).await?;
    portrait(&desk, &by, &plugin).await
}

/// `POST /api/plugins/{plugin}/rollback`.
pub(super) async fn rollback(
    desk: Desk,
    by: Operator,
    Segment(plugin): Segment,
    JsonBody(body): JsonBody<JustWhy>,
) -> Result<Json<Value>, ApiError> {
    life(&desk, &by).rollback(&plugin, body.reason).await?;
    portrait(&desk, &by, &plugin).await
}

/// `POST /api/plugins/{plugin}/kill`.
pub(super) async fn kill(
    desk: Desk,
    by: Operator,
    Segment(plugin): Segment,
    JsonBody(body): JsonBody<Why>,
) -> Result<Json<Value>, ApiError> {
    let version = body.version.as_deref();
    life(&desk, &by).kill(&plugin, version, body.reason).await?;
    portrait(&desk, &by, &plugin).await
}

/// `POST /api/plugins/{plugin}/revive`.
pub(super) async fn revive(
    desk: Desk,
    by: Operator,
    Segment(plugin): Segment,
    JsonBody(body): JsonBody<Why>,
) -> Result<Json<Value>, ApiError> {
    let version = body.version.as_deref();
    life(&desk, &by)
        .revive(&plugin, version, body.reason)
        .await?;
    portrait(&desk, &by, &plugin).await
}

/// `GET /api/plugins/{plugin}/compare?version=`: what an installed version would change.
pub(super) async fn compare(
    desk: Desk,
    by: Operator,
    Segment(plugin): Segment,
    QueryOf(query): QueryOf<OneVersion>,
) -> Result<Json<Value>, ApiError> {
    let comparison = life(&desk, &by).compared(&plugin, &query.version).await?;
    Ok(Json(json!(comparison)))
}

/// `POST /api/plugins/{plugin}/shadow`: what an installed version does otherwise with recorded calls.
pub(super) async fn shadow(
    desk: Desk,
    by: Operator,
    Segment(plugin): Segment,
    JsonBody(body): JsonBody<OneVersion>,
) -> Result<Json<Value>, ApiError> {
    let shadow = life(&desk, &by).shadow(&plugin, &body.version).await?;
    Ok(Json(json!(shadow)))
}

/// `DELETE /api/plugins/{plugin}`: out of service, or one version forgotten.
pub(super) async fn remove(
    desk: Desk,
    by: Operator,
    Segment(plugin): Segment,
    QueryOf(query): QueryOf<WhatToRemove>,
) -> Result<StatusCode, ApiError> {
    let life = life(&desk, &by);
    match query.version {
        Some(version) => life.forget(&plugin, &version, &query.reason).await?,
        None => life.remove(&plugin, query.reason).await?,
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/plugins/history`.
pub(super) async fn all_history(desk: Desk, by: Operator) -> Result<Json<Value>, ApiError> {
    let history = life(&desk, &by).history(None).await?;
    Ok(Json(json!({ "history": history })))
}

/// `GET /api/plugins/{plugin}/history`.
pub(super) async fn history(
    desk: Desk,
    by: Operator,
    Segment(plugin): Segment,
) -> Result<Json<Value>, ApiError> {
    let history = life(&desk, &by).history(Some(&plugin)).await?;
    Ok(Json(json!({ "history": history })))
}

async fn portrait(desk: &Desk, by: &Operator, plugin: &str) -> Result<Json<Value>, ApiError> {
    let portrait = life(desk, by).portrait(plugin).await?;
    Ok(Json(shown(&portrait)))
}

fn shown(portrait: &Portrait) -> Value {
    let live = portrait.live.as_ref();
    let binding = portrait.binding.as_ref();
    let versions = portrait.versions.iter().map(|version| {
        json!({
            "version": version.version,
            "digest": version.digest,
            "source": version.source,
            "signed_by": version.signed_by,
            "installed_by": version.installed_by,
            "installed_at": version.installed_at,
        })
    });
    json!({
        "name": portrait.name,
        "origin": portrait.origin,
        "live": live.map(|live| json!({ "version": live.version(), "digest": live.digest() })),
        "refused": portrait.refused,
        "tools": live.map(|live| live.tools().map(|tool| tool.name.clone()).collect::<Vec<_>>()).unwrap_or_default(),
        "stable": binding.and_then(|binding| binding.stable.clone()),
        "canary": binding.and_then(|binding| binding.canary.clone()),
        "previous": binding.and_then(|binding| binding.previous.clone()),
        "killed": portrait.killed,
        "revision": binding.map_or(0, |binding| binding.revision),
        "versions": versions.collect::<Vec<_>>(),
        "moved_tags": portrait.moved_tags.iter().map(moved).collect::<Vec<_>>(),
    })
}

fn moved(tag: &TagMove) -> Value {
    json!({
        "reference": tag.reference,
        "pinned": tag.pinned,
        "now": tag.now,
        "seen_at_ms": tag.seen_at_ms,
    })
}

impl From<LifeError> for ApiError {
    fn from(error: LifeError) -> Self {
        let (status, code) = match error {
            LifeError::Store(error) => return error.into(),
            LifeError::Unknown(_) => (StatusCode::NOT_FOUND, "not_found"),
            LifeError::Unaccepted { .. } => (StatusCode::CONFLICT, "acceptance_needed"),
            LifeError::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            LifeError::KillUnrecorded { .. } => {
                (StatusCode::INTERNAL_SERVER_ERROR, "kill_not_recorded")
            }
            LifeError::Untrusted(_) => (StatusCode::UNPROCESSABLE_ENTITY, "not_trusted"),
            LifeError::Fetch(_) => (StatusCode::UNPROCESSABLE_ENTITY, "not_fetched"),
            LifeError::Manifest(_)
            | LifeError::Plugin(_)
            | LifeError::Unfit(_)
            | LifeError::Refused(_) => (StatusCode::UNPROCESSABLE_ENTITY, "plugin_refused"),
        };
        Self::new(status, code, error.to_string())
    }
}
