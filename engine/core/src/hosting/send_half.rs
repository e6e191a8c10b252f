//! One direction of a connection, played ahead by its sender.
//!
//! From the script the sender knows when the link will be cut, held and released, and nothing
//! behind a segment changes when that segment arrives. So it can tell, at the instant of writing,
//! at which moment the receiver reads it: the laws are those of [`crate::net::stream`], played to
//! the end. The receiver needs no more than the moment and the bytes.

use super::script::{Gate, Moment, gate_at};
use crate::net::retry::{CUT_OFF, RETRY, next_retry};
use crate::net::stream::READ_BYTES_MAX;
use crate::record::Class;
use alloc::collections::VecDeque;
use contract::{Duration, SimTime};

/// What is under way on a direction, as its sender knows it.
#[derive(Clone, Debug, Default)]
pub(super) struct SendHalf {
    segments: VecDeque<Segment>,
    state: State,
    /// Steps of the script that are played.
    pos: u32,
    count: u64,
    /// The sender has lost its power: what gets lost is not sent again.
    muted: bool,
    /// The sender was told that it will give up.
    pub break_told: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    /// The first segment arrives at this moment.
    Queued(Moment),
    /// The first segment waits for the link, or for a machine without power.
    Stopped { since: SimTime, cut: bool },
    /// Nothing more arrives.
    Over,
}

/// A segment as it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub part: OutPart,
    /// It is lost so often that the sender gives up when it is due.
    pub gives_up: bool,
    pub n: u64,
    pub due: SimTime,
    /// When it leaves its machine for the last time.
    pub sent: SimTime,
    pub latency_ns: u64,
    pub len_bytes: usize,
}

/// What a segment carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutPart {
    Open,
    Accept,
    Data,
    End,
    /// The answer to what came for a connection that the machine does not know.
    Unknown,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    written: Written,
    number: u64,
    cuts: u32,
    stopped: bool,
}

/// What becomes of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is read at this moment, together with the message `n`.
    Read { moment: Moment, n: u64 },
    /// Before it is read, or instead, the sender gives up.
    Broken { moment: Moment, class: Class, n: u64 },
    /// It is lost at this moment, with the sender's power.
    Muted { moment: Moment },
    /// It waits for ever, or behind the end of the direction.
    Never,
}

impl SendHalf {
    /// A direction that begins after `pos` steps of the script.
    pub fn new(pos: u32) -> Self {
        Self { pos, ..Self::default() }
    }

    /// Writes a segment at `now`, after `pos` steps of the script, on a link with these `gates`.
    pub fn write(&mut self, now: Moment, pos: u32, written: Written, gates: &[Gate]) -> Fate {
        self.pass(now, pos, gates);
        let link = Link { gates, pos };
        if written.part == OutPart::Unknown {
            self.muted = false;
            if self.state == State::Over {
                self.state = State::Idle;
            }
        }
        if self.state == State::Over {
            return Fate::Never;
        }
        let gate = link.gate();
        self.count += 1;
        let number = self.count;
        assert!(!self.holds(number), "segments are numbered once");
        let due =
            self.segments.back().map_or(written.due, |last| last.written.due.max(written.due));
        self.segments.push_back(Segment {
            written: Written { due, ..written },
            number,
            cuts: gate.cuts,
            stopped: gate.blocked || gate.held,
        });
        if self.state == State::Idle {
            self.queue_head(now, gate);
        }
        self.fate_of(number, link)
    }

    /// Whether nothing is under way at `now`, after `pos` steps of the script.
    pub fn is_idle(&mut self, now: Moment, pos: u32, gates: &[Gate]) -> bool {
        self.pass(now, pos, gates);
        self.segments.is_empty()
    }

    /// Time passes.
    fn pass(&mut self, now: Moment, pos: u32, gates: &[Gate]) {
        let mut link = Link { gates, pos: self.pos };
        assert!(pos >= self.pos, "a script is played forwards");
        self.advance(&mut link, Until::Present { now, pos }, &mut |_, _| {});
        self.pos = pos;
    }

