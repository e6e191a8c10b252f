//! What may be written where: tables, fields, words, names, and the schema made of them.

pub(crate) mod grammar;
pub(crate) mod schema;
pub(crate) mod selector;
pub(crate) mod suggest;
pub(crate) mod symbols;
pub(crate) mod words;
