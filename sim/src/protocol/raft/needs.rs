//! What planted defects need to show, beside load: the last column of the tables of defects.

use catalog::Need;

type Needs = &'static [&'static [Need]];

/// It shows by itself, or by chance.
pub const NOTHING: Needs = &[];
/// A node loses what is not on its disk.
pub const CRASH: Needs = &[&[Need::Crash]];
/// Messages that do not come, or not in time.
pub const NETWORK: Needs = &[&[Need::Network]];
/// Clocks that go wrong.
pub const CLOCK: Needs = &[&[Need::Clock]];
/// Another leader, however it comes about.
pub const NEW_LEADER: Needs = &[&[Need::Crash, Need::Network, Need::Pause]];
/// Something outside that does not answer in time.
pub const DEPENDENCY: Needs = &[&[Need::Dependency, Need::Crash, Need::Network, Need::Pause]];
/// A change of members.
pub const MEMBERS: Needs = &[&[Need::Membership]];
/// A change of members, and nodes that do not hear of it.
pub const MEMBERS_AND_NETWORK: Needs = &[&[Need::Membership], &[Need::Network, Need::Crash]];
/// A crash, and a cut.
pub const CRASH_AND_NETWORK: Needs = &[&[Need::Crash], &[Need::Network]];
/// A disk that fails, and a crash that shows what it lost.
pub const CRASH_AND_DISK: Needs = &[&[Need::Disk], &[Need::Crash]];
/// A node whose time goes more slowly than that of others, and a cut.
pub const DRIFT_AND_NETWORK: Needs = &[&[Need::Clock, Need::Pause], &[Need::Network]];
