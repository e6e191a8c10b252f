//! The environments of the modelled codebase, as presets of settings.
//!
//! A profile stands for the variables that its environment sets; a setting that is given in the
//! scenario wins over it. Nothing in the world reads an environment.

use alloc::format;
use catalog::{Seat, Settings};
use contract::Refused;

/// What an environment sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The word of the setting `profile`.
    pub name: &'static str,
    /// `HYPERION_CACHE_SIZE_MB`.
    pub cache_size_mb: u64,
    /// `HYPERION_REPLICATION_FACTOR`: how many nodes vote; all of the group where it is absent.
    pub replication_factor: Option<u32>,
}

const fn profile(
    name: &'static str,
    cache_size_mb: u64,
    replication_factor: Option<u32>,
) -> Profile {
    Profile { name, cache_size_mb, replication_factor }
}

/// All of them; the first holds where none is named.
const PROFILES: [Profile; 4] = [
    profile("default", 4096, None),
    profile("prod", 8192, Some(3)),
    profile("staging", 1024, Some(1)),
    profile("dev", 256, Some(1)),
];

/// The words of the setting `profile`.
pub const PROFILE_WORDS: &[&str] =
    &[PROFILES[0].name, PROFILES[1].name, PROFILES[2].name, PROFILES[3].name];

impl Profile {
    /// That of the settings.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let word = settings.choice("profile");
        let row = PROFILES.iter().find(|profile| profile.name == word);
        *row.expect("the setting accepts no other word")
    }

    /// The most that entries may count for: the size that was given, or that of the profile.
    #[must_use]
    pub fn cache_size(settings: &Settings) -> u64 {
        match settings.has("cache_size") {
            true => settings.bytes("cache_size"),
            false => Self::of(settings).cache_size_mb << 20,
        }
    }

    /// How many nodes of the group vote at its birth: the number that was given, or that of the
    /// profile, or all.
    ///
    /// # Errors
    /// When the profile wants more nodes than there are: a group that is smaller than its
    /// environment says survives less than its operators think.
    pub fn voters(seat: &Seat<'_>) -> Result<u32, Refused> {
        let members = seat.group.len() as u32;
        let given = seat.settings.int("voters");
        if given > 0 {
            return Ok(members.min(u32::try_from(given).expect("the setting has a limit")));
        }
        let profile = Self::of(seat.settings);
        match profile.replication_factor {
            Some(factor) if factor > members => Err(Refused(format!(
                "profile {} replicates to {factor} nodes, and the group has {members}",
                profile.name
            ))),
            Some(factor) => Ok(factor),
            None => Ok(members),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tables::CACHE_SETTINGS;
    use super::super::super::testing::{defaults, target};
    use super::*;
    use alloc::vec::Vec;
    use catalog::SettingValue;
    use contract::{NodeId, Ratio};

    fn settings(profile: &'static str) -> Settings {
        let mut settings = defaults(CACHE_SETTINGS);
        settings.0.insert("profile", SettingValue::Choice(profile));
        settings
    }

    #[test]
    fn profiles_stand_for_the_cache_sizes_of_the_environments() {
        assert_eq!(Profile::cache_size(&defaults(CACHE_SETTINGS)), 4096 << 20);
        for (profile, size_mb) in [("prod", 8192), ("staging", 1024), ("dev", 256)] {
            let mut settings = settings(profile);
            assert_eq!(Profile::cache_size(&settings), size_mb << 20);
            settings.0.insert("cache_size", SettingValue::Bytes(77));
            assert_eq!(Profile::cache_size(&settings), 77, "what is given wins");
        }
    }

    fn voters(settings: &Settings, members: u32) -> Result<u32, Refused> {
        let group: Vec<NodeId> = (0..members).map(NodeId).collect();
        let uses = target(&[]);
        Profile::voters(&Seat {
            node: NodeId(0),
            name: "h/1",
            machine: None,
            index: 0,
            boot: 0,
            role: "cache",
            group: &group,
            uses: &uses,
            settings,
            defects: &[],
            drift_max: Ratio::ZERO,
            preload: &[],
        })
    }

    #[test]
    fn profiles_stand_for_the_replication_factors_of_the_environments() {
        assert_eq!(voters(&settings("default"), 5), Ok(5));
        assert_eq!(voters(&settings("prod"), 5), Ok(3));
        assert_eq!(voters(&settings("staging"), 3), Ok(1));
        assert_eq!(voters(&settings("dev"), 1), Ok(1));
        let refused = voters(&settings("prod"), 2).expect_err("two nodes are not three");
        assert_eq!(refused.0, "profile prod replicates to 3 nodes, and the group has 2");
        let mut given = settings("dev");
        given.0.insert("voters", SettingValue::Int(2));
        assert_eq!(voters(&given, 3), Ok(2), "what is given wins");
        assert_eq!(voters(&given, 1), Ok(1), "and means no more than there are");
    }
}
