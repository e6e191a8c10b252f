//! An operation that is reported as failed never took effect: a client that tries by [`Attempts`],
//! nodes that take, decline, or forget what they get, and a network that loses, delays and doubles.

use super::*;
use proptest::prelude::*;

const PEERS: u32 = 3;
const TRIES_MAX: u32 = 6;

/// One thing that happens in the model. Numbers choose among what is there.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The connection that the client waits for opens.
    Open,
    /// It cannot be opened.
    Refuse,
    /// A request arrives, and its node does as the number says.
    Arrive(u8, u8),
    /// A request is lost.
    Lose(u8),
    /// An answer arrives; it stays on its way where it is doubled.
    Answer { which: u8, doubled: bool },
    /// What a node has taken takes effect.
    Apply(u8),
    /// The connection of the current try breaks.
    Break,
    /// The current try has taken too long.
    Timeout,
    /// The wait before the next try is over.
    Again,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Open),
        1 => Just(Step::Refuse),
        4 => (any::<u8>(), any::<u8>()).prop_map(|(which, does)| Step::Arrive(which, does)),
        1 => any::<u8>().prop_map(Step::Lose),
        4 => (any::<u8>(), any::<bool>())
            .prop_map(|(which, doubled)| Step::Answer { which, doubled }),
        2 => any::<u8>().prop_map(Step::Apply),
        1 => Just(Step::Break),
        1 => Just(Step::Timeout),
        3 => Just(Step::Again),
    ];
    prop::collection::vec(step, 0..60)
}

/// What a node says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// It took effect.
    Done,
    /// It was not taken: ask the node with this index.
    NotHere(u32),
    /// It was not taken, and never will be anywhere.
    Refused,
    /// It was taken, and what becomes of it is not known.
    Unknown,
}

/// Where requests, answers and effects are.
#[derive(Debug, Default)]
struct World {
    attempts: Option<Attempts>,
    requests: Vec<u64>,
    taken: Vec<u64>,
    answers: Vec<(u64, Said)>,
    /// Each try that took effect.
    effects: Vec<u64>,
    next_request: u64,
    /// Whether the client calls a timeout a failure, which is the defect of the test of the test.
    is_naive: bool,
}

/// How the client reported the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reported {
    Ok,
    Fail,
    Unknown,
}

fn pick<T>(items: &mut Vec<T>, which: u8) -> Option<T> {
    (!items.is_empty()).then(|| items.remove(usize::from(which) % items.len()))
}

impl World {
    fn attempts(&mut self) -> &mut Attempts {
        self.attempts.as_mut().expect("the operation was begun")
    }

    fn begin(&mut self, target: u32) -> Option<Reported> {
        if self.attempts().made() == TRIES_MAX {
            return Some(self.give_up());
        }
        self.next_request += 1;
        let request = self.next_request;
        self.attempts().begin(request, target);
        None
    }

    fn give_up(&mut self) -> Reported {
        match self.attempts().verdict() {
            _ if self.is_naive => Reported::Fail,
            Verdict::Fail => Reported::Fail,
            Verdict::Unknown => Reported::Unknown,
        }
    }

    fn step(&mut self, step: Step) -> Option<Reported> {
        let target = self.attempts().target();
        match step {
            Step::Open if self.attempts().is_connecting_to(target) => {
                self.attempts().sent();
                let request = self.attempts().request();
                self.requests.push(request);
            }
            Step::Refuse if self.attempts().is_connecting_to(target) => self.attempts().over(),
            Step::Break | Step::Timeout if self.attempts().is_at(target) => self.attempts().over(),
            Step::Again if self.attempts().is_waiting() => {
                return self.begin((target + 1) % PEERS);
            }
            Step::Arrive(which, does) => self.arrive(which, does),
            Step::Lose(which) => drop(pick(&mut self.requests, which)),
            Step::Apply(which) => self.apply(which),
            Step::Answer { which, doubled } => return self.answer(which, doubled),
            Step::Open | Step::Refuse | Step::Break | Step::Timeout | Step::Again => {}
        }
        None
    }

    fn arrive(&mut self, which: u8, does: u8) {
        let Some(request) = pick(&mut self.requests, which) else { return };
        match does % 5 {
            // It is taken: it may take effect at any time, and its node may say so or not.
            0 | 1 => self.taken.push(request),
            2 => self.answers.push((request, Said::NotHere(u32::from(does) % PEERS))),
            3 => self.answers.push((request, Said::Refused)),
            _ => {
                self.taken.push(request);
                self.answers.push((request, Said::Unknown));
            }
        }
    }

