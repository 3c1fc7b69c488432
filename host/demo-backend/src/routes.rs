//! Every path of the service, in one list.

use std::sync::Arc;

use axum::routing::{get, patch, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::app::App;
use crate::control;
use crate::desk::{
    articles, contacts, conversations, credits, customers, escalations, orders, refunds, returns,
    shipments, tickets,
};
use crate::refusal::Refusal;

/// The routes over this state. Reads are open; `Write` and `Token` parameters are what asks for the token.
pub(crate) fn routes(app: Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/customers", get(customers::find))
        .route(
            "/customers/{id}",
            get(customers::get).patch(customers::change),
        )
        .route("/customers/{id}/orders", get(orders::of_customer))
        .route("/orders/{id}", get(orders::get))
        .route("/orders/{id}/cancel", post(orders::cancel))
        .route("/shipments", get(shipments::list))
        .route("/returns", get(returns::list).post(returns::create))
        .route("/returns/{id}/label", get(returns::label))
        .route("/credits", get(credits::list).post(credits::create))
        .route("/refunds", get(refunds::list).post(refunds::create))
        .route("/articles/search", get(articles::search))
        .route("/articles/{id}", get(articles::get))
        .route("/tickets", post(tickets::create))
        .route("/tickets/{id}", get(tickets::get).patch(tickets::change))
        .route(
            "/escalations",
            get(escalations::list).post(escalations::create),
        )
        .route("/escalations/{id}", get(escalations::get))
        .route("/conversations", post(conversations::create))
        .route("/conversations/{id}", get(conversations::get))
        .route("/conversations/{id}/reply", post(conversations::reply))
        .route("/conversations/{id}/assign", post(conversations::assign))
        .route("/conversations/{id}/tags", post(conversations::tag))
        .route("/contacts", get(contacts::search))
        .route("/contacts/{id}", patch(contacts::change))
        .route(
            "/_control/faults",
            get(control::armed_faults)
                .post(control::arm_fault)
                .delete(control::clear_faults),
        )
        .route(
            "/_control/requests",
            get(control::requests).delete(control::clear_requests),
        )
        .method_not_allowed_fallback(|| async { Refusal::MethodNotAllowed })
        .fallback(|| async { Refusal::NotFound("path") })
        .with_state(app)
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}
