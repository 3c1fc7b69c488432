//! Tenants, for whoever runs the program: how each stands, and changing their folders.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use policy::Actor;
use serde_json::{Value, json};

use super::ApiError;
use super::access::Operator;
use super::desk::Desk;
use super::request::{JsonBody, Segment, TextBody};
use crate::host::roster::{FolderChange, RosterError, Standing};
use crate::tenants::{Identity, PluginEntry};

/// `GET /api/tenants`: how each stands.
pub(super) async fn list(desk: Desk, _: Operator) -> Json<Value> {
    let standings = desk.roster.standings();
    let tenants = standings.iter().map(|standing| summary(&desk, standing));
    Json(json!({ "tenants": tenants.collect::<Vec<_>>() }))
}

/// `GET /api/tenants/{tenant}`: what it has, and the texts of its folder.
pub(super) async fn show(
    desk: Desk,
    _: Operator,
    Segment(name): Segment,
) -> Result<Json<Value>, ApiError> {
    shown(&desk, &name).map(Json)
}

/// `PUT /api/tenants/{tenant}/files/{path}`: one file of its folder, once the whole fits.
pub(super) async fn write(
    desk: Desk,
    Operator(operator): Operator,
    Path((name, file)): Path<(String, String)>,
    TextBody(text): TextBody,
) -> Result<Json<Value>, ApiError> {
    let change = FolderChange::from([(file, Some(text))]);
    changed(&desk, &name, change, &operator).await
}

/// `DELETE /api/tenants/{tenant}/files/{path}`: one file of its folder, once the whole fits without it.
pub(super) async fn delete(
    desk: Desk,
    Operator(operator): Operator,
    Path((name, file)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let change = FolderChange::from([(file, None)]);
    changed(&desk, &name, change, &operator).await
}

/// `PUT /api/tenants/{tenant}/files`: several files of its folder, null for one that is deleted, once the whole fits.
pub(super) async fn write_many(
    desk: Desk,
    Operator(operator): Operator,
    Segment(name): Segment,
    JsonBody(change): JsonBody<FolderChange>,
) -> Result<Json<Value>, ApiError> {
    if change.is_empty() {
        return Err(ApiError::invalid(
            "the body names no file: send {\"rules/own.cedar\": \"TEXT\", \"tools.toml\": null}, null for a file that is to be deleted",
        ));
    }
    changed(&desk, &name, change, &operator).await
}

async fn changed(
    desk: &Desk,
    name: &str,
    change: FolderChange,
    by: &Actor,
) -> Result<Json<Value>, ApiError> {
    desk.roster.write(name, change, &by.subject).await?;
    shown(desk, name).map(Json)
}

/// `POST /api/tenants/{tenant}/reload`: its folder again, with its secrets.
pub(super) async fn reload(
    desk: Desk,
    Operator(operator): Operator,
    Segment(name): Segment,
) -> Result<Json<Value>, ApiError> {
    desk.roster.reload(&name, &operator.subject).await?;
    shown(&desk, &name).map(Json)
}

/// `DELETE /api/tenants/{tenant}`: with its folder.
pub(super) async fn remove(
    desk: Desk,
    Operator(operator): Operator,
    Segment(name): Segment,
) -> Result<StatusCode, ApiError> {
    desk.roster.remove(&name, &operator.subject).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(desk: &Desk, name: &str) -> Result<Value, ApiError> {
    let standings = desk.roster.standings();
    let standing = standings.iter().find(|standing| standing.name == name);
    let standing = standing.ok_or_else(|| {
        ApiError::not_found(format!(
            "there is no tenant {name}; GET /api/tenants lists those that there are"
        ))
    })?;
    let mut shown = summary(desk, standing);
    shown["files"] = json!(desk.roster.texts(name));
    if let Some(tenant) = desk.tenants.get(name) {
        shown["company"] = tenant.speaks.company.as_str().into();
        shown["keys"] = tenant
            .keys
            .iter()
            .map(|holder| key(&holder.identity))
            .collect();
        let refused = desk.roster.publishing().refused(name);
        let plugins = tenant.plugins.iter();
        let plugin = |entry: &PluginEntry| plugin(entry, refused.get(&entry.name));
        shown["plugins"] = plugins.map(plugin).collect();
        let own = tenant.speaks.model.as_ref();
        shown["model"] = own
            .map_or(desk.model_label.as_str(), |own| own.name())
            .into();
        shown["channels"] = json!(tenant.channels);
        shown["shares"] = json!(tenant.shares);
        shown["trust"] = json!(tenant.trust.settings());
    }
    Ok(shown)
}

/// `serving`: its folder is what is served. `last_good`: the folder was refused, and what there is since `good_since` is served.
/// `refused`: nothing is served.
fn summary(desk: &Desk, standing: &Standing) -> Value {
    let tenant = desk.tenants.get(&standing.name);
    let state = match (&tenant, &standing.refused) {
        (Some(_), None) => "serving",
        (Some(_), Some(_)) => "last_good",
        (None, _) => "refused",
    };
    json!({
        "name": standing.name,
        "state": state,
        "reason": standing.refused,
        "good_since": standing.good_since,
        "rulebook": tenant.as_ref().map(|tenant| tenant.rulebook.version()),
        "tools": desk.host().tools(&standing.name).tools.len(),
    })
}

fn key(identity: &Identity) -> Value {
    json!({ "name": identity.name, "role": identity.actor.role, "tools": identity.tools })
}

/// With the reason, where it does not run.
fn plugin(entry: &PluginEntry, refused: Option<&String>) -> Value {
    json!({
        "name": entry.name,
        "from": entry.origin.to_string(),
        "reach": entry.grants,
        "model": entry.model,
        "key_value": entry.key_value,
        "refused": refused,
    })
}

impl From<RosterError> for ApiError {
    fn from(error: RosterError) -> Self {
        match error {
            RosterError::Missing(message) => Self::not_found(message),
            RosterError::Refused(refusal) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "tenant_refused",
                refusal.to_string(),
            ),
            RosterError::Disk(error) => {
                tracing::error!(%error, "the tenants' folder cannot be changed");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "folder_unavailable",
                    "the tenants' folder cannot be read or written right now; the log says why. What was live still is",
                )
            }
            RosterError::Store(error) => error.into(),
        }
    }
}
