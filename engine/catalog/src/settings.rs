//! Typed settings: declared once beside the code that reads them, parsed by the scenario compiler.
//!
//! [`settings!`](macro@crate::settings) makes of one declaration a struct, its table of rows, and the
//! function that fills it in; [`words!`](crate::words) an enum of the words of a choice.

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

/// A type that a setting may have in the struct that [`settings!`](macro@crate::settings) declares.
pub trait Typed: Sized {
    /// The kind of the setting, unless its row says otherwise.
    const KIND: Kind;
    /// Whether the setting may be absent.
    const OPTIONAL: bool = false;
    /// Whether it may be a [`Kind::Bytes`] as well.
    const BYTES: bool = false;

    /// The value of the setting `name`.
    ///
    /// # Panics
    /// When the settings are not those of the role that declares it.
    fn read(settings: &Settings, name: &str) -> Self;
}

macro_rules! typed {
    ($($type:ty, $kind:expr, $read:ident;)+) => {
        $(impl Typed for $type {
            const KIND: Kind = $kind;

            fn read(settings: &Settings, name: &str) -> Self {
                settings.$read(name)
            }
        })+
    };
}

typed! {
    bool, Kind::Bool, bool;
    Ratio, Kind::Ratio, ratio;
    Duration, Kind::DURATION, duration;
    Dist, Kind::Dist, dist;
    String, Kind::Text, text;
    (Duration, Duration), Kind::Range, range;
}

impl Typed for u32 {
    const KIND: Kind = Kind::Int { min: 0, max: u32::MAX as i64 };

    fn read(settings: &Settings, name: &str) -> Self {
        Self::try_from(settings.int(name)).expect("the row has its limits")
    }
}

impl Typed for u64 {
    const KIND: Kind = Kind::COUNT;
    const BYTES: bool = true;

    fn read(settings: &Settings, name: &str) -> Self {
        match settings.0.get(name) {
            Some(SettingValue::Bytes(bytes)) => *bytes,
            _ => Self::try_from(settings.int(name)).expect("the row has its limits"),
        }
    }
}

impl Typed for Vec<Duration> {
    const KIND: Kind = Kind::List(&Kind::DURATION);
    const OPTIONAL: bool = true;

    fn read(settings: &Settings, name: &str) -> Self {
        settings.durations(name)
    }
}

impl<T: Typed> Typed for Option<T> {
    const KIND: Kind = T::KIND;
    const OPTIONAL: bool = true;
    const BYTES: bool = T::BYTES;

    fn read(settings: &Settings, name: &str) -> Self {
        settings.has(name).then(|| T::read(settings, name))
    }
}

/// The row of a setting of type `T`; see [`settings!`](macro@crate::settings).
///
/// # Panics
/// When a value of this kind is none of this type, or when it may be absent and the type does not
/// say so. In a constant, that is an error of the compiler.
#[must_use]
pub const fn row<T: Typed>(
    name: &'static str,
    kind: Kind,
    about: &'static str,
    default: &'static str,
) -> Setting {
    assert!(T::OPTIONAL || !default.is_empty(), "a setting without a default is an `Option`");
    let is_bytes = T::BYTES && matches!(kind, Kind::Bytes);
    assert!(is_bytes || kind.fits(T::KIND), "the kind of a setting has another type");
    let about = about.trim_ascii();
    assert!(!about.is_empty(), "a setting says what it means");
    Setting { name, kind, about, default }
}

impl Kind {
    /// Whether every value of this kind is one of `wider`, which is of the same sort.
    const fn fits(self, wider: Self) -> bool {
        match (self, wider) {
            (Self::Int { min, max }, Self::Int { min: least, max: most }) => {
                least <= min && max <= most
            }
            (Self::Duration { min, max }, Self::Duration { min: least, max: most }) => {
                least.0 <= min.0 && max.0 <= most.0
            }
            (Self::Choice(words), Self::Choice(all)) => words.len() == all.len(),
            (Self::List(_), Self::List(_)) => true,
            (Self::Bool, Self::Bool)
            | (Self::Ratio, Self::Ratio)
            | (Self::Bytes, Self::Bytes)
            | (Self::Range, Self::Range)
            | (Self::Dist, Self::Dist)
            | (Self::Text, Self::Text) => true,
            _ => false,
        }
    }
}

