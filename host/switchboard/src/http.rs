//! The HTTP surface: every route, in one list, and what surrounds them all.

mod access;
mod approvals;
mod artifacts;
mod channels;
mod chat;
pub(crate) mod desk;
mod document;
mod error;
mod front;
mod guard;
mod health;
mod ledger;
mod mcp;
mod operators;
mod outcome;
mod page;
mod plugins;
mod prefix;
mod protected;
mod request;
mod resources;
pub(crate) mod session;
mod stream;
mod tenants;
mod tools;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, any, delete, get, post, put};
use policy::Channel;

pub(crate) use error::ApiError;
pub(crate) use front::Front;
pub(crate) use guard::AllowedHosts;
pub(crate) use outcome::body as outcome_body;

use crate::host::Host;
use crate::mcp::Endpoints;
use desk::Desk;

/// One route: what it answers to, and who answers.
struct Route {
    method: Method,
    path: &'static str,
    answer: MethodRouter<Arc<Host>>,
}

/// Every route of this crate's own, health aside, which answers before the host is ready. MCP stands beside them at `/mcp`.
fn routes() -> Vec<Route> {
    let mut all = calling_routes();
    all.extend(changing_routes().into_iter().map(Route::seen_through));
    all
}

/// What customers, agents and staff come for.
fn calling_routes() -> Vec<Route> {
    vec![
        reads("/", get(page::chat)).on(Channel::Chat),
        reads("/docs", get(page::docs)),
        reads("/api/openapi.json", get(document::serve)),
        writes("/api/chat", post(chat::turn)).on(Channel::Chat),
        reads("/api/chat/stream", get(chat::stream)).on(Channel::Chat),
        writes("/api/chat/reset", post(chat::reset)).on(Channel::Chat),
        reads("/api/tools", get(tools::list)).on(Channel::Http),
        writes("/api/tools/{tool}", post(tools::call)).on(Channel::Http),
        reads("/api/approvals", get(approvals::list)),
        writes("/api/approvals/{id}", post(approvals::answer)),
        reads("/api/ledger", get(ledger::list)),
        reads("/api/ledger/{id}", get(ledger::show)),
        writes("/api/ledger/{id}/settle", post(ledger::settle)),
        reads("/tickets/{id}", get(resources::ticket)).on(Channel::Http),
        writes(
            "/tickets/{id}/actions/suggest_response",
            post(resources::suggest_response),
        )
        .on(Channel::Http),
        writes(
            "/tickets/{id}/actions/update",
            post(resources::update_ticket),
        )
        .on(Channel::Http),
        reads("/customers/{id}", get(resources::customer)).on(Channel::Http),
        reads("/faq/search", get(resources::search_faq)).on(Channel::Http),
        reads(
            "/.well-known/oauth-protected-resource",
            get(protected::of_desk),
        ),
        reads(
            "/.well-known/oauth-protected-resource/mcp",
            get(protected::of_desk),
        ),
        reads(
            "/.well-known/oauth-protected-resource/t/{tenant}/mcp",
            get(protected::of_tenant),
        ),
    ]
}

/// What plugins' lives, the tenants' folders and the operators are changed by.
fn changing_routes() -> Vec<Route> {
    vec![
        Route {
            method: Method::GET,
            path: "/api/plugins",
            answer: get(plugins::list).post(plugins::install),
        },
        reads("/api/plugins/history", get(plugins::all_history)),
        Route {
            method: Method::DELETE,
            path: "/api/plugins/{plugin}",
            answer: delete(plugins::remove),
        },
        writes("/api/plugins/{plugin}/swap", post(plugins::swap)),
        writes("/api/plugins/{plugin}/canary", post(plugins::canary)),
        writes("/api/plugins/{plugin}/promote", post(plugins::promote)),
        writes("/api/plugins/{plugin}/rollback", post(plugins::rollback)),
        writes("/api/plugins/{plugin}/kill", post(plugins::kill)),
        writes("/api/plugins/{plugin}/revive", post(plugins::revive)),
        writes("/api/plugins/{plugin}/shadow", post(plugins::shadow)),
        reads("/api/plugins/{plugin}/compare", get(plugins::compare)),
        reads("/api/plugins/{plugin}/history", get(plugins::history)),
        Route {
            method: Method::GET,
            path: "/api/artifacts/unused",
            answer: get(artifacts::unused).delete(artifacts::prune),
        },
        Route {
            method: Method::GET,
            path: "/api/operators",
            answer: get(operators::list).post(operators::add),
        },
        Route {
            method: Method::DELETE,
            path: "/api/operators/{name}",
            answer: delete(operators::revoke),
        },
        reads("/api/tenants", get(tenants::list)),
        Route {
            method: Method::GET,
            path: "/api/tenants/{tenant}",
            answer: get(tenants::show).delete(tenants::remove),
        },
        Route {
            method: Method::PUT,
            path: "/api/tenants/{tenant}/files/{*path}",
            answer: put(tenants::write).delete(tenants::delete),
        },
        Route {
            method: Method::PUT,
            path: "/api/tenants/{tenant}/files",
            answer: put(tenants::write_many),
        },
        writes("/api/tenants/{tenant}/reload", post(tenants::reload)),
    ]
}

impl Route {
    /// The same, for tenants for whom this channel is open.
    fn on(mut self, channel: Channel) -> Self {
        self.answer = channels::on(channel, self.answer);
        self
    }

    /// The same, seen to its end whoever hangs up.
    fn seen_through(mut self) -> Self {
        self.answer = self.answer.layer(middleware::from_fn(see_through));
        self
    }
}

/// In a task of its own: a caller that hangs up must not cut a change short between its record and its going live.
async fn see_through(desk: Desk, request: Request, next: Next) -> Result<Response, ApiError> {
    let answering = desk.tasks.spawn(next.run(request));
    answering.await.map_err(|_| ApiError::internal())
}

fn reads(path: &'static str, answer: MethodRouter<Arc<Host>>) -> Route {
    Route {
        method: Method::GET,
        path,
        answer,
    }
}

fn writes(path: &'static str, answer: MethodRouter<Arc<Host>>) -> Route {
    Route {
        method: Method::POST,
        path,
        answer,
    }
}

/// All routes, for a host that is ready; each is the same for every tenant, whose desk is found first.
pub(crate) fn router(host: Arc<Host>, mcp: Endpoints) -> Router {
    let mcp = Arc::new(mcp);
    let serve_mcp =
        move |desk: Desk, request| async move { mcp::serve(&mcp, &desk, request).await };
    let own = routes().into_iter().fold(Router::new(), |router, route| {
        tracing::debug!(method = %route.method, path = route.path, "serves");
        router.route(route.path, route.answer)
    });
    let finding = middleware::from_fn_with_state(Arc::clone(&host), desk::find);
    own.route("/mcp", channels::on(Channel::Mcp, any(serve_mcp)))
        .fallback(|| async {
            ApiError::not_found("there is nothing here; /docs lists what there is")
        })
        .method_not_allowed_fallback(|| async {
            ApiError::new(
                http::StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "this path answers to another method; /docs says to which",
            )
        })
        .layer(finding)
        .with_state(host)
}
