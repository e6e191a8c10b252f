//! What a node keeps on its disk, as the tables of the modelled codebase: `raft_log`,
//! `cache_metadata` and `cluster_membership`.
//!
//! Start with [`Tables::of`]. The codebase keeps them in its SQL database; here every column has its
//! place in the write-ahead log of the node's own disk (`protocol::raft::storage`), which is what
//! makes them durable together:
//!
//! | table | column | on the disk |
//! |---|---|---|
//! | `raft_log` | `node_id` | whose disk it is |
//! | | `log_index`, `term` | fields of the entry record |
//! | | `command_type` | the kind of the payload, and of its command |
//! | | `command_data` | the command; the configuration where it is one; NULL for a no-op |
//! | | `created_at` | the cluster time that the leader stamped on the entry |
//! | `cache_metadata` | `node_id`, `cluster_id` | whose disk it is |
//! | | `last_snapshot_index`, `last_snapshot_term` | fields of the snapshot record; 0 without one |
//! | | `created_at` | 0: cluster time counts from the birth of the group |
//! | | `updated_at` | the cluster time that the snapshot had reached |
//! | `cluster_membership` | `cluster_id` | whose group it is |
//! | | `nodes` | the latest configuration in the snapshot and the log, and the group's addresses |
//! | | `version` | the index of the entry that holds it, counted from 1 |
//! | | `updated_at` | the cluster time of that entry; of the snapshot where it has the entry's place |
//!
//! Times are cluster time in nanoseconds instead of TIMESTAMPTZ: wall clocks jump, and a row that
//! all nodes hold has to say the same everywhere. `idx_raft_log_term`, the index for compaction, has
//! no counterpart: a log is cut by position. Term and vote, which no table of the codebase holds,
//! are a record of their own.

use super::command::Command;
use crate::protocol::raft::{Entry, Members, Payload, Raft};
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::NodeId;
use contract::hash::{hash_bytes, mix};
use core::fmt;

/// The key of a node or of a cluster, made from its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub u128);

/// What an entry of the log does. The first three codes are those of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum CommandType {
    /// Stores a value.
    Set = 1,
    /// Removes a key.
    Delete = 2,
    /// Does nothing: the first entry of a leader.
    Noop = 3,
    /// Stores a value if the key holds the expected one.
    Cas = 4,
    /// Entries leave: expired, evicted.
    Drop = 5,
    /// Keeps what was loaded from the database.
    Fill = 6,
    /// Changes who takes part.
    Members = 7,
}

/// A row of `raft_log`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaftLogRow {
    /// The node whose log it is.
    pub node_id: Uuid,
    /// The position, from 1.
    pub log_index: u64,
    /// The term of the leader that put it there.
    pub term: u64,
    /// What it does.
    pub command_type: CommandType,
    /// The command, as it stands in the log; NULL for a no-op and a configuration.
    pub command_data: Option<Arc<[u8]>>,
    /// Cluster time in nanoseconds.
    pub created_at: u64,
}

/// A row of `cache_metadata`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheMetadataRow {
    /// The node.
    pub node_id: Uuid,
    /// The last entry that the snapshot covers; 0 without one.
    pub last_snapshot_index: u64,
    /// The term of that entry.
    pub last_snapshot_term: u64,
    /// The group that the node is in.
    pub cluster_id: Uuid,
    /// Cluster time in nanoseconds.
    pub created_at: u64,
    /// Cluster time in nanoseconds.
    pub updated_at: u64,
}

/// One of `nodes` of [`ClusterMembershipRow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// The peer's index in the group.
    pub id: u32,
    /// Where it is reached.
    pub address: NodeId,
    /// Whether it votes.
    pub votes: bool,
}

/// A row of `cluster_membership`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterMembershipRow {
    /// The group.
    pub cluster_id: Uuid,
    /// Who takes part.
    pub nodes: Vec<MemberRow>,
    /// Rises with each change, from 1.
    pub version: u64,
    /// Cluster time in nanoseconds.
    pub updated_at: u64,
}

/// The three tables, as far as one node's disk holds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    /// In the order of `log_index`.
    pub raft_log: Vec<RaftLogRow>,
    /// The node's row.
    pub cache_metadata: CacheMetadataRow,
    /// The row of its group.
    pub cluster_membership: ClusterMembershipRow,
}

impl Uuid {
    /// The key of what is called `name`; the same in every run.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let high = hash_bytes(name.as_bytes());
        let low = mix(high, name.len() as u64);
        // Version 8, variant 1: made by a rule of one's own (RFC 9562 §5.8).
        let bits = u128::from(high) << 64 | u128::from(low);
        let bits = bits & !(0xf << 76) & !(0x3 << 62);
        Self(bits | 0x8 << 76 | 0x2 << 62)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |from: u32, len: u32| (self.0 >> from) & ((1 << len) - 1);
        let (a, b, c) = (part(96, 32), part(80, 16), part(64, 16));
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", part(48, 16), part(0, 48))
    }
}

