//! What happened when, ready to draw: fault bands, state strips, client lanes and alarms of a
//! window of the run. Every canvas draws the same [`Timeline`].

use std::collections::{BTreeMap, BTreeSet};

use crate::record::{FlightRow, OpRow, PhaseRow, RunRecord, StripSpan};

/// A window of a run.
#[derive(Clone, Debug)]
pub struct Timeline<'a> {
    /// What it shows.
    pub title: &'static str,
    /// The first instant shown.
    pub from_ns: u64,
    /// Just after the last instant shown; after `from_ns`.
    pub to_ns: u64,
    /// Phases of the plan that reach into the window.
    pub phases: Vec<&'a PhaseRow>,
    /// Faults by id, in order of their first start.
    pub bands: Vec<Band<'a>>,
    /// Nodes with the spans of their states.
    pub strips: Vec<Strip<'a>>,
    /// Clients with their operations.
    pub lanes: Vec<Lane<'a>>,
    /// Violations, in order of time.
    pub alarms: Vec<Alarm<'a>>,
    /// Messages between nodes and clients that are drawn, in order of sending.
    pub arrows: Vec<Arrow<'a>>,
    /// How many nodes and clients are not in `strips` and `lanes`, because there are too many.
    pub rows_left_out: usize,
    /// How many operations of the window are not in `lanes`, because they would not be readable.
    pub ops_left_out: usize,
}

/// A fault and the spans in which it was on.
#[derive(Clone, Debug)]
pub struct Band<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// From, to, and what it hit.
    pub spans: Vec<(u64, u64, &'a str)>,
}

/// A node and what it was.
#[derive(Clone, Debug)]
pub struct Strip<'a> {
    /// The node.
    pub node: u32,
    /// The node's name.
    pub name: String,
    /// Its states, in order of time.
    pub spans: Vec<&'a StripSpan>,
}

/// A client and what it did.
#[derive(Clone, Debug)]
pub struct Lane<'a> {
    /// The client.
    pub client: u32,
    /// The client's name.
    pub name: String,
    /// Its operations, in order of time.
    pub bars: Vec<Bar<'a>>,
}

/// One operation in a lane.
#[derive(Clone, Debug)]
pub struct Bar<'a> {
    /// The operation.
    pub op: &'a OpRow,
    /// Where the bar ends: at the return; for an unknown outcome at the client's next call or the
    /// end of the window.
    pub to_ns: u64,
    /// Whether a violation names it.
    pub core: bool,
}

/// A violation.
#[derive(Clone, Copy, Debug)]
pub struct Alarm<'a> {
    /// When it showed.
    pub at_ns: u64,
    /// The check.
    pub check: &'a str,
    /// The rule.
    pub rule: &'a str,
    /// What was seen.
    pub detail: &'a str,
}

/// A message from one row of the picture to another; rows count strips first, then lanes.
#[derive(Clone, Copy, Debug)]
pub struct Arrow<'a> {
    /// The message.
    pub flight: &'a FlightRow,
    /// The row of the sender.
    pub from_row: usize,
    /// The row of the receiver.
    pub to_row: usize,
}

/// More operations than this in one picture cannot be told apart.
pub const OPS_DRAWN_MAX: usize = 1_200;

/// More nodes than this are not drawn below each other: then those that a violation names are, and
/// those that changed most often.
pub const STRIPS_MAX: usize = 48;

/// The same for clients.
pub const LANES_MAX: usize = 48;

/// A window with more messages than this is drawn without them.
pub const ARROWS_MAX: usize = 240;

impl<'a> Timeline<'a> {
    /// The run from start to end; `None` when nothing in the record has an instant.
    #[must_use]
    pub fn whole(run: &'a RunRecord) -> Option<Self> {
        if run.end_ns == 0 {
            return None;
        }
        let nothing = run.faults.is_empty() && run.strips.is_empty() && run.ops.is_empty();
        if nothing && run.violated().next().is_none() {
            return None;
        }
        let mut timeline = Self::window(run, "The whole run", 0, run.end_ns);
        // Where a close-up shows the messages, here they would only cover the rest.
        if Self::close_up(run).is_some() {
            timeline.arrows.clear();
        }
        Some(timeline)
    }

    /// The neighbourhood of the first violation: its operations, or a twentieth of the run. `None`
    /// when nothing was violated, or when that is most of the run anyway.
    #[must_use]
    pub fn close_up(run: &'a RunRecord) -> Option<Self> {
        let (_, seen) = run.first_violation()?;
        let core = |op: &&OpRow| seen.ops.contains(&op.id);
        let ops = || run.ops.iter().filter(core);
        let first = ops().map(|op| op.call_ns).min().unwrap_or(seen.at_ns);
        let last = ops().filter_map(|op| op.ret_ns).max().unwrap_or(seen.at_ns);
        let (first, last) = (first.min(seen.at_ns), last.max(seen.at_ns));
        let margin = ((last - first) / 4).max(run.end_ns / 40);
        let from_ns = first.saturating_sub(margin);
        let to_ns = last.saturating_add(margin).min(run.end_ns);
        let worth = to_ns > from_ns && to_ns - from_ns < run.end_ns / 10 * 7;
        worth.then(|| Self::window(run, "Around the first violation", from_ns, to_ns))
    }

