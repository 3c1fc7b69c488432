//! `switchboard mcp`: an MCP server on standard input and output; everything else goes to stderr.

use std::process::ExitCode;

use crate::host::{self, Options};
use crate::mcp::{self, McpParts};
use crate::{Config, Secrets};

/// Serves one client until it closes its end.
pub(super) async fn run(config: Config, secrets: Secrets) -> anyhow::Result<ExitCode> {
    let listen = config.listen;
    let assembled = host::assemble(
        Options {
            secrets,
            compiler: super::compiler(),
            ..Options::new(config)
        },
        |_| (),
    )
    .await?;
    let served = mcp::stdio(McpParts::of_anybody(
        &assembled.host,
        host::demo::TENANT,
        listen,
        Vec::new(),
    ))
    .await;
    assembled.close().await;
    served?;
    Ok(ExitCode::SUCCESS)
}
