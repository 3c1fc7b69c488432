//! `switchboard bench`: what policy, sandbox and ledger cost, against a bare MCP server with the same tools.
//!
//! Both servers speak through the same transport on loopback, get the same bytes and give the same answer; the bare one has
//! it ready, ours earns it. They take turns (A B A B), so that whatever else the machine does meets both. The load comes from
//! this process too, so figures are good for ratios, and for nothing else.

mod bare;
mod load;
mod report;
mod subject;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::mcp::{self, McpParts};
use load::Sample;
use subject::Subject;

/// How to measure.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// Connections at once, each with one call in flight
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    pub(crate) connections: Vec<usize>,
    /// Seconds of one phase; each server has as many phases as there are rounds
    #[arg(long, default_value_t = 2.0)]
    pub(crate) seconds: f64,
    /// How often the two servers take turns
    #[arg(long, default_value_t = 2)]
    pub(crate) rounds: u32,
    /// Measure only these tools
    #[arg(long, value_delimiter = ',')]
    pub(crate) tools: Vec<String>,
}

/// The share of bare throughput that a read tool is meant to keep.
const GOAL: f64 = 0.45;

/// Measures the host behind `mcp` and prints one row per tool and number of connections.
pub(crate) async fn run(mcp: McpParts, args: BenchArgs) -> anyhow::Result<()> {
    let phase = Duration::try_from_secs_f64(args.seconds)
        .context("--seconds must be a number of seconds, such as 2 or 0.5")?;
    let ours = serve_ours(mcp.clone()).await?;
    let mut out = std::io::stdout();
    report::heading(&mut out)?;
    let mut met = None;
    for subject in subject::chosen(&args.tools)? {
        let bare = serve_bare(&mcp, ours, &subject).await?;
        for &connections in &args.connections {
            let pair = take_turns(&subject, connections, args.rounds, phase, ours, bare).await?;
            report::row(&mut out, subject.tool, connections, &pair)?;
            if subject.is_primary {
                let kept = pair.ratio() >= GOAL;
                met = Some(met.unwrap_or(true) && kept);
            }
        }
        writeln!(out)?;
    }
    report::verdict(&mut out, GOAL, met)?;
    Ok(())
}

/// What both servers did under the same load.
pub(crate) struct Pair {
    ours: Sample,
    bare: Sample,
}

impl Pair {
    fn ratio(&self) -> f64 {
        self.ours.per_second() / self.bare.per_second()
    }
}

async fn take_turns(
    subject: &Subject,
    connections: usize,
    rounds: u32,
    phase: Duration,
    ours: SocketAddr,
    bare: SocketAddr,
) -> anyhow::Result<Pair> {
    subject.prepare(ours, connections).await?;
    let warm_up = phase / 4;
    load::run(ours, subject.requests(ours, connections), warm_up).await?;
    load::run(bare, subject.requests(bare, connections), warm_up).await?;
    let mut pair = Pair {
        ours: Sample::default(),
        bare: Sample::default(),
    };
    for _ in 0..rounds {
        let sample = load::run(ours, subject.requests(ours, connections), phase).await?;
        pair.ours.absorb(sample);
        let sample = load::run(bare, subject.requests(bare, connections), phase).await?;
        pair.bare.absorb(sample);
    }
    Ok(pair)
}

async fn serve_ours(mut mcp: McpParts) -> anyhow::Result<SocketAddr> {
    let listener = listener().await?;
    mcp.listen = listener.local_addr()?;
    Ok(serve(listener, mcp::router(mcp))?)
}

/// A bare server whose only answer is the one that ours has just given.
async fn serve_bare(
    mcp: &McpParts,
    ours: SocketAddr,
    subject: &Subject,
) -> anyhow::Result<SocketAddr> {
    subject.prepare(ours, 1).await?;
    let Some(request) = subject.requests(ours, 1).pop() else {
        bail!("there is no request to send");
    };
    let answer = load::once(ours, &request).await?;
    let router = bare::router(mcp::tools(mcp), &answer)?;
    Ok(serve(listener().await?, router)?)
}

async fn listener() -> anyhow::Result<TcpListener> {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = TcpListener::bind(free).await;
    listener.context("no port on loopback can be opened for the benchmark")
}

/// Serves until the program ends. Without `TCP_NODELAY` the kernel would hold small answers back, for both alike.
fn serve(listener: TcpListener, router: Router) -> std::io::Result<SocketAddr> {
    let address = listener.local_addr()?;
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::warn!(%error, "TCP_NODELAY could not be set");
        }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}
