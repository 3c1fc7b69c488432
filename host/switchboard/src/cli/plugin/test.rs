//! `switchboard plugin test`: the author's cases, each against the real policy, ledger and sandbox, with a scripted backend.

mod case;
mod facts;
mod judge;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use dispatch::Outcome;
use policy::Nature;
use sandbox::PluginSource;
use url::Url;

use super::component::Component;
use super::manifest_of;
use crate::cli::terminal::say;
use crate::rehearsal::{Backend, Casting, Fault, Rehearsal, Stage};
use crate::tenants::Credentials;
use crate::{Complaint, Config, Manifest, files};
use case::{Answer, Called, Case, Cases};

/// How long an answer may take where the backend is meant to be slow.
const SLOW_ANSWER_MS: u64 = 700;

/// Runs every case of a plugin's folder.
pub(super) async fn run(
    config: &Config,
    folder: &Path,
    only: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let (_, manifest) = manifest_of(folder)?;
    let component = Component::read(folder)?;
    let built = component.manifest.as_ref();
    ensure!(
        built.is_some_and(|built| built.tools == manifest.tools && built.asks == manifest.asks),
        "{} was built from another plugin.toml; run `switchboard plugin build` first",
        component.file.display()
    );
    let mut cases = read(&folder.join("tests"))?;
    cases.retain(|case| only.is_none_or(|only| case.name.contains(only)));
    ensure!(
        !cases.is_empty(),
        "there is no such case in {}: each file there holds some, as [[case]]",
        folder.join("tests").display()
    );
    let theatre = Theatre {
        stage: Stage::new(config)?,
        backend: Backend::start()
            .await
            .context("cannot listen on loopback")?,
        bytes: component.bytes,
        manifest,
    };
    theatre.check(&cases)?;
    theatre.run(&cases).await
}

fn read(folder: &Path) -> anyhow::Result<Vec<Case>> {
    let texts = files::texts_in(folder, "toml")
        .with_context(|| format!("cannot read the cases in {}", folder.display()))?;
    let mut cases = Vec::new();
    for (file, text) in texts {
        cases.extend(parse(&file, &text)?);
    }
    Ok(cases)
}

fn parse(file: &Path, text: &str) -> anyhow::Result<Vec<Case>> {
    let read = toml::from_str::<Cases>(text)
        .map_err(|error| anyhow::Error::msg(Complaint::of(text, &error).to_string()));
    let read = read.with_context(|| file.display().to_string())?;
    for case in &read.case {
        case.check()
            .with_context(|| format!("{}, case {:?}", file.display(), case.name))?;
    }
    Ok(read.case)
}

/// What all cases of a plugin share.
struct Theatre {
    stage: Stage,
    backend: Backend,
    bytes: Vec<u8>,
    manifest: Manifest,
}

impl Theatre {
    /// Refuses facts that no result could have established.
    fn check(&self, cases: &[Case]) -> anyhow::Result<()> {
        let kinds = self.stage.establishable(&self.manifest.tools)?;
        for case in cases {
            facts::check(&case.facts, &kinds).with_context(|| format!("case {:?}", case.name))?;
        }
        Ok(())
    }

