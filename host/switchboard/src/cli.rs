//! The command line: what there is, in a newcomer's words, and what each command starts.

mod audit;
mod bench;
mod chat;
mod doctor;
mod ledger;
mod mcp;
mod operator;
mod operators;
mod plugin;
mod policy;
mod serve;
mod tenants;
pub(crate) mod terminal;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use sandbox::Compiler;
use tracing_subscriber::EnvFilter;

use crate::bench::BenchArgs;
use crate::config::DEFAULT_FILE;
use crate::{Config, Environment, Secrets};

/// A support desk that runs its own agent, and governs every tool that the agent uses.
///
/// Without a command it serves: a chat page, an HTTP interface and an MCP server, for a demo shop with customers, orders and
/// refunds. No key and no configuration are needed for that.
#[derive(Debug, Parser)]
#[command(name = "switchboard", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
    #[command(flatten)]
    common: Common,
}

/// What every command takes.
#[derive(Clone, Debug, Default, Args)]
struct Common {
    /// The configuration file; without it, switchboard.toml in this folder if there is one, else the defaults
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Where everything durable lives [default: switchboard-data]
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    /// Which log lines appear on stderr: error, warn, info, debug, or a filter such as warn,dispatch=debug
    #[arg(long, value_name = "FILTER", global = true)]
    log: Option<String>,
}

#[derive(Clone, Debug, Default, Args)]
struct ServeArgs {
    /// Where to serve; port 0 picks a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// For testing this server: offer at /mcp what the protocol's conformance suite calls, in the place of the demo shop's tools
    #[arg(long)]
    conformance: bool,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Serve the chat page, the HTTP interface and MCP (what happens without a command, too)
    Serve(ServeArgs),
    /// Be an MCP server on standard input and output, for a client that starts this program itself
    Mcp,
    /// Talk to the support agent in this terminal, and watch which tools it calls
    Chat(ChatArgs),
    /// Check that this machine, the data folder and the configuration are fit to serve
    Doctor,
    /// Look at the audit log
    #[command(subcommand)]
    Audit(AuditCommand),
    /// See what is open in the ledger, and settle what waits for a person
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Check rules, explain a decision, or try other rules on what was decided before
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Write a plugin, build it, look at it, and try it
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// See how the tenants of a host that serves stand, and change their folders
    #[command(subcommand)]
    Tenants(tenants::TenantsCommand),
    /// See who may change a host that serves, add people by name with a key of their own, and revoke one
    #[command(subcommand)]
    Operators(operators::OperatorsCommand),
    /// Put the configured model through the support scenarios, each with fresh data, and say how it did
    Eval(EvalArgs),
    /// Measure what policy, sandbox and ledger cost, against a bare MCP server with the same tools
    Bench(BenchArgs),
    /// Compile the component on standard input, for the host that started this process
    #[command(hide = true)]
    CompileComponent {
        /// Bytes of address space that it may take
        memory_bytes: u64,
        /// Read it, and end
        #[arg(long)]
        only_read: bool,
    },
    /// Print every configuration key with its default, its meaning and its environment variable
    Config,
}

#[derive(Clone, Debug, Args)]
struct ChatArgs {
    /// Continue (or begin) the conversation of this name; without it, a new one
    #[arg(long, value_name = "NAME")]
    session: Option<String>,
}

#[derive(Clone, Debug, Args)]
struct EvalArgs {
    /// Only scenarios whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum AuditCommand {
    /// Check the chain of records: any gap, edit or cut is found
    Verify,
}

/// The command of [`Command::CompileComponent`].
const COMPILE: &str = "compile-component";

/// Runs the program.
pub fn run() -> ExitCode {
    let line = CommandLine::parse();
    match execute(line) {
        Ok(code) => code,
        Err(error) => {
            terminal::complain(format_args!("switchboard: {}", told(&error)));
            ExitCode::FAILURE
        }
    }
}

/// The error with its causes, each of which is told once: some messages hold their cause's already.
fn told(error: &anyhow::Error) -> String {
    error
        .chain()
        .map(ToString::to_string)
        .fold(String::new(), |told, cause| match &told {
            told if told.is_empty() => cause,
            told if told.contains(&cause) => told.clone(),
            told => format!("{told}: {cause}"),
        })
}

