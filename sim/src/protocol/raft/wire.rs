//! The frames: fixed-width big-endian fields, a checksum at the end, entries borrowed.
//!
//! Every frame is `kind u8, term u64, fields, crc32c u32`. Decoding checks the checksum first and
//! then every field, so it never panics, and what it accepts encodes to the same bytes again.
//!
//! | Frame | From | To | Says | Source |
//! |---|---|---|---|---|
//! | pre-vote | pre-candidate | voters | would I win the next term? | raft-thesis §9.6 |
//! | vote | candidate | voters | vote for me | raft-paper §5.2 |
//! | their responses | voter | candidate | granted or not, and the cluster time | §5.2, §5.4.1 |
//! | append | leader | peers | entries after a known one | raft-paper §5.3 |
//! | accepted | follower | leader | durable and equal up to here | §5.3 |
//! | rejected | follower | leader | no such predecessor; try here | §5.3, last paragraphs |
//! | heartbeat | leader | peers | I lead, in this round | raft-thesis §6.4 |
//! | its response | follower | leader | you led when the round came; or a newer term | §6.4, §9.6 |
//! | timeout now | leader | successor | campaign at once | raft-thesis §3.10 |
//! | snapshot | leader | peers | a part of the state that the log before it led to | raft-paper §7 |
//! | received | follower | leader | so much of the snapshot is here | raft-paper §7 |

use super::configuration::{Members, PeerSet};
use super::crc::crc32c;
use super::entry::{Entry, LogId, Payload};
use super::snapshot::Part;
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::node::DATAGRAM_BYTES_MAX;

/// The longest command: a datagram less what surrounds it.
pub const COMMAND_BYTES_MAX: usize = (DATAGRAM_BYTES_MAX - FRAME_BYTES_MAX) as usize;

/// What surrounds a command or a part of a snapshot in a frame, at most.
const FRAME_BYTES_MAX: u32 = 256;

const _: () = assert!(2 * MEMBERS_BYTES + 128 < FRAME_BYTES_MAX as usize, "a frame has room");
const _: () = assert!(MEMBERS_BYTES == 4 * size_of::<u32>() + 1, "four sets and a flag");

/// A frame. `term` is the sender's, except where its field says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    pub term: u64,
    pub body: Body<'a>,
}

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body<'a> {
    /// Would you vote for me in `term`, which is the sender's plus one (raft-thesis §9.6)?
    PreVote { last: LogId },
    /// `term` is the one asked for when granted, the sender's own when not.
    PreVoteResponse { granted: bool, time: u64 },
    /// Vote for me. `transfer`: the leader wants it (raft-thesis §3.10).
    Vote { last: LogId, transfer: bool },
    /// The answer.
    VoteResponse { granted: bool, time: u64 },
    /// Entries after `previous`.
    Append { previous: LogId, commit: u64, time: u64, entries: Entries<'a> },
    /// Everything up to `matched` is durable here and equal to the leader's.
    AppendAccepted { matched: u64 },
    /// The log does not contain `rejected`; it may agree up to `hint`.
    AppendRejected { rejected: u64, hint: LogId },
    /// I lead. `commit` is nothing that the receiver has not acknowledged.
    Heartbeat { round: u64, commit: u64, time: u64 },
    /// You led when this round reached me, and my log ended at `last_index`.
    HeartbeatResponse { round: u64, last_index: u64 },
    /// Campaign now, if your log reaches `last`.
    TimeoutNow { last: LogId },
    /// A part of a snapshot.
    Snapshot(Part<'a>),
    /// The answer to the part at `offset` of the snapshot `id`: its first `received` bytes are here.
    SnapshotReceived { id: LogId, offset: u64, received: u64 },
}

/// The entries of an append, as they lie in the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entries<'a> {
    first_index: u64,
    count: u32,
    bytes: &'a [u8],
}

/// Why a frame was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DecodeError {
    /// It ends before its fields do.
    Short,
    /// It was damaged on its way.
    Checksum,
    /// No frame has this kind.
    Kind,
    /// A field has a value that no sender writes.
    Field,
}

