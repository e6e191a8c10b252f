//! A digest as records carry it: text, because 64-bit numbers do not survive every JSON reader.

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};
use std::fmt;

/// A 64-bit digest; printed and stored as `0x` and sixteen hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest(pub u64);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#018x}", self.0)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").filter(|hex| hex.len() <= 16);
        digits
            .and_then(|hex| u64::from_str_radix(hex, 16).ok())
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("{text:?} is not a digest: 0x and hex digits")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_as_text() {
        for digest in [Digest(0), Digest(0xab), Digest(u64::MAX)] {
            let json = serde_json::to_string(&digest).unwrap();
            assert_eq!(json.len(), 20);
            assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
        }
    }

    #[test]
    fn refuses_what_is_no_digest() {
        for json in ["12", "\"12\"", "\"0x\"", "\"0x00000000000000001\"", "\"0xg\""] {
            assert!(serde_json::from_str::<Digest>(json).is_err(), "{json}");
        }
    }
}
