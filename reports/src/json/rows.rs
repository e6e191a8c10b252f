//! Writing a record field by field, and the tables in it row by row: no more than one row is held as
//! a JSON value. A record with a million rows would take ten times its own size otherwise.
//!
//! Keys are sorted, and a serialiser gets them as they are declared: so each field is written by a
//! walk of its own, which passes over the others.

use super::{is_row, new_line, put, put_key};
use serde::Serialize;
use serde::ser::{Impossible, SerializeSeq, SerializeStruct, Serializer};
use serde_json::Value;
use std::fmt::{self, Display};

/// Appends a struct that does not stand on one line, in the canonical form.
///
/// # Panics
/// When `value` is no struct, or has a map whose keys are not text.
pub fn write<T: Serialize>(value: &T, out: &mut String) {
    let mut names = Vec::new();
    value.serialize(Part::Names(&mut names)).expect("a record is a struct");
    names.sort_unstable();
    out.push('{');
    for (n, name) in names.iter().enumerate() {
        new_line(n > 0, 2, out);
        put_key(name, out);
        value.serialize(Part::Field(name, &mut *out)).expect("it has been a struct before");
    }
    new_line(false, 0, out);
    out.push('}');
}

/// What a walk over a value is for.
enum Part<'o> {
    /// The names of the fields of a struct.
    Names(&'o mut Vec<&'static str>),
    /// One of its fields.
    Field(&'static str, &'o mut String),
    /// The rows of a field that is a list.
    Rows(&'o mut String),
}

/// The value is not of the form that the walk is for.
#[derive(Debug)]
struct Other;

impl Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it has another form")
    }
}

impl std::error::Error for Other {}

impl serde::ser::Error for Other {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

fn whole<T: Serialize + ?Sized>(value: &T) -> Value {
    serde_json::to_value(value).expect("records have text keys and finite numbers")
}

impl SerializeStruct for Part<'_> {
    type Ok = ();
    type Error = Other;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Other> {
        match self {
            Self::Names(names) => names.push(key),
            Self::Field(name, out) if *name == key => {
                if value.serialize(Part::Rows(out)).is_err() {
                    put(&whole(value), 2, out);
                }
            }
            Self::Field(..) | Self::Rows(_) => {}
        }
        Ok(())
    }

    fn end(self) -> Result<(), Other> {
        Ok(())
    }
}

/// A list on its way out.
struct Rows<'o> {
    out: &'o mut String,
    /// Plain values so far: whether they stand on one line is told by those to come.
    plain: Vec<Value>,
    /// How many lines were written.
    lines: usize,
}

impl Rows<'_> {
    fn line(&mut self, row: &Value) {
        if self.lines == 0 {
            self.out.push('[');
        }
        new_line(self.lines > 0, 4, self.out);
        put(row, 4, self.out);
        self.lines += 1;
    }
}

impl SerializeSeq for Rows<'_> {
    type Ok = ();
    type Error = Other;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Other> {
        let row = whole(value);
        if self.lines == 0 && is_row(&row) && !row.is_object() {
            self.plain.push(row);
            return Ok(());
        }
        for earlier in std::mem::take(&mut self.plain) {
            self.line(&earlier);
        }
        self.line(&row);
        Ok(())
    }

    fn end(self) -> Result<(), Other> {
        assert!(self.lines == 0 || self.plain.is_empty(), "what waited was written first");
        if self.lines == 0 {
            // As anything that stands below the top.
            put(&Value::Array(self.plain), 2, self.out);
            return Ok(());
        }
        new_line(false, 2, self.out);
        self.out.push(']');
        Ok(())
    }
}

/// Forms that no walk is for.
macro_rules! other {
    ($($name:ident($($of:ty),*)),* $(,)?) => {
        $(fn $name(self, $(_: $of),*) -> Result<(), Other> { Err(Other) })*
    };
}

impl<'o> Serializer for Part<'o> {
    type Ok = ();
    type Error = Other;
    type SerializeSeq = Rows<'o>;
    type SerializeStruct = Self;
    type SerializeTuple = Impossible<(), Other>;
    type SerializeTupleStruct = Impossible<(), Other>;
    type SerializeTupleVariant = Impossible<(), Other>;
    type SerializeMap = Impossible<(), Other>;
    type SerializeStructVariant = Impossible<(), Other>;

    fn serialize_seq(self, _: Option<usize>) -> Result<Rows<'o>, Other> {
        match self {
            Self::Rows(out) => Ok(Rows { out, plain: Vec::new(), lines: 0 }),
            Self::Names(_) | Self::Field(..) => Err(Other),
        }
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Other> {
        match self {
            Self::Names(_) | Self::Field(..) => Ok(self),
            Self::Rows(_) => Err(Other),
        }
    }

    other!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char),
        serialize_str(&str),
        serialize_bytes(&[u8]),
        serialize_none(),
        serialize_unit(),
        serialize_unit_struct(&'static str),
        serialize_unit_variant(&'static str, u32, &'static str),
    );

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Other> {
        Err(Other)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<(), Other> {
        Err(Other)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Other> {
        Err(Other)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Other> {
        Err(Other)
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Other> {
        Err(Other)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Other> {
        Err(Other)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Other> {
        Err(Other)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Other> {
        Err(Other)
    }
}

#[cfg(test)]
mod tests {
    use crate::json::{canonical, write};
    use crate::record::RunRecord;
    use crate::testkit;

    /// However it is written, the bytes are the same.
    #[test]
    fn a_record_by_rows_is_the_record_as_a_whole() {
        for run in [RunRecord::default(), testkit::split_brain(), testkit::hostile()] {
            assert_eq!(write(&run), canonical(&run));
        }
    }
}