/// An entry without a command.
const ENTRY_BYTES_MIN: usize = 21;
const CHECKSUM_BYTES: usize = 4;
const APPEND: u8 = 5;

impl Message<'_> {
    /// Appends the frame to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let Body::Append { previous, commit, time, entries } = self.body else {
            return frame(out, |out| self.fields(out));
        };
        frame(out, |out| {
            append_fields(out, self.term, previous, commit, time, entries.count);
            out.extend_from_slice(entries.bytes);
        });
    }

    fn fields(&self, out: &mut Vec<u8>) {
        out.push(self.body.kind());
        put(out, self.term);
        match self.body {
            Body::PreVote { last } | Body::TimeoutNow { last } => put_id(out, last),
            Body::PreVoteResponse { granted, time } | Body::VoteResponse { granted, time } => {
                out.push(u8::from(granted));
                put(out, time);
            }
            Body::Vote { last, transfer } => {
                put_id(out, last);
                out.push(u8::from(transfer));
            }
            Body::Append { .. } => unreachable!("appends carry entries and are written apart"),
            Body::AppendAccepted { matched } => put(out, matched),
            Body::AppendRejected { rejected, hint } => {
                put(out, rejected);
                put_id(out, hint);
            }
            Body::Heartbeat { round, commit, time } => {
                put(out, round);
                put(out, commit);
                put(out, time);
            }
            Body::HeartbeatResponse { round, last_index } => {
                put(out, round);
                put(out, last_index);
            }
            Body::Snapshot(part) => {
                put_id(out, part.id);
                put(out, part.time);
                put_members(out, &part.members);
                put(out, part.members_since);
                put(out, part.total);
                out.extend_from_slice(&part.checksum.to_be_bytes());
                put(out, part.offset);
                out.extend_from_slice(part.bytes);
            }
            Body::SnapshotReceived { id, offset, received } => {
                put_id(out, id);
                put(out, offset);
                put(out, received);
            }
        }
    }
}

/// Appends an append frame with `count` of the entries from `entries` on, straight from the log.
pub(super) fn encode_append<'e>(
    out: &mut Vec<u8>,
    term: u64,
    previous: LogId,
    commit: u64,
    time: u64,
    entries: impl Iterator<Item = &'e Entry>,
    count: u32,
) {
    frame(out, |out| {
        append_fields(out, term, previous, commit, time, count);
        let mut written = 0;
        for entry in entries.take(count as usize) {
            assert!(
                entry.index == previous.index + 1 + u64::from(written),
                "an append has no gaps"
            );
            put_entry(out, entry);
            written += 1;
        }
        assert!(written == count, "an append holds what it says");
    });
}

/// Reads a frame.
///
/// # Errors
/// When it is not exactly what a sender wrote.
pub(super) fn decode(frame: &[u8]) -> Result<Message<'_>, DecodeError> {
    let length = frame.len().checked_sub(CHECKSUM_BYTES).ok_or(DecodeError::Short)?;
    let (bytes, checksum) = frame.split_at(length);
    if crc32c(&[bytes]).to_be_bytes() != checksum {
        return Err(DecodeError::Checksum);
    }
    let mut reader = Reader(bytes);
    let kind = reader.u8()?;
    let term = reader.u64()?;
    let body = reader.body(kind)?;
    if !reader.0.is_empty() {
        return Err(DecodeError::Field);
    }
    Ok(Message { term, body })
}

impl Body<'_> {
    const fn kind(&self) -> u8 {
        match self {
            Self::PreVote { .. } => 1,
            Self::PreVoteResponse { .. } => 2,
            Self::Vote { .. } => 3,
            Self::VoteResponse { .. } => 4,
            Self::Append { .. } => APPEND,
            Self::AppendAccepted { .. } => 6,
            Self::AppendRejected { .. } => 7,
            Self::Heartbeat { .. } => 8,
            Self::HeartbeatResponse { .. } => 9,
            Self::TimeoutNow { .. } => 10,
            Self::Snapshot(_) => 11,
            Self::SnapshotReceived { .. } => 12,
        }
    }
}

