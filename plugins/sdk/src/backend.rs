//! The backend that the operator configured, as a JSON client.

use serde::{Serialize, de::DeserializeOwned};
use wasip2::http::types::Method;

use crate::{
    Answer, Request, Route,
    bindings::wasi::config::store,
    transport::{self, Target},
    types::Error,
};

/// A JSON backend below the base URL that the operator configured as `base_url`.
///
/// Every request passes the host's policy, which also adds the credential and, to unsafe requests, the `Idempotency-Key`:
/// a plugin sets neither. A tool that writes makes exactly one unsafe request; it may read before.
#[derive(Debug)]
pub struct Backend {
    target: Target,
}

impl Backend {
    /// Reads the configuration. Fails with `unavailable` where the operator has not set a usable `base_url`.
    pub fn configured() -> Result<Self, Error> {
        let base_url = setting("base_url")?
            .ok_or_else(|| Error::unavailable("the plugin's setting base_url is missing"))?;
        Ok(Self {
            target: Target::parse(&base_url)?,
        })
    }

    /// Reads something.
    pub fn get<T: DeserializeOwned>(&self, route: &Route) -> Result<T, Error> {
        self.send(Method::Get, route, None)
    }

    /// Creates or does something.
    pub fn post<T: DeserializeOwned>(
        &self,
        route: &Route,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.send(Method::Post, route, Some(encode(body)?))
    }

    /// Changes something.
    pub fn patch<T: DeserializeOwned>(
        &self,
        route: &Route,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.send(Method::Patch, route, Some(encode(body)?))
    }

    /// Sends one request as it is and gives the whole answer, whatever its status: for backends that are not read with
    /// `get`, `post` and `patch`. Fails with `unavailable` where there is no answer.
    pub fn exchange(&self, request: &Request) -> Result<Answer, Error> {
        transport::send(&self.target, request)
    }

    fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        route: &Route,
        body: Option<Vec<u8>>,
    ) -> Result<T, Error> {
        let request = Request {
            method,
            route: route.to_string(),
            headers: Vec::new(),
            body,
        };
        self.exchange(&request)?.read()
    }
}

/// One value of the plugin's configuration; none where the operator has not set it.
fn setting(name: &str) -> Result<Option<String>, Error> {
    store::get(name).map_err(
        |(store::Error::Upstream(reason) | store::Error::Io(reason))| {
            Error::unavailable(format_args!(
                "the plugin's settings cannot be read: {reason}"
            ))
        },
    )
}

fn encode(body: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(body).map_err(|error| {
        Error::invalid_input(format_args!("the request cannot be written: {error}"))
    })
}
