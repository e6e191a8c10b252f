//! What happened when, ready to draw: fault bands, state strips, client lanes and alarms of a
//! window of the run. Every canvas draws the same [`Timeline`].

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

/// A window with more messages than this is drawn without them.
pub const ARROWS_MAX: usize = 240;

impl<'a> Timeline<'a> {
    /// The run from start to end; `None` when nothing in the record has an instant.
    #[must_use]
    pub fn whole(run: &'a RunRecord) -> Option<Self> {
        if run.end_ns == 0 {
            return None;
        }
        let mut timeline = Self::window(run, "The whole run", 0, run.end_ns);
        // Where a close-up shows the messages, here they would only cover the rest.
        if Self::close_up(run).is_some() {
            timeline.arrows.clear();
        }
        let empty = timeline.bands.is_empty()
            && timeline.strips.is_empty()
            && timeline.lanes.is_empty()
            && timeline.alarms.is_empty();
        (!empty).then_some(timeline)
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
            ops_left_out: 0,
        };
        timeline.thin_out();
        timeline.arrows = timeline.arrows(run);
        timeline
    }

    /// The messages of the window between rows that are drawn; none when they are too many.
    fn arrows(&self, run: &'a RunRecord) -> Vec<Arrow<'a>> {
        let nodes = self.strips.iter().map(|strip| strip.node);
        let rows: Vec<u32> = nodes
            .chain(self.lanes.iter().map(|lane| lane.client))
            .collect();
        let row = |node| rows.iter().position(|&other| other == node);
        let mut arrows = Vec::new();
        for flight in &run.flights {
            let end = flight.arrived_ns.unwrap_or(flight.sent_ns);
            if flight.sent_ns < self.from_ns || end.max(flight.sent_ns) >= self.to_ns {
                continue;
            }
            if let Some((from_row, to_row)) = row(flight.from).zip(row(flight.to)) {
                arrows.push(Arrow {
                    flight,
                    from_row,
                    to_row,
                });
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

fn bands(run: &RunRecord, from_ns: u64, to_ns: u64) -> Vec<Band<'_>> {
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
            None => bands.push(Band {
                id: &fault.id,
                kind: &fault.kind,
                spans: vec![span],
            }),
        }
    }
    bands
}

fn strips(run: &RunRecord, from_ns: u64, to_ns: u64) -> Vec<Strip<'_>> {
    let mut strips = Vec::new();
    for node in &run.nodes {
        let spans: Vec<&StripSpan> = run
            .strips
            .iter()
            .filter(|span| span.node == node.id)
            .filter(|span| span.from_ns < to_ns && span.to_ns > from_ns)
            .collect();
        if !spans.is_empty() {
            let name = node.name.clone();
            let node = node.id;
            strips.push(Strip { node, name, spans });
        }
    }
    strips
}

fn lanes(run: &RunRecord, from_ns: u64, to_ns: u64) -> Vec<Lane<'_>> {
    let core = run.core_ops();
    let mut clients: Vec<u32> = run.ops.iter().map(|op| op.client).collect();
    clients.sort_unstable();
    clients.dedup();
    let mut lanes = Vec::new();
    for client in clients {
        let mut ops: Vec<&OpRow> = run.ops.iter().filter(|op| op.client == client).collect();
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
        assert!(
            seen.ops
                .iter()
                .all(|id| core.iter().any(|bar| bar.op.id == *id && bar.core))
        );
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
    fn nothing_happened_nothing_to_draw() {
        assert!(Timeline::whole(&RunRecord::default()).is_none());
        let end_ns = 5;
        assert!(
            Timeline::whole(&RunRecord {
                end_ns,
                ..RunRecord::default()
            })
            .is_none()
        );
    }
}
