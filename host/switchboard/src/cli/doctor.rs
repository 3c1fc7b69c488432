//! `switchboard doctor`: is everything fit to serve, and if not, what to do?

use std::fmt::Display;
use std::process::ExitCode;
use std::time::Duration;

use store::{OpenError, OpenOptions, SqliteStore};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::terminal::say;
use crate::config::Provider;
use crate::host::{self, model};
use crate::{Config, Secrets, files};

/// How long a model may take to answer a word.
const MODEL_PATIENCE: Duration = Duration::from_secs(20);

/// What one check found.
enum Finding {
    Fit(String),
    /// Worth knowing, and no fault.
    Note(String),
    Unfit(String),
}

use Finding::{Fit, Note, Unfit};

/// Checks everything, one line each; fails if anything is unfit.
pub(super) async fn run(config: Config, secrets: Secrets) -> anyhow::Result<ExitCode> {
    let mut faults = 0;
    let findings = [
        ("configuration", Fit("every key fits".to_owned())),
        ("data folder", check_folder(&config)),
        ("store", check_store(&config).await),
        ("rules", check_rules(&config)),
        ("tenants", check_tenants(&config, &secrets)),
        ("plugins", check_plugins(&config).await),
        ("model", check_model(&config, &secrets).await),
        ("address", check_address(&config).await),
        ("access", check_access(&config, &secrets)),
    ];
    for (what, finding) in findings {
        let (mark, text) = match finding {
            Fit(text) => ("✓", text),
            Note(text) => ("!", text),
            Unfit(text) => {
                faults += 1;
                ("✗", text)
            }
        };
        say(format_args!("{mark} {what:<14} {text}"));
    }
    Ok(if faults == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn fits<E: Display>(result: Result<(), E>, fit: impl Into<String>) -> Finding {
    result.map_or_else(|error| Unfit(error.to_string()), |()| Fit(fit.into()))
}

fn check_folder(config: &Config) -> Finding {
    let folder = config.data_dir.display();
    let made = files::make_writable_folder(&config.data_dir);
    fits(
        made.map_err(|error| format!("cannot write to {folder}: {error}; make it writable for this user, or choose another with --data DIR")),
        format!("{folder} can be written"),
    )
}

async fn check_store(config: &Config) -> Finding {
    match SqliteStore::open(&config.data_dir, OpenOptions::default()) {
        Ok(store) => {
            store.close().await;
            Fit("opens, and is of this version".to_owned())
        }
        Err(held @ OpenError::Held { .. }) => Note(held.to_string()),
        Err(error) => Unfit(error.to_string()),
    }
}

fn check_rules(config: &Config) -> Finding {
    let folder = &config.rules.folder;
    let whose = if folder.as_os_str().is_empty() {
        "the shipped ones".to_owned()
    } else {
        format!("those in {}", folder.display())
    };
    let loaded = host::load_rules(config);
    fits(loaded.map(drop), format!("{whose} fit the schema"))
}

fn check_tenants(config: &Config, secrets: &Secrets) -> Finding {
    match host::try_tenants(config, &secrets.environment) {
        Ok(fitting) if fitting.is_empty() => Fit("the built-in one alone".to_owned()),
        Ok(fitting) => Fit(format!(
            "{} fit, beside the built-in one",
            fitting.join(", ")
        )),
        Err(misfits) => Unfit(misfits.join("; ")),
    }
}

async fn check_plugins(config: &Config) -> Finding {
    let loaded = host::try_demo(config, &config.data_dir.join("compiled")).await;
    let extra = match config.plugins.extra.len() {
        0 => String::new(),
        count => format!(" ({count} by plugins.extra, without grants)"),
    };
    fits(
        loaded,
        format!("all of them compile, and ask for nothing that is not granted{extra}"),
    )
}

async fn check_model(config: &Config, secrets: &Secrets) -> Finding {
    let model = match model::build(&config.model, secrets) {
        Ok(model) => model,
        Err(error) => return Unfit(error.to_string()),
    };
    let name = model.name().to_owned();
    if config.model.provider == Provider::Offline {
        return Note(format!(
            "{name}: a small planner, no language model; MODEL_PROVIDER chooses one"
        ));
    }
    match timeout(
        MODEL_PATIENCE,
        model.complete("Answer with the word: ready".to_owned(), 16),
    )
    .await
    {
        Ok(Ok(_)) => Fit(format!("{name} answers")),
        Ok(Err(error)) => Unfit(format!("{name}: {error}")),
        Err(_) => Unfit(format!(
            "{name} has not answered within {} seconds; check MODEL_BASE_URL and the network",
            MODEL_PATIENCE.as_secs()
        )),
    }
}

fn check_access(config: &Config, secrets: &Secrets) -> Finding {
    let who = match (config.is_local(), config.oauth.is_on()) {
        (_, true) => "tools ask for a key or an access token",
        (true, false) => "the built-in tenant's tools are open to this machine's own user",
        (false, false) => "tools ask for a key",
    };
    let checked = host::check_access(config, secrets).map_err(|error| error.to_string());
    let tls = || host::tls::acceptor(&config.tls).map_err(|error| error.to_string());
    fits(checked.and_then(|()| tls()).map(drop), who)
}

async fn check_address(config: &Config) -> Finding {
    let address = config.listen;
    let bound = TcpListener::bind(address).await;
    fits(
        bound.map(drop).map_err(|error| format!("cannot listen on {address}: {error}; stop the program that has it, or choose another with --listen")),
        format!("{address} is free"),
    )
}
