//! The settings that a node gives to a node that it starts: a line per setting, `name=value`, over
//! those of the group.
//!
//! Values are written in base units: nanoseconds, bytes, `3/100` for a ratio, `5000/1000000000` for
//! a rate (events in nanoseconds), `1,2` for a range, `a;b` for a list. Start with
//! [`Overrides::new`] to write and [`overridden`] to read.

use crate::settings::{Kind, SettingValue, Settings};
use crate::system::Role;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use contract::{Dist, Duration, Ratio};
use core::fmt::Write;

/// Writes settings for `Fx::start`.
#[derive(Debug)]
pub struct Overrides<'a>(&'a mut Vec<u8>);

impl<'a> Overrides<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self(out)
    }

    /// Gives the setting `name` a value. A distribution can only be a constant, and no text holds a
    /// line feed or, inside of a list, a semicolon.
    #[expect(clippy::return_self_not_must_use, reason = "the last of a chain is dropped")]
    pub fn set(self, name: &str, value: &SettingValue) -> Self {
        let mut line = String::from(name);
        line.push('=');
        write_value(value, &mut line);
        assert!(!line.contains('\n'), "a setting stands on one line: {line:?}");
        line.push('\n');
        self.0.extend_from_slice(line.as_bytes());
        self
    }
}

fn write_value(value: &SettingValue, out: &mut String) {
    let written = match value {
        SettingValue::Bool(value) => write!(out, "{value}"),
        SettingValue::Int(value) => write!(out, "{value}"),
        SettingValue::Ratio(Ratio { numerator, denominator }) => {
            write!(out, "{numerator}/{denominator}")
        }
        SettingValue::Duration(value) => write!(out, "{}", value.0),
        SettingValue::Bytes(value) => write!(out, "{value}"),
        SettingValue::Rate { count, per } => write!(out, "{count}/{}", per.0),
        SettingValue::Choice(word) => out.write_str(word),
        SettingValue::Range { min, max } => write!(out, "{},{}", min.0, max.0),
        SettingValue::Dist(Dist::Constant(value)) => write!(out, "{value}"),
        SettingValue::Dist(_) => panic!("a started node is given constants, not distributions"),
        SettingValue::Text(text) => out.write_str(text),
        SettingValue::List(items) => {
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ";" });
                write_value(item, out);
            }
            Ok(())
        }
    };
    written.expect("a string takes everything");
}

/// `base`, the settings of a group with the role, with what a node gave in their place.
///
/// # Errors
/// When that is no list of settings of the role within their limits: what is wrong with it.
pub fn overridden(base: &Settings, role: &Role, given: &[u8]) -> Result<Settings, String> {
    let text = core::str::from_utf8(given).map_err(|_| String::from("its settings are no text"))?;
    let mut settings = base.clone();
    let mut seen = Vec::new();
    for line in text.lines() {
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| format!("`{line}` is no setting: `name=value` is one"))?;
        let row = role.settings.iter().find(|row| row.name == name).ok_or_else(|| {
            let known: Vec<&str> = role.settings.iter().map(|row| row.name).collect();
            format!("`{name}` is no setting of the role `{}`, which has {known:?}", role.name)
        })?;
        if seen.contains(&row.name) {
            return Err(format!("`{name}` is given twice"));
        }
        seen.push(row.name);
        let value = read_value(value, &row.kind)
            .ok_or_else(|| format!("`{name}` is `{value}`, and wants {}", row.kind))?;
        settings.0.insert(row.name, value);
    }
    Ok(settings)
}