/// Declares the settings of a role as a struct, one field per row, with the table of the rows
/// (`ROWS`) and what reads them (`from`).
///
/// A row is a documentation comment, which is the help of scenario files as well, a name, a type
/// ([`Typed`]), the default as a scenario file would give it, and a [`Kind`] where the limits are
/// not those of the type. Without a default the type is an `Option`. `as "name"` gives a row another
/// name than its field; `use` takes in the settings of a part.
///
/// ```
/// use catalog::{Kind, Settings};
/// use contract::Duration;
///
/// catalog::settings! {
///     /// How certificates are renewed.
///     pub struct RenewalSettings {
///         /// How long a certificate holds.
///         lifetime as "certificate_lifetime": Duration = "24h";
///     }
/// }
/// catalog::settings! {
///     /// The settings of the role `toy`.
///     pub struct ToySettings {
///         /// The most connections.
///         connections_max: u32 = 100 => Kind::Int { min: 1, max: 1_000 };
///         /// Where to find it; nowhere where it is absent.
///         secret: Option<String>;
///         renewal: use RenewalSettings;
///     }
/// }
/// assert_eq!(ToySettings::ROWS[0].default, "100");
/// assert_eq!(ToySettings::ROWS[2].name, "certificate_lifetime");
/// ```
///
/// A kind of another type does not compile:
///
/// ```compile_fail
/// catalog::settings! {
///     /// Wrong.
///     pub struct Wrong {
///         /// It says bytes and is a flag.
///         size: bool = true => catalog::Kind::Bytes;
///     }
/// }
/// const _: &[catalog::Setting] = Wrong::ROWS;
/// ```
#[macro_export]
macro_rules! settings {
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $name:ident {
            $(
                $(#[doc = $about:literal])*
                $field:ident $(as $key:literal)? :
                $(use $part:ident)? $($type:ty $(= $default:tt)? $(=> $kind:expr)?)? ;
            )+
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name {
            $($(#[doc = $about])* $vis $field: $($part)? $($type)?,)+
        }

        impl $name {
            /// The rows of the table, in the order of the fields.
            $vis const ROWS: &'static [$crate::Setting] = $crate::joined!(
                $crate::Setting, name:
                $($crate::settings!(
                    @rows $field [$($key)?] [$($about)*]
                    [$($part)?] [$($type)?] [$($($default)?)?] [$($($kind)?)?]
                )),+
            );

            /// Reads the settings of a role that has these rows.
            #[must_use]
            $vis fn from(settings: &$crate::Settings) -> Self {
                Self {
                    $($field: $crate::settings!(
                        @read settings $field [$($key)?] [$($part)?] [$($type)?]
                    ),)+
                }
            }
        }
    };
    (@rows $field:ident [$($key:literal)?] [$($about:literal)*] [$part:ident] [] [] []) => {
        $part::ROWS
    };
    (
        @rows $field:ident [$($key:literal)?] [$($about:literal)*]
        [] [$type:ty] [$($default:tt)?] [$($kind:expr)?]
    ) => {
        &[$crate::settings::row::<$type>(
            $crate::settings!(@key $field $($key)?),
            $crate::settings!(@kind [$type] $($kind)?),
            concat!($($about),*),
            stringify!($($default)?),
        )]
    };
    (@read $settings:ident $field:ident [$($key:literal)?] [$part:ident] []) => {
        $part::from($settings)
    };
    (@read $settings:ident $field:ident [$($key:literal)?] [] [$type:ty]) => {
        <$type as $crate::settings::Typed>::read(
            $settings,
            $crate::settings!(@key $field $($key)?),
        )
    };
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
    (@kind [$type:ty]) => { <$type as $crate::settings::Typed>::KIND };
    (@kind [$type:ty] $kind:expr) => { $kind };
}

/// Declares an enum of the words that a setting accepts.
///
/// ```
/// catalog::words! {
///     /// When writes become durable.
///     pub enum Fsync {
///         /// Before they are acknowledged.
///         Always = "always",
///         /// When the operating system likes.
///         Never = "never",
///     }
/// }
/// assert_eq!(Fsync::WORDS, ["always", "never"]);
/// assert_eq!(Fsync::from_word("never"), Some(Fsync::Never));
/// ```
#[macro_export]
macro_rules! words {
    (
        $(#[$doc:meta])*
        $vis:vis enum $name:ident {
            $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// The words of the setting.
            $vis const WORDS: &'static [&'static str] = &[$($word),+];

            /// What a word stands for; `None` where it is none of them.
            #[must_use]
            $vis fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl $crate::settings::Typed for $name {
            const KIND: $crate::Kind = $crate::Kind::Choice(Self::WORDS);

            fn read(settings: &$crate::Settings, name: &str) -> Self {
                let word = settings.choice(name);
                Self::from_word(word).expect("the setting accepts no other word")
            }
        }
    };
}
