//! `switchboard bench`: the measurement, over data that is thrown away afterwards.

use std::process::ExitCode;

use anyhow::Context;

use crate::bench::{self, BenchArgs};
use crate::host::{self, Options};
use crate::mcp::McpParts;
use crate::{Config, Secrets};

/// Measures a host of its own, so that no figure depends on what a data folder has gathered.
pub(super) async fn run(
    mut config: Config,
    secrets: Secrets,
    args: BenchArgs,
) -> anyhow::Result<ExitCode> {
    let folder = tempfile::tempdir().context("cannot make a folder for fresh data")?;
    config.data_dir = folder.path().to_path_buf();
    config.demo_backend.listen.set_port(0);
    let listen = ([127, 0, 0, 1], 0).into();
    let assembled = host::assemble(
        Options {
            secrets,
            compiler: super::compiler(),
            ..Options::new(config)
        },
        |_| (),
    )
    .await?;
    let measured = bench::run(
        McpParts::of_anybody(&assembled.host, host::demo::TENANT, listen, Vec::new()),
        args,
    )
    .await;
    assembled.close().await;
    measured?;
    Ok(ExitCode::SUCCESS)
}
