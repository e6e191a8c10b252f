//! Derived state against its source.
//!
//! Whatever a node keeps beside the state that it is derived from (a configuration beside the log,
//! an account of bytes beside the entries) can drift from it, and shows only when somebody relies on
//! it. A part of a node says by [`Derives`] how to compute it anew; [`Derived`] is the property.
//!
//! A recomputation costs as much as its source is long, so it is paid for by changes: each pays
//! for so many steps of it. A source that is shorter than that is recomputed with every change, a
//! longer one by sampling; what is sampled depends on the changes alone.

use crate::check::Property;
use crate::per_node::{Judged, Look, PerNode};
use alloc::format;
use alloc::string::String;
use core::marker::PhantomData;

/// How many steps of a recomputation a change pays for.
pub const STEPS_PER_CHANGE: u64 = 8;

/// What differs from its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The rule that is broken, as in [`crate::Violation::rule`].
    pub rule: &'static str,
    /// What was found, with its figures.
    pub detail: String,
}

/// A part of a node that keeps state which follows from other state of it.
pub trait Derives: 'static {
    /// What is held of it.
    const PROPERTY: Property;
    /// Differs whenever the derived state or its source may.
    fn stamp(&self) -> u64;
    /// How many steps a recomputation takes, such as entries to walk over.
    fn effort(&self) -> u64;
    /// Compares what is kept with what follows.
    ///
    /// # Errors
    /// With the first difference.
    fn recompute(&self) -> Result<(), Misfit>;
}

/// What a node derives is what its source leads to.
#[derive(Debug)]
pub struct Derived<P>(PhantomData<P>);

impl<P> Clone for Derived<P> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<P> Default for Derived<P> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// What is remembered of one node.
#[derive(Clone, Copy, Debug, Default)]
pub struct Paid {
    stamp: u64,
    steps: u64,
    /// A misfit does not mend itself, so it is reported once per life.
    has_broken: bool,
}

impl<P: Derives> PerNode for Derived<P> {
    type Part = P;
    type Memory = Paid;
    const PROPERTY: Property = P::PROPERTY;

    fn look(&mut self, look: &Look<'_, P>, paid: &mut Paid) -> Judged {
        let stamp = look.part.stamp();
        if core::mem::replace(&mut paid.stamp, stamp) == stamp || paid.has_broken {
            return Ok(0);
        }
        paid.steps += STEPS_PER_CHANGE;
        if paid.steps < look.part.effort() {
            return Ok(0);
        }
        paid.steps = 0;
        let Err(Misfit { rule, detail }) = look.part.recompute() else { return Ok(1) };
        paid.has_broken = true;
        let detail = format!("{}: {detail}", look.name());
        Err(look.breach(Self::PROPERTY, rule, &[look.node], detail))
    }
}
