//! Registers, judged while the history is being read: memory for the open part alone.
//!
//! Start with [`Stream::push`]. A key may be cut after an operation that overlapped with no other
//! operation that ended, when its answer says what the register held: every operation before it
//! is before it in any order, every one after it after it, so the history is linearizable exactly
//! if both parts are, the second from that state on (Herlihy and Wing 1990, §3.1, applied to time
//! instead of to objects).
//!
//! What ended unknown is open for ever and outlives a cut unless it was used up before it:
//! - a write whose value somebody saw took effect, every value being written once; any other is
//!   carried on;
//! - of open deletes the fewest that explain the part are used, those called first, since they can
//!   do whatever a later one can; the others are carried on.
//!
//! A key that leaves the class of [`zones`](super::zones), or whose values expire, is not
//! cut any more.

use super::model::view;
use super::register::check_register_with;
use super::report::{Options, Report, Verdict};
use super::rounds::{Tried, share_out};
use super::search::STEPS_SPENT;
use crate::history::preloaded;
use crate::history::split::each_share;
use crate::models::RegisterCas;
use crate::models::register_cas::Told;
use contract::{Call, Op, Outcome, ReadLevel, Ret, SimTime, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Parts shorter than this are not judged on their own: a part costs some hundred nanoseconds.
const CUT_MIN: usize = 16;

/// A check under way.
pub struct Stream<'a> {
    model: &'a RegisterCas,
    options: Options<'a>,
    cut_min: usize,
    keys: BTreeMap<u64, Key>,
    called_at: SimTime,
    live: usize,
    found: Streamed,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streamed {
    /// As for the whole history at once, without counterexamples.
    pub report: Report,
    /// The most operations that were held at once.
    pub live_max: usize,
    /// How often a key was cut.
    pub cuts: u64,
    /// Each refuted key with the call of the last operation that was judged: what
    /// [`check_register_with`] needs to explain it is no later than that.
    pub refuted: Vec<(u64, SimTime)>,
}

/// An operation was called before the one that came before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder;

/// One key.
#[derive(Default)]
struct Key {
    /// What it held where the open part begins.
    before: Option<Value>,
    /// The open part in the order of calls, what was carried on first.
    ops: Vec<Op>,
    /// The latest return of an operation that ended.
    ret_max: Option<SimTime>,
    /// What the register held after the last operation that ended, when none overlapped with it.
    alone: Option<Option<Value>>,
    /// Cut before, so that `before` is certain.
    was_cut: bool,
    /// Not to be cut any more.
    whole: bool,
    /// Refuted or given up: nothing is held for it.
    decided: bool,
}

impl<'a> Stream<'a> {
    /// A check of registers under `model`.
    #[must_use]
    pub fn new(model: &'a RegisterCas, options: Options<'a>) -> Self {
        let found = Streamed { report: Report::new(), live_max: 0, cuts: 0, refuted: Vec::new() };
        let options = Options { counterexamples_max: 0, ..options };
        let (keys, called_at) = (BTreeMap::new(), SimTime::ZERO);
        Self { model, options, cut_min: CUT_MIN, keys, called_at, live: 0, found }
    }

    /// The next operation, in the order of calls.
    ///
    /// # Errors
    /// When it was called before its predecessor; then the history has to be sorted first.
    pub fn push(&mut self, op: &Op) -> Result<(), OutOfOrder> {
        if op.call_at < self.called_at {
            return Err(OutOfOrder);
        }
        self.called_at = op.call_at;
        if op.outcome == Outcome::Fail || !is_judged(op) {
            return Ok(());
        }
        let mut shares = Vec::new();
        each_share(op, 0, |key, share| shares.push((key, share)));
        for (key, share) in shares {
            let (call, outcome) = view(op, share, false);
            if outcome == Outcome::Unknown && matches!(call, Call::Get { .. }) {
                continue;
            }
            self.push_one(key, Op { call, outcome, ..op.clone() });
        }
        Ok(())
    }

    fn push_one(&mut self, key: u64, op: Op) {
        let initial = self.model.initial_of(key);
        let mut line = self.keys.remove(&key).unwrap_or_else(|| {
            self.found.report.keys += 1;
            Key { before: initial, ..Key::default() }
        });
        self.found.report.ops += 1;
        if !line.decided {
            self.cut(key, &mut line, op.call_at);
        }
        if !line.decided {
            line.push(self.model, op);
            self.live += 1;
            self.found.live_max = self.found.live_max.max(self.live);
        }
        self.keys.insert(key, line);
    }

    /// Judges what is open of a key up to an operation that was alone, where that is possible
    /// before an operation that was called at `next`.
    fn cut(&mut self, key: u64, line: &mut Key, next: SimTime) {
        let Some(after) = line.alone else { return };
        let is_quiet = line.ret_max.is_some_and(|at| at < next);
        if line.whole || !is_quiet || line.ops.len() < self.cut_min {
            return;
        }
        let held = line.ops.len();
        let open = Open::of(&line.ops);
        let Some(used) = self.judge(key, line, &open) else { return };
        if line.decided {
            self.live -= held;
            return;
        }
        let effective = seen(&line.ops);
        let spent: BTreeSet<usize> = open.deletes[..used].iter().copied().collect();
        let outlives = |(position, op): &(usize, Op)| {
            let is_seen = written(&op.call).is_some_and(|value| effective.contains(&value));
            op.outcome == Outcome::Unknown && !spent.contains(position) && !is_seen
        };
        let ops = std::mem::take(&mut line.ops).into_iter().enumerate();
        line.ops = ops.filter(outlives).map(|(_, op)| op).collect();
        assert!(line.ops.len() < held, "the operation that was alone is behind");
        self.live -= held - line.ops.len();
        self.found.cuts += 1;
        line.was_cut = true;
        line.before = after;
        line.ret_max = None;
        line.alone = None;
    }

    /// Judges what is open of a key: how many open deletes explain it, or `None` when it cannot be
    /// cut here.
    fn judge(&mut self, key: u64, line: &mut Key, open: &Open) -> Option<usize> {
        let all = open.deletes.len();
        let (mut least, mut most) = (0, all);
        // A part that needs a search is not worth one: the key is held as a whole and gets its share
        // of the steps at the end.
        let mut report = self.check(key, line, open, 0, 0);
        if report.verdict != Verdict::Linearizable && all > 0 {
            report = self.check(key, line, open, all, 0);
            least = 1;
        } else {
            most = 0;
        }
        if report.verdict != Verdict::NotLinearizable && report.zone_keys < report.keys {
            line.whole = true;
            return None;
        }
        if report.verdict != Verdict::Linearizable {
            self.decide(key, line, report.verdict);
            line.decided = true;
            line.ops = Vec::new();
            return Some(0);
        }
        while least < most {
            let middle = (least + most) / 2;
            if self.check(key, line, open, middle, 0).verdict == Verdict::Linearizable {
                most = middle;
            } else {
                least = middle + 1;
            }
        }
        Some(most)
    }

    /// The report on the open part of a key with the first `used` of its open deletes.
    fn check(
        &mut self,
        key: u64,
        line: &Key,
        open: &Open,
        used: usize,
        search_steps_max: u64,
    ) -> Report {
        let left: BTreeSet<usize> = open.deletes[used..].iter().copied().collect();
        let kept = line.ops.iter().enumerate().filter(|(index, _)| !left.contains(index));
        let ops: Vec<Op> = kept.map(|(_, op)| op.clone()).collect();
        let preloaded = || preloaded(line.ops.iter()).initial.get(&key).copied();
        let before = line.before.or_else(|| if line.was_cut { None } else { preloaded() });
        let model = RegisterCas {
            initial: before.map(|value| (key, value)).into_iter().collect(),
            initial_rest: None,
            told: self.model.told,
            ttl_tolerance: self.model.ttl_tolerance,
        };
        let options = Options { search_steps_max, ..self.options };
        let report = check_register_with(&ops, &model, &options);
        self.found.report.search_steps += report.search_steps;
        self.found.report.certificates_refused += report.certificates_refused;
        report
    }

    /// Notes what was found about a key.
    fn decide(&mut self, key: u64, line: &Key, verdict: Verdict) {
        match verdict {
            Verdict::Undecided { why } => self.found.report.leave_open(key, why),
            Verdict::NotLinearizable => {
                self.found.report.refute(&self.options);
                let last = line.ops.last().map_or(SimTime::ZERO, |op| op.call_at);
                self.found.refuted.push((key, last));
            }
            Verdict::Linearizable => {}
        }
    }

    /// Judges what is still open.
    #[must_use]
    pub fn finish(mut self) -> Streamed {
        let lines = std::mem::take(&mut self.keys).into_iter();
        let open: Vec<(u64, Key)> = lines.filter(|(_, line)| !line.decided).collect();
        let mut searched = BTreeSet::new();
        let steps_max = self.options.search_steps_max;
        let short = share_out(steps_max, open, |(key, line), steps_max| {
            let open = Open::of(&line.ops);
            let report = self.check(*key, line, &open, open.deletes.len(), steps_max);
            if report.searched_keys > 0 {
                searched.insert(*key);
            }
            let is_short = report.verdict == Verdict::Undecided { why: STEPS_SPENT };
            if !is_short {
                self.decide(*key, line, report.verdict);
            }
            Tried { steps: report.search_steps, is_short }
        });
        for (key, line) in &short {
            self.decide(*key, line, Verdict::Undecided { why: STEPS_SPENT });
        }
        self.found.report.searched_keys += searched.len() as u64;
        let report = &mut self.found.report;
        report.zone_keys = report.keys - report.searched_keys;
        report.undecided_keys.sort_unstable();
        self.found.refuted.sort_unstable();
        self.found
    }

    #[cfg(test)]
    fn cutting_from(self, cut_min: usize) -> Self {
        Self { cut_min, ..self }
    }
}

impl Key {
    fn push(&mut self, model: &RegisterCas, op: Op) {
        self.whole |= matches!(op.call, Call::Put { ttl: Some(_), .. });
        if op.outcome != Outcome::Unknown {
            let is_alone = self.ret_max.is_none_or(|at| at < op.call_at);
            self.alone = if is_alone { after(model, &op) } else { None };
            self.ret_max = self.ret_max.max(Some(op.ret_at));
        }
        self.ops.push(op);
    }
}

/// The open operations of a part that may be left out.
struct Open {
    /// Deletes, in the order of calls.
    deletes: Vec<usize>,
}

impl Open {
    fn of(ops: &[Op]) -> Self {
        let is_delete =
            |op: &Op| op.outcome == Outcome::Unknown && matches!(op.call, Call::Delete { .. });
        let positions = ops.iter().enumerate().filter(|(_, op)| is_delete(op));
        Self { deletes: positions.map(|(position, _)| position).collect() }
    }
}

/// Whether `op` is about registers and promised to be linearizable.
#[must_use]
pub const fn is_judged(op: &Op) -> bool {
    match &op.call {
        Call::Get { read, .. } | Call::BatchGet { read, .. } => !matches!(read, ReadLevel::Stale),
        Call::Put { .. } | Call::Delete { .. } | Call::Cas { .. } => true,
        _ => false,
    }
}

/// What the register holds after `op`, where its answer says so.
fn after(model: &RegisterCas, op: &Op) -> Option<Option<Value>> {
    let Outcome::Ok(ret) = &op.outcome else { return None };
    match (&op.call, ret) {
        (Call::Get { .. }, Ret::Found { value, .. }) => Some(Some(*value)),
        (Call::Get { .. }, Ret::Missing) | (Call::Delete { .. }, _) => Some(None),
        (Call::Put { value, .. } | Call::Cas { value, .. }, Ret::Done { .. }) => Some(Some(*value)),
        (Call::Cas { .. }, Ret::Conflict { seen }) if model.told == Told::Exactly => Some(*seen),
        _ => None,
    }
}

/// The value that `call` writes.
const fn written(call: &Call) -> Option<Value> {
    match call {
        Call::Put { value, .. } | Call::Cas { value, .. } => Some(*value),
        _ => None,
    }
}

/// The values that were certainly there: seen by an answer, or consumed by an open
/// compare-and-set whose own value was there.
fn seen(ops: &[Op]) -> BTreeSet<Value> {
    let mut seen = BTreeSet::new();
    for op in ops {
        let (Outcome::Ok(ret), call) = (&op.outcome, &op.call) else { continue };
        match ret {
            Ret::Found { value, .. } => seen.extend([*value]),
            Ret::Deleted { previous: value } | Ret::Conflict { seen: value } => {
                seen.extend(*value);
            }
            Ret::Done { .. } => {
                if let Call::Cas { expect, .. } = call {
                    seen.extend(*expect);
                }
            }
            _ => {}
        }
    }
    let open = ops.iter().filter(|op| op.outcome == Outcome::Unknown);
    let swaps: Vec<(Option<Value>, Value)> = open
        .filter_map(|op| match op.call {
            Call::Cas { expect, value, .. } => Some((expect, value)),
            _ => None,
        })
        .collect();
    loop {
        let used = swaps.iter().filter(|(_, value)| seen.contains(value));
        let consumed: Vec<Value> = used.filter_map(|(expect, _)| *expect).collect();
        let before = seen.len();
        seen.extend(consumed);
        if seen.len() == before {
            return seen;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testkit::generate::{Generator, Shape};
    use super::super::testkit::load::Load;
    use super::super::testkit::script::script;
    use super::super::testkit::subjects::RegisterSubject;
    use super::*;
    use contract::{Domain, Rng};

    fn streamed(ops: &[Op], cut_min: usize) -> Streamed {
        let model = RegisterCas::default();
        let mut stream = Stream::new(&model, Options::steps(100_000)).cutting_from(cut_min);
        for op in ops {
            stream.push(op).expect("in the order of calls");
        }
        stream.finish()
    }

    fn same_as_at_once(ops: &[Op]) -> Streamed {
        let found = streamed(ops, 1);
        let whole = check_register_with(ops, &RegisterCas::default(), &Options::steps(100_000));
        let verdict = found.report.verdict;
        assert_eq!(verdict, whole.verdict, "{found:#?} and {whole:#?} of {ops:#?}");
        found
    }

    /// Small random histories, one after the other on one key, so that there is much to cut and
    /// much to carry on.
    #[test]
    fn cutting_changes_no_verdict() {
        let (mut cuts, mut legal, mut illegal) = (0, 0, 0);
        let mut rng = Rng::new(401, Domain::Client, "stream");
        let shapes = [Shape::SMALL, Shape::LONG, Shape::VAGUE];
        for (shape, seed) in shapes.into_iter().cycle().take(6).zip(402..) {
            let subject =
                if seed % 2 == 0 { RegisterSubject::unique() } else { RegisterSubject::empty() };
            let mut generator = Generator::new(seed, Shape { ops_max: 5, bent: 3, ..shape });
            for _ in 0..4_000 {
                let count = 1 + rng.below(4);
                let ops = joined((0..count).map(|_| generator.next(&subject, 0).to_vec()));
                let found = same_as_at_once(&ops);
                cuts += found.cuts;
                let holds = found.report.verdict == Verdict::Linearizable;
                *if holds { &mut legal } else { &mut illegal } += 1;
            }
        }
        println!("{cuts} cuts, {legal} legal, {illegal} illegal");
        assert!(cuts > 10_000 && legal > 2_000 && illegal > 2_000, "{cuts} {legal} {illegal}");
    }

    /// `parts` one after the other. Values of a part are its own; what one leaves, a delete of
    /// unknown answer may have taken away before the next.
    fn joined(parts: impl Iterator<Item = Vec<Op>>) -> Vec<Op> {
        let mut all: Vec<Op> = Vec::new();
        let mut from = 0;
        for (number, part) in (0..).zip(parts) {
            let end = part.iter().filter(|op| op.outcome != Outcome::Unknown);
            let end = end
                .map(|op| op.ret_at.0)
                .max()
                .unwrap_or(0)
                .max(part.iter().map(|op| op.call_at.0).max().unwrap_or(0));
            if number > 0 {
                let wipe = script(&format!("1 delete -> ok {from}..{}", from + 1));
                let seconds = 1_000_000_000;
                all.extend(wipe.into_iter().map(|op| Op {
                    call_at: SimTime(op.call_at.0 / seconds),
                    ret_at: SimTime(op.ret_at.0 / seconds),
                    ..op
                }));
                from += 2;
            }
            for mut op in part {
                shift(&mut op, number * 1_000);
                op.call_at = SimTime(op.call_at.0 + from);
                op.ret_at = SimTime(op.ret_at.0.saturating_add(from));
                all.push(op);
            }
            from += end + 2;
        }
        all
    }

    /// Gives `op` other values.
    fn shift(op: &mut Op, by: u64) {
        let moved = |value: &mut Value| value.id += by;
        match &mut op.call {
            Call::Put { value, .. } => moved(value),
            Call::Cas { expect, value, .. } => {
                moved(value);
                expect.iter_mut().for_each(moved);
            }
            _ => {}
        }
        if let Outcome::Ok(ret) = &mut op.outcome {
            match ret {
                Ret::Found { value, .. } => moved(value),
                Ret::Deleted { previous: value } | Ret::Conflict { seen: value } => {
                    value.iter_mut().for_each(moved);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn an_open_delete_is_used_once() {
        let once = "1 put 1 -> ok 0..1
                    9 delete -> ? 2
                    2 get -> none 3..4
                    1 put 2 -> ok 5..6
                    2 get -> 2 7..8";
        assert_eq!(same_as_at_once(&script(once)).report.verdict, Verdict::Linearizable);
        let twice = format!("{once}\n3 get -> none 9..10");
        let found = same_as_at_once(&script(&twice));
        assert_eq!(found.report.verdict, Verdict::NotLinearizable);
        let carried = format!("9 delete -> ? 0\n{twice}");
        assert_eq!(same_as_at_once(&script(&carried)).report.verdict, Verdict::Linearizable);
    }

    #[test]
    fn an_open_write_is_seen_once_and_a_value_does_not_come_back() {
        let text = "9 put 7 -> ? 0
                    1 put 1 -> ok 1..2
                    1 get -> 1 3..4
                    1 get -> 7 5..6
                    1 put 2 -> ok 7..8";
        assert_eq!(same_as_at_once(&script(text)).report.verdict, Verdict::Linearizable);
        let again = format!("{text}\n1 get -> 7 9..10");
        let found = same_as_at_once(&script(&again));
        assert_eq!(found.report.verdict, Verdict::NotLinearizable);
        assert_eq!(found.refuted, [(0, SimTime(9_000_000_000))]);
    }

    #[test]
    fn what_was_preloaded_is_there_at_first_and_does_not_come_back() {
        let preloaded = Value::PRELOADED;
        let text = format!(
            "1 get -> {preloaded} 0..1\n1 put 1 -> ok 2..3\n2 get -> 1 4..5\n1 put 2 -> ok 6..7"
        );
        assert_eq!(streamed(&script(&text), 1).report.verdict, Verdict::Linearizable);
        let back = format!("{text}\n1 get -> {preloaded} 8..9");
        let found = streamed(&script(&back), 1);
        assert_eq!(found.report.verdict, Verdict::NotLinearizable);
        assert!(found.cuts > 0, "it was forgotten before");
    }

    #[test]
    fn disorder_is_refused() {
        let ops = script("1 put 1 -> ok 5..6\n1 put 2 -> ok 0..1");
        let model = RegisterCas::default();
        let mut stream = Stream::new(&model, Options::steps(0));
        assert_eq!(stream.push(&ops[0]), Ok(()));
        assert_eq!(stream.push(&ops[1]), Err(OutOfOrder));
    }

    /// A million operations, of which no more than the open part of each key is ever held.
    #[test]
    fn memory_is_bounded_by_the_open_part() {
        let load = Load { keys: 1_000, unknown_permille: 1, ..Load::one_key(1_000_000, 20) };
        let found = streamed(&load.run(), CUT_MIN);
        assert_eq!(found.report.verdict, Verdict::Linearizable);
        assert_eq!((found.report.keys, found.report.searched_keys), (1_000, 0));
        let bound = 1_000 * 2 * CUT_MIN;
        assert!(found.live_max < bound, "{} of a million held at once", found.live_max);
        println!("{} held at most, {} cuts", found.live_max, found.cuts);
    }
}