    /// Plays a copy to the end and watches one segment.
    fn fate_of(&self, number: u64, mut link: Link<'_>) -> Fate {
        let mut fate = Fate::Never;
        assert!(self.holds(number), "it was just written");
        let mut ahead = self.clone();
        let until = Until::Fate { number };
        ahead.advance(&mut link, until, &mut |segment, its| {
            if segment.is_none_or(|segment| segment == number) && fate == Fate::Never {
                fate = its;
            }
        });
        fate
    }

    /// Plays the laws of streams: gates, arrivals and the end of patience, in their order.
    fn advance(
        &mut self,
        link: &mut Link<'_>,
        until: Until,
        tell: &mut dyn FnMut(Option<u64>, Fate),
    ) {
        loop {
            let gate = link.next().filter(|gate| until.takes_step(gate.pos));
            let own = self.next_moment().filter(|moment| until.takes(*moment));
            let is_over = match until {
                Until::Fate { number } => !self.holds(number),
                Until::Present { .. } => false,
            };
            if is_over || self.state == State::Over {
                return;
            }
            match (gate, own) {
                (Some(gate), own) if own.is_none_or(|own| gate.moment <= own) => {
                    link.pos = gate.pos;
                    if gate.mutes {
                        self.mute(gate, tell);
                    }
                    if gate.lifted && !gate.blocked && !gate.held {
                        self.resume(gate);
                    }
                }
                (_, Some(moment)) => self.happen(moment, link.gate(), tell),
                _ => return,
            }
        }
    }

    fn holds(&self, number: u64) -> bool {
        self.segments.iter().any(|segment| segment.number == number)
    }

    fn next_moment(&self) -> Option<Moment> {
        match self.state {
            State::Queued(moment) => Some(moment),
            State::Stopped { since, cut: true } => Some((since + CUT_OFF, 0)),
            _ => None,
        }
    }

    /// The first segment arrives, or the sender's patience ends.
    fn happen(&mut self, at: Moment, gate: Gate, tell: &mut dyn FnMut(Option<u64>, Fate)) {
        let head = *self.segments.front().expect("something is queued or stopped");
        assert_ne!(self.state, State::Over, "nothing happens after the end");
        let n = head.written.n;
        if matches!(self.state, State::Stopped { .. }) {
            return self.give_up(at, Class::Timer, n, tell);
        }
        if head.cuts != gate.cuts {
            return if self.muted { self.truncate(0, at, tell) } else { self.lose(at, gate) };
        }
        if head.written.gives_up {
            return self.give_up(at, Class::Closed, n, tell);
        }
        if gate.dark {
            if self.muted {
                return self.truncate(0, at, tell);
            }
            self.segments.front_mut().expect("it has just arrived").stopped = true;
            self.state = State::Stopped { since: at.0, cut: true };
            return;
        }
        self.segments.pop_front();
        self.state = State::Idle;
        tell(Some(head.number), Fate::Read { moment: at, n });
        match head.written.part {
            OutPart::End | OutPart::Unknown => self.state = State::Over,
            OutPart::Data => self.merge(at, head.written, gate, tell),
            _ => {}
        }
        if self.state != State::Over {
            self.queue_head(at, gate);
        }
    }

    /// What is due by now is read together with what was just read.
    fn merge(
        &mut self,
        at: Moment,
        head: Written,
        gate: Gate,
        tell: &mut dyn FnMut(Option<u64>, Fate),
    ) {
        let mut read_bytes = head.len_bytes;
        assert_eq!(head.part, OutPart::Data, "only bytes are read together");
        while let Some(next) = self.segments.front() {
            read_bytes += next.written.len_bytes;
            let is_here = next.written.due <= at.0 && !next.stopped && next.cuts == gate.cuts;
            let is_data = next.written.part == OutPart::Data && !next.written.gives_up;
            if !is_data || !is_here || read_bytes > READ_BYTES_MAX {
                return;
            }
            tell(Some(next.number), Fate::Read { moment: at, n: head.n });
            self.segments.pop_front();
        }
    }

    fn give_up(
        &mut self,
        moment: Moment,
        class: Class,
        n: u64,
        tell: &mut dyn FnMut(Option<u64>, Fate),
    ) {
        self.state = State::Over;
        self.segments.clear();
        tell(None, Fate::Broken { moment, class, n });
    }