fn read_value(text: &str, kind: &Kind) -> Option<SettingValue> {
    let duration = |text: &str| text.parse().ok().map(Duration);
    Some(match kind {
        Kind::Bool => SettingValue::Bool(text.parse().ok()?),
        Kind::Int { min, max } => {
            SettingValue::Int(text.parse().ok().filter(|value| (min..=max).contains(&value))?)
        }
        Kind::Ratio => {
            let (one, other) = text.split_once('/')?;
            let (numerator, denominator) = (one.parse().ok()?, other.parse().ok()?);
            let is_share = denominator > 0 && numerator <= denominator;
            SettingValue::Ratio(is_share.then(|| Ratio::new(numerator, denominator))?)
        }
        Kind::Duration { min, max } => {
            SettingValue::Duration(duration(text).filter(|value| (min..=max).contains(&value))?)
        }
        Kind::Bytes => SettingValue::Bytes(text.parse().ok()?),
        Kind::Rate => {
            let (count, per) = text.split_once('/')?;
            let per = duration(per).filter(|per| *per > Duration::ZERO)?;
            SettingValue::Rate { count: count.parse().ok()?, per }
        }
        Kind::Choice(words) => {
            SettingValue::Choice(words.iter().copied().find(|word| *word == text)?)
        }
        Kind::Range => {
            let (min, max) = text.split_once(',')?;
            let (min, max) = (duration(min)?, duration(max)?);
            (min <= max).then_some(SettingValue::Range { min, max })?
        }
        Kind::Dist => SettingValue::Dist(Dist::Constant(text.parse().ok()?)),
        Kind::Text => SettingValue::Text(text.into()),
        Kind::List(_) if text.is_empty() => SettingValue::List(Vec::new()),
        Kind::List(kind) => {
            let items = text.split(';').map(|item| read_value(item, kind));
            SettingValue::List(items.collect::<Option<_>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Setting;
    use alloc::vec;

    const fn row(name: &'static str, kind: Kind) -> Setting {
        Setting { name, kind, about: "for tests", default: "" }
    }

    const ROLE: Role = Role {
        name: "task",
        about: "for tests",
        settings: &[
            row("on", Kind::Bool),
            row("count", Kind::Int { min: 1, max: 9 }),
            row("share", Kind::Ratio),
            row("wait", Kind::Duration { min: Duration(10), max: Duration(20) }),
            row("size", Kind::Bytes),
            row("rate", Kind::Rate),
            row("mode", Kind::Choice(&["slow", "fast"])),
            row("window", Kind::Range),
            row("delay", Kind::Dist),
            row("name", Kind::Text),
            row("steps", Kind::List(&Kind::DURATION)),
        ],
        uses: &[],
        durable: false,
    };

    #[test]
    fn what_is_written_is_read() {
        let values = [
            ("on", SettingValue::Bool(true)),
            ("count", SettingValue::Int(3)),
            ("share", SettingValue::Ratio(Ratio::new(1, 3))),
            ("wait", SettingValue::Duration(Duration(15))),
            ("size", SettingValue::Bytes(1 << 40)),
            ("rate", SettingValue::Rate { count: 5, per: Duration::from_secs(1) }),
            ("mode", SettingValue::Choice("fast")),
            ("window", SettingValue::Range { min: Duration(1), max: Duration(2) }),
            ("delay", SettingValue::Dist(Dist::Constant(7))),
            ("name", SettingValue::Text("a=b c".into())),
            ("steps", SettingValue::List(vec![SettingValue::Duration(Duration(4)); 2])),
        ];
        let mut bytes = Vec::new();
        let mut overrides = Overrides::new(&mut bytes);
        for (name, value) in &values {
            overrides = overrides.set(name, value);
        }
        let base = Settings([("size", SettingValue::Bytes(1))].into_iter().collect());
        let read = overridden(&base, &ROLE, &bytes).expect("all of it is right");
        assert_eq!(read, Settings(values.into_iter().collect()));
        assert_eq!(overridden(&base, &ROLE, b"").expect("nothing is right as well"), base);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong =
            |bytes: &[u8]| overridden(&Settings::default(), &ROLE, bytes).expect_err("it is wrong");
        assert!(wrong(b"wiat=15").starts_with("`wiat` is no setting of the role `task`"));
        assert_eq!(wrong(b"wait=21"), "`wait` is `21`, and wants a duration such as \"150ms\"");
        assert_eq!(wrong(b"count=0"), "`count` is `0`, and wants a count from 1 to 9");
        assert_eq!(wrong(b"mode=quick"), "`mode` is `quick`, and wants one of \"slow\", \"fast\"");
        assert_eq!(wrong(b"on=true\non=true"), "`on` is given twice");
        assert_eq!(wrong(b"on"), "`on` is no setting: `name=value` is one");
        assert_eq!(wrong(b"share=2/1"), "`share` is `2/1`, and wants a ratio such as \"5%\"");
        assert_eq!(wrong(&[0xFF]), "its settings are no text");
    }
}
