//! The operators: a name is one person's for ever, a key counts until it is revoked, and both are told.

use dispatch::{Operator, Revoked};

use crate::world::{START, World};

async fn add(world: &World, name: &str, first: u8) -> Option<Operator> {
    let mut digest = [0; 32];
    digest[0] = first;
    let operators = &world.operators;
    operators
        .add_operator(name, digest, "user:operator")
        .await
        .unwrap()
}

/// What the audit log says: who, what, and of whom.
async fn told(world: &World) -> Vec<String> {
    let records = world.store.records(None, 1_000).await.unwrap();
    let said = |record: &dispatch::AuditRecord| {
        let entry = &record.entry;
        let of = |key: &str| entry.detail[key].as_str().unwrap().to_owned();
        format!(
            "{}{} {} {}",
            entry.tenant,
            entry.actor,
            of("event"),
            of("operator")
        )
    };
    records.iter().map(said).collect()
}

pub(crate) async fn a_name_is_given_once_in_whatever_letters(world: World) {
    let mara = add(&world, "Mara", 1).await.unwrap();
    assert_eq!(
        (mara.name.as_str(), mara.added_at_ms),
        ("Mara", START * 1_000)
    );
    assert_eq!(add(&world, "mara", 2).await, None);
    world
        .operators
        .revoke_operator("Mara", "user:jo")
        .await
        .unwrap();
    assert_eq!(add(&world, "MARA", 3).await, None);
    // A key is one person's, too; what fails leaves no trace.
    let digest = mara.key_digest;
    let twice = world
        .operators
        .add_operator("jo", digest, "user:operator")
        .await;
    assert!(twice.is_err());
    assert_eq!(world.operators.operators().await.unwrap().len(), 1);
    assert_eq!(
        told(&world).await,
        [
            "user:operator operator_added Mara",
            "user:jo operator_revoked Mara"
        ]
    );
}

pub(crate) async fn what_is_revoked_stays_so_and_is_told(world: World) {
    let mara = add(&world, "mara", 1).await.unwrap();
    for other in ["MARA", "jo", ""] {
        let revoked = world
            .operators
            .revoke_operator(other, "user:operator")
            .await;
        assert_eq!(revoked.unwrap(), None, "{other}");
    }
    world.clock.advance(7);
    let revoked = world
        .operators
        .revoke_operator("mara", "user:operator")
        .await;
    let expected = Operator {
        revoked: Some(Revoked {
            by: "user:operator".to_owned(),
            at_ms: (START + 7) * 1_000,
        }),
        ..mara
    };
    assert_eq!(revoked.unwrap(), Some(expected.clone()));
    let again = world.operators.revoke_operator("mara", "user:jo").await;
    assert_eq!(again.unwrap(), None);
    assert_eq!(world.operators.operators().await.unwrap(), [expected]);
    assert_eq!(told(&world).await.len(), 2);
}
