//! Tickets, customers and articles as resources; behind each stands a tool, and the same dispatch as everywhere.

use axum::Json;
use axum::response::{IntoResponse, Response};
use dispatch::Outcome;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::access::Caller;
use super::desk::Desk;
use super::request::{JsonBody, QueryOf, Segment};
use super::{ApiError, outcome, tools};

/// `?case=`: the case to act in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InCase {
    case: Option<String>,
}

/// `?q=&limit=&case=`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    q: String,
    limit: Option<u32>,
    case: Option<String>,
}

/// `GET /tickets/{id}`.
pub(super) async fn ticket(
    desk: Desk,
    Segment(id): Segment,
    QueryOf(query): QueryOf<InCase>,
    caller: Caller,
) -> Result<Response, ApiError> {
    resource(
        &desk,
        caller,
        query.case,
        "get_ticket",
        json!({ "ticket_id": id }),
    )
    .await
}

/// `POST /tickets/{id}/actions/suggest_response`.
pub(super) async fn suggest_response(
    desk: Desk,
    Segment(id): Segment,
    QueryOf(query): QueryOf<InCase>,
    caller: Caller,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Response, ApiError> {
    resource(
        &desk,
        caller,
        query.case,
        "suggest_response",
        of_ticket(id, body),
    )
    .await
}

/// `POST /tickets/{id}/actions/update`.
pub(super) async fn update_ticket(
    desk: Desk,
    Segment(id): Segment,
    QueryOf(query): QueryOf<InCase>,
    caller: Caller,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Response, ApiError> {
    resource(
        &desk,
        caller,
        query.case,
        "update_ticket",
        of_ticket(id, body),
    )
    .await
}

/// `GET /customers/{id}`.
pub(super) async fn customer(
    desk: Desk,
    Segment(id): Segment,
    QueryOf(query): QueryOf<InCase>,
    caller: Caller,
) -> Result<Response, ApiError> {
    resource(
        &desk,
        caller,
        query.case,
        "get_customer",
        json!({ "id": id }),
    )
    .await
}

/// `GET /faq/search`.
pub(super) async fn search_faq(
    desk: Desk,
    QueryOf(query): QueryOf<Search>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let mut arguments = json!({ "query": query.q });
    if let Some(limit) = query.limit {
        arguments["limit"] = limit.into();
    }
    resource(
        &desk,
        caller,
        query.case,
        "search_knowledge_base",
        arguments,
    )
    .await
}

/// The path says which ticket, whatever the body says.
fn of_ticket(id: String, mut body: Map<String, Value>) -> Value {
    body.insert("ticket_id".to_owned(), id.into());
    body.into()
}

/// The tool's output as it is; anything else as the tool interface tells it.
async fn resource(
    desk: &Desk,
    caller: Caller,
    case: Option<String>,
    tool: &str,
    arguments: Value,
) -> Result<Response, ApiError> {
    let caller = caller.at_the_desk(desk);
    caller.check_tool(desk, tool)?;
    let case = caller.case(desk, case.as_deref()).await?;
    match tools::run(desk, caller.actor(), &case, tool, arguments).await? {
        Outcome::Done { output, .. } => Ok(Json(output).into_response()),
        other => Ok(outcome::answer(&case.id, &other)),
    }
}
