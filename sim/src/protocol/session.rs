//! Sessions: how a write that is repeated takes effect once (raft-thesis §6.3).
//!
//! Every try of one write carries the same session and number. The state machine keeps the last answer
//! of each client, so that a repetition is answered like the first time and does nothing. One answer
//! is enough, because a client has one operation in flight; the thesis keeps one per unacknowledged
//! request.

use super::cow;

/// One logical process of a client. A later epoch of a client ends the earlier ones: what they left
/// behind has no effect any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session {
    /// A hash of the client's name.
    pub client: u64,
    /// Rises with every boot of the client and after every operation whose outcome it does not
    /// know.
    pub epoch: u64,
}

/// What a client was answered last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastAnswer<A> {
    /// The epoch of its session.
    pub epoch: u64,
    /// Which of its writes it was, rising from 1.
    pub seq: u64,
    /// The index of the log entry that carried it.
    pub index: u64,
    /// The answer.
    pub answer: A,
}

/// What a write is, by its session and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'a, A> {
    /// It is the first of its kind: carry it out, and record its answer.
    New,
    /// It was carried out, and answered like that.
    Repeated(&'a LastAnswer<A>),
    /// Its session has moved past it.
    Over(&'a LastAnswer<A>),
    /// Its client is not in the table, and the table is full.
    Full,
}

/// The most clients that a table remembers. One that is not in the table when it is full is refused:
/// forgetting another would let a late repetition of its write apply twice.
pub const SESSIONS_MAX: u64 = 65_536;

/// The last answer of each client, by client. A copy costs one reference count.
#[derive(Clone, Debug)]
pub struct Sessions<A>(cow::Map<u64, LastAnswer<A>>);

impl<A> Default for Sessions<A> {
    fn default() -> Self {
        Self(cow::Map::default())
    }
}

impl<A: Clone> Sessions<A> {
    /// What the write `seq` of `session` is.
    #[must_use]
    pub fn standing(&self, session: Session, seq: u64) -> Standing<'_, A> {
        let Some(last) = self.0.get(&session.client) else {
            return if self.len() < SESSIONS_MAX { Standing::New } else { Standing::Full };
        };
        match (session.epoch, seq).cmp(&(last.epoch, last.seq)) {
            core::cmp::Ordering::Greater => Standing::New,
            core::cmp::Ordering::Equal => Standing::Repeated(last),
            core::cmp::Ordering::Less => Standing::Over(last),
        }
    }

    /// Remembers the last answer of a client.
    pub fn record(&mut self, client: u64, last: LastAnswer<A>) {
        self.0.insert(client, last);
    }

    /// How many clients it remembers.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.0.len()
    }

    /// True where it remembers nobody.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All clients with their last answers, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&u64, &LastAnswer<A>)> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_new_once_and_a_later_epoch_ends_the_earlier() {
        let mut sessions = Sessions::default();
        let session = |epoch| Session { client: 1, epoch };
        assert_eq!(sessions.standing(session(3), 1), Standing::New);
        let last = LastAnswer { epoch: 3, seq: 2, index: 9, answer: 'a' };
        sessions.record(1, last);
        assert_eq!(sessions.standing(session(3), 2), Standing::Repeated(&last));
        assert_eq!(sessions.standing(session(3), 1), Standing::Over(&last));
        assert_eq!(sessions.standing(session(2), 7), Standing::Over(&last));
        assert_eq!(sessions.standing(session(3), 3), Standing::New);
        assert_eq!(sessions.standing(session(4), 1), Standing::New);
    }

    #[test]
    fn a_full_table_takes_nobody_else() {
        let mut sessions = Sessions::default();
        for client in 0..SESSIONS_MAX {
            sessions.record(client, LastAnswer { epoch: 0, seq: 1, index: client, answer: () });
        }
        let standing = |client| sessions.standing(Session { client, epoch: 0 }, 2);
        assert_eq!(standing(SESSIONS_MAX), Standing::Full);
        assert_eq!(standing(0), Standing::New);
    }
}
