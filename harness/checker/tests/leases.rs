//! A model that looks at processes and times, as a user of this crate writes one: a lock that is
//! held for the length of a lease, with an operation that the crate does not know.

use checker::linearizable::{Options, Verdict, check_model};
use checker::models::{Model, Observed};
use contract::op::{OwnCall, OwnRet};
use contract::{Call, Duration, NodeId, Op, OpId, Outcome, Ret, SimTime};

/// A lock: `hold` takes it for a lease, and takes it again while the lease runs.
struct Leases;

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    /// Nothing takes effect before this any more.
    now: SimTime,
    /// Who holds it, and between which instants the lease ends.
    by: Option<(u32, SimTime, SimTime)>,
}

impl Model for Leases {
    type State = Held;

    /// There is one lock, and calls name no key.
    fn part(&self, _: &Call) -> Option<u64> {
        Some(0)
    }

    fn init(&self, _part: u64) -> Held {
        Held::default()
    }

    fn step(&self, state: &Held, op: &Observed<'_>) -> Option<Held> {
        let Call::Own(call) = op.call else { return None };
        let lease = Duration(call.args[0]);
        let from = state.now.max(op.call_at);
        let others = state.by.filter(|(process, ..)| *process != op.process);
        let word = match op.outcome {
            Outcome::Ok(Ret::Own(ret)) => ret.word,
            _ => "granted",
        };
        if word == "refused" {
            let (_, _, ends_max) = others?;
            return (from < ends_max).then(|| Held { now: from, ..state.clone() });
        }
        let at = others.map_or(from, |(_, ends_min, _)| from.max(ends_min));
        let ends_max = if op.ret_at == SimTime::MAX { SimTime::MAX } else { op.ret_at + lease };
        (at <= op.ret_at).then(|| Held { now: at, by: Some((op.process, at + lease, ends_max)) })
    }
}

const LEASE_MS: u64 = 100;

/// `hold` by a process, from and to so many milliseconds.
fn hold(process: u32, word: &'static str, from_ms: u64, to_ms: u64) -> Op {
    let at = |ms: u64| SimTime::ZERO + Duration::from_millis(ms);
    let lease = Duration::from_millis(LEASE_MS).as_nanos();
    let call = OwnCall { row: 0, name: "hold", key: None, args: [lease, 0, 0, 0] };
    Op {
        id: OpId(from_ms),
        client: NodeId(process),
        process,
        call: Call::Own(Box::new(call)),
        outcome: Outcome::Ok(Ret::Own(Box::new(OwnRet { word, args: [0; 4] }))),
        arrived_at: at(from_ms),
        call_at: at(from_ms),
        ret_at: at(to_ms),
    }
}

fn check(ops: &[Op], expect: Verdict) {
    let report = check_model(&Leases, ops, &Options::steps(10_000));
    assert_eq!(report.verdict, expect, "{ops:?}");
}

#[test]
fn a_lease_ends_by_itself() {
    use Verdict::{Linearizable, NotLinearizable};
    let first = || hold(1, "granted", 0, 10);
    check(&[first(), hold(2, "granted", 50, 60)], NotLinearizable);
    check(&[first(), hold(2, "granted", 120, 130)], Linearizable);
    // It may end while the second one waits.
    check(&[first(), hold(2, "granted", 50, 130)], Linearizable);
    check(&[first(), hold(2, "refused", 50, 60)], Linearizable);
    check(&[first(), hold(2, "refused", 111, 120)], NotLinearizable);
}

#[test]
fn the_holder_is_told_from_others() {
    let again = [hold(1, "granted", 0, 10), hold(1, "granted", 50, 60)];
    check(&again, Verdict::Linearizable);
    let renewed = [again[0].clone(), again[1].clone(), hold(2, "granted", 120, 130)];
    check(&renewed, Verdict::NotLinearizable);
}

#[test]
fn an_unknown_outcome_may_hold_it_or_not() {
    let lost = Op { outcome: Outcome::Unknown, ret_at: SimTime::MAX, ..hold(1, "granted", 0, 10) };
    check(&[lost.clone(), hold(2, "granted", 5, 20)], Verdict::Linearizable);
    check(&[lost, hold(2, "refused", 50, 60)], Verdict::Linearizable);
    check(&[hold(2, "refused", 50, 60)], Verdict::NotLinearizable);
}