fn execute(line: CommandLine) -> anyhow::Result<ExitCode> {
    let command = command(line.command, line.serve)?;
    if matches!(command, Command::Config) {
        terminal::ask(DEFAULT_FILE);
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::CompileComponent {
        memory_bytes,
        only_read,
    } = command
    {
        return Ok(if only_read {
            sandbox::read_standard_input(memory_bytes, &crate::embedded::contract_wit())
        } else {
            sandbox::compile_standard_input(memory_bytes)
        });
    }
    let environment = Environment::of_process();
    let mut config = Config::load(line.common.config.as_deref(), &environment)?;
    if let Some(folder) = line.common.data {
        config.data_dir = folder;
    }
    if let Some(filter) = line.common.log {
        config.log = filter;
    } else if let Command::Plugin(_) = command {
        // What a host logs of a failing plugin, these commands tell in their own words.
        plugin::LOG.clone_into(&mut config.log);
    }
    start_log(&config.log)?;
    let secrets = Secrets::of(&environment)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the threads that this program needs")?;
    runtime.block_on(dispatch_command(command, config, secrets, environment))
}

async fn dispatch_command(
    command: Command,
    mut config: Config,
    secrets: Secrets,
    environment: Environment,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(args) => {
            config.listen = args.listen.unwrap_or(config.listen);
            Box::pin(serve::run(config, secrets, args.conformance)).await
        }
        Command::Mcp => Box::pin(mcp::run(config, secrets)).await,
        Command::Chat(args) => Box::pin(chat::run(config, secrets, args.session)).await,
        Command::Doctor => doctor::run(config, secrets).await,
        Command::Audit(AuditCommand::Verify) => audit::verify(&config.data_dir),
        Command::Policy(command) => policy::run(&config, command),
        Command::Plugin(command) => plugin::run(&config, &secrets, &environment, command).await,
        Command::Tenants(command) => tenants::run(&config, &secrets, command).await,
        Command::Operators(command) => operators::run(&config, &secrets, command).await,
        Command::Ledger(command) => ledger::run(&config, &secrets, command).await,
        Command::Eval(args) => crate::eval::run(&config, &secrets, args.only.as_deref()).await,
        Command::Bench(args) => Box::pin(bench::run(config, secrets, args)).await,
        // These two have had their turn.
        Command::Config | Command::CompileComponent { .. } => Ok(ExitCode::SUCCESS),
    }
}

/// Components are compiled by this program once more, in a process that can be ended.
fn compiler() -> Option<Compiler> {
    let program = Environment::program();
    let program = program.inspect_err(|error| {
        tracing::warn!(%error, "this program cannot be found; components are compiled in this process");
    });
    Some(Compiler::new(program.ok()?, COMPILE))
}

fn start_log(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).with_context(|| {
        format!("the log filter {filter:?} (--log, RUST_LOG or the key log) is not understood")
    })?;
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(is_terminal)
        .compact()
        .init();
    Ok(())
}

/// The command that is meant. What belongs to serving may stand before `serve`, and before nothing else.
fn command(named: Option<Command>, serve: ServeArgs) -> anyhow::Result<Command> {
    match named {
        None => Ok(Command::Serve(serve)),
        Some(Command::Serve(own)) => Ok(Command::Serve(ServeArgs {
            listen: own.listen.or(serve.listen),
            conformance: own.conformance || serve.conformance,
        })),
        Some(_) if serve.conformance => {
            anyhow::bail!("--conformance is for serving; leave it out of this command")
        }
        Some(_) if serve.listen.is_some() => {
            anyhow::bail!("--listen is for serving; leave it out of this command")
        }
        Some(other) => Ok(other),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn options_for_every_command_may_stand_before_it() {
        let parse = |words: &[&str]| {
            let line = CommandLine::try_parse_from([&["switchboard"], words].concat()).unwrap();
            (line.common.data.clone(), command(line.command, line.serve))
        };
        let (data, doctor) = parse(&["--data", "somewhere", "doctor"]);
        assert_eq!(data, Some("somewhere".into()));
        assert!(matches!(doctor.unwrap(), Command::Doctor));
        let (_, serve) = parse(&["--listen", "127.0.0.1:0", "serve"]);
        assert!(matches!(serve.unwrap(), Command::Serve(args) if args.listen.is_some()));
        let (_, odd) = parse(&["--listen", "127.0.0.1:0", "doctor"]);
        assert!(odd.unwrap_err().to_string().contains("--listen"));
    }

    #[test]
    fn no_command_serves() {
        let line = CommandLine::try_parse_from([
            "switchboard",
            "--listen",
            "127.0.0.1:0",
            "--data",
            "somewhere",
        ])
        .unwrap();
        assert!(line.command.is_none());
        assert_eq!(line.serve.listen, Some("127.0.0.1:0".parse().unwrap()));
        assert_eq!(line.common.data, Some("somewhere".into()));
    }

    #[test]
    fn options_for_every_command_may_follow_it() {
        let line = CommandLine::try_parse_from([
            "switchboard",
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
            "somewhere",
        ])
        .unwrap();
        assert!(matches!(
            line.command,
            Some(Command::Serve(ServeArgs {
                listen: Some(_),
                ..
            }))
        ));
        assert_eq!(line.common.data, Some("somewhere".into()));
    }
}
