//! Storms and neighbours: who gets the places, and in which order.

use futures::FutureExt as _;

use super::*;

/// Long enough for whoever is called.
const WAIT: Duration = Duration::from_mins(1);

/// Takes a place if there is one now.
fn now(places: &Arc<Places>, seat: Seat) -> Option<Place> {
    places.take(seat, WAIT).now_or_never()?.ok()
}

/// As many as one tenant can have now.
fn storm(places: &Arc<Places>, seat: Seat) -> Vec<Place> {
    std::iter::from_fn(|| now(places, seat)).collect()
}

/// What each of these holds.
fn held(places: &Places, seats: &[Seat]) -> Vec<u32> {
    let books = places.books();
    seats
        .iter()
        .map(|seat| books.tenants[seat.0].running)
        .collect()
}

#[tokio::test]
async fn each_storm_takes_less_than_the_one_before() {
    let places = Places::new(128, 100);
    let seats = [(); 3].map(|()| places.seat(100));
    let storms = seats.map(|seat| storm(&places, seat).len());
    assert_eq!(storms, [96, 96, 96], "alone, and nothing is kept");
    let _first = storm(&places, seats[0]);
    let _second = storm(&places, seats[1]);
    let _third = storm(&places, seats[2]);
    assert_eq!(held(&places, &seats), [96, 24, 6]);
    let neighbour = places.seat(100);
    assert!(now(&places, neighbour).is_some());
}

#[tokio::test]
async fn nobody_holds_more_than_its_share() {
    let places = Places::new(16, 0);
    let seat = places.seat(2);
    let _two = storm(&places, seat);
    assert_eq!(held(&places, &[seat]), [2]);
    let full = places.take(seat, WAIT).await.err();
    assert_eq!(full, Some(Full::Queue { waiting: 0 }));
    places.set_most(seat, 3);
    assert!(now(&places, seat).is_some());
}

/// Two tenants ask without end; whatever ends makes room for both.
#[tokio::test]
async fn waiting_storms_come_to_equal_shares_and_leave_a_place() {
    let places = Places::new(16, 1_000);
    let (first, second) = (places.seat(100), places.seat(100));
    let (taken, mut calls) = tokio::sync::mpsc::unbounded_channel();
    for seat in [first, second].repeat(100) {
        let (places, taken) = (places.clone(), taken.clone());
        tokio::spawn(async move {
            if let Ok(place) = places.take(seat, WAIT).await {
                let _ = taken.send(place);
            }
        });
    }
    let early = storm(&places, first);
    assert_eq!(early.len(), 12, "the first is there before the second");
    drop(early);
    for _ in 0..100 {
        // The oldest call ends.
        drop(calls.recv().await.unwrap());
    }
    let [a, b] = held(&places, &[first, second])[..] else {
        panic!()
    };
    assert!(a.abs_diff(b) <= 1 && a + b < 16, "{a} and {b}");
    let neighbour = places.seat(100);
    assert!(
        now(&places, neighbour).is_some(),
        "whoever runs nothing finds a place"
    );
}

#[tokio::test]
async fn whoever_waits_in_vain_hears_whose_places_they_are() {
    let places = Places::new(4, 1);
    let (modest, greedy) = (places.seat(1), places.seat(100));
    let _one = storm(&places, modest);
    let own = places.take(modest, Duration::ZERO).await.err().unwrap();
    assert_eq!(own, Full::Share { running: 1 });
    let _rest = storm(&places, greedy);
    let hosts = places.take(greedy, Duration::ZERO).await.err().unwrap();
    assert_eq!(hosts, Full::Host { total: 4 });
    let words = [own, hosts, Full::Queue { waiting: 1 }].map(|full| full.told("acme"));
    assert_eq!(
        words,
        [
            "1 calls of tenant acme are running, which is its share, and none ended in time",
            "the 4 places of this host are shared out, and none came to tenant acme in time",
            "1 calls of tenant acme are waiting already, which is its limit",
        ]
    );
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_no_place_behind() {
    let places = Places::new(1, 10);
    let seat = places.seat(10);
    let place = now(&places, seat).unwrap();
    let mut gone = Box::pin(places.take(seat, WAIT));
    let mut called = Box::pin(places.take(seat, WAIT));
    let mut last = Box::pin(places.take(seat, WAIT));
    assert!((&mut gone).now_or_never().is_none());
    assert!((&mut called).now_or_never().is_none());
    assert!((&mut last).now_or_never().is_none());
    // One goes before it is called, one after it was and before it heard.
    drop(gone);
    drop(place);
    drop(called);
    let place = last.now_or_never().unwrap().unwrap();
    drop(place);
    assert_eq!(held(&places, &[seat]), [0]);
    assert_eq!(places.books().free, 1);
}
