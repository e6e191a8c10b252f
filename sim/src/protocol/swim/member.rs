//! What a node knows of each member, and the list in the order of which it probes them.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::hash::{hash_bytes, mix};
use contract::{Duration, Instant, Rng};

/// What a member is called, for good: a number of the owner's, such as its place in its group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub u32);

/// Where a member is reached: a position in [`super::Config::addresses`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub u32);

/// What a member is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It answers.
    Alive,
    /// It did not answer somebody, and may still refute that.
    Suspect,
    /// It did not refute in time.
    Dead,
    /// It said that it leaves.
    Left,
}

impl State {
    /// As on the wire.
    pub(super) const fn code(self) -> u32 {
        match self {
            Self::Alive => 0,
            Self::Suspect => 1,
            Self::Dead => 2,
            Self::Left => 3,
        }
    }

    pub(super) const fn from_code(code: u32) -> Option<Self> {
        match code {
            0 => Some(Self::Alive),
            1 => Some(Self::Suspect),
            2 => Some(Self::Dead),
            3 => Some(Self::Left),
            _ => None,
        }
    }

    /// Whether it is gone: dead or left.
    #[must_use]
    pub const fn is_gone(self) -> bool {
        matches!(self, Self::Dead | Self::Left)
    }

    /// As in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Suspect => "suspect",
            Self::Dead => "dead",
            Self::Left => "left",
        }
    }
}

/// What is known of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// What it is called.
    pub name: Name,
    /// Where it is.
    pub address: Address,
    /// The incarnation that the state is about.
    pub incarnation: u32,
    /// What it is taken for.
    pub state: State,
    /// Since when, on the clock of the node that knows it.
    pub since: Instant,
    /// What it says of itself, as its owner encoded it.
    pub meta: Vec<u8>,
}

impl Member {
    /// What the member adds to a view: nothing once it is gone, so that tombstones do not count.
    fn digest(&self) -> u64 {
        if self.state.is_gone() {
            return 0;
        }
        let identity = mix(u64::from(self.name.0) + 1, u64::from(self.address.0));
        mix(mix(identity, u64::from(self.incarnation)), hash_bytes(&self.meta))
    }
}

/// All members that are known, tombstones among them. A copy shares them until one is written.
#[derive(Clone, Debug, Default)]
pub struct Members {
    list: Arc<Vec<Member>>,
    index: Arc<BTreeMap<Name, u32>>,
    digest: u64,
}

impl Members {
    /// What is known of `name`.
    #[must_use]
    pub fn get(&self, name: Name) -> Option<&Member> {
        self.list.get(*self.index.get(&name)? as usize)
    }

    /// Changes what is known of `name`, if anything is.
    pub(super) fn change(&mut self, name: Name, change: impl FnOnce(&mut Member)) {
        let Some(&at) = self.index.get(&name) else { return };
        let member = &mut Arc::make_mut(&mut self.list)[at as usize];
        assert!(member.name == name, "the index points at the member");
        self.digest ^= member.digest();
        change(member);
        self.digest ^= member.digest();
    }

    /// Takes in a member that is not known yet, at a random place of the order.
    pub(super) fn insert(&mut self, member: Member, rng: &mut Rng) {
        assert!(self.get(member.name).is_none(), "a member is known once");
        let (list, index) = (Arc::make_mut(&mut self.list), Arc::make_mut(&mut self.index));
        let last = list.len();
        let place = rng.below(last as u64 + 1) as usize;
        self.digest ^= member.digest();
        list.push(member);
        list.swap(place, last);
        index.insert(list[last].name, last as u32);
        index.insert(list[place].name, place as u32);
        assert!(index.len() == list.len(), "every member is in the index");
    }

    /// Forgets one member.
    pub(super) fn remove(&mut self, name: Name) {
        self.retain(|member| member.name != name);
    }

    /// Forgets who does not satisfy `keep`.
    pub(super) fn retain(&mut self, keep: impl Fn(&Member) -> bool) {
        if self.list.iter().all(&keep) {
            return;
        }
        Arc::make_mut(&mut self.list).retain(keep);
        self.reindex();
    }

    /// Puts them into a new random order.
    pub(super) fn shuffle(&mut self, rng: &mut Rng) {
        let list: &mut Vec<Member> = Arc::make_mut(&mut self.list);
        rng.shuffle(list);
        self.reindex();
    }

    fn reindex(&mut self) {
        let places = self.list.iter().enumerate();
        self.index = Arc::new(places.map(|(at, member)| (member.name, at as u32)).collect());
        self.digest = self.list.iter().fold(0, |all, member| all ^ member.digest());
    }

    /// The member at a place of the order.
    #[must_use]
    pub fn at(&self, place: usize) -> Option<&Member> {
        self.list.get(place)
    }

    /// All of them, in the order in which they are probed.
    pub fn iter(&self) -> impl Iterator<Item = &Member> + Clone {
        self.list.iter()
    }

    /// How many are known, tombstones among them.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.list.len() as u64
    }

    /// Equal where two nodes know the same living members, with their incarnations and what those
    /// say of themselves. A suspect counts as living.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// Up to `count` members at random that satisfy `wanted`. Small clusters are searched through,
    /// large ones are drawn from at most `3 n` times.
    pub(super) fn random(
        &self,
        count: usize,
        mode: Draw,
        rng: &mut Rng,
        wanted: impl Fn(&Member) -> bool,
    ) -> Vec<(Name, Address)> {
        let all = self.list.len();
        let mut chosen: Vec<(Name, Address)> = Vec::with_capacity(count.min(all));
        if all < 3 * count && mode == Draw::Exhaustive {
            let fit = self.list.iter().filter(|member| wanted(member));
            chosen.extend(fit.map(|member| (member.name, member.address)));
            rng.shuffle(&mut chosen);
            chosen.truncate(count);
            return chosen;
        }
        for _ in 0..3 * all {
            if chosen.len() == count {
                break;
            }
            let member = &self.list[rng.below(all as u64) as usize];
            let is_new = !chosen.iter().any(|(name, _)| *name == member.name);
            if is_new && wanted(member) {
                chosen.push((member.name, member.address));
            }
        }
        chosen
    }
}

/// How members are drawn from a small cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Draw {
    /// All that fit are looked at.
    Exhaustive,
    /// Places are drawn with a cap, and some are missed: only as a planted defect.
    Capped,
}

/// Whether a tombstone has been kept long enough.
pub(super) fn is_reapable(member: &Member, now: Instant, keep: Duration) -> bool {
    member.state.is_gone() && now.since(member.since) > keep
}
