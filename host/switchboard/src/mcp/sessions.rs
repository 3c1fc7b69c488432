//! The sessions of one endpoint's clients of the older revisions, of which there are not more than a bound.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_server::session::local::{
    LocalSessionManager, LocalSessionManagerError, SessionConfig,
};
use rmcp::transport::streamable_http_server::session::{
    EventStore, RestoreOutcome, ServerSseMessage, SessionId, SessionManager,
};
use thiserror::Error;
use tokio::sync::Mutex;

use super::cases::IDLE_SECONDS;

/// How many sessions of the older revisions may be open at once.
pub(super) const MOST_SESSIONS: usize = 1024;

tokio::task_local! {
    /// Whether the request that this task answers wanted a session too many.
    static TOO_MANY: Cell<bool>;
}

/// Sessions in this program's memory.
pub(super) struct Sessions {
    open: LocalSessionManager,
    /// One is opened at a time: two that count together would both find the last place.
    opening: Mutex<()>,
}

/// Why a session cannot be had.
#[derive(Debug, Error)]
pub(super) enum SessionsError {
    /// As many are open as may be; later there may be fewer.
    #[error("too many open MCP sessions")]
    TooMany,
    /// It is not there, or broken.
    #[error(transparent)]
    Local(#[from] LocalSessionManagerError),
}

/// What answers a request, and whether it wanted a session too many: the transport takes that for a failure of its own.
pub(super) async fn heeded<F: Future>(answer: F) -> (F::Output, bool) {
    let heeded = async move { (answer.await, TOO_MANY.with(Cell::get)) };
    TOO_MANY.scope(Cell::new(false), heeded).await
}

impl Sessions {
    pub(super) fn new() -> Self {
        let mut config = SessionConfig::default();
        config.keep_alive = Some(Duration::from_secs(IDLE_SECONDS.unsigned_abs()));
        let mut open = LocalSessionManager::default();
        open.session_config = config;
        Self {
            open,
            opening: Mutex::default(),
        }
    }

    pub(super) async fn holds(&self, id: &str) -> bool {
        self.open.sessions.read().await.contains_key(id)
    }
}

impl SessionManager for Sessions {
    type Error = SessionsError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        let _alone = self.opening.lock().await;
        if self.open.sessions.read().await.len() < MOST_SESSIONS {
            return Ok(self.open.create_session().await?);
        }
        // Without anybody who asks there is nobody to tell.
        let _ = TOO_MANY.try_with(|too_many| too_many.set(true));
        Err(SessionsError::TooMany)
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        Ok(self.open.initialize_session(id, message).await?)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        Ok(self.open.has_session(id).await?)
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        Ok(self.open.close_session(id).await?)
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        Ok(self.open.create_stream(id, message).await?)
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), Self::Error> {
        Ok(self.open.accept_message(id, message).await?)
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        Ok(self.open.create_standalone_stream(id).await?)
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        Ok(self.open.resume(id, last_event_id).await?)
    }

    async fn restore_session(
        &self,
        id: SessionId,
    ) -> Result<RestoreOutcome<Self::Transport>, Self::Error> {
        Ok(self.open.restore_session(id).await?)
    }

    fn event_store(&self) -> Option<Arc<dyn EventStore>> {
        self.open.event_store()
    }
}
