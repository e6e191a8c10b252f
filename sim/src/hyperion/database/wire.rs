//! What cache nodes and the database say to each other: one query or answer per frame.
//!
//! | message | source → target | meaning | bytes |
//! |---|---|---|---|
//! | query | cache node → database | read the row of a key | id 8, key: rest |
//! | row | database → cache node | the row's value | id 8, 1, value: rest |
//! | no row | database → cache node | the table has no such key | id 8, 2 |
//! | failed | database → cache node | the query failed | id 8, 3 |
//!
//! A connection carries one query at a time, as SQL connections do.

use crate::protocol::frame::{Cursor, Malformed};
use alloc::vec::Vec;

/// What the database found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// The bytes of the row's value.
    Row(&'a [u8]),
    /// There is no such row.
    NoRow,
    /// The query failed; another may not.
    Failed,
}

/// Appends a query.
pub fn encode_query(id: u64, key: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(key);
}

/// Reads a query: its id and its key.
///
/// # Errors
/// When the bytes are not one.
pub fn decode_query(bytes: &[u8]) -> Result<(u64, &[u8]), Malformed> {
    let mut cursor = Cursor::new(bytes);
    Ok((cursor.u64()?, cursor.rest()))
}

impl<'a> Found<'a> {
    /// Appends the answer to the query with this id.
    pub fn encode(&self, id: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&id.to_be_bytes());
        match self {
            Self::Row(value) => {
                out.push(1);
                out.extend_from_slice(value);
            }
            Self::NoRow => out.push(2),
            Self::Failed => out.push(3),
        }
    }

    /// Reads an answer and the id of its query.
    ///
    /// # Errors
    /// When the bytes are not one.
    pub fn decode(bytes: &'a [u8]) -> Result<(u64, Self), Malformed> {
        let mut cursor = Cursor::new(bytes);
        let id = cursor.u64()?;
        let found = match cursor.u8()? {
            1 => return Ok((id, Self::Row(cursor.rest()))),
            2 => Self::NoRow,
            3 => Self::Failed,
            _ => return Err(Malformed("there is no such answer of a database")),
        };
        cursor.end()?;
        Ok((id, found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn answers_round_trip(id in any::<u64>(), value in prop::collection::vec(any::<u8>(), 0..40)) {
            for found in [Found::Row(&value), Found::NoRow, Found::Failed] {
                let mut bytes = Vec::new();
                found.encode(id, &mut bytes);
                prop_assert_eq!(Found::decode(&bytes), Ok((id, found)));
            }
            let mut bytes = Vec::new();
            encode_query(id, &value, &mut bytes);
            prop_assert_eq!(decode_query(&bytes), Ok((id, &value[..])));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = decode_query(&bytes);
            if let Ok((id, found)) = Found::decode(&bytes) {
                let mut again = Vec::new();
                found.encode(id, &mut again);
                prop_assert_eq!(again, bytes);
            }
        }
    }
}
