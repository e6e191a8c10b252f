//! Random plans of starts, stops, crashes, pauses and partitions beside a small model of what must
//! come of them: which seat runs where in which life, and what each machine is told.

mod fleet;

use contract::{Condition, ConditionId, DiskFate, InFlight, NodeId, StartError};
use fleet::{
    M1, M2, OUT, Told, W1, World, config, echoes, fleet, machine, pass, start, stop, tell,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const SEATS: usize = 3;

/// One step of a plan; machines and seats by position. Conditions are imposed and lifted in turn.
#[derive(Clone, Copy, Debug)]
enum Step {
    Start {
        machine: usize,
        settings: Settings,
    },
    Stop {
        machine: usize,
        seat: usize,
    },
    /// A condition on the machine begins, or ends.
    Machine {
        machine: usize,
        what: What,
    },
    /// The seat is held down, or let go.
    Seat {
        seat: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settings {
    Good,
    Mistaken,
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Down,
    Pause,
    Partition,
}

fn step() -> impl Strategy<Value = Step> {
    let settings = prop_oneof![
        6 => Just(Settings::Good), 1 => Just(Settings::Mistaken), 1 => Just(Settings::Refused),
    ];
    let what = prop_oneof![Just(What::Down), Just(What::Pause), Just(What::Partition)];
    prop_oneof![
        4 => (0_usize..2, settings).prop_map(|(machine, settings)| Step::Start { machine, settings }),
        2 => (0_usize..2, 0..SEATS).prop_map(|(machine, seat)| Step::Stop { machine, seat }),
        3 => (0_usize..2, what).prop_map(|(machine, what)| Step::Machine { machine, what }),
        2 => (0..SEATS).prop_map(|seat| Step::Seat { seat }),
    ]
}

/// What waits for a machine that is paused.
#[derive(Clone, Debug)]
enum Waiting {
    Start(u64, Settings),
    Stop(usize),
    Told(Told),
}

/// A machine as it must be.
#[derive(Clone, Debug, Default)]
struct Machine {
    is_down: bool,
    is_paused: bool,
    is_cut: bool,
    /// What the present life was told.
    told: Vec<Told>,
    inbox: Vec<Waiting>,
}

/// A seat as it must be.
#[derive(Clone, Debug, Default)]
struct Seat {
    on: Option<usize>,
    is_held: bool,
    lives: u32,
}

#[derive(Clone, Debug, Default)]
struct Model {
    machines: [Machine; 2],
    seats: [Seat; SEATS],
}

impl Model {
    /// A command reaches a machine.
    fn command(&mut self, machine: usize, command: Waiting) {
        let it = &mut self.machines[machine];
        if it.is_down {
            return;
        }
        it.inbox.push(command);
        self.drain(machine);
    }

    fn tell(&mut self, machine: usize, told: Told) {
        self.command(machine, Waiting::Told(told));
    }

    /// A machine that runs handles everything that waits for it; what it asks for comes after.
    fn drain(&mut self, machine: usize) {
        let it = &mut self.machines[machine];
        if it.is_paused {
            return;
        }
        let mut asked = Vec::new();
        for waiting in std::mem::take(&mut it.inbox) {
            match waiting {
                Waiting::Told(told) => it.told.push(told),
                other => asked.push(other),
            }
        }
        for wish in asked {
            match wish {
                Waiting::Start(ticket, settings) => self.start(machine, ticket, settings),
                Waiting::Stop(seat) if self.seats[seat].on == Some(machine) => self.end(seat),
                Waiting::Stop(_) | Waiting::Told(_) => {}
            }
        }
    }

    fn start(&mut self, machine: usize, ticket: u64, settings: Settings) {
        if settings == Settings::Mistaken {
            return self.tell(machine, Told::NotStarted(ticket, StartError::Settings));
        }
        let free = self.seats.iter().position(|seat| seat.on.is_none() && !seat.is_held);
        let Some(seat) = free else {
            return self.tell(machine, Told::NotStarted(ticket, StartError::NoSeat));
        };
        self.seats[seat].lives += 1;
        if settings == Settings::Refused {
            return self.tell(machine, Told::NotStarted(ticket, StartError::Refused));
        }
        self.seats[seat].on = Some(machine);
        self.tell(machine, Told::Started(ticket, id(seat)));
    }

    fn end(&mut self, seat: usize) {
        if let Some(machine) = self.seats[seat].on.take() {
            self.tell(machine, Told::Exited(id(seat)));
        }
    }

    fn toggle(&mut self, machine: usize, what: What) {
        let it = &mut self.machines[machine];
        match what {
            What::Partition => it.is_cut ^= true,
            What::Pause => {
                it.is_paused ^= true;
                self.drain(machine);
            }
            What::Down => {
                it.is_down ^= true;
                it.told.clear();
                it.inbox.clear();
                for seat in self.seats.iter_mut().filter(|seat| seat.on == Some(machine)) {
                    seat.on = None;
                }
            }
        }
    }
}

fn id(seat: usize) -> NodeId {
    NodeId(W1.0 + seat as u32)
}

const MACHINES: [NodeId; 2] = [M1, M2];

/// The world, with what is imposed on it.
struct Run {
    world: World,
    on: BTreeMap<(NodeId, What), Vec<ConditionId>>,
    tickets: u8,
}

impl Run {
    fn toggle(&mut self, node: NodeId, what: What) {
        if let Some(ids) = self.on.remove(&(node, what)) {
            ids.into_iter().for_each(|id| self.world.lift(id));
            return pass(&mut self.world);
        }
        let block = |from, to| Condition::Block { from, to, in_flight: InFlight::Lost };
        let conditions = match what {
            What::Down => vec![Condition::down(node, DiskFate::UnsyncedLost)],
            What::Pause => vec![Condition::Pause { node }],
            What::Partition => vec![block(node, OUT), block(OUT, node)],
        };
        let impose = |condition| self.world.impose(condition).expect("it has the node");
        let ids = conditions.into_iter().map(impose).collect();
        self.on.insert((node, what), ids);
        pass(&mut self.world);
    }

    fn step(&mut self, step: Step, model: &mut Model) {
        match step {
            Step::Start { machine, settings } => {
                self.tickets += 1;
                let text = match settings {
                    Settings::Good => "",
                    Settings::Mistaken => "mistake",
                    Settings::Refused => "refuse",
                };
                tell(&mut self.world, MACHINES[machine], start(self.tickets, text));
                model.command(machine, Waiting::Start(u64::from(self.tickets), settings));
            }
            Step::Stop { machine, seat } => {
                tell(&mut self.world, MACHINES[machine], stop(id(seat)));
                model.command(machine, Waiting::Stop(seat));
            }
            Step::Machine { machine, what } => {
                self.toggle(MACHINES[machine], what);
                model.toggle(machine, what);
            }
            Step::Seat { seat } => {
                self.toggle(id(seat), What::Down);
                model.seats[seat].is_held ^= true;
                if model.seats[seat].is_held {
                    model.end(seat);
                }
            }
        }
    }

    fn compare(&mut self, model: &Model) -> Result<(), TestCaseError> {
        for (expect, node) in model.machines.iter().zip(MACHINES) {
            prop_assert_eq!(self.world.nodes().node(node).is_none(), expect.is_down);
            if !expect.is_down {
                prop_assert_eq!(&machine(&self.world, node).told, &expect.told);
            }
        }
        for (seat, expect) in model.seats.iter().enumerate() {
            let nodes = self.world.nodes();
            prop_assert_eq!(nodes.machine(id(seat)), expect.on.map(|on| MACHINES[on]));
            prop_assert_eq!(nodes.node(id(seat)).is_some(), expect.on.is_some());
            prop_assert_eq!(nodes.boot(id(seat)), expect.lives.saturating_sub(1));
            let Some(on) = expect.on.map(|on| &model.machines[on]) else { continue };
            if !on.is_paused {
                let heard = echoes(&mut self.world, id(seat));
                prop_assert_eq!(heard, u64::from(!on.is_cut), "{:?}", id(seat));
            }
        }
        Ok(())
    }
}

impl Run {
    fn new() -> Self {
        Self { world: fleet(config(SEATS, false)), on: BTreeMap::new(), tickets: 0 }
    }

    fn fork(&self) -> Self {
        let world = self.world.fork().expect("all of it can be copied");
        Self { world, on: self.on.clone(), tickets: self.tickets }
    }

    fn play(&mut self, steps: &[Step], model: &mut Model) -> Result<(), TestCaseError> {
        for step in steps {
            self.step(*step, model);
            self.compare(model)?;
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn it_is_the_model(steps in prop::collection::vec(step(), 1..40)) {
        let (first, second) = steps.split_at(steps.len() / 2);
        let (mut run, mut model) = (Run::new(), Model::default());
        run.play(first, &mut model)?;
        let mut fork = run.fork();
        let mut model_of_fork = model.clone();
        run.play(second, &mut model)?;
        fork.play(second, &mut model_of_fork)?;
        prop_assert_eq!(fork.world.digest(), run.world.digest());
        let mut again = Run::new();
        again.play(&steps, &mut Model::default())?;
        prop_assert_eq!(again.world.digest(), run.world.digest());
    }
}
