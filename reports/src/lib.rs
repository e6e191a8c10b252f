//! Reports: renders a run record, and depends on nothing else of the lab.
//!
//! The harness fills a [`RunRecord`]; [`json`] stores and reads it; [`text`], [`markdown`], [`html`]
//! and [`junit`] render it. Each view is a [`Section`](sections::Section), each format a
//! [`Canvas`](canvas::Canvas): a new view shows up in every format, a new format shows every view.
//!
//! **Invariant:** one record, one sequence of bytes, on every machine. A record holds no wall-clock
//! time, host, user or path; drawing uses integers, and the little floating point of `plotters` is
//! exact division and multiplication, which IEEE 754 fixes to the last bit.
//!
//! **Invariant:** text from a record is data. Each canvas escapes whatever it is given
//! ([`escape`]), so sections never do.

mod ascii;
pub mod canvas;
mod digest;
pub mod escape;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod plot;
pub mod record;
pub mod sections;
pub mod seeds;
pub mod svg;
pub mod text;
pub mod timeline;
pub mod units;

#[cfg(test)]
mod testkit;

pub use digest::Digest;
pub use record::RunRecord;
pub use seeds::{SeedResult, SeedTable};
