//! turmoil shows every node exactly what the engine shows it.

#[path = "../../../core/tests/common/mod.rs"]
mod common;
#[path = "../../../core/tests/common/suite.rs"]
mod suite;

use host_turmoil::Turmoil;

#[test]
fn datagrams_timers_streams_and_syncs_are_equal() {
    suite::datagrams_timers_streams_and_syncs_are_equal(&Turmoil, 20);
}

#[test]
fn chances_of_links_are_equal() {
    suite::chances_of_links_are_equal(&Turmoil, 20);
}

#[test]
fn partitions_are_equal() {
    suite::partitions_are_equal(&Turmoil, 20);
}

#[test]
fn crashes_are_equal() {
    suite::crashes_are_equal(&Turmoil, 20);
}

#[test]
fn ten_seconds_of_partition_break_streams_alike() {
    suite::ten_seconds_of_partition_break_streams_alike(&Turmoil, 1);
}

#[test]
fn outages_are_equal() {
    suite::outages_are_equal(&Turmoil, 6);
}

#[test]
fn clients_with_a_load_are_equal_over_crashes() {
    suite::clients_with_a_load_are_equal_over_crashes(&Turmoil, 20);
}

#[test]
fn a_run_that_cannot_be_exact_is_refused() {
    suite::a_run_that_cannot_be_exact_is_refused(&Turmoil);
}
