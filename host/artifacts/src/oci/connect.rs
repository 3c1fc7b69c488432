//! How registries are reached, a client for whoever publishes, and what the errors mean to whoever asked.

use std::time::Duration;

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::{OciDistributionError, OciErrorCode};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, RegistryOperation};

use super::Reference;
use crate::source::{FetchError, Registries};

/// How long a registry may take to be reached, and be silent.
pub(super) const CONNECT: Duration = Duration::from_secs(10);
pub(super) const SILENCE: Duration = Duration::from_secs(30);
/// As what we ask.
pub(super) const USER_AGENT: &str = concat!("switchboard/", env!("CARGO_PKG_VERSION"));
/// As much of a registry's own words as people need.
const MAX_WORDS: usize = 300;

/// A client and who it is.
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) auth: RegistryAuth,
}

/// A connection to the registry of `reference`; nothing is sent yet.
pub(super) fn to(registries: &Registries, reference: &Reference) -> Result<Connection, FetchError> {
    use_ring();
    let config = ClientConfig {
        protocol: if is_plain(registries, reference) {
            ClientProtocol::Http
        } else {
            ClientProtocol::Https
        },
        platform_resolver: None,
        connect_timeout: Some(CONNECT),
        read_timeout: Some(SILENCE),
        user_agent: USER_AGENT,
        ..ClientConfig::default()
    };
    let client = Client::try_from(config).map_err(|error| explain(error, reference))?;
    Ok(Connection {
        client,
        auth: registries.credentials.of(reference.registry()),
    })
}

/// For TLS. Refused where the process has another one; any will do, and this is the one that it would be.
pub(super) fn use_ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Whether the registry is reached without TLS.
pub(super) fn is_plain(registries: &Registries, reference: &Reference) -> bool {
    registries.insecure.contains(reference.registry()) || reference.is_loopback()
}

impl Connection {
    /// Signs in to publish, where the registry asks for it.
    pub(super) async fn sign_in(&self, reference: &Reference) -> Result<(), FetchError> {
        let any = reference.by_tag("any");
        let operation = RegistryOperation::Push;
        let signed_in = self.client.auth(&any, &self.auth, operation).await;
        signed_in
            .map(drop)
            .map_err(|error| explain(error, reference))
    }
}

/// What an error of the client's means.
pub(super) fn explain(error: OciDistributionError, reference: &Reference) -> FetchError {
    use OciDistributionError as Oci;
    let what = reference.to_string();
    let message = words(&error);
    match error {
        Oci::UnauthorizedError { .. }
        | Oci::AuthenticationFailure(_)
        | Oci::ServerError {
            code: 401 | 403, ..
        } => unauthorized(reference),
        Oci::RegistryError { envelope, .. } => {
            let has =
                |codes: &[OciErrorCode]| envelope.errors.iter().any(|e| codes.contains(&e.code));
            if has(&[OciErrorCode::Unauthorized, OciErrorCode::Denied]) {
                unauthorized(reference)
            } else if has(&MISSING) {
                FetchError::Missing { what }
            } else {
                FetchError::Unreachable { what, message }
            }
        }
        Oci::ServerError { code: 404, .. } | Oci::ImageManifestNotFoundError(_) => {
            FetchError::Missing { what }
        }
        Oci::RequestError(_) | Oci::ServerError { .. } | Oci::IoError(_) => {
            FetchError::Unreachable { what, message }
        }
        _ => FetchError::Unfit { what, message },
    }
}

const MISSING: [OciErrorCode; 5] = [
    OciErrorCode::ManifestUnknown,
    OciErrorCode::NameUnknown,
    OciErrorCode::NotFound,
    OciErrorCode::BlobUnknown,
    OciErrorCode::ManifestBlobUnknown,
];

pub(super) fn unauthorized(reference: &Reference) -> FetchError {
    FetchError::Unauthorized {
        what: reference.to_string(),
        registry: reference.registry().to_owned(),
    }
}

/// The error with its causes, in one line that cannot play tricks on a terminal.
fn words(error: &OciDistributionError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    let plain = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    text.chars().map(plain).take(MAX_WORDS).collect()
}
