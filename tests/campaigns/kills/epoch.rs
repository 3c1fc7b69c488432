//! One epoch: a data folder and a backend that see one victim after the other, up to the rest at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use policy::Nature;
use store::verify_audit;
use tokio::time::sleep;

use super::backend::{Backend, Caught};
use super::books::Books;
use super::desk::{Desk, Order};
use super::figures::Figures;
use super::invariants::{self, Breach};
use super::plan::Plan;
use super::process::Victim;
use crate::victim::{Ask, Bookkeeping, Line, Setup};

/// A victim that neither dies nor answers for so long hangs, and the campaign with it.
const HUNG: Duration = Duration::from_mins(1);
/// The longest that the backend works on one request, as a queryable one declares it.
pub(crate) const PROCESSING_SECONDS: u32 = 1;
/// How often the same is asked at the end before it counts as lost.
const PATIENCE: u32 = 10;

pub(crate) struct Epoch {
    seed: u64,
    nature: Nature,
    ledger: Bookkeeping,
    chance: fastrand::Rng,
    folder: PathBuf,
    backend: Backend,
    desk: Desk,
    /// The orders that somebody asked about, by their place in the desk.
    asked: BTreeSet<usize>,
    /// What was asked under which number, until it is answered or its victim dies.
    open: BTreeMap<u64, usize>,
    /// What the last victim never answered.
    cut_short: BTreeSet<usize>,
    requests: u64,
    /// What the clocks of victims and backend are ahead.
    ahead_seconds: i64,
    /// The refunds that clients were told of, by order.
    told: BTreeMap<String, String>,
    books: Books,
    breaches: BTreeSet<Breach>,
    figures: Figures,
}

