//! The front door: listens from the first moment, tells health while the host starts, and hands over to it once it is ready.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use super::prefix::{self, NamedTenant};
use super::{AllowedHosts, ApiError, health};
use crate::host::Host;

const HEALTH: &str = "/api/health";

/// What the door knows.
pub(crate) struct Front {
    hosts: AllowedHosts,
    missing: Mutex<BTreeSet<&'static str>>,
    open: OnceLock<(Arc<Host>, Router)>,
}

impl Front {
    /// A door that is shut, until everything in `missing` has arrived and it is opened.
    pub(crate) fn shut(hosts: AllowedHosts, missing: &[&'static str]) -> Arc<Self> {
        Arc::new(Self {
            hosts,
            missing: Mutex::new(missing.iter().copied().collect()),
            open: OnceLock::new(),
        })
    }

    /// One part has arrived.
    pub(crate) fn arrived(&self, part: &'static str) {
        self.missing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(part);
    }

    /// Parts that have not arrived.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        self.missing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .copied()
            .collect()
    }

    /// Hands over to the host.
    pub(crate) fn open(&self, host: Arc<Host>, routes: Router) {
        // A second host is never made; were it, the first would keep the door.
        let _ = self.open.set((host, routes));
    }

    /// The host, once it is ready.
    pub(super) fn host(&self) -> Option<&Arc<Host>> {
        self.open.get().map(|(host, _)| host)
    }

    /// The service to serve.
    pub(crate) fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route(HEALTH, get(health::serve))
            .fallback(enter)
            .layer(middleware::from_fn_with_state(Arc::clone(&self), guard))
            .layer(CatchPanicLayer::custom(panicked))
            .with_state(self)
    }
}

async fn enter(State(front): State<Arc<Front>>, request: Request) -> Response {
    let under = format!("{}/", request.uri().path());
    let request = match prefix::taken_off(request) {
        Ok(Some(request)) => request,
        // A page's own links begin where it ends.
        Ok(None) => return Redirect::permanent(&under).into_response(),
        Err(refused) => return refused.into_response(),
    };
    if let Some(NamedTenant(name)) = request.extensions().get()
        && request.uri().path() == HEALTH
        && request.method() == Method::GET
    {
        return health::of_tenant(&front, name).await.into_response();
    }
    let Some((_, routes)) = front.open.get() else {
        let message = format!(
            "still starting; waiting for: {}",
            front.missing().join(", ")
        );
        return ApiError::new(http::StatusCode::SERVICE_UNAVAILABLE, "starting", message)
            .into_response();
    };
    match routes.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn guard(State(front): State<Arc<Front>>, request: Request, next: Next) -> Response {
    let path = prefix::without(request.uri().path());
    match front.hosts.check(request.headers(), path) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

fn panicked(reason: Box<dyn Any + Send + 'static>) -> Response {
    let text = match reason.downcast::<String>() {
        Ok(text) => *text,
        Err(reason) => reason
            .downcast::<&str>()
            .map_or_else(|_| "unknown".to_owned(), |text| (*text).to_owned()),
    };
    tracing::error!(reason = text, "a request panicked");
    ApiError::internal().into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    async fn asked(front: &Arc<Front>, path: &str) -> (u16, String) {
        let request = Request::get(path)
            .header("host", "127.0.0.1:1")
            .body(Body::empty());
        let answer = Arc::clone(front)
            .router()
            .oneshot(request.unwrap())
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 10_000)
            .await
            .unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_shut_door_says_what_is_missing() {
        let hosts = AllowedHosts::new(([127, 0, 0, 1], 1).into(), &[]);
        let front = Front::shut(hosts, &["plugins", "store"]);
        front.arrived("store");
        let (status, body) = asked(&front, "/api/health").await;
        assert_eq!(
            (status, body.contains("plugins"), body.contains("store")),
            (503, true, false)
        );
        assert_eq!(asked(&front, "/api/tools").await.0, 503);
    }

    #[test]
    fn a_panic_is_an_answer_that_tells_nothing_of_it() {
        let answer = panicked(Box::new("index 7 out of bounds"));
        assert_eq!(answer.status().as_u16(), 500);
    }
}
