//! The defects that can be planted: one row each, with where it comes from and what must catch it.

use super::needs::{
    CRASH, CRASH_AND_DISK, CRASH_AND_NETWORK, DRIFT_AND_NETWORK, MEMBERS, MEMBERS_AND_NETWORK,
    NETWORK, NEW_LEADER, NOTHING,
};

catalog::defects! {
    /// Which defects are planted; none by default. A defect draws no randomness and sends nothing
    /// until the moment at which it shows, so runs with and without it can be compared.
    pub struct Defects;
    /// Every defect that can be planted, to be part of a system's own table.
    pub const DEFECTS;
    vote_not_persisted, "vote-not-persisted",
        "a vote reaches the disk without the candidate, so a restart may give it again",
        "redisraft 46a6ad0; raft-paper §5.2", "raft.monotonic", CRASH;
    term_not_persisted, "term-not-persisted",
        "a term learnt from a message is kept in memory only, so a restart goes back",
        "willemt/raft 854a06d; raft-paper §5.1", "raft.monotonic", CRASH;
    double_vote, "double-vote-same-term",
        "a voter grants every candidate of a term",
        "etcd-io/raft 9d2a465; raft-paper §5.2", "raft.one_leader_per_term", NEW_LEADER;
    stale_vote_counted, "stale-vote-response-counted",
        "a candidate counts votes that were granted in an earlier term",
        "willemt/raft b754309; raft-paper §5.2", "raft.one_leader_per_term", NETWORK;
    uptodate_index_only, "uptodate-index-only",
        "voters compare the length of logs and not their last terms",
        "raft-paper §5.4.1", "raft.leader_completeness", NETWORK;
    candidate_ignores_append, "candidate-ignores-equal-term-append",
        "a candidate does not yield to the leader of its own term",
        "willemt/raft 271f080; raft-paper §5.2", "count", NOTHING;
    timer_reset_on_any_rpc, "timer-reset-on-any-rpc",
        "refused candidates and deposed leaders reset the election timer",
        "willemt/raft 51e049f; raft-paper §5.2", "converge", NETWORK;
    disruptive_rejoin, "disruptive-rejoin",
        "no pre-vote and no vote stickiness: a node that was cut off deposes a healthy leader",
        "raft-thesis §9.6, §4.2.3; etcd ff14791", "count", NETWORK;
    equal_fixed_timeouts, "equal-fixed-timeouts",
        "every node waits the same time for a leader, so votes split again and again",
        "hashicorp/raft cda1ee8; raft-paper §5.2", "converge", NOTHING;
    commit_previous_term, "commit-previous-term",
        "a leader counts replicas of entries of earlier terms",
        "raft-paper §5.4.2, Figure 8; async-raft#106", "raft.leader_completeness", NEW_LEADER;
    truncate_on_match, "truncate-on-matching-append",
        "an append cuts off what follows it although nothing conflicts",
        "willemt/raft 77fb611; raft-paper §5.3", "raft.leader_completeness", NETWORK;
    no_prev_term_check, "missing-prev-term-check",
        "an append is accepted wherever its predecessor has the right index, whatever its term",
        "raft-paper §5.3", "raft.log_matching", NEW_LEADER;
    commit_past_verified, "commit-past-verified-prefix",
        "a follower believes the commit index of a heartbeat as far as its own log goes",
        "hashicorp/raft bd0a437; raft-paper Figure 2", "raft.state_machine_safety", NEW_LEADER;
    quorum_off_by_one, "quorum-off-by-one",
        "one node less than a majority commits and confirms reads",
        "hashicorp/raft 163a55f; openraft d60f1e85", "raft.leader_completeness", NETWORK;
    ack_before_fsync, "ack-before-fsync",
        "appends are answered from the page cache",
        "Jepsen NATS 2.12.1; etcd#14140", "raft.leader_completeness", CRASH;
    ack_before_quorum, "ack-before-quorum",
        "a leader applies and acknowledges an entry before a quorum has it",
        "raft-paper §5.3", "raft.state_machine_safety", NEW_LEADER;
    leader_rewrites_log, "leader-rewrites-log",
        "a new leader drops what it finds uncommitted in its own log",
        "raft-paper §5.3", "raft.leader_append_only", NEW_LEADER;
    read_before_own_commit, "readindex-before-own-term-commit",
        "a new leader answers reads before it has committed an entry of its own term",
        "etcd#7331; raft-thesis §6.4", "linearizable", NEW_LEADER;
    read_ack_unbound, "readindex-ack-not-bound-to-round",
        "any answer to any heartbeat confirms a read, also to one sent before it arrived",
        "raft-thesis §6.4", "linearizable", NETWORK;
    lease_is_election_timeout, "lease-equals-election-timeout",
        "the lease is as long as the shortest election timeout: no room for clock drift",
        "Consul 0.x; raft-thesis §6.4.1", "linearizable", DRIFT_AND_NETWORK;
    lease_from_receive, "lease-measured-from-receive",
        "the lease counts from the answer to a heartbeat instead of its sending",
        "raft-thesis §6.4.1", "linearizable", NETWORK;
    lease_without_stickiness, "lease-without-vote-stickiness",
        "voters elect another leader while the lease of the first runs",
        "etcd-io/raft 926a44a; raft-thesis §4.2.3", "linearizable", NETWORK;
    lease_lost_on_restart, "lease-promise-lost-on-restart",
        "a voter that restarted forgets that it promised a leader not to vote",
        "raft-thesis §6.4.1", "linearizable", CRASH_AND_NETWORK;
    lease_survives_transfer, "lease-survives-leader-transfer",
        "a leader that handed over goes on serving reads under its lease",
        "TiKV#1593; openraft#1747", "linearizable", NETWORK;
    lease_counts_learners, "lease-counts-nonvoters",
        "learners count when a leader asks whether it still leads",
        "hashicorp/raft#308", "linearizable", MEMBERS_AND_NETWORK;
    change_cross_term, "single-server-change-cross-term",
        "a leader changes members before anything of its own term is committed",
        "raft-dev-2015; raft-thesis §4.1", "raft.leader_completeness", MEMBERS_AND_NETWORK;
    changes_overlap, "change-before-last-committed",
        "a leader starts a change of members while the last one is not committed",
        "raft-thesis §4.1; etcd-io/raft 141a265", "raft.leader_completeness", MEMBERS;
    joint_half_quorum, "joint-half-quorum",
        "in a joint configuration only the majority of the new half counts",
        "openraft 6c0ccaf3, d882e743", "raft.leader_completeness", MEMBERS_AND_NETWORK;
    joint_dropped, "joint-dropped-on-restore",
        "a snapshot forgets the old half of a joint configuration",
        "etcd-io/raft e515a67", "raft.membership_agrees", MEMBERS_AND_NETWORK;
    removed_leader_rushes, "removed-leader-steps-down-early",
        "a leader that removes itself steps down before its removal is committed",
        "openraft 0023cff1; raft-thesis §4.2.2", "converge", MEMBERS;
    snapshot_loses_config, "second-generation-snapshot-loses-config",
        "from its second snapshot on a node writes the members that the group was born with",
        "redisraft 51c1b78", "raft.membership_agrees", NOTHING;
    older_snapshot_installed, "older-snapshot-installed",
        "a snapshot is installed although the log is past it already",
        "etcd-io/raft 80615be; raft-paper Figure 13", "raft.monotonic", NETWORK;
    splices_snapshots, "chunk-offset-restart",
        "parts of different snapshots are put together as one",
        "openraft 946dc3f9, 2eccb9e1", "raft.state_machine_safety", NEW_LEADER;
    vote_lost_in_compaction, "vote-lost-in-compaction",
        "rewriting the log for a snapshot drops the vote",
        "redisraft 46a6ad0", "raft.monotonic", CRASH;
    rename_without_dir_sync, "rename-without-dir-fsync",
        "the log that a snapshot rewrote is renamed, and the directory is never synced",
        "redisraft#548", "raft.monotonic", CRASH;
    torn_tail_kept, "torn-tail-not-repaired",
        "a record cut off by a crash keeps a node from booting",
        "etcd-io/etcd#5230, #6379, #11488", "converge", CRASH;
    middle_cut_as_torn, "corrupt-middle-truncated-as-torn",
        "damage in the middle of the log is taken for a torn tail, and the rest is cut off",
        "Jepsen NATS 2.12.1; PAR, FAST 2018", "raft.leader_completeness", CRASH;
    sync_error_ignored, "fsync-error-retried",
        "a sync that failed is asked for again, and what it lost counts as durable",
        "PostgreSQL fsyncgate 2018; ATC 2020", "raft.leader_completeness", CRASH_AND_DISK;
    joins_sync, "sync-covers-later-writes",
        "entries written while a sync is under way are acknowledged with its end",
        "mutant of the write-ahead log; raft-paper Figure 2", "raft.promises_durable", NOTHING;
    own_match_unsynced, "own-match-before-sync",
        "a leader counts itself for an entry before its own disk has it",
        "raft-thesis §10.2.1", "raft.commits_on_quorum", NOTHING;
    heartbeat_matches, "heartbeat-answer-counts-as-match",
        "where the log of a follower ends, by its answer to a heartbeat, is taken for what it has on disk",
        "raft-paper Figure 2, matchIndex", "raft.beliefs_held", NOTHING;
    vote_outlives_term, "vote-outlives-its-term",
        "a term learnt from a message is written beside the vote of the term before",
        "raft-paper Figure 2, votedFor", "raft.boots_from_past", CRASH;
    config_survives_cut, "config-survives-truncation",
        "a node goes on by a configuration whose entry was cut off its log",
        "raft-thesis §4.1", "raft.derived_state", MEMBERS_AND_NETWORK;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_plants_a_defect_of_its_own() {
        let clean = Defects::default();
        let each: alloc::vec::Vec<Defects> =
            DEFECTS.iter().map(|defect| Defects::from_names(&[defect.name])).collect();
        for (row, planted) in each.iter().enumerate() {
            assert_ne!(*planted, clean, "{} plants nothing", DEFECTS[row].name);
            assert!(!each[..row].contains(planted), "{}", DEFECTS[row].name);
        }
    }

    #[test]
    fn names_of_other_tables_are_left_alone() {
        assert_eq!(Defects::from_names(&["local-leader-read"]), Defects::default());
    }
}
