//! The demo backend beside the host: started, and found again at the same address after a restart.

use std::path::Path;

use demo_backend::{Backend, Options, Running, StartError};

use crate::config::DemoBackend;
use crate::{Secret, files};

/// Remembers the port, so that requests which an earlier run recorded still lead to the same backend.
const PORT_FILE: &str = "port";

/// Starts it over `folder`. Where any port will do, the last one is tried first.
pub(super) async fn start(
    config: &DemoBackend,
    folder: &Path,
    token: &Secret,
) -> Result<Running, StartError> {
    let memory = folder.join(PORT_FILE);
    let options = |port| {
        let mut listen = config.listen;
        listen.set_port(port);
        Options {
            listen,
            data: folder.to_path_buf(),
            token: token.expose().to_owned(),
            require_idempotency_key: false,
        }
    };
    let wanted = config.listen.port();
    let last = files::read_text(&memory)
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0);
    let running = match Backend::start(options(if wanted == 0 { last } else { wanted })).await {
        Err(StartError::Listen { .. }) if wanted == 0 && last != 0 => {
            Backend::start(options(0)).await?
        }
        started => started?,
    };
    if let Err(error) = files::write_text(&memory, &running.addr.port().to_string()) {
        tracing::warn!(%error, "the demo backend's port is not remembered; calls that are open at a restart will wait for a person");
    }
    Ok(running)
}