impl Epoch {
    /// Founds a desk in an empty folder.
    pub(crate) async fn begin(
        folder: &Path,
        seed: u64,
        nature: Nature,
        ledger: Bookkeeping,
    ) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        let desk = Desk::found(folder, &mut chance).await;
        Self {
            seed,
            nature,
            ledger,
            backend: Backend::start(nature, chance.u64(..)).await,
            chance,
            folder: folder.to_owned(),
            desk,
            asked: BTreeSet::new(),
            open: BTreeMap::new(),
            cut_short: BTreeSet::new(),
            requests: 0,
            ahead_seconds: 0,
            told: BTreeMap::new(),
            books: Books::default(),
            breaches: BTreeSet::new(),
            figures: Figures::default(),
        }
    }

    /// Every order is asked about before the end.
    pub(crate) fn ask_everything(&mut self) {
        self.asked.extend(0..self.desk.orders.len());
    }

    /// One victim, from its start to its death, and a look at the books.
    pub(crate) async fn live_and_die(&mut self) {
        if self.chance.u32(0..4) == 0 {
            self.let_time_pass().await;
        }
        let plan = Plan::by_chance(&mut self.chance);
        let mut caught = match plan {
            Plan::Backend(stage, nth) => Some(self.backend.trap(stage, nth)),
            _ => None,
        };
        let mut victim = self.start(plan).await;
        let asks = self.choose();
        let died = tokio::time::timeout(
            HUNG,
            self.until_death(plan, &mut victim, caught.as_mut(), &asks),
        );
        let (is_ready, reached) = died
            .await
            .unwrap_or_else(|_| panic!("a victim hangs, epoch {}", self.seed));
        victim.kill().await;
        drop(caught);
        self.cut_short = std::mem::take(&mut self.open).into_values().collect();
        self.figures.restarts += 1;
        self.figures.unready += u64::from(!is_ready);
        self.figures.died(if reached {
            plan.name()
        } else {
            "idle, everything answered".to_owned()
        });
        self.check();
    }

    /// Long enough for the backend to have come to an end with everything, as its declared nature says.
    async fn let_time_pass(&mut self) {
        self.backend.idle().await;
        self.ahead_seconds += 2 * i64::from(PROCESSING_SECONDS);
        self.backend.set_clock(self.ahead_seconds);
    }

    async fn start(&self, plan: Plan) -> Victim {
        let doom = match plan {
            Plan::Step(point) => Some(point),
            _ => None,
        };
        self.start_with(doom).await
    }

    async fn start_with(&self, doom: Option<crate::victim::Point>) -> Victim {
        Victim::start(&Setup {
            folder: self.folder.clone(),
            backend: self.backend.addr,
            nature: self.nature,
            ledger: self.ledger,
            ahead_seconds: self.ahead_seconds,
            doom,
        })
        .await
    }

    /// Whoever had no answer asks again, and so do others: each up to three times at once, out of different cases and in
    /// different words.
    fn choose(&mut self) -> Vec<(usize, Ask)> {
        let mut orders = std::mem::take(&mut self.cut_short);
        for _ in 0..self.chance.u32(1..=2) {
            orders.insert(self.pick());
        }
        let mut asks = vec![];
        for order in orders {
            for _ in 0..self.chance.u32(1..=3) {
                asks.push((order, self.ask_for(order)));
            }
        }
        asks
    }

    /// Rather an order that nobody has asked about: what is done already is only replayed.
    fn pick(&mut self) -> usize {
        let all = 0..self.desk.orders.len();
        let new: Vec<usize> = all
            .clone()
            .filter(|order| !self.asked.contains(order))
            .collect();
        if new.is_empty() || self.chance.u32(0..3) == 0 {
            return self.chance.usize(all);
        }
        new[self.chance.usize(0..new.len())]
    }

    fn ask_for(&mut self, place: usize) -> Ask {
        self.asked.insert(place);
        self.requests += 1;
        self.figures.asked += 1;
        let Order {
            id,
            customer,
            amount,
        } = &self.desk.orders[place];
        Ask {
            request: self.requests,
            case: self.desk.cases[customer][self.chance.usize(0..2)].clone(),
            order: id.clone(),
            amount: format!("{}.{:02}", amount / 100, amount % 100),
            reason: format!("broken, as I said in request {}", self.requests),
        }
    }

    /// Whether it was ready by then, and whether it came to the point that was planned.
    async fn until_death(
        &mut self,
        plan: Plan,
        victim: &mut Victim,
        mut caught: Option<&mut Caught>,
        asks: &[(usize, Ask)],
    ) -> (bool, bool) {
        let mut is_ready = false;
        let mut timer = pin!(sleep(match plan {
            Plan::FromStart(after) => after,
            _ => HUNG,
        }));
        loop {
            tokio::select! {
                line = victim.hear() => match line {
                    Some(Line::Ready) => {
                        is_ready = true;
                        self.send(victim, asks).await;
                        if let Plan::FromAsking(after) = plan {
                            timer.set(sleep(after));
                        }
                    }
                    Some(Line::Answered { request, word, refund }) => {
                        self.hear(request, word, refund);
                        if self.open.is_empty() {
                            return (true, false);
                        }
                    }
                    Some(Line::Doomed) => return (is_ready, true),
                    None => panic!("a victim ended by itself, epoch {}", self.seed),
                },
                () = reached(&mut caught) => return (is_ready, true),
                () = &mut timer => return (is_ready, true),
            }
        }
    }

    async fn send(&mut self, victim: &mut Victim, asks: &[(usize, Ask)]) {
        for (order, ask) in asks {
            self.open.insert(ask.request, *order);
            victim.ask(ask).await;
        }
    }

    fn hear(&mut self, request: u64, word: String, refund: Option<String>) {
        let order = self.open.remove(&request).unwrap();
        if let Some(refund) = refund {
            let order = self.desk.orders[order].id.clone();
            let before = self.told.insert(order.clone(), refund.clone());
            if before.is_some_and(|before| before != refund) {
                let two = format!("{order}: two answers, the later is {refund}");
                self.breaches.insert(Breach::LostIntent(two));
            }
        }
        *self.figures.words.entry(word).or_default() += 1;
    }

    /// Holds the ledger against the backend's journal; nobody runs meanwhile.
    fn check(&mut self) {
        let books = Books::read(&self.folder).unwrap();
        let journal = self.backend.journal();
        self.breaches
            .extend(invariants::at_any_time(&journal, &books));
        self.breaches.extend(invariants::since(&self.books, &books));
        self.books = books;
        self.figures.verified += 1;
        match verify_audit(&self.folder).unwrap() {
            Ok(_) => self.figures.whole += 1,
            Err(broken) => {
                let broken = Breach::BrokenAudit(format!("{broken:?}"));
                self.breaches.insert(broken);
            }
        }
    }

    /// The last victims may live: everything comes to rest, everybody asks once more, and the books are closed.
    pub(crate) async fn end(mut self) -> Figures {
        self.backend.calm_down();
        let (mut answers, mut quiet_rounds) = (vec![], 0);
        // Twice, because what was refused for lack of budget may have room once all else has its end.
        for _ in 0..PATIENCE {
            self.let_time_pass().await;
            answers = self.ask_everybody().await;
            let is_quiet = answers.iter().all(|(_, word)| self.is_end(word)) && self.is_at_rest();
            quiet_rounds = if is_quiet { quiet_rounds + 1 } else { 0 };
            if quiet_rounds == 2 {
                break;
            }
        }
        self.check();
        self.close(&answers)
    }

    /// One victim, unharmed, is asked for everything that was ever asked for.
    async fn ask_everybody(&mut self) -> Vec<(usize, String)> {
        let mut victim = self.start_with(None).await;
        assert!(matches!(victim.hear().await, Some(Line::Ready)));
        let mut answers = vec![];
        for order in self.asked.clone() {
            let ask = self.ask_for(order);
            self.send(&mut victim, &[(order, ask)]).await;
            let Some(Line::Answered {
                request,
                word,
                refund,
            }) = victim.hear().await
            else {
                panic!("a victim ended by itself, epoch {}", self.seed);
            };
            self.hear(request, word.clone(), refund);
            answers.push((order, word));
        }
        victim.end().await;
        answers
    }

    /// Nothing is open that anybody but a person could end; people may have to be called more than once, too.
    fn is_at_rest(&self) -> bool {
        let books = Books::read(&self.folder).unwrap();
        let mut intents = books.intents.iter();
        intents.all(|intent| invariants::has_ended(intent, self.nature))
    }

    /// Only where the backend can neither be asked nor be sent the same again is the end that nobody knows.
    fn is_end(&self, word: &str) -> bool {
        matches!(word, "ok" | "replayed" | "denied")
            || word == "unknown" && self.nature == Nature::Neither
    }

    fn close(mut self, answers: &[(usize, String)]) -> Figures {
        let journal = self.backend.journal();
        let at_rest = invariants::at_rest(self.nature, &journal, &self.books, &self.told);
        self.breaches.extend(at_rest);
        for (place, word) in answers {
            let order = &self.desk.orders[*place];
            let has_room = !invariants::is_out_of_budget(order, &self.books);
            if !self.is_end(word) || word == "denied" && has_room {
                let lost = format!("{}: in the end {word}", order.id);
                self.breaches.insert(Breach::LostIntent(lost));
            }
        }
        self.figures.seen = journal.seen.len() as u64;
        self.figures.effects = journal.effects.len() as u64;
        for intent in self.books.intents {
            *self.figures.states.entry(intent.state).or_default() += 1;
        }
        let found = self.breaches.into_iter().map(|breach| (self.seed, breach));
        self.figures.breaches = found.collect();
        self.figures
    }
}

async fn reached(caught: &mut Option<&mut Caught>) {
    match caught {
        Some(caught) => caught.reached().await,
        None => std::future::pending().await,
    }
}
