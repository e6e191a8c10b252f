//! Pass 3: forward chains as zones of time, the gaps between them, and every other window moved
//! into the gaps.
//!
//! Forward chains may be taken to fill exactly `[ret_min, call_max]`, all others to be points. So
//! zones must not overlap, and nothing else can take effect inside one.

use super::super::mutant::{Mutant, broken};
use super::super::violation::{Held, Violation};
use super::chains::{Chain, Chains, with_call, with_ret};
use super::facts::Facts;
use crate::history::rank::OPEN;
use crate::history::register::{Kind, Register, RegisterOp};

/// A point in time with room between ranks: twice a rank; odd values lie just after a zone's end
/// or just before its start.
pub type Coord = u32;
/// Before everything.
pub const FIRST: Coord = 0;
/// After everything.
pub const LAST: Coord = u32::MAX;

/// Zones and gaps. Gap `g` lies before zone `g`; the last gap after all zones.
#[derive(Debug)]
pub struct Gaps {
    /// The forward chains in the order of time.
    pub zones: Vec<Chain>,
    /// By rank: how many zones have begun.
    begun: Vec<u32>,
}

/// A window of an operation or a backward chain, moved into the gaps: closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// The earliest point.
    pub from: Coord,
    /// The latest point.
    pub until: Coord,
    /// The operation, or for a chain its index.
    pub who: u32,
}

/// The windows by what they do.
#[derive(Debug, Default)]
pub struct Windows {
    /// Answers of "nothing there".
    pub demands: Vec<Window>,
    /// Deletes that do not say what they removed.
    pub erases: Vec<Window>,
    /// Backward chains that end in a delete.
    pub clearing: Vec<Window>,
    /// Backward chains that leave a value.
    pub writing: Vec<Window>,
}

impl Gaps {
    /// Orders the zones.
    pub fn build(register: &Register, chains: &Chains) -> Result<Self, Violation> {
        // Ranks are unique, so a table by rank sorts in one sweep.
        let mut begun = vec![0; register.ranks as usize];
        for (index, chain) in chains.all.iter().enumerate() {
            if chain.is_forward() {
                begun[chain.ret_min as usize] = index as u32 + 1;
            }
        }
        let mut zones: Vec<Chain> = Vec::new();
        for slot in &mut begun {
            if let Some(index) = (*slot as usize).checked_sub(1) {
                zones.push(chains.all[index]);
            }
            *slot = zones.len() as u32;
        }
        let gaps = Self { zones, begun };
        gaps.refuse_overlap(register)?;
        Ok(gaps)
    }

    fn refuse_overlap(&self, register: &Register) -> Result<(), Violation> {
        let overlaps = |pair: &&[Chain]| pair[1].ret_min < pair[0].call_max;
        match self.zones.windows(2).find(overlaps) {
            Some(pair) if !broken(Mutant::ZonesOverlap) => Err(Violation::ZonesOverlap {
                one: held(register, &pair[0]),
                other: held(register, &pair[1]),
            }),
            _ => Ok(()),
        }
    }

    /// How many gaps there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.zones.len() + 1
    }

    /// The gap that holds `at`, which is in no zone.
    #[must_use]
    pub fn gap_of(&self, at: Coord) -> usize {
        if at == LAST {
            return self.zones.len();
        }
        self.begun[at as usize / 2] as usize
    }

    /// The end of the zone before gap `gap`: just before its first point.
    #[must_use]
    pub fn start(&self, gap: usize) -> Coord {
        match gap.checked_sub(1) {
            Some(zone) => 2 * self.zones[zone].call_max,
            None => FIRST,
        }
    }

    /// The last point of gap `gap`.
    #[must_use]
    pub fn end(&self, gap: usize) -> Coord {
        self.zones.get(gap).map_or(LAST, |zone| 2 * zone.ret_min - 1)
    }

    /// Whether the register is absent when gap `gap` begins.
    #[must_use]
    pub fn starts_absent(&self, gap: usize) -> bool {
        match gap.checked_sub(1) {
            Some(zone) => self.zones[zone].exits_absent,
            None => true,
        }
    }

    /// The zone that `rank` lies in.
    fn zone_at(&self, rank: u32) -> Option<&Chain> {
        let before = self.begun[rank as usize].checked_sub(1)?;
        let zone = &self.zones[before as usize];
        (rank <= zone.call_max).then_some(zone)
    }

    /// `[from, until]` in ranks, moved into the gaps; the zone that holds all of it otherwise.
    fn snap(&self, from: u32, until: u32, who: u32) -> Result<Window, &Chain> {
        let snapped_from = match self.zone_at(from) {
            Some(zone) if !broken(Mutant::CallsNotSnapped) => 2 * zone.call_max + 1,
            _ => 2 * from,
        };
        if until == OPEN {
            return Ok(Window { from: snapped_from, until: LAST, who });
        }
        let snapped_until = match self.zone_at(until) {
            Some(zone) if !broken(Mutant::ReturnsNotSnapped) => 2 * zone.ret_min - 1,
            _ => 2 * until,
        };
        if snapped_from <= snapped_until {
            return Ok(Window { from: snapped_from, until: snapped_until, who });
        }
        Err(self.zone_at(from).expect("only a zone can empty a window"))
    }

    /// The windows of everything that is not a zone.
    pub fn windows(
        &self,
        register: &Register,
        facts: &Facts,
        chains: &Chains,
    ) -> Result<Windows, Violation> {
        let mut windows = Windows::default();
        for (index, chain) in chains.all.iter().enumerate() {
            if chain.is_forward() {
                continue;
            }
            match self.snap(chain.call_max, chain.ret_min, index as u32) {
                Ok(window) if chain.exits_absent => windows.clearing.push(window),
                Ok(window) => windows.writing.push(window),
                Err(_) if broken(Mutant::ChainsInZones) => {}
                Err(zone) => {
                    let (zone, chain) = (held(register, zone), held(register, chain));
                    return Err(Violation::ChainInZone { zone, chain });
                }
            }
        }
        for &op in &facts.erases {
            match self.snap_op(register, op) {
                Ok(window) => windows.erases.push(window),
                Err(_) if broken(Mutant::DeletesInZones) || is_optional(register, op) => {}
                Err(zone) => return Err(Violation::DeleteInZone { zone, op }),
            }
        }
        for &op in &facts.demands {
            match self.snap_op(register, op) {
                Ok(window) => windows.demands.push(window),
                Err(_) if broken(Mutant::AbsentInZones) => {}
                Err(zone) => return Err(Violation::AbsentInZone { zone, op }),
            }
        }
        Ok(windows)
    }

    fn snap_op(&self, register: &Register, op: u32) -> Result<Window, Held> {
        let RegisterOp { call, ret, .. } = register.ops[op as usize];
        self.snap(call, ret, op).map_err(|zone| held(register, zone))
    }
}

/// Whether the delete `op` may never have happened.
fn is_optional(register: &Register, op: u32) -> bool {
    register.ops[op as usize].kind == Kind::MayErase
}

/// The operations that show how long `chain` held the register.
pub(super) fn held(register: &Register, chain: &Chain) -> Held {
    Held { first: with_ret(register, chain.ret_min), last: with_call(register, chain.call_max) }
}