    async fn run(&self, cases: &[Case]) -> anyhow::Result<ExitCode> {
        let manifest = &self.manifest;
        let (name, version) = (&manifest.name, &manifest.version);
        say(format_args!(
            "running {} cases of {name} {version}",
            cases.len()
        ));
        let started = Instant::now();
        let mut failed = 0;
        for case in cases {
            let began = Instant::now();
            let faults = self.play(case).await?;
            let mark = if faults.is_empty() { "✓" } else { "✗" };
            let took = began.elapsed().as_millis();
            say(format_args!("{mark} {} ({took} ms)", case.name));
            for fault in &faults {
                say(format_args!("    {fault}"));
            }
            failed += usize::from(!faults.is_empty());
        }
        let (passed, took) = (cases.len() - failed, started.elapsed().as_secs_f32());
        say(format_args!(
            "{passed} passed, {failed} failed, {took:.1} s"
        ));
        Ok(if failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// One case; what was not as expected.
    async fn play(&self, case: &Case) -> anyhow::Result<Vec<String>> {
        self.backend.begin(case.script()?, case.fault);
        let rehearsal = self.stage.open(self.casting(case)?).await?;
        if let Some(customer) = &case.customer {
            rehearsal.identify(customer, case.known.level()).await?;
        }
        let now = rehearsal.now().await?;
        let known = case.facts.iter().map(|known| known.fact(now));
        rehearsal.establish(known.collect()).await?;
        let faults = self.calls(case, &rehearsal).await;
        rehearsal.close().await;
        faults
    }

    async fn calls(&self, case: &Case, rehearsal: &Rehearsal) -> anyhow::Result<Vec<String>> {
        let mut faults = Vec::new();
        let mut asked = false;
        for step in &case.before {
            let outcome = call(case, step, rehearsal, &mut asked).await?;
            if outcome.word() != "ok" {
                faults.push(format!(
                    "before: {} ended {}",
                    step.tool,
                    judge::told(&outcome)
                ));
            }
        }
        let first = call(case, &case.call, rehearsal, &mut asked).await?;
        faults.extend(judge::outcome(case, &first));
        if case.fault == Some(Fault::Duplicate) {
            let second = call(case, &case.call, rehearsal, &mut asked).await?;
            faults.extend(
                judge::outcome(case, &second)
                    .into_iter()
                    .map(|fault| format!("the second time: {fault}")),
            );
        }
        if case.consent.is_some() && !asked {
            faults.push("nobody was asked for the consent".to_owned());
        }
        let seen = self.backend.seen();
        faults.extend(judge::backend(case, &seen));
        if !faults.is_empty() {
            faults.extend(
                rehearsal
                    .overheard()
                    .into_iter()
                    .map(|said| format!("the plugin said: {said}")),
            );
            faults.push(format!("the backend saw: {}", judge::list(&seen.requests)));
        }
        Ok(faults)
    }

    fn casting(&self, case: &Case) -> anyhow::Result<Casting> {
        let mut settings = self.redirected()?;
        settings.extend(case.settings.clone());
        let mut plugin = self.stage.plugin(&self.bytes, &self.manifest, &settings)?;
        bend(&mut plugin, case.nature.map(|nature| nature.0), case.fault);
        Ok(Casting {
            plugin,
            tools: self.manifest.tools.clone(),
            credentials: Credentials::default(),
            pretend: true,
            // Nobody else's words decide how a case ends.
            model: std::sync::Arc::new(agent::Offline),
            pause: Duration::from_millis(1),
        })
    }

    /// The settings that say where backends are, led to the scripted one.
    fn redirected(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let asks = &self.manifest.asks;
        let mut settings = BTreeMap::new();
        for reach in &asks.reach {
            let setting = reach.setting().with_context(|| {
                format!(
                    "its origin {} is fixed, so nothing can stand in for it here; make it a setting: origin = \"{{base_url}}\"",
                    reach.origin
                )
            })?;
            let default = asks.settings.get(setting).map(String::as_str);
            let mut url = Url::parse(default.unwrap_or("http://backend"))
                .with_context(|| format!("the setting {setting}"))?;
            let moved = url.set_scheme("http").and_then(|()| {
                url.set_ip_host(self.backend.addr.ip())?;
                url.set_port(Some(self.backend.addr.port()))
            });
            ensure!(
                moved.is_ok(),
                "the setting {setting} is no http or https URL"
            );
            settings.insert(
                setting.to_owned(),
                url.to_string().trim_end_matches('/').to_owned(),
            );
        }
        Ok(settings)
    }
}

/// One call; where it waits for a yes that the case gives, what became of it then.
async fn call(
    case: &Case,
    step: &Called,
    rehearsal: &Rehearsal,
    asked: &mut bool,
) -> anyhow::Result<Outcome> {
    let outcome = rehearsal.call(&step.tool, step.arguments.clone()).await?;
    match (&outcome, case.consent) {
        (Outcome::Pending { consent, .. }, Some(Answer::Yes)) => {
            *asked = true;
            rehearsal.agree(consent).await
        }
        _ => Ok(outcome),
    }
}

/// What a case says of the backend, over what the manifest says.
fn bend(plugin: &mut PluginSource, nature: Option<Nature>, fault: Option<Fault>) {
    if let Some(nature) = nature {
        for grant in &mut plugin.grants {
            grant.nature = nature;
        }
    }
    if fault == Some(Fault::Slow) {
        plugin.limits.answer_ms = SLOW_ANSWER_MS;
    }
}