impl<'a> Entries<'a> {
    /// How many there are.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// The entries in order. Their commands are copied out of the frame.
    pub fn iter(&self) -> impl Iterator<Item = Entry> + use<'a> {
        let mut reader = Reader(self.bytes);
        (0..u64::from(self.count)).zip(self.first_index..).map(move |(_, index)| {
            let entry = reader.entry(index);
            entry.expect("the decoder has walked over every entry")
        })
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(DecodeError::Short)?;
        self.0 = rest;
        Ok(head)
    }

    fn u8(&mut self) -> Result<u8, DecodeError> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn u32(&mut self) -> Result<u32, DecodeError> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes(bytes.try_into().expect("four bytes")))
    }

    fn u64(&mut self) -> Result<u64, DecodeError> {
        let bytes = self.take(8)?;
        Ok(u64::from_be_bytes(bytes.try_into().expect("eight bytes")))
    }

    fn bool(&mut self) -> Result<bool, DecodeError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::Field),
        }
    }

    fn id(&mut self) -> Result<LogId, DecodeError> {
        let term = self.u64()?;
        let index = self.u64()?;
        Ok(LogId { term, index })
    }

    fn body(&mut self, kind: u8) -> Result<Body<'a>, DecodeError> {
        Ok(match kind {
            1 => Body::PreVote { last: self.id()? },
            2 => Body::PreVoteResponse { granted: self.bool()?, time: self.u64()? },
            3 => Body::Vote { last: self.id()?, transfer: self.bool()? },
            4 => Body::VoteResponse { granted: self.bool()?, time: self.u64()? },
            APPEND => self.append()?,
            6 => Body::AppendAccepted { matched: self.u64()? },
            7 => Body::AppendRejected { rejected: self.u64()?, hint: self.id()? },
            8 => Body::Heartbeat { round: self.u64()?, commit: self.u64()?, time: self.u64()? },
            9 => Body::HeartbeatResponse { round: self.u64()?, last_index: self.u64()? },
            10 => Body::TimeoutNow { last: self.id()? },
            11 => Body::Snapshot(self.part()?),
            12 => Body::SnapshotReceived {
                id: self.id()?,
                offset: self.u64()?,
                received: self.u64()?,
            },
            _ => return Err(DecodeError::Kind),
        })
    }

    fn part(&mut self) -> Result<Part<'a>, DecodeError> {
        let id = self.id()?;
        let time = self.u64()?;
        let members = self.members()?;
        let members_since = self.u64()?;
        let total = self.u64()?;
        let checksum = self.u32()?;
        let offset = self.u64()?;
        let bytes = core::mem::take(&mut self.0);
        let end = offset.checked_add(bytes.len() as u64).ok_or(DecodeError::Field)?;
        let fits = end <= total && id.index < u64::MAX && members_since <= id.index;
        let part = Part { id, time, members, members_since, total, checksum, offset, bytes };
        fits.then_some(part).ok_or(DecodeError::Field)
    }

    fn members(&mut self) -> Result<Members, DecodeError> {
        let mut set = || self.u32().map(PeerSet::from_bits);
        let members = Members {
            voters: set()?,
            outgoing: set()?,
            learners: set()?,
            learners_next: set()?,
            auto_leave: self.bool()?,
        };
        members.is_sound().then_some(members).ok_or(DecodeError::Field)
    }

    fn append(&mut self) -> Result<Body<'a>, DecodeError> {
        let previous = self.id()?;
        let commit = self.u64()?;
        let time = self.u64()?;
        let count = self.u32()?;
        // Leaves room below the end of the numbers, so that no sum of them can overflow.
        let first_index = previous.index.checked_add(1).ok_or(DecodeError::Field)?;
        first_index.checked_add(u64::from(count)).ok_or(DecodeError::Field)?;
        let bytes = self.0;
        for _ in 0..count {
            self.skip_entry()?;
        }
        let used = bytes.len() - self.0.len();
        assert!(used >= ENTRY_BYTES_MIN * count as usize, "every entry was walked over");
        Ok(Body::Append {
            previous,
            commit,
            time,
            entries: Entries { first_index, count, bytes: &bytes[..used] },
        })
    }

    fn skip_entry(&mut self) -> Result<(), DecodeError> {
        self.take(16)?;
        let kind = self.u8()?;
        let len = self.u32()?;
        let bytes = self.take(len as usize)?;
        match kind {
            NOOP if len == 0 => Ok(()),
            COMMAND => Ok(()),
            MEMBERS => read_members(bytes).map(drop),
            _ => Err(DecodeError::Field),
        }
    }

    fn entry(&mut self, index: u64) -> Result<Entry, DecodeError> {
        let term = self.u64()?;
        let time = self.u64()?;
        let kind = self.u8()?;
        let len = self.u32()?;
        let bytes = self.take(len as usize)?;
        let payload = match kind {
            NOOP => Payload::Noop,
            COMMAND => Payload::Command(Arc::from(bytes)),
            MEMBERS => Payload::Members(read_members(bytes)?),
            _ => return Err(DecodeError::Field),
        };
        Ok(Entry { term, index, time, payload })
    }
}

