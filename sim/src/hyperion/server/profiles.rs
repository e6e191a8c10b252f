//! The environments of the modelled codebase, as presets of settings.
//!
//! A profile stands for the variables that its environment sets; a setting that is given in the
//! scenario wins over it. Nothing in the world reads an environment.

use super::super::tables::settings::CacheSettings;
use alloc::format;
use contract::Refused;

catalog::words! {
    /// An environment.
    pub enum Profile {
        /// None of them: what holds where none is named.
        Default = "default",
        /// Production.
        Prod = "prod",
        /// Staging.
        Staging = "staging",
        /// Development.
        Dev = "dev",
    }
}

impl Profile {
    /// `HYPERION_CACHE_SIZE_MB`.
    const fn cache_size_mb(self) -> u64 {
        match self {
            Self::Default => 4096,
            Self::Prod => 8192,
            Self::Staging => 1024,
            Self::Dev => 256,
        }
    }

    /// `HYPERION_REPLICATION_FACTOR`: how many nodes vote; all of the group where it is absent.
    const fn replication_factor(self) -> Option<u32> {
        match self {
            Self::Default => None,
            Self::Prod => Some(3),
            Self::Staging | Self::Dev => Some(1),
        }
    }
}

impl CacheSettings {
    /// The most that entries may count for: the size that was given, or that of the profile.
    #[must_use]
    pub fn cache_size(&self) -> u64 {
        self.cache_size.unwrap_or(self.profile.cache_size_mb() << 20)
    }

    /// How many nodes of a group of `members` vote at its birth: the number that was given, or that
    /// of the profile, or all.
    ///
    /// # Errors
    /// When the profile wants more nodes than there are: a group that is smaller than its
    /// environment says survives less than its operators think.
    pub fn voters_of(&self, members: u32) -> Result<u32, Refused> {
        if self.voters > 0 {
            return Ok(members.min(self.voters));
        }
        match self.profile.replication_factor() {
            Some(factor) if factor > members => Err(Refused(format!(
                "profile {} replicates to {factor} nodes, and the group has {members}",
                Profile::WORDS[self.profile as usize]
            ))),
            Some(factor) => Ok(factor),
            None => Ok(members),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::defaults;
    use super::*;

    fn settings(profile: Profile) -> CacheSettings {
        let defaults = CacheSettings::from(&defaults(CacheSettings::ROWS));
        CacheSettings { profile, ..defaults }
    }

    #[test]
    fn profiles_stand_for_the_cache_sizes_of_the_environments() {
        let expect = [4096, 8192, 1024, 256];
        let profiles = [Profile::Default, Profile::Prod, Profile::Staging, Profile::Dev];
        for (profile, size_mb) in profiles.into_iter().zip(expect) {
            let mut settings = settings(profile);
            assert_eq!(settings.cache_size(), size_mb << 20);
            settings.cache_size = Some(77);
            assert_eq!(settings.cache_size(), 77, "what is given wins");
        }
    }

    #[test]
    fn profiles_stand_for_the_replication_factors_of_the_environments() {
        assert_eq!(settings(Profile::Default).voters_of(5), Ok(5));
        assert_eq!(settings(Profile::Prod).voters_of(5), Ok(3));
        assert_eq!(settings(Profile::Staging).voters_of(3), Ok(1));
        assert_eq!(settings(Profile::Dev).voters_of(1), Ok(1));
        let refused = settings(Profile::Prod).voters_of(2).expect_err("two nodes are not three");
        assert_eq!(refused.0, "profile prod replicates to 3 nodes, and the group has 2");
        let given = CacheSettings { voters: 2, ..settings(Profile::Dev) };
        assert_eq!(given.voters_of(3), Ok(2), "what is given wins");
        assert_eq!(given.voters_of(1), Ok(1), "and means no more than there are");
    }
}
