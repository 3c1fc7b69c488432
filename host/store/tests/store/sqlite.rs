//! The contract on SQLite, and what only SQLite has to show.

mod by_case;
mod decisions;
mod durability;
mod folder;
mod known_cases;
mod registered;
mod tampering;

use std::path::Path;
use std::sync::Arc;

use store::{OpenOptions, SqliteStore};
use tempfile::TempDir;

use crate::world::{TestClock, World};

/// The file inside a data folder.
const FILE: &str = "switchboard.sqlite";

fn open(folder: &Path, clock: &TestClock) -> Arc<SqliteStore> {
    let clock = clock.clone();
    let options = OpenOptions {
        clock: Some(Arc::new(move || clock.now())),
    };
    Arc::new(SqliteStore::open(folder, options).unwrap())
}

async fn world(folder: &TempDir) -> (World, Arc<SqliteStore>) {
    let clock = TestClock::new();
    let store = open(folder.path(), &clock);
    (World::of(Arc::clone(&store), clock).await, store)
}

macro_rules! on_sqlite {
    ($($part:ident { $($law:ident,)+ })+) => {$(
        mod $part {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $law() {
                    let folder = tempfile::tempdir().unwrap();
                    let (world, _store) = super::world(&folder).await;
                    crate::contract::$part::$law(world).await;
                }
            )+
        }
    )+};
}

on_sqlite! {
    ledger {
        tasks_that_race_for_one_key_get_one_new,
        tasks_that_race_for_one_budget_never_pass_it,
        one_full_budget_leaves_the_others_and_the_key_alone,
        a_budget_can_be_used_up_to_its_limit,
        absurd_charges_neither_overflow_nor_give_money,
        a_failure_gives_back_once_and_frees_the_key,
        an_unknown_end_keeps_money_and_key,
        a_done_intent_keeps_its_output_and_its_money,
        a_settled_intent_stays_settled,
        a_request_is_recorded_once_per_ordinal,
        a_request_after_an_unknown_end_is_sent_again,
        open_intents_come_oldest_first,
        tenants_share_neither_keys_nor_budgets,
        an_intent_in_another_tenants_case_is_refused,
        what_fails_does_not_take_its_neighbours_along,
        sums_come_in_the_order_asked,
    }
    key_values {
        what_is_staged_counts_once_it_is_settled,
        what_fails_leaves_nothing_and_what_is_unknown_waits,
        another_try_takes_the_place_of_the_first,
        keys_are_one_tenants_and_one_plugins,
    }
    leases {
        whoever_reserves_holds_it_until_the_lease_runs_out,
        of_many_that_take_over_one_does,
        a_late_worker_changes_nothing,
        an_unknown_end_gives_the_lease_back_and_keeps_its_age,
        a_settled_intent_is_nobodys,
        what_leaves_again_counts_from_then,
        a_person_settles_what_nobody_runs,
        a_failure_by_hand_gives_back_and_frees_the_key,
        intents_are_listed_by_state_and_tool,
        an_intent_has_a_history,
    }
    cases {
        a_session_that_many_open_has_one_case,
        a_reset_session_opens_another_case,
        an_identity_only_grows,
        customers_that_race_for_one_case_get_it_once,
        a_status_is_kept,
        facts_merge_attribute_by_attribute,
        events_keep_their_order_without_gaps,
        a_case_that_does_not_exist_takes_nothing,
    }
    consents {
        of_many_answers_one_counts,
        a_yes_is_unfinished_until_its_call_has_ended,
        an_expired_question_takes_no_answer,
        the_same_question_is_asked_once_at_a_time,
        pending_questions_are_listed_by_tenant_and_case,
        an_answer_to_nothing_counts_for_nothing,
    }
    registry {
        a_version_never_means_another_digest,
        a_known_version_takes_what_is_said_anew_and_loses_nothing,
        versions_are_one_tenants,
        a_version_that_is_bound_stays,
        of_two_operators_one_is_done,
        a_change_of_what_is_no_longer_so_changes_nothing,
        what_was_removed_is_not_bound,
        a_binding_is_read_as_it_was_written,
        every_change_is_told_in_history_and_audit_log,
        what_does_not_fit_leaves_no_trace,
        a_tag_that_moved_is_told_once_for_each_place,
    }
    operators {
        a_name_is_given_once_in_whatever_letters,
        what_is_revoked_stays_so_and_is_told,
    }
    audit {
        records_form_one_chain,
        an_empty_log_verifies,
        entries_of_one_caller_stay_in_order_and_whole,
        a_case_has_its_own_records,
    }
}