impl CommandType {
    /// What `entry` does; `None` where its command is none.
    #[must_use]
    pub fn of(entry: &Entry) -> Option<Self> {
        use super::command::Write;
        let command = match &entry.payload {
            Payload::Noop => return Some(Self::Noop),
            Payload::Members(_) => return Some(Self::Members),
            Payload::Command(bytes) => Command::decode(bytes).ok()?,
        };
        Some(match command.write {
            Write::Put { .. } => Self::Set,
            Write::Delete => Self::Delete,
            Write::Cas { .. } => Self::Cas,
            Write::Drop { .. } => Self::Drop,
            Write::Fill { .. } => Self::Fill,
        })
    }
}

impl Tables {
    /// Those of the node called `name`, as a node holds them: right after a boot that is what its
    /// disk held, afterwards what is durable or on its way there.
    #[must_use]
    pub fn of(name: &str, raft: &Raft) -> Self {
        let cluster = name.rsplit_once('/').map_or(name, |(cluster, _)| cluster);
        let (node_id, cluster_id) = (Uuid::of(name), Uuid::of(cluster));
        let (since, members) = raft.members_since();
        let snapshot = raft.snapshot();
        let reached = snapshot.map_or(0, |snapshot| snapshot.time);
        let last = snapshot.map(|snapshot| snapshot.id).unwrap_or_default();
        let entries = (raft.first_index()..=raft.last_index()).filter_map(|at| raft.entry(at));
        let peers = &raft.config().peers;
        Self {
            raft_log: entries.filter_map(|entry| RaftLogRow::of(node_id, entry)).collect(),
            cache_metadata: CacheMetadataRow {
                node_id,
                last_snapshot_index: last.index,
                last_snapshot_term: last.term,
                cluster_id,
                created_at: 0,
                updated_at: reached,
            },
            cluster_membership: ClusterMembershipRow {
                cluster_id,
                nodes: members_of(members, peers),
                version: since + 1,
                updated_at: match raft.entry(since) {
                    Some(entry) => entry.time,
                    None if since == 0 => 0,
                    None => reached,
                },
            },
        }
    }
}

/// How much was in the tables when a node booted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Rows of `raft_log`.
    pub raft_log_rows: u64,
    /// `last_snapshot_index` of `cache_metadata`.
    pub last_snapshot_index: u64,
    /// `version` of `cluster_membership`.
    pub membership_version: u64,
    /// How many `nodes` it has.
    pub members: u64,
}

impl From<&Tables> for Recovered {
    fn from(tables: &Tables) -> Self {
        Self {
            raft_log_rows: tables.raft_log.len() as u64,
            last_snapshot_index: tables.cache_metadata.last_snapshot_index,
            membership_version: tables.cluster_membership.version,
            members: tables.cluster_membership.nodes.len() as u64,
        }
    }
}

impl RaftLogRow {
    fn of(node_id: Uuid, entry: &Entry) -> Option<Self> {
        Some(Self {
            node_id,
            log_index: entry.index,
            term: entry.term,
            command_type: CommandType::of(entry)?,
            command_data: match &entry.payload {
                Payload::Command(bytes) => Some(Arc::clone(bytes)),
                Payload::Noop | Payload::Members(_) => None,
            },
            created_at: entry.time,
        })
    }
}

fn members_of(members: &Members, peers: &[NodeId]) -> Vec<MemberRow> {
    let row = |id: u32| MemberRow {
        id,
        address: peers[id as usize],
        votes: members.voters.or(members.outgoing).contains(id),
    };
    members.all().iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn keys_are_uuids_that_names_decide() {
        assert_eq!(Uuid::of("h/1"), Uuid::of("h/1"));
        assert_ne!(Uuid::of("h/1"), Uuid::of("h/2"));
        let text = Uuid::of("h/1").to_string();
        let lengths: Vec<usize> = text.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{text}");
        assert_eq!(&text[14..15], "8", "the version");
        assert!("89ab".contains(&text[19..20]), "the variant: {text}");
    }

    #[test]
    fn the_codes_of_the_schema_are_kept() {
        assert_eq!(
            [CommandType::Set, CommandType::Delete, CommandType::Noop].map(|t| t as i16),
            [1, 2, 3]
        );
    }

    #[test]
    fn entries_say_what_they_do() {
        let entry = |payload| Entry { term: 1, index: 1, time: 5, payload };
        assert_eq!(CommandType::of(&entry(Payload::Noop)), Some(CommandType::Noop));
        let noise = Payload::Command(Arc::from(&b"no command"[..]));
        assert_eq!(CommandType::of(&entry(noise)), None);
        let row = RaftLogRow::of(Uuid(7), &entry(Payload::Noop)).expect("a no-op has a row");
        assert_eq!((row.command_data, row.created_at), (None, 5));
    }
}