const NOOP: u8 = 0;
const COMMAND: u8 = 1;
const MEMBERS: u8 = 2;

/// Reads one entry without its index, as [`put_entry`] wrote it; the whole of `bytes`.
pub(super) fn read_entry(bytes: &[u8], index: u64) -> Result<Entry, DecodeError> {
    let mut reader = Reader(bytes);
    let entry = reader.entry(index)?;
    reader.0.is_empty().then_some(entry).ok_or(DecodeError::Field)
}

/// Appends one entry without its index.
pub(super) fn put_entry(out: &mut Vec<u8>, entry: &Entry) {
    put(out, entry.term);
    put(out, entry.time);
    let (kind, len) = match &entry.payload {
        Payload::Noop => (NOOP, 0),
        Payload::Command(bytes) => (COMMAND, bytes.len()),
        Payload::Members(_) => (MEMBERS, MEMBERS_BYTES),
    };
    out.push(kind);
    out.extend_from_slice(&(len as u32).to_be_bytes());
    match &entry.payload {
        Payload::Noop => {}
        Payload::Command(bytes) => out.extend_from_slice(bytes),
        Payload::Members(members) => put_members(out, members),
    }
}

/// The bytes of a configuration.
pub(super) const MEMBERS_BYTES: usize = 17;

/// Appends a configuration.
pub(super) fn put_members(out: &mut Vec<u8>, members: &Members) {
    let start = out.len();
    for set in [members.voters, members.outgoing, members.learners, members.learners_next] {
        out.extend_from_slice(&set.bits().to_be_bytes());
    }
    out.push(u8::from(members.auto_leave));
    assert!(out.len() - start == MEMBERS_BYTES, "a configuration is as long as it says");
}

/// Reads a configuration as [`put_members`] wrote it; the whole of `bytes`.
pub(super) fn read_members(bytes: &[u8]) -> Result<Members, DecodeError> {
    let mut reader = Reader(bytes);
    let members = reader.members()?;
    reader.0.is_empty().then_some(members).ok_or(DecodeError::Field)
}

fn frame(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    write(out);
    assert!(out.len() > start, "a frame has a kind");
    let checksum = crc32c(&[&out[start..]]);
    out.extend_from_slice(&checksum.to_be_bytes());
    let len = out.len() - start;
    assert!(len <= DATAGRAM_BYTES_MAX as usize, "a frame fits into a datagram");
}

fn append_fields(
    out: &mut Vec<u8>,
    term: u64,
    previous: LogId,
    commit: u64,
    time: u64,
    count: u32,
) {
    out.push(APPEND);
    put(out, term);
    put_id(out, previous);
    put(out, commit);
    put(out, time);
    out.extend_from_slice(&count.to_be_bytes());
}

fn put(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_be_bytes());
}

fn put_id(out: &mut Vec<u8>, id: LogId) {
    put(out, id.term);
    put(out, id.index);
}

#[cfg(test)]
mod tests;