    /// The sender loses its power: what it has not sent, or would send again, is lost.
    fn mute(&mut self, gate: Gate, tell: &mut dyn FnMut(Option<u64>, Fate)) {
        let now = gate.moment.0;
        let waits = gate.blocked || matches!(self.state, State::Stopped { cut: true, .. });
        let is_unsent = |one: &Segment| one.written.sent > now || (one.stopped && waits);
        let kept = self.segments.iter().position(is_unsent).unwrap_or(self.segments.len());
        self.muted = true;
        self.truncate(kept, gate.moment, tell);
    }

    /// Drops all but the first `kept` segments.
    fn truncate(&mut self, kept: usize, moment: Moment, tell: &mut dyn FnMut(Option<u64>, Fate)) {
        for segment in self.segments.drain(kept..) {
            tell(Some(segment.number), Fate::Muted { moment });
        }
        if self.segments.is_empty() && self.state != State::Over {
            self.state = State::Idle;
        }
    }

    fn lose(&mut self, at: Moment, gate: Gate) {
        assert!(self.segments.iter().any(|one| one.cuts != gate.cuts), "a cut lost something");
        for segment in self.segments.iter_mut().filter(|one| one.cuts != gate.cuts) {
            segment.cuts = gate.cuts;
            segment.stopped = gate.blocked || gate.held;
            segment.written.sent = at.0 + RETRY;
            let again = at.0 + RETRY + Duration(segment.written.latency_ns);
            segment.written.due = segment.written.due.max(again);
        }
        self.keep_order();
        self.state = State::Idle;
        self.queue_head(at, gate);
    }

    fn resume(&mut self, gate: Gate) {
        assert!(!gate.blocked && !gate.held, "nothing stops the link any more");
        let now = gate.moment.0;
        let retry_at = match self.state {
            State::Stopped { since, cut: true } => next_retry(since, now),
            _ => now,
        };
        for segment in self.segments.iter_mut().filter(|one| one.stopped) {
            segment.stopped = false;
            segment.cuts = gate.cuts;
            segment.written.sent = segment.written.sent.max(retry_at);
            let latency_ns = segment.written.latency_ns;
            let again = if retry_at > now { latency_ns } else { 0 };
            segment.written.due = segment.written.due.max(retry_at + Duration(again));
        }
        self.keep_order();
        if matches!(self.state, State::Stopped { .. }) {
            self.state = State::Idle;
            self.queue_head(gate.moment, gate);
        }
    }

    fn queue_head(&mut self, now: Moment, gate: Gate) {
        assert_eq!(self.state, State::Idle, "one event is ahead of a direction");
        let Some(head) = self.segments.front() else {
            return;
        };
        self.state = if head.stopped {
            State::Stopped { since: now.0, cut: gate.blocked }
        } else if head.written.due > now.0 {
            State::Queued((head.written.due, 0))
        } else {
            State::Queued((now.0, now.1 + 1))
        };
    }

    /// No segment is due before one in front of it.
    fn keep_order(&mut self) {
        let mut due = SimTime::ZERO;
        for segment in &mut self.segments {
            due = due.max(segment.written.due);
            segment.written.due = due;
        }
    }
}

/// How far a direction is played.
#[derive(Clone, Copy)]
enum Until {
    /// To the present, after so many steps of the script.
    Present { now: Moment, pos: u32 },
    /// Until it is known what becomes of this segment.
    Fate { number: u64 },
}

impl Until {
    fn takes_step(self, pos: u32) -> bool {
        match self {
            Self::Present { pos: present, .. } => pos <= present,
            Self::Fate { .. } => true,
        }
    }

    fn takes(self, moment: Moment) -> bool {
        match self {
            Self::Present { now, .. } => moment <= now,
            Self::Fate { .. } => true,
        }
    }
}

/// The link over time, and how far it is played.
#[derive(Clone, Copy)]
struct Link<'a> {
    gates: &'a [Gate],
    pos: u32,
}