    /// Any window. Spans are cut to it.
    #[must_use]
    pub fn window(run: &'a RunRecord, title: &'static str, from_ns: u64, to_ns: u64) -> Self {
        assert!(from_ns < to_ns, "a window has a length");
        let mut timeline = Self {
            title,
            from_ns,
            to_ns,
            phases: (run.phases.iter())
                .filter(|phase| phase.start_ns < to_ns && phase.end_ns > from_ns)
                .collect(),
            bands: bands(run, from_ns, to_ns),
            strips: strips(run, from_ns, to_ns),
            lanes: lanes(run, from_ns, to_ns),
            alarms: alarms(run, from_ns, to_ns),
            arrows: Vec::new(),
            rows_left_out: 0,
            ops_left_out: 0,
        };
        timeline.thin_out();
        timeline.leave_out_rows(run);
        timeline.arrows = timeline.arrows(run);
        timeline
    }

    /// Keeps as many nodes and clients as can be read.
    fn leave_out_rows(&mut self, run: &RunRecord) {
        let rows = self.strips.len() + self.lanes.len();
        let evidence = run.violated().flat_map(|check| &check.evidence);
        let named: BTreeSet<u32> = evidence.flat_map(|seen| seen.nodes.iter().copied()).collect();
        if self.strips.len() > STRIPS_MAX {
            let rank =
                |strip: &Strip<'_>| (!named.contains(&strip.node), usize::MAX - strip.spans.len());
            self.strips.sort_by_key(|strip| (rank(strip), strip.node));
            self.strips.truncate(STRIPS_MAX);
            self.strips.sort_by_key(|strip| strip.node);
        }
        if self.lanes.len() > LANES_MAX {
            let rank = |lane: &Lane<'_>| !lane.bars.iter().any(|bar| bar.core);
            self.lanes.sort_by_key(|lane| (rank(lane), lane.client));
            self.lanes.truncate(LANES_MAX);
            self.lanes.sort_by_key(|lane| lane.client);
        }
        self.rows_left_out = rows - self.strips.len() - self.lanes.len();
    }

    /// The messages of the window between rows that are drawn; none when they are too many.
    fn arrows(&self, run: &'a RunRecord) -> Vec<Arrow<'a>> {
        let nodes = self.strips.iter().map(|strip| strip.node);
        let rows: Vec<u32> = nodes.chain(self.lanes.iter().map(|lane| lane.client)).collect();
        let row = |node| rows.iter().position(|&other| other == node);
        let mut arrows = Vec::new();
        for flight in &run.flights {
            let end = flight.arrived_ns.unwrap_or(flight.sent_ns);
            if flight.sent_ns < self.from_ns || end.max(flight.sent_ns) >= self.to_ns {
                continue;
            }
            if let Some((from_row, to_row)) = row(flight.from).zip(row(flight.to)) {
                arrows.push(Arrow { flight, from_row, to_row });
            }
        }
        match arrows.len() {
            0..=ARROWS_MAX => arrows,
            _ => Vec::new(),
        }
    }

    /// Keeps the operations that a violation names, and all others only as long as they can be told
    /// apart.
    fn thin_out(&mut self) {
        let drawn: usize = self.lanes.iter().map(|lane| lane.bars.len()).sum();
        if drawn <= OPS_DRAWN_MAX {
            return;
        }
        for lane in &mut self.lanes {
            lane.bars.retain(|bar| bar.core);
        }
        self.lanes.retain(|lane| !lane.bars.is_empty());
        let kept: usize = self.lanes.iter().map(|lane| lane.bars.len()).sum();
        self.ops_left_out = drawn - kept;
    }
}

/// The part of `from..to` that lies in the window.
fn cut(from: u64, to: u64, window: (u64, u64)) -> Option<(u64, u64)> {
    let (from, to) = (from.max(window.0), to.min(window.1));
    (from < to || from == to && from < window.1).then_some((from, to))
}

/// Faults by id, cut to a window, in order of their first start.
pub(crate) fn bands(run: &RunRecord, from_ns: u64, to_ns: u64) -> Vec<Band<'_>> {
    let mut bands: Vec<Band<'_>> = Vec::new();
    for fault in &run.faults {
        let Some(start) = fault.start_ns else {
            continue;
        };
        let end = fault.end_ns.unwrap_or(run.end_ns).max(start);
        let Some((from, to)) = cut(start, end, (from_ns, to_ns)) else {
            continue;
        };
        let span = (from, to, fault.targets.as_str());
        match bands.iter_mut().find(|band| band.id == fault.id) {
            Some(band) => band.spans.push(span),
            None => bands.push(Band { id: &fault.id, kind: &fault.kind, spans: vec![span] }),
        }
    }
    bands
}