    fn apply(&mut self, which: u8) {
        if let Some(request) = pick(&mut self.taken, which) {
            self.effects.push(request);
            self.answers.push((request, Said::Done));
        }
    }

    fn answer(&mut self, which: u8, doubled: bool) -> Option<Reported> {
        let (request, said) = pick(&mut self.answers, which)?;
        if doubled {
            self.answers.push((request, said));
        }
        assert!(self.attempts().includes(request), "there is one operation");
        let is_current = request == self.attempts().request();
        match said {
            Said::Done => return Some(Reported::Ok),
            Said::NotHere(hint) => {
                self.attempts().ruled_out(request);
                if is_current && !self.attempts().is_waiting() {
                    match self.attempts().redirected(Some(hint), PEERS) {
                        Some(to) => return self.begin(to),
                        None => self.attempts().over(),
                    }
                }
            }
            Said::Refused => {
                self.attempts().ruled_out(request);
                return Some(self.give_up());
            }
            Said::Unknown if is_current => self.attempts().over(),
            Said::Unknown => {}
        }
        None
    }

    /// Everything that is on its way arrives, and all that was taken takes effect.
    fn settle(&mut self) {
        self.taken.append(&mut self.requests);
        self.effects.append(&mut self.taken);
    }
}

/// Runs the operation through `steps`, and then gives up: what was reported, and whether it took
/// effect, then or later.
fn run(steps: &[Step], is_naive: bool) -> (Reported, bool) {
    let attempts = Some(Attempts::new(true));
    let mut world = World { attempts, is_naive, ..World::default() };
    let mut reported = world.begin(0);
    for step in steps {
        if reported.is_some() {
            break;
        }
        reported = world.step(*step);
    }
    let reported = reported.unwrap_or_else(|| world.give_up());
    world.settle();
    (reported, !world.effects.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_reported_as_failed_never_took_effect(steps in steps()) {
        let (reported, took_effect) = run(&steps, false);
        prop_assert!(
            reported != Reported::Fail || !took_effect,
            "it was reported as failed and took effect"
        );
    }
}

/// The property can fail: a client that takes silence for a failure breaks it.
#[test]
fn a_timeout_is_not_a_failure() {
    let steps = [Step::Open, Step::Timeout, Step::Arrive(0, 0)];
    assert_eq!(run(&steps, true), (Reported::Fail, true));
    assert_eq!(run(&steps, false), (Reported::Unknown, true));
}

/// The verdict is not unknown out of caution alone.
#[test]
fn what_never_left_or_was_declined_everywhere_has_failed() {
    let check = |steps: &[Step], expect| assert_eq!(run(steps, false), (expect, false));
    check(&[], Reported::Fail);
    check(&[Step::Refuse, Step::Again, Step::Break], Reported::Fail);
    let declined = Step::Arrive(0, 2);
    let answer = Step::Answer { which: 0, doubled: true };
    check(&[Step::Open, declined, answer, answer, Step::Timeout], Reported::Fail);
    check(&[Step::Open, Step::Arrive(0, 3), answer], Reported::Fail);
    // The first try is lost, which nobody tells the client; the second is refused.
    let lost = [Step::Open, Step::Lose(0), Step::Timeout, Step::Again, Step::Open];
    let refused = [Step::Arrive(0, 3), answer];
    check(&[&lost[..], &refused].concat(), Reported::Unknown);
}

#[test]
fn a_read_that_got_no_answer_has_failed() {
    let mut attempts = Attempts::new(false);
    attempts.begin(1, 0);
    attempts.sent();
    assert_eq!(attempts.verdict(), Verdict::Fail);
}

#[test]
fn answers_belong_to_tries() {
    let mut attempts = Attempts::new(true);
    assert!(!attempts.includes(7));
    attempts.begin(7, 2);
    attempts.begin(9, 1);
    assert_eq!((attempts.made(), attempts.target(), attempts.request()), (2, 1, 9));
    let tries = [6, 7, 9, 10].map(|request| attempts.includes(request));
    assert_eq!(tries, [false, true, true, false]);
}