impl Link<'_> {
    fn gate(&self) -> Gate {
        gate_at(self.gates, self.pos)
    }

    fn next(&self) -> Option<Gate> {
        let at = self.gates.partition_point(|gate| gate.pos <= self.pos);
        self.gates.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosting::script::OPEN;

    const MS: u64 = 1_000_000;

    fn data(n: u64, due_ms: u64) -> Written {
        Written {
            part: OutPart::Data,
            gives_up: false,
            n,
            due: SimTime(due_ms * MS),
            sent: SimTime::ZERO,
            latency_ns: 5 * MS,
            len_bytes: 1,
        }
    }

    fn cut(pos: u32, at_ms: u64, lifted: bool) -> Gate {
        let moment = (SimTime(at_ms * MS), 0);
        Gate { pos, moment, blocked: !lifted, cuts: 1, lifted, ..OPEN }
    }

    fn read(at_ms: u64, n: u64) -> Fate {
        Fate::Read { moment: (SimTime(at_ms * MS), 0), n }
    }

    #[test]
    fn a_later_segment_does_not_overtake_and_is_read_with_the_one_before() {
        let mut send_half = SendHalf::default();
        assert_eq!(send_half.write((SimTime(0), 0), 0, data(1, 9), &[]), read(9, 1));
        assert_eq!(send_half.write((SimTime(MS), 0), 0, data(2, 6), &[]), read(9, 1));
        assert_eq!(send_half.write((SimTime(9 * MS), 0), 0, data(3, 14), &[]), read(14, 3));
    }

    #[test]
    fn what_a_cut_loses_is_sent_again_when_the_link_is_back() {
        let gates = [cut(1, 3, false), cut(2, 100, true)];
        let mut send_half = SendHalf::default();
        // Lost at 7 ms, noticed then; tried again 200 ms later.
        assert_eq!(send_half.write((SimTime(0), 0), 0, data(1, 7), &gates), read(212, 1));
    }

    #[test]
    fn without_power_nothing_is_sent_again_and_what_is_on_the_wire_arrives() {
        let muted = Gate { pos: 1, moment: (SimTime(20 * MS), 0), mutes: true, ..OPEN };
        let lost = Fate::Muted { moment: muted.moment };
        let mut send_half = SendHalf::default();
        let late = Written { sent: SimTime(21 * MS), ..data(2, 26) };
        assert_eq!(send_half.write((SimTime(19 * MS), 0), 0, data(1, 24), &[muted]), read(24, 1));
        assert_eq!(send_half.write((SimTime(19 * MS), 0), 0, late, &[muted]), lost);
    }

    #[test]
    fn a_machine_without_power_is_tried_again_until_it_is_back() {
        let dark = Gate { pos: 1, moment: (SimTime(3 * MS), 0), dark: true, ..OPEN };
        let back = Gate { pos: 2, moment: (SimTime(100 * MS), 0), lifted: true, ..OPEN };
        let mut send_half = SendHalf::default();
        // It finds nobody at 7 ms; tried again 200 ms later.
        let fate = send_half.clone().write((SimTime(0), 0), 0, data(1, 7), &[dark, back]);
        assert_eq!(fate, read(212, 1));
        let moment = (SimTime(10_007 * MS), 0);
        let broken = Fate::Broken { moment, class: Class::Timer, n: 1 };
        assert_eq!(send_half.write((SimTime(0), 0), 0, data(1, 7), &[dark]), broken);
    }

    #[test]
    fn ten_seconds_without_a_link_break_the_connection() {
        let gates = [cut(1, 3, false)];
        let mut send_half = SendHalf::default();
        let moment = (SimTime(10_004 * MS), 0);
        let broken = Fate::Broken { moment, class: Class::Timer, n: 1 };
        assert_eq!(send_half.write((SimTime(4 * MS), 0), 1, data(1, 9), &gates), broken);
        assert_eq!(send_half.write((SimTime(5 * MS), 0), 1, data(2, 10), &gates), broken);
        let late = (SimTime(20_000 * MS), 0);
        assert_eq!(send_half.write(late, 1, data(3, 20_005), &gates), Fate::Never);
    }
}
