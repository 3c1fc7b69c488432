//! What the shop keeps and does: one module per resource, each with its records, its checks and its handlers.

pub(crate) mod articles;
pub(crate) mod contacts;
pub(crate) mod conversations;
pub(crate) mod credits;
pub(crate) mod customers;
pub(crate) mod escalations;
pub(crate) mod orders;
pub(crate) mod refunds;
pub(crate) mod returns;
pub(crate) mod shipments;
pub(crate) mod tickets;

use axum::Json;
use axum::response::Response;
use serde_json::Value;

use crate::refusal::Refusal;

/// What a read answers.
type Found = Result<Json<Value>, Refusal>;
/// What a write answers.
type Done = Result<Response, Refusal>;
