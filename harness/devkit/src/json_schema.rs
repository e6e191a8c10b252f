//! As much of JSON Schema (draft 7) as the schema of scenario files has, for tests that hold files
//! against it. A keyword that is not known here is a panic: nothing is accepted by looking away.

use regex::Regex;
use serde_json::{Map, Number, Value};
use std::cell::RefCell;
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

/// Keywords that say nothing about what is valid.
const REMARKS: [&str; 4] = ["$schema", "title", "description", "definitions"];

/// A TOML document as a JSON value; `None` where it is no TOML. What JSON has no word for (dates,
/// `nan`) becomes `null`.
#[must_use]
pub fn of_toml(text: &str) -> Option<Value> {
    let table = DeTable::parse(text).ok()?;
    Some(of_table(table.get_ref()))
}

fn of_table(table: &DeTable<'_>) -> Value {
    let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
        let key: &std::borrow::Cow<'_, str> = key.get_ref();
        (key.clone().into_owned(), of_value(value.get_ref()))
    };
    Value::Object(table.iter().map(entry).collect())
}

fn of_value(value: &DeValue<'_>) -> Value {
    let float = |text: &str| {
        let number = text.replace('_', "").parse::<f64>().ok();
        number.and_then(Number::from_f64).map_or(Value::Null, Value::Number)
    };
    match value {
        DeValue::String(text) => Value::String(text.clone().into_owned()),
        DeValue::Integer(int) => match i128::from_str_radix(int.as_str(), int.radix()) {
            Ok(int) => {
                Number::from_i128(int).map_or_else(|| float(&int.to_string()), Value::Number)
            }
            Err(_) => Value::Null,
        },
        DeValue::Float(text) => float(text.as_str()),
        DeValue::Boolean(bool) => Value::Bool(*bool),
        DeValue::Datetime(_) => Value::Null,
        DeValue::Array(items) => items.iter().map(|item| of_value(item.get_ref())).collect(),
        DeValue::Table(table) => of_table(table),
    }
}

/// A schema, and the patterns of it that were met so far.
pub struct Schema<'a> {
    root: &'a Value,
    patterns: RefCell<BTreeMap<String, Regex>>,
}

impl<'a> Schema<'a> {
    /// The schema `root`.
    #[must_use]
    pub const fn new(root: &'a Value) -> Self {
        Self { root, patterns: RefCell::new(BTreeMap::new()) }
    }

    /// Holds a value against the schema.
    ///
    /// # Errors
    /// The place that does not fit, and why.
    ///
    /// # Panics
    /// When the schema is none, or says more than is known here.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        self.fits(value, self.root, "")
    }

    fn fits(&self, value: &Value, schema: &Value, at: &str) -> Result<(), String> {
        let keywords = match schema {
            Value::Bool(true) => return Ok(()),
            Value::Bool(false) => return Err(format!("{at}: nothing fits here")),
            Value::Object(keywords) => keywords,
            other => panic!("a schema is a table, not {other}"),
        };
        keywords
            .iter()
            .try_for_each(|(keyword, wanted)| self.keyword(value, keyword, wanted, keywords, at))
    }

    fn keyword(
        &self,
        value: &Value,
        keyword: &str,
        wanted: &Value,
        schema: &Map<String, Value>,
        at: &str,
    ) -> Result<(), String> {
        let fails = |is_good: bool| match is_good {
            true => Ok(()),
            false => Err(format!("{at}: {value} does not fit {keyword} {wanted}")),
        };
        match keyword {
            "$ref" => {
                let name = wanted.as_str().expect("a reference is text").trim_start_matches('#');
                let target = self.root.pointer(name).expect("a reference leads somewhere");
                self.fits(value, target, at)
            }
            "type" => fails(is_of_type(value, wanted.as_str().expect("one type"))),
            "const" => fails(value == wanted),
            "enum" => fails(list(wanted).contains(value)),
            "pattern" => fails(value.as_str().is_none_or(|text| self.matches(text, wanted))),
            "maxLength" => {
                let max = number(wanted) as usize;
                fails(value.as_str().is_none_or(|text| text.chars().count() <= max))
            }
            "minimum" => fails(value.as_f64().is_none_or(|value| value >= number(wanted))),
            "maximum" => fails(value.as_f64().is_none_or(|value| value <= number(wanted))),
            "anyOf" | "oneOf" | "allOf" | "not" => self.logic(value, keyword, wanted, at),
            "items" | "minItems" | "maxItems" => self.items(value, keyword, wanted, at),
            "required" | "properties" | "additionalProperties" | "propertyNames" => {
                self.properties(value, keyword, wanted, schema, at)
            }
            remark => {
                assert!(REMARKS.contains(&remark), "the validator does not know `{remark}`");
                Ok(())
            }
        }
    }

    fn logic(&self, value: &Value, word: &str, wanted: &Value, at: &str) -> Result<(), String> {
        if word == "not" {
            let fits = self.fits(value, wanted, at).is_ok();
            return if fits { Err(format!("{at}: {value} fits {wanted}")) } else { Ok(()) };
        }
        let each: Vec<Result<(), String>> =
            list(wanted).iter().map(|one| self.fits(value, one, at)).collect();
        let count = each.iter().filter(|one| one.is_ok()).count();
        let is_good = match word {
            "anyOf" => count > 0,
            "oneOf" => count == 1,
            _ => count == each.len(),
        };
        let why: Vec<String> = each.into_iter().filter_map(Result::err).collect();
        if is_good {
            Ok(())
        } else {
            Err(format!("{at}: {count} of {word} fit: {}", why.join("; ")))
        }
    }

    fn items(&self, value: &Value, word: &str, wanted: &Value, at: &str) -> Result<(), String> {
        let Value::Array(items) = value else { return Ok(()) };
        let fits = match word {
            "minItems" => items.len() as f64 >= number(wanted),
            "maxItems" => items.len() as f64 <= number(wanted),
            _ => {
                let mut each = items.iter().enumerate();
                return each
                    .try_for_each(|(n, item)| self.fits(item, wanted, &format!("{at}[{n}]")));
            }
        };
        if fits { Ok(()) } else { Err(format!("{at}: {} items, {word} {wanted}", items.len())) }
    }

    fn properties(
        &self,
        value: &Value,
        word: &str,
        wanted: &Value,
        schema: &Map<String, Value>,
        at: &str,
    ) -> Result<(), String> {
        let Value::Object(table) = value else { return Ok(()) };
        let inside = |key: &str| format!("{at}.{key}");
        match word {
            "required" => {
                let missing = list(wanted).iter().filter_map(Value::as_str);
                match missing.into_iter().find(|key| !table.contains_key(*key)) {
                    Some(key) => Err(format!("{at}: {key} is missing")),
                    None => Ok(()),
                }
            }
            "propertyNames" => table
                .keys()
                .try_for_each(|key| self.fits(&Value::String(key.clone()), wanted, &inside(key))),
            "properties" => {
                let known = wanted.as_object().expect("properties are a table");
                let mut both =
                    known.iter().filter_map(|(key, one)| Some((key, one, table.get(key)?)));
                both.try_for_each(|(key, one, value)| self.fits(value, one, &inside(key)))
            }
            _ => {
                let known = schema.get("properties").and_then(Value::as_object);
                let is_other = |key: &str| known.is_none_or(|known| !known.contains_key(key));
                let mut others = table.iter().filter(|(key, _)| is_other(key));
                others.try_for_each(|(key, value)| self.fits(value, wanted, &inside(key)))
            }
        }
    }

    fn matches(&self, text: &str, pattern: &Value) -> bool {
        let pattern = pattern.as_str().expect("a pattern is text");
        let mut known = self.patterns.borrow_mut();
        let made = || Regex::new(pattern).expect("a pattern is a regular expression");
        known.entry(pattern.to_owned()).or_insert_with(made).is_match(text)
    }
}

