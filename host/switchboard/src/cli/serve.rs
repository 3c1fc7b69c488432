//! `switchboard serve`: start, say where everything is, stop on a signal.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;

use super::terminal::say;
use crate::config::Provider;
use crate::{Config, Options, Running, Secrets, start};

/// Serves until the process is asked to stop.
pub(super) async fn run(
    config: Config,
    secrets: Secrets,
    conformance: bool,
) -> anyhow::Result<ExitCode> {
    say(format_args!(
        "Switchboard {} is starting …",
        env!("CARGO_PKG_VERSION")
    ));
    let key_is_made = secrets.operator_key.is_none();
    let provider = config.model.provider;
    let progress = Arc::new(|step: &str| say(format_args!("  {step} …")));
    let running = start(Options {
        secrets,
        progress,
        conformance,
        compiler: super::compiler(),
        ..Options::new(config)
    })
    .await?;
    greet(&running, provider, key_is_made);
    if conformance {
        say(
            "conformance=on (/mcp offers what the protocol's conformance suite calls; this is for testing the server)",
        );
    }
    wait_for_signal().await?;
    say("Stopping; what is under way may end. Again to stop at once.");
    tokio::select! {
        () = running.shutdown() => {}
        stopped = wait_for_signal() => stopped?,
    }
    Ok(ExitCode::SUCCESS)
}

fn greet(running: &Running, provider: Provider, key_is_made: bool) {
    let here = &running.url;
    say("");
    say(format_args!("  Chat page   {here}/"));
    say(format_args!("  Docs page   {here}/docs"));
    say(format_args!("  MCP         {here}/mcp"));
    say(format_args!(
        "  Model       {}",
        model(&running.model, provider)
    ));
    if key_is_made {
        say(format_args!(
            "  Approvals   operator key of this run: {}",
            running.operator_key.expose()
        ));
    }
    let recovery = &running.recovery;
    if recovery.settled + recovery.parked + recovery.waiting > 0 {
        say(format_args!(
            "  Recovery    calls left open by the last run: {} seen through, {} wait for a person, {} are tried again",
            recovery.settled, recovery.parked, recovery.waiting
        ));
    }
    say("");
    say(
        "  Try it: \"Hi, email sarah@example.com. My blender arrived broken, order ORD-8842. I want a refund.\"",
    );
    say("  Ctrl-C stops.");
    say("");
    say(format_args!("listening={here}"));
    say(format_args!("demo_backend=http://{}", running.backend_addr));
}

fn model(label: &str, provider: Provider) -> String {
    match provider {
        Provider::Offline => format!(
            "{label} (a small planner, no language model; set MODEL_PROVIDER and a key for one: switchboard config)"
        ),
        Provider::Anthropic | Provider::Openai => label.to_owned(),
    }
}

/// Ctrl-C, or what a service manager sends.
pub(super) async fn wait_for_signal() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for Ctrl-C"),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c()
        .await
        .context("cannot listen for Ctrl-C")
}
