//! What an epoch is about: customers, their orders, and cases that have looked those up.

use std::collections::BTreeMap;
use std::path::Path;

use dispatch::{Cases, Ledger};
use policy::{Entity, Fact, Level};
use serde_json::{Value, json};
use store::{OpenOptions, SqliteStore};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::process::FOLDERS;
use crate::victim::{TENANT, dollars};

const CUSTOMERS: usize = 5;
/// Together worth more than a customer's budget of a day.
const ORDERS_EACH: usize = 6;
const DAY_SECONDS: i64 = 86_400;

/// An order whose whole sum is asked back.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) customer: String,
    /// Minor units.
    pub(crate) amount: i64,
}

/// The desk before the first victim starts.
pub(crate) struct Desk {
    pub(crate) orders: Vec<Order>,
    /// By customer: two cases each, because the ledger's key knows no case.
    pub(crate) cases: BTreeMap<String, [String; 2]>,
}

impl Desk {
    /// Writes customers, cases and looked-up orders into a new data folder.
    pub(crate) async fn found(folder: &Path, chance: &mut fastrand::Rng) -> Self {
        let _no_child_starts = FOLDERS.write().await;
        let store = SqliteStore::open(folder, OpenOptions::default()).unwrap();
        let mut desk = Self {
            orders: vec![],
            cases: BTreeMap::new(),
        };
        for number in 1..=CUSTOMERS {
            let customer = format!("C-{number}");
            let orders = (1..=ORDERS_EACH).map(|order| Order {
                id: format!("ORD-{number}-{order}"),
                customer: customer.clone(),
                amount: chance.i64(2_000..12_000),
            });
            let orders: Vec<Order> = orders.collect();
            let cases = [
                case(&store, &customer, "first", &orders).await,
                case(&store, &customer, "second", &orders).await,
            ];
            desk.orders.extend(orders);
            desk.cases.insert(customer, cases);
        }
        store.close().await;
        desk
    }
}

async fn case(store: &SqliteStore, customer: &str, session: &str, orders: &[Order]) -> String {
    let session = format!("campaign:{customer}:{session}");
    let case = store.case_of_session(TENANT, &session).await.unwrap().id;
    let known = store.identify(&case, customer, Level::Matched).await;
    assert!(known.unwrap());
    let now = store.now().await.unwrap();
    let facts = orders.iter().map(|order| looked_up(order, now)).collect();
    store.establish(&case, facts).await.unwrap();
    case
}

/// What a lookup of the order establishes.
fn looked_up(order: &Order, now: i64) -> (Entity, Fact) {
    let delivered = OffsetDateTime::from_unix_timestamp(now - DAY_SECONDS).unwrap();
    let attributes = json!({ "owner": order.customer, "status": "delivered", "total": dollars(order.amount),
        "refund_eligible": true, "refunded": dollars(0), "delivered_at": delivered.format(&Rfc3339).unwrap() });
    let Value::Object(attributes) = attributes else {
        unreachable!("an object was just written");
    };
    let entity = Entity {
        kind: "order".to_owned(),
        id: order.id.clone(),
    };
    let fact = Fact {
        established_at: now,
        attributes,
    };
    (entity, fact)
}