fn strips(run: &RunRecord, from_ns: u64, to_ns: u64) -> Vec<Strip<'_>> {
    let mut by_node: BTreeMap<u32, Vec<&StripSpan>> = BTreeMap::new();
    for span in &run.strips {
        if span.from_ns < to_ns && span.to_ns > from_ns {
            by_node.entry(span.node).or_default().push(span);
        }
    }
    let strip = |(node, spans)| Strip { node, name: run.node_name(node), spans };
    by_node.into_iter().map(strip).collect()
}

fn lanes(run: &RunRecord, from_ns: u64, to_ns: u64) -> Vec<Lane<'_>> {
    let core = run.core_ops();
    let mut by_client: BTreeMap<u32, Vec<&OpRow>> = BTreeMap::new();
    for op in &run.ops {
        by_client.entry(op.client).or_default().push(op);
    }
    let mut lanes = Vec::new();
    for (client, mut ops) in by_client {
        ops.sort_by_key(|op| (op.call_ns, op.id));
        let mut bars = Vec::new();
        for (n, &op) in ops.iter().enumerate() {
            let next = ops.get(n + 1).map_or(to_ns, |next| next.call_ns);
            let end = op.ret_ns.unwrap_or(next).max(op.call_ns);
            if let Some((_, to_ns)) = cut(op.call_ns, end, (from_ns, to_ns)) {
                let core = core.contains(&op.id);
                bars.push(Bar { op, to_ns, core });
            }
        }
        if !bars.is_empty() {
            let name = run.node_name(client);
            lanes.push(Lane { client, name, bars });
        }
    }
    lanes
}

fn alarms(run: &RunRecord, from_ns: u64, to_ns: u64) -> Vec<Alarm<'_>> {
    let mut alarms: Vec<Alarm<'_>> = run
        .violated()
        .flat_map(|check| check.evidence.iter().map(move |seen| (check, seen)))
        .filter(|(_, seen)| (from_ns..=to_ns).contains(&seen.at_ns))
        .map(|(check, seen)| Alarm {
            at_ns: seen.at_ns,
            check: &check.id,
            rule: &seen.rule,
            detail: &seen.detail,
        })
        .collect();
    alarms.sort_by_key(|alarm| alarm.at_ns);
    alarms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::FaultRow;
    use crate::testkit::split_brain;

    #[test]
    fn a_repeated_fault_is_one_band_and_is_cut_to_the_window() {
        let fault = |start_ns, end_ns| FaultRow {
            id: "swizzle".into(),
            start_ns: Some(start_ns),
            end_ns,
            ..FaultRow::default()
        };
        let run = RunRecord {
            end_ns: 100,
            faults: vec![fault(0, Some(20)), fault(40, None), FaultRow::default()],
            ..RunRecord::default()
        };
        let bands = bands(&run, 10, 90);
        assert_eq!(bands.len(), 1);
        assert_eq!(bands[0].spans, [(10, 20, ""), (40, 90, "")]);
    }

    #[test]
    fn the_close_up_holds_the_violation_and_its_operations() {
        let run = split_brain();
        let near = Timeline::close_up(&run).unwrap();
        let core: Vec<_> = near.lanes.iter().flat_map(|lane| &lane.bars).collect();
        let (_, seen) = run.first_violation().unwrap();
        assert!((near.from_ns..near.to_ns).contains(&seen.at_ns));
        assert!(seen.ops.iter().all(|id| core.iter().any(|bar| bar.op.id == *id && bar.core)));
    }

    #[test]
    fn a_crowd_of_operations_keeps_those_of_the_counterexample() {
        let mut run = split_brain();
        let like = run.ops[0].clone();
        for n in 0..OPS_DRAWN_MAX as u64 {
            let id = 10_000 + n;
            run.ops.push(OpRow { id, ..like.clone() });
        }
        let whole = Timeline::whole(&run).unwrap();
        assert!(whole.ops_left_out >= OPS_DRAWN_MAX);
        let kept = whole.lanes.iter().flat_map(|lane| &lane.bars);
        assert!(kept.clone().count() > 0);
        assert!(kept.clone().all(|bar| bar.core));
    }

    #[test]
    fn of_many_nodes_those_that_a_violation_names_are_drawn() {
        let mut run = split_brain();
        for node in 100..1_100 {
            run.strips.push(StripSpan { node, ..run.strips[0].clone() });
        }
        run.checks[0].evidence[0].nodes = vec![1_050, 2];
        let whole = Timeline::whole(&run).unwrap();
        let nodes: Vec<u32> = whole.strips.iter().map(|strip| strip.node).collect();
        assert_eq!((nodes.len(), whole.rows_left_out), (STRIPS_MAX, 1_003 - STRIPS_MAX));
        assert!(nodes.contains(&1_050));
        assert!(nodes.is_sorted());
    }

    #[test]
    fn nothing_happened_nothing_to_draw() {
        assert!(Timeline::whole(&RunRecord::default()).is_none());
        let end_ns = 5;
        assert!(Timeline::whole(&RunRecord { end_ns, ..RunRecord::default() }).is_none());
    }
}
