//! The soak: many MCP clients of both eras at once, for a while. Every answer is held against the protocol and against what
//! the request must come to, and the host's memory must have stopped growing.

mod asks;
mod books;
mod exchange;
mod legacy;
mod modern;
mod streams;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::kills::runtime;
use crate::served::Served;
use crate::size;
use books::Books;
use exchange::Wire;

/// Clients in an ordinary run, and for how many seconds.
const CLIENTS: u64 = 16;
const SECONDS: u64 = 3;

/// At how many points the host's memory is looked at.
const POINTS: u32 = 6;

/// In less time its caches are still being filled.
const LONG_ENOUGH: Duration = Duration::from_secs(30);

/// What the host may have grown by from the third point to the last, in MiB, and in percent of what it was.
const GROWTH_MIB: u64 = 8;
const GROWTH_PERCENT: u64 = 10;

/// Has `CLIENTS` clients talk for `SECONDS`, prints the figures, and fails for one answer that is not as it must be.
pub(crate) fn run() {
    let clients = size::number("CLIENTS", CLIENTS);
    let time = Duration::from_secs(size::number("SECONDS", SECONDS));
    let seed = size::seed();
    println!("  SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let books = Arc::new(Books::default());
    let (memory, refunds) = runtime().block_on(async {
        let served = Served::start_with(folder.path(), &LIMITS).await;
        let wire = Wire::new(served.url(), Arc::clone(&books));
        let until = Instant::now() + time;
        let talking = (0..clients).map(|number| talk(number, wire.clone(), seed, until));
        let talking: JoinSet<()> = talking.collect();
        let mut memory = watch(&served, time).await;
        talking.join_all().await;
        memory.push(("all gone".to_owned(), served.memory_mib()));
        let refunds = served.refunds().await;
        served.end().await;
        (memory, refunds)
    });
    books.print(clients, time);
    let shown: Vec<String> = memory
        .iter()
        .map(|(at, mib)| format!("{mib} ({at})"))
        .collect();
    println!("  memory of the host in MiB: {}", shown.join(", "));
    let wrong = books.wrong();
    assert!(
        wrong.is_empty(),
        "{} wrong: {:#?}",
        books.errors.load(Ordering::Relaxed),
        wrong
    );
    let turned_away = books.of(asks::NO_PLACE);
    assert!(
        turned_away * 100 <= books.requests.load(Ordering::Relaxed),
        "{turned_away} calls found no place"
    );
    assert!(
        time < LONG_ENOUGH || is_flat(&memory),
        "the host's memory grew"
    );
    assert_eq!(refunds, 1, "they all asked for the same refund");
}

/// All clients are the same customer, who guesses no order number and asks again and again for the same refund.
const LIMITS: [(&str, &str); 2] = [
    ("GUESSES_CUSTOMER_DAY", "1000000"),
    ("REFUND_CALLS_CUSTOMER_DAY", "1000000"),
];

/// Looks at the host's memory at several points.
async fn watch(served: &Served, time: Duration) -> Vec<(String, u64)> {
    let began = Instant::now();
    let mut memory = vec![("at the start".to_owned(), served.memory_mib())];
    for point in 1..=POINTS {
        sleep_until((began + time * point / POINTS).into()).await;
        memory.push((
            format!("{} s", began.elapsed().as_secs()),
            served.memory_mib(),
        ));
    }
    memory
}

/// Whether it has stopped growing: from the third point on, by no more than what it takes anew and gives back all the time.
fn is_flat(memory: &[(String, u64)]) -> bool {
    let (_, warm) = memory[3];
    memory[4..]
        .iter()
        .all(|(_, mib)| *mib <= warm + GROWTH_MIB + warm * GROWTH_PERCENT / 100)
}

/// One client: conversation after conversation, in its era.
async fn talk(number: u64, wire: Wire, seed: u64, until: Instant) {
    let mut dice = fastrand::Rng::with_seed(seed.wrapping_add(number));
    let mut conversation = 0;
    while Instant::now() < until {
        conversation += 1;
        if number.is_multiple_of(2) {
            legacy::converse(&wire, &mut dice, until).await;
        } else {
            let case = format!("soak-{number}-{conversation}");
            modern::converse(&wire, &mut dice, &case, until).await;
        }
    }
}
