//! What the adapters share: one streamed request with its time-outs, and when it is worth asking again.

use std::time::Duration;

use bytes::Bytes;
use eventsource_stream::{Event, EventStream, EventStreamError};
use futures::{Stream, StreamExt};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, Response, StatusCode};

use super::{ModelError, ModelReply};

/// How long to wait for a model service, and how often to ask again.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// For the connection.
    pub connect: Duration,
    /// For the first bytes, and between two pieces of the stream.
    pub silence: Duration,
    /// For one reply as a whole, retries included.
    pub total: Duration,
    /// Tries after the first, for what may be better a moment later.
    pub retries: u32,
    /// The first pause; doubled each time. A longer `retry-after` of the service wins, up to `longest_pause`.
    pub pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_mins(1),
            total: Duration::from_mins(2),
            retries: 3,
            pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(20),
        }
    }
}

/// Puts a reply together from the events of a stream.
pub(super) trait Assemble: Default {
    /// Takes one event in; true when the reply is whole.
    fn take(&mut self, event: &Event) -> Result<bool, ModelError>;

    /// Part of the reply has arrived: asking again now could give a second one.
    fn has_content(&self) -> bool;

    /// The stream has ended; the reply, if it is whole.
    fn finish(self) -> Result<ModelReply, ModelError>;
}

/// A model service.
pub(super) struct Endpoint {
    client: Client,
    limits: HttpLimits,
    /// The setting that holds the key, for messages.
    key_setting: String,
}

/// An attempt that gave no reply.
struct Failed {
    error: ModelError,
    /// Asking again may help.
    again: bool,
    /// How long the service asks to wait.
    after: Option<Duration>,
}

impl Endpoint {
    pub(super) fn new(limits: HttpLimits, key_setting: &str) -> Result<Self, ModelError> {
        // An earlier caller may have installed a provider; either will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(limits.connect)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| ModelError::Unreachable(chain(&error)))?;
        Ok(Self {
            client,
            limits,
            key_setting: key_setting.to_owned(),
        })
    }

    /// One reply to the request that `build` makes; retried where that can do no harm.
    pub(super) async fn reply<A: Assemble>(
        &self,
        build: impl Fn(&Client) -> RequestBuilder + Send + Sync,
    ) -> Result<ModelReply, ModelError> {
        tokio::time::timeout(self.limits.total, self.attempts::<A>(build))
            .await
            .unwrap_or(Err(ModelError::Late(millis(self.limits.total))))
    }

    async fn attempts<A: Assemble>(
        &self,
        build: impl Fn(&Client) -> RequestBuilder + Send + Sync,
    ) -> Result<ModelReply, ModelError> {
        let mut tried = 0;
        loop {
            match self.attempt::<A>(build(&self.client)).await {
                Ok(reply) => return Ok(reply),
                Err(failed) if failed.again && tried < self.limits.retries => {
                    tracing::warn!(error = %failed.error, tried, "asking the model service again");
                    tokio::time::sleep(self.pause(tried, failed.after)).await;
                    tried += 1;
                }
                Err(failed) => return Err(failed.error),
            }
        }
    }

    fn pause(&self, tried: u32, after: Option<Duration>) -> Duration {
        let own = self
            .limits
            .pause
            .saturating_mul(2_u32.saturating_pow(tried));
        own.max(after.unwrap_or_default())
            .min(self.limits.longest_pause)
    }

    async fn attempt<A: Assemble>(&self, request: RequestBuilder) -> Result<ModelReply, Failed> {
        let response = tokio::time::timeout(self.limits.silence, request.send())
            .await
            .map_err(|_| Failed::for_good(self.silent()))?
            .map_err(|error| Failed::for_now(ModelError::Unreachable(chain(&error))))?;
        if response.status().is_success() {
            self.stream::<A>(response).await
        } else {
            Err(self.refused(response).await)
        }
    }

    async fn stream<A: Assemble>(&self, response: Response) -> Result<ModelReply, Failed> {
        let mut events = EventStream::new(response.bytes_stream());
        let mut reply = A::default();
        loop {
            match tokio::time::timeout(self.limits.silence, events.next()).await {
                Err(_) => return Err(Failed::for_good(self.silent())),
                Ok(None) => break,
                Ok(Some(event)) => match take(&mut reply, event) {
                    Ok(true) => break,
                    Ok(false) => {}
                    Err(error) => return Err(Failed::mid_stream(error, reply.has_content())),
                },
            }
        }
        let has_content = reply.has_content();
        reply
            .finish()
            .map_err(|error| Failed::mid_stream(error, has_content))
    }

    fn silent(&self) -> ModelError {
        ModelError::Silent(millis(self.limits.silence))
    }

    async fn refused(&self, response: Response) -> Failed {
        let status = response.status();
        let after = retry_after(&response);
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            let setting = self.key_setting.clone();
            return Failed::for_good(ModelError::Credentials { setting });
        }
        let busy = status.is_server_error()
            || matches!(
                status,
                StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
            );
        if busy {
            let error = ModelError::Busy {
                status: status.as_u16(),
            };
            return Failed {
                error,
                again: true,
                after,
            };
        }
        let body = tokio::time::timeout(self.limits.silence, body_start(response.bytes_stream()));
        Failed::for_good(ModelError::Rejected {
            status: status.as_u16(),
            message: message_in(&body.await.unwrap_or_default()),
        })
    }
}

impl Failed {
    fn for_good(error: ModelError) -> Self {
        Self {
            error,
            again: false,
            after: None,
        }
    }

    fn for_now(error: ModelError) -> Self {
        Self {
            error,
            again: true,
            after: None,
        }
    }

    /// Before anything of the reply has arrived, the request may as well be made anew.
    fn mid_stream(error: ModelError, has_content: bool) -> Self {
        let passing = matches!(error, ModelError::Cut | ModelError::Busy { .. });
        Self {
            error,
            again: passing && !has_content,
            after: None,
        }
    }
}

fn take<A: Assemble>(
    reply: &mut A,
    event: Result<Event, EventStreamError<reqwest::Error>>,
) -> Result<bool, ModelError> {
    match event {
        Ok(event) => reply.take(&event),
        Err(EventStreamError::Transport(_)) => Err(ModelError::Cut),
        Err(error) => Err(ModelError::Protocol(error.to_string())),
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds: f64 = value.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// Enough of an error body to explain it.
async fn body_start(mut body: impl Stream<Item = reqwest::Result<Bytes>> + Unpin) -> String {
    const ENOUGH: usize = 4_096;
    let mut text = Vec::new();
    while text.len() < ENOUGH {
        match body.next().await {
            Some(Ok(piece)) => text.extend_from_slice(&piece),
            Some(Err(_)) | None => break,
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The service's own words, where it answers in the usual form.
fn message_in(body: &str) -> String {
    const CHARACTERS: usize = 300;
    let parsed: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let message = parsed
        .as_ref()
        .and_then(|body| body.pointer("/error/message").or_else(|| body.get("error")))
        .and_then(serde_json::Value::as_str)
        .unwrap_or(body);
    message.chars().take(CHARACTERS).collect()
}

/// An error with its causes: reqwest's own text stops at the first.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