fn is_of_type(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the validator does not know the type `{other}`"),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("the keyword has a list")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("the keyword has a number")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_keyword_refuses_what_it_is_there_to_refuse() {
        let check = |schema: Value, good: Value, bad: Value| {
            let schema = Schema::new(&schema);
            assert_eq!(schema.check(&good), Ok(()));
            assert!(schema.check(&bad).is_err(), "{bad}");
        };
        check(json!({ "type": "integer", "minimum": 0 }), json!(0), json!(-1));
        check(json!({ "type": "integer" }), json!(1), json!(1.5));
        check(json!({ "maximum": 9 }), json!(9), json!(10));
        check(json!({ "pattern": "^a+$" }), json!("aa"), json!("ab"));
        check(json!({ "maxLength": 2 }), json!("aa"), json!("aaa"));
        check(json!({ "const": 1 }), json!(1), json!(2));
        check(json!({ "enum": ["a"] }), json!("a"), json!("b"));
        check(json!({ "anyOf": [{ "const": 1 }, { "const": 2 }] }), json!(2), json!(3));
        check(json!({ "oneOf": [{ "const": 1 }, { "type": "integer" }] }), json!(2), json!(1));
        check(json!({ "allOf": [{ "minimum": 1 }, { "maximum": 2 }] }), json!(2), json!(3));
        check(json!({ "not": { "const": 1 } }), json!(2), json!(1));
        check(json!({ "items": { "const": 1 }, "minItems": 1 }), json!([1]), json!([]));
        check(json!({ "items": { "const": 1 }, "maxItems": 1 }), json!([1]), json!([1, 1]));
        check(json!({ "required": ["a"] }), json!({ "a": 1 }), json!({ "b": 1 }));
        check(json!({ "properties": { "a": { "const": 1 } } }), json!({}), json!({ "a": 2 }));
        let closed = json!({ "properties": { "a": {} }, "additionalProperties": false });
        check(closed, json!({ "a": 2 }), json!({ "b": 2 }));
        check(json!({ "propertyNames": { "const": "a" } }), json!({ "a": 1 }), json!({ "b": 1 }));
        let named = json!({ "$ref": "#/definitions/a", "definitions": { "a": { "const": 1 } } });
        check(named, json!(1), json!(2));
    }

    #[test]
    #[should_panic(expected = "does not know `contains`")]
    fn what_is_not_known_is_not_passed_over() {
        let _ = Schema::new(&json!({ "contains": 1 })).check(&json!(1));
    }
}
