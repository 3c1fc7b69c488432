//! What the benchmark prints.

use std::io::{Result, Write};
use std::time::Duration;

use super::Pair;
use super::load::Sample;

/// What the columns are.
pub(super) fn heading(out: &mut impl Write) -> Result<()> {
    writeln!(
        out,
        "tools/call over MCP (Streamable HTTP, 2026-07-28, JSON), loopback, same process."
    )?;
    writeln!(
        out,
        "ours: rmcp + policy + sandbox + the tool; bare: rmcp with a constant answer."
    )?;
    if cfg!(debug_assertions) {
        writeln!(
            out,
            "This is a debug build: its figures mean nothing. Use cargo run --release -- bench."
        )?;
    }
    writeln!(
        out,
        "\n{:<22} {:>5}  {:>9} {:>8} {:>8}   {:>9} {:>8} {:>8}   {:>6}",
        "tool", "conns", "ours/s", "p50 ms", "p99 ms", "bare/s", "p50 ms", "p99 ms", "ratio"
    )
}

/// One tool at one number of connections.
pub(super) fn row(out: &mut impl Write, tool: &str, connections: usize, pair: &Pair) -> Result<()> {
    writeln!(
        out,
        "{tool:<22} {connections:>5}  {}   {}   {:>5.1}%",
        figures(&pair.ours),
        figures(&pair.bare),
        100.0 * pair.ratio()
    )
}

/// Whether the first goal is met; nothing where its tool was not measured.
pub(super) fn verdict(out: &mut impl Write, goal: f64, met: Option<bool>) -> Result<()> {
    let verdict = match met {
        None => return Ok(()),
        Some(true) => "met in every row of classify_inquiry",
        Some(false) => "missed in at least one row of classify_inquiry",
    };
    let percent = 100.0 * goal;
    writeln!(
        out,
        "Goal: a read tool keeps at least {percent:.0}% of bare throughput: {verdict}."
    )
}

fn figures(sample: &Sample) -> String {
    let (p50, p99) = sample.percentiles();
    let rate = sample.per_second();
    format!("{rate:>9.0} {:>8.3} {:>8.3}", ms(p50), ms(p99))
}

fn ms(latency: Duration) -> f64 {
    latency.as_secs_f64() * 1000.0
}
