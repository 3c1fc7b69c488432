//! Races on the real store: many tasks for one key have one effect, many for one day's budget never pass it.

use std::sync::atomic::Ordering;

use dispatch::policy::{Nature, Settings};
use futures::future::join_all;

use crate::bank::{AMOUNT, At, Branch, Fault};

const TASKS: usize = 64;
const ROUNDS: usize = 8;
/// So many refunds fit into one customer's day.
const ROOM: i64 = 16;

fn count(words: &[&str], wanted: &str) -> usize {
    words.iter().filter(|word| **word == wanted).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_for_one_key_have_one_effect() {
    let mut effects = 0;
    for round in 0..ROUNDS {
        let branch = Branch::open(Nature::Neither).await;
        // Half of them at another process.
        let processes = [branch.dispatcher.clone(), branch.second()];
        let calls = (0..TASKS).map(|n| {
            let (dispatcher, request) = (processes[n % 2].clone(), branch.asking("ORD-1"));
            tokio::spawn(async move { dispatcher.call(request).await.unwrap().word() })
        });
        let words: Vec<_> = join_all(calls)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(
            branch.bank.arrived.load(Ordering::SeqCst),
            1,
            "round {round}: {words:?}"
        );
        assert_eq!(
            (count(&words, "ok"), branch.spent().await),
            (1, AMOUNT),
            "round {round}: {words:?}"
        );
        let others = count(&words, "replayed") + count(&words, "in_flight");
        assert_eq!(others, TASKS - 1, "round {round}: {words:?}");
        assert_eq!(branch.refund("ORD-1").await.unwrap().word(), "replayed");
        effects += branch.bank.effects().len();
    }
    println!(
        "races: {ROUNDS} rounds of {TASKS} tasks for one key, two processes: {effects} effects"
    );
    assert_eq!(effects, ROUNDS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_for_one_days_budget_never_pass_it() {
    let mut settings = Settings::default();
    settings
        .budgets
        .get_mut("refund_customer_day")
        .unwrap()
        .limit = ROOM * AMOUNT + AMOUNT - 1;
    let orders: Vec<String> = (0..TASKS).map(|n| format!("ORD-{n}")).collect();
    let names: Vec<&str> = orders.iter().map(String::as_str).collect();
    let mut most = 0;
    for round in 0..ROUNDS {
        let branch = Branch::open_with(Nature::Neither, settings.clone(), &names).await;
        let processes = [branch.dispatcher.clone(), branch.second()];
        let calls = orders.iter().enumerate().map(|(n, order)| {
            let (dispatcher, request) = (processes[n % 2].clone(), branch.asking(order));
            tokio::spawn(async move { dispatcher.call(request).await.unwrap().word() })
        });
        let words: Vec<_> = join_all(calls)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        let paid = i64::try_from(branch.bank.effects().len()).unwrap();
        assert_eq!(
            (paid, count(&words, "ok")),
            (ROOM, 16),
            "round {round}: {words:?}"
        );
        assert_eq!(
            count(&words, "denied"),
            TASKS - 16,
            "round {round}: {words:?}"
        );
        assert_eq!(
            branch.bank.arrived.load(Ordering::SeqCst),
            ROOM,
            "the refused sent nothing"
        );
        assert_eq!(branch.spent().await, paid * AMOUNT, "round {round}");
        most = most.max(paid * AMOUNT);
    }
    println!(
        "races: {ROUNDS} rounds of {TASKS} tasks for one day's budget, two processes: {most} drawn at most, of {}",
        ROOM * AMOUNT + AMOUNT - 1
    );
}

/// So many refunds a day may one customer have, of any amount.
const OFTEN: i64 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_for_one_days_calls_never_pass_their_number() {
    let mut settings = Settings::default();
    settings
        .budgets
        .get_mut("refund_customer_day")
        .unwrap()
        .limit = i64::MAX;
    let calls_a_day = settings.budgets.get_mut("refund_calls_customer_day");
    calls_a_day.unwrap().limit = OFTEN;
    let orders: Vec<String> = (0..TASKS).map(|n| format!("ORD-{n}")).collect();
    let names: Vec<&str> = orders.iter().map(String::as_str).collect();
    let branch = Branch::open_with(Nature::Neither, settings, &names).await;
    let calls = orders.iter().map(|order| branch.refund_beside(order));
    let outcomes: Vec<_> = join_all(calls).await;
    let words: Vec<_> = outcomes
        .into_iter()
        .map(|o| o.unwrap().unwrap().word())
        .collect();
    assert_eq!(
        branch.bank.arrived.load(Ordering::SeqCst),
        OFTEN,
        "the refused sent nothing: {words:?}"
    );
    assert_eq!(
        (count(&words, "ok"), count(&words, "denied")),
        (10, TASKS - 10),
        "{words:?}"
    );
    println!("races: {TASKS} tasks for {OFTEN} calls a day: {OFTEN} ran");
}

#[tokio::test]
async fn a_call_that_failed_is_not_counted() {
    let mut settings = Settings::default();
    let calls_a_day = settings.budgets.get_mut("refund_calls_customer_day");
    calls_a_day.unwrap().limit = 1;
    let branch = Branch::open_with(Nature::Neither, settings, &["ORD-1", "ORD-2"]).await;
    branch.plan(At::Reserved, Fault::Error);
    assert_eq!(branch.refund("ORD-1").await.unwrap().word(), "failed");
    assert_eq!(branch.refund("ORD-2").await.unwrap().word(), "ok");
    assert_eq!(branch.refund("ORD-1").await.unwrap().word(), "denied");
    assert_eq!(
        branch.refund("ORD-2").await.unwrap().word(),
        "replayed",
        "what is done is no further call"
    );
    assert_eq!(branch.bank.arrived.load(Ordering::SeqCst), 1);
}
