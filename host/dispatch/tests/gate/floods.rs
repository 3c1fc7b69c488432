//! A plugin that goes on after it was refused: it gets no further, and it leaves little more on record than one that stops.

use std::sync::{Arc, Mutex};

use dispatch::policy::{Role, RulebookSource, Settings};
use dispatch::{AuditKind, CompletionRequest, Gate, InvokeError, KeyValues};
use http::Method;
use serde_json::{Value, json};

use crate::world::{Plugin, World, contract, grant, not_found, send};

/// How often the plugin asks, whatever it told.
const TIMES: usize = 5_000;

/// What is asked for, again and again.
#[derive(Clone, Copy)]
enum Asks {
    Requests(&'static Method),
    Uses,
    Completions,
}

/// What the plugin heard: how often it was given leave, and every refusal.
#[derive(Default)]
struct Heard {
    given: usize,
    refusals: Vec<String>,
}

async fn ask(gate: &Arc<dyn Gate>, asks: Asks) -> Result<(), String> {
    match asks {
        Asks::Requests(method) => {
            let sent = send(gate, method.clone(), "/articles", &Value::Null).await;
            sent.map(drop).map_err(|error| error.to_string())
        }
        Asks::Uses => {
            let value = gate.value("points").await;
            value.map(drop).map_err(|error| error.to_string())
        }
        Asks::Completions => {
            let request = CompletionRequest {
                prompt: "why?".into(),
                max_tokens: 1,
            };
            let text = gate.complete(request).await;
            text.map(drop).map_err(|error| error.to_string())
        }
    }
}

/// A plugin that asks for all of this, and ends as if nothing had been refused, or with an error.
fn floods(asks: &'static [Asks], fails: bool) -> (Plugin, Arc<Mutex<Heard>>) {
    let answers = Arc::<Mutex<Heard>>::default();
    let to_tell = answers.clone();
    let plugin: Plugin = Arc::new(move |_, gate| {
        let told = to_tell.clone();
        Box::pin(async move {
            for one in asks {
                for _ in 0..TIMES {
                    let answer = ask(&gate, *one).await;
                    let mut told = told.lock().unwrap();
                    match answer {
                        Ok(()) => told.given += 1,
                        Err(refusal) => told.refusals.push(refusal),
                    }
                }
            }
            if fails {
                return Err(not_found("nothing"));
            }
            Ok(json!({ "ticket_id": "T-1", "status": "open" }))
        })
    });
    (plugin, answers)
}

/// The capability records of a case that are refusals: their codes, and of how many more each tells.
async fn refused(world: &World, case: &str) -> Vec<(String, Option<u64>)> {
    let records = world.capabilities(case).await.into_iter();
    records
        .filter(|record| record["decision"] == "deny")
        .map(|record| {
            let code = record["code"].as_str().unwrap().to_owned();
            (code, record["refused_more"].as_u64())
        })
        .collect()
}

fn codes(code: &str, times: usize, more: usize) -> Vec<(String, Option<u64>)> {
    let one = (code.to_owned(), None);
    let rest = (code.to_owned(), Some(u64::try_from(more).unwrap()));
    std::iter::repeat_n(one, times).chain([rest]).collect()
}

/// A name without an end is read by nobody, and kept by nobody.
#[tokio::test]
async fn of_a_url_that_is_too_long_a_beginning_is_on_record() {
    let plugin: Plugin = Arc::new(|_, gate| {
        Box::pin(async move {
            let path = format!("/articles?q={}", "a".repeat(1 << 20));
            send(&gate, Method::GET, &path, &Value::Null).await?;
            Ok(json!({}))
        })
    });
    let world = World::new(plugin);
    let case = world.case("s").await;
    let ended = world.call(&case, "search_knowledge_base", json!({})).await;
    assert_eq!(ended.word(), "denied", "{ended:?}");
    assert_eq!(
        refused(&world, &case).await,
        [("URL_TOO_LONG".to_owned(), None)]
    );
    let records = world.capabilities(&case).await;
    let url = records[0]["url"].as_str().unwrap();
    assert!(
        url.contains("/articles?q=a") && url.len() <= 8 << 10,
        "{}",
        url.len()
    );
}

/// What a flood of a read leaves: so many given, and of the rest so many on record with their code, the others as a number.
async fn check(asks: &'static [Asks], given: usize, code: &str, on_record: usize) {
    for fails in [false, true] {
        let (plugin, heard) = floods(asks, fails);
        let world = World::new(plugin);
        let case = world.case("s").await;
        let ended = world.call(&case, "search_knowledge_base", json!({})).await;
        assert_eq!(
            ended.word(),
            if fails { "failed" } else { "ok" },
            "{ended:?}"
        );
        let heard = std::mem::take(&mut *heard.lock().unwrap());
        assert_eq!(
            (heard.given, heard.refusals.len()),
            (given, TIMES - given),
            "{code}"
        );
        assert!(heard.refusals.iter().all(|one| *one == heard.refusals[0]));
        let rest = TIMES - given - on_record;
        assert_eq!(refused(&world, &case).await, codes(code, on_record, rest));
        let capabilities = world.capabilities(&case).await;
        assert_eq!(capabilities.len(), given + on_record + 1);
        let completions = if code == "MODEL_BUDGET" { given } else { 0 };
        assert_eq!(world.model.asked().len(), completions);
    }
}

#[tokio::test]
async fn requests_past_the_limit_are_counted() {
    check(&[Asks::Requests(&Method::GET)], 16, "HTTP_BUDGET", 1).await;
}

/// An operator's own rules took the place of the shipped ones, and say nothing of it.
#[tokio::test]
async fn the_limit_of_requests_holds_under_any_rules() {
    let (plugin, heard) = floods(&[Asks::Requests(&Method::GET)], false);
    let all = "@id(\"all\") permit (principal, action, resource);";
    let mut rules = RulebookSource::shipped(contract(), Settings::default());
    rules.policies = vec![("own.cedar".to_owned(), all.to_owned())];
    let world = World::under(rules, plugin, vec![grant(&[])]);
    let case = world.case("s").await;
    let ended = world.call(&case, "search_knowledge_base", json!({})).await;
    assert_eq!(ended.word(), "ok", "{ended:?}");
    assert_eq!(heard.lock().unwrap().given, 16);
    let expected = codes("HTTP_BUDGET", 1, TIMES - 16 - 1);
    assert_eq!(refused(&world, &case).await, expected);
}

#[tokio::test]
async fn requests_that_were_never_granted_have_the_same_limit() {
    check(&[Asks::Requests(&Method::PUT)], 0, "NOT_GRANTED", 17).await;
}

#[tokio::test]
async fn uses_of_keys_past_the_limit_are_counted() {
    check(&[Asks::Uses], 200, "KEY_VALUE_BUDGET", 1).await;
}

#[tokio::test]
async fn completions_past_the_limit_are_counted() {
    check(&[Asks::Completions], 2, "MODEL_BUDGET", 1).await;
}

#[tokio::test]
async fn a_write_that_floods_every_capability_says_so_with_its_intent() {
    let (plugin, heard) = floods(
        &[
            Asks::Requests(&Method::PUT),
            Asks::Uses,
            Asks::Completions,
            Asks::Requests(&Method::GET),
        ],
        false,
    );
    let world = World::new(plugin);
    let case = world.case("s").await;
    let subject = json!({ "subject": "a lamp" });
    let ended = world.call_as(Role::Supervisor, &case, "create_ticket", subject);
    assert_eq!(ended.await.word(), "ok");
    // Not one of the requests was given leave, the last ones as little as the first.
    assert_eq!(heard.lock().unwrap().given, 200 + 2);
    let expected = [
        codes("NOT_GRANTED", 17, 2 * TIMES - 17),
        codes("KEY_VALUE_BUDGET", 1, TIMES - 201),
        codes("MODEL_BUDGET", 1, TIMES - 3),
    ];
    let mut on_record = refused(&world, &case).await;
    let mut expected = expected.concat();
    on_record.sort();
    expected.sort();
    assert_eq!(on_record, expected);
    let records = world.audit(&case).await;
    let told: Vec<_> = records
        .iter()
        .filter(|record| !record.entry.detail["refused_more"].is_null())
        .collect();
    assert_eq!(told.len(), 3);
    let settled = records
        .iter()
        .find(|record| record.entry.detail["state"] == "done")
        .unwrap();
    assert_eq!(settled.entry.kind, AuditKind::Ledger);
    for record in told {
        assert_eq!(
            record.entry.detail["intent"],
            settled.entry.detail["intent"]
        );
        assert!(record.seq < settled.seq);
    }
}

/// The keys are read from the store once in a call: what it changes from then on is in its lists all the same.
#[tokio::test]
async fn a_list_of_keys_has_what_the_call_itself_has_changed() {
    let plugin: Plugin = Arc::new(|_, gate| {
        Box::pin(async move {
            let failed = |error: dispatch::KeyValueError| InvokeError::Trapped(error.to_string());
            let mut lists = vec![];
            gate.set_value("early", Some(vec![1]))
                .await
                .map_err(failed)?;
            lists.push(gate.keys(0).await.map_err(failed)?.0);
            for (key, value) in [("late", Some(vec![1])), ("early", None)] {
                gate.set_value(key, value).await.map_err(failed)?;
                lists.push(gate.keys(0).await.map_err(failed)?.0);
            }
            assert_eq!(lists, [vec!["early"], vec!["early", "late"], vec!["late"]]);
            Ok(json!({ "ticket_id": "T-1", "status": "open" }))
        })
    });
    let world = World::new(plugin);
    let case = world.case("s").await;
    let subject = json!({ "subject": "a lamp" });
    let ended = world.call_as(Role::Supervisor, &case, "create_ticket", subject);
    assert_eq!(ended.await.word(), "ok");
    let kept = world.store.keys("demo", "scripted").await;
    assert_eq!(kept.unwrap(), ["late"]);
}

/// What a call changes is in memory until it settles. A value that is set again and again is one value.
#[tokio::test]
async fn a_call_changes_no_more_than_fits() {
    const LARGE: usize = 64 << 10;
    let plugin: Plugin = Arc::new(|_, gate| {
        Box::pin(async move {
            for time in 0..100 {
                let again = gate.set_value("0", Some(vec![1; LARGE])).await;
                assert_eq!(again, Ok(()), "{time}");
            }
            let mut kept = 0;
            for key in 0..50 {
                let key = key.to_string();
                let set = gate.set_value(&key, Some(vec![1; LARGE])).await;
                kept += usize::from(set.is_ok());
            }
            assert_eq!(kept, 16);
            assert_eq!(gate.set_value("0", None).await, Ok(()));
            assert_eq!(gate.set_value("last", Some(vec![1; LARGE])).await, Ok(()));
            Ok(json!({ "ticket_id": "T-1", "status": "open" }))
        })
    });
    let world = World::new(plugin);
    let case = world.case("s").await;
    let subject = json!({ "subject": "a lamp" });
    let ended = world.call_as(Role::Supervisor, &case, "create_ticket", subject);
    assert_eq!(ended.await.word(), "ok");
    let kept = world.store.keys("demo", "scripted").await.unwrap();
    assert_eq!(kept.len(), 16);
    assert!(kept.contains(&"last".to_owned()) && !kept.contains(&"0".to_owned()));
}
