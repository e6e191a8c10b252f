//! Typed settings: declared once beside the code that reads them, parsed by the scenario compiler.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use contract::{Dist, Duration, Ratio};
use core::fmt;

/// A setting that a scenario file may give, as a row of a role's table.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The key in `[tuning.G]`.
    pub name: &'static str,
    /// Its type, with limits.
    pub kind: Kind,
    /// What it means, its trade-off, and a sane value.
    pub about: &'static str,
    /// As it would be written in a scenario file: `"150ms"`, `true`, `{ min = "1s", max = "2s" }`.
    /// Empty when the setting is absent unless given.
    pub default: &'static str,
}

/// The type of a setting.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A count in `[min, max]`.
    Int {
        /// The least that is accepted.
        min: i64,
        /// The most that is accepted.
        max: i64,
    },
    /// A share: `"5%"`.
    Ratio,
    /// A length of time in `[min, max]`: `"150ms"`.
    Duration {
        /// The least that is accepted.
        min: Duration,
        /// The most that is accepted.
        max: Duration,
    },
    /// A size: `"64KiB"`.
    Bytes,
    /// Events per second: `"5_000/s"`.
    Rate,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Two lengths of time: `{ min = "1500ms", max = "3000ms" }`.
    Range,
    /// A distribution of lengths of time: `{ dist = "uniform", min = "1ms", max = "4ms" }`.
    Dist,
    /// Any text.
    Text,
    /// A list of these.
    List(&'static Kind),
}

impl Kind {
    /// Any length of time.
    pub const DURATION: Self = Self::Duration { min: Duration::ZERO, max: Duration(u64::MAX) };
    /// Any count.
    pub const COUNT: Self = Self::Int { min: 0, max: i64::MAX };
}

/// A parsed setting: units resolved, lengths of time in nanoseconds, sizes in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "one variant per kind, named alike")]
pub enum SettingValue {
    Bool(bool),
    Int(i64),
    Ratio(Ratio),
    Duration(Duration),
    Bytes(u64),
    Rate { count: u64, per: Duration },
    Choice(&'static str),
    Range { min: Duration, max: Duration },
    Dist(Dist),
    Text(String),
    List(Vec<SettingValue>),
}

/// The settings of one role, every default filled in.
///
/// The accessors panic for a name or a type that the role's table does not declare: that is a bug
/// of the system that asks, which its first boot shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(pub BTreeMap<&'static str, SettingValue>);

macro_rules! accessor {
    ($(#[$doc:meta])* $name:ident, $variant:ident, $type:ty) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(&self, name: &str) -> $type {
            match self.0.get(name) {
                Some(SettingValue::$variant(value)) => value.clone(),
                other => panic!("setting `{name}` is {other:?}, not what its role declares"),
            }
        }
    };
}

impl Settings {
    accessor!(
        /// A [`Kind::Bool`].
        bool, Bool, bool
    );
    accessor!(
        /// A [`Kind::Int`].
        int, Int, i64
    );
    accessor!(
        /// A [`Kind::Ratio`].
        ratio, Ratio, Ratio
    );
    accessor!(
        /// A [`Kind::Duration`].
        duration, Duration, Duration
    );
    accessor!(
        /// A [`Kind::Bytes`].
        bytes, Bytes, u64
    );
    accessor!(
        /// A [`Kind::Choice`].
        choice, Choice, &'static str
    );
    accessor!(
        /// A [`Kind::Dist`].
        dist, Dist, Dist
    );
    accessor!(
        /// A [`Kind::Text`].
        text, Text, String
    );

    /// A [`Kind::Range`].
    #[must_use]
    pub fn range(&self, name: &str) -> (Duration, Duration) {
        match self.0.get(name) {
            Some(SettingValue::Range { min, max }) => (*min, *max),
            other => panic!("setting `{name}` is {other:?}, not what its role declares"),
        }
    }

    /// A [`Kind::List`] of lengths of time; empty when it was not given.
    #[must_use]
    pub fn durations(&self, name: &str) -> Vec<Duration> {
        let Some(SettingValue::List(items)) = self.0.get(name) else {
            return Vec::new();
        };
        let duration = |item: &SettingValue| match item {
            SettingValue::Duration(duration) => *duration,
            other => panic!("setting `{name}` holds {other:?}, not what its role declares"),
        };
        items.iter().map(duration).collect()
    }

    /// Whether the setting was given or has a default.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

impl fmt::Display for Kind {
    /// As in an error message: `a duration`, `one of "a", "b"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("true or false"),
            Self::Int { min, max: i64::MAX } => write!(f, "a count of at least {min}"),
            Self::Int { min, max } => write!(f, "a count from {min} to {max}"),
            Self::Ratio => f.write_str("a ratio such as \"5%\""),
            Self::Duration { .. } => f.write_str("a duration such as \"150ms\""),
            Self::Bytes => f.write_str("a size such as \"64KiB\""),
            Self::Rate => f.write_str("a rate such as \"300/s\""),
            Self::Choice(words) => {
                f.write_str("one of ")?;
                for (i, word) in words.iter().enumerate() {
                    write!(f, "{}\"{word}\"", if i == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::Range => f.write_str("a range such as { min = \"1s\", max = \"2s\" }"),
            Self::Dist => f.write_str("a duration or a distribution of durations"),
            Self::Text => f.write_str("text"),
            Self::List(item) => write!(f, "a list, each {item}"),
        }
    }
}
