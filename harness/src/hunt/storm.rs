//! The faults of a world: those of random plans, and besides at what selectors mean when they fire,
//! upon events of the system, and again and again.

use super::genome::Genome;
use super::world::{CALM_S, FROM_S, Shape, Source, line};
use catalog::Need;
use contract::{Domain, Rng, SimTime};
use scenario::kinds::{FaultRow, RandomFault};
use scenario::random::{self, Drawing, Entries, Random};

/// A way of failing, with the row of its kind.
type Way = (FaultRow, RandomFault);

/// The `[[fault]]` tables of a world of this shape.
///
/// Either members come and go, or disks rot: a minority of the nodes is none of those that take part
/// where some of them do not.
pub fn faults(source: &Source<'_>, genome: &Genome, shape: Shape, plain: bool) -> String {
    let Shape { count, is_whole } = shape;
    let changes = !is_whole || genome.weights & 1 == 0;
    let mut ways = weighted(source.lab.faults, genome.weights);
    if !changes {
        ways.retain(|((row, _), _)| row.trouble != Need::Membership);
    }
    if ways.iter().all(|(_, weight)| *weight == 0) {
        ways.iter_mut().for_each(|(_, weight)| *weight = 1);
    }
    let rotting = if changes { Vec::new() } else { breakable(genome.shape, count) };
    let second = |s: u64| SimTime(s * 1_000_000_000);
    let mix = Random::over("h", count, second(FROM_S), second(CALM_S));
    let mut out = String::new();
    for (nth, salt) in genome.faults.iter().enumerate() {
        let rng = Rng::new(*salt, Domain::Swarm, "hunted fault");
        let mut drawing = Drawing::new(&mix, rng, rotting.clone());
        let (row, entries) = one(&mut drawing, &ways);
        let entries = aimed(entries, source, &mut drawing, plain);
        line(&mut out, &format!("[[fault]]\nid = \"fault-{}\"", nth + 1));
        for (key, value) in &entries {
            line(&mut out, &format!("{key} = {value}"));
        }
        timed(&mut out, &row, source, drawing.rng());
    }
    out
}

/// The survivable ways of all kinds, each left out, as it is, or much likelier.
fn weighted(rows: &[FaultRow], salt: u64) -> Vec<(Way, u64)> {
    let mut rng = Rng::new(salt, Domain::Swarm, "weights");
    let ways = rows.iter().flat_map(|row| row.random.iter().map(move |way| (*row, *way)));
    let survivable = ways.filter(|(_, way)| way.exceeds.is_none());
    let swung = survivable.map(|way| {
        let swing = [0, 0, 1, 1, 5][rng.below(5) as usize];
        (way, u64::from(way.1.weight) * swing)
    });
    swung.collect()
}

fn one(drawing: &mut Drawing<'_>, ways: &[(Way, u64)]) -> (FaultRow, Entries) {
    let total: u64 = ways.iter().map(|(_, weight)| weight).sum();
    assert!(total > 0, "some way of failing can be drawn");
    let mut left = drawing.rng().below(total);
    for ((row, way), weight) in ways {
        match left.checked_sub(*weight) {
            Some(rest) => left = rest,
            None => return (*row, (way.make)(drawing)),
        }
    }
    unreachable!("the draw is below the sum of the weights")
}

/// The numbers of the nodes whose disks may rot: a minority, the same for all faults of a world.
fn breakable(salt: u64, count: u32) -> Vec<u32> {
    let mut numbers: Vec<u32> = (1..=count).collect();
    Rng::new(salt, Domain::Swarm, "breakable").shuffle(&mut numbers);
    numbers.truncate((count as usize).saturating_sub(1) / 2);
    numbers
}

/// The entries as they are written; now and then at whoever a word of the system means.
fn aimed(
    entries: Entries,
    source: &Source<'_>,
    drawing: &mut Drawing<'_>,
    plain: bool,
) -> Vec<(&'static str, String)> {
    let words = source.system.selectors();
    let is_aimed = drawing.rng().below(3) == 0;
    let word = match words.len() as u64 {
        0 => None,
        count => Some(words[drawing.rng().below(count) as usize]),
    };
    let aim = word.filter(|_| is_aimed && !plain).map(|word| drawing.selector(word));
    let mut written = Vec::new();
    for (key, item) in entries {
        written.push(match (&aim, key) {
            (Some(aim), "node") => (key, format!("\"{aim}\"")),
            _ => (key, random::written(&item)),
        });
    }
    written
}

/// When it comes, for how long, and whether it comes again.
fn timed(out: &mut String, row: &FaultRow, source: &Source<'_>, rng: &mut Rng) {
    let at = rng.range(FROM_S * 1_000, CALM_S * 1_000 - 500);
    let events = source.system.events();
    if rng.below(4) == 0 && !events.is_empty() {
        let event = events[rng.below(events.len() as u64) as usize].name;
        let nth = [1, 1, 2, 3, 5, 20][rng.below(6) as usize];
        line(out, &format!("when = {{ event = \"{event}\", nth = {nth} }}"));
        let plus = [0, 0, 1, 5, 20, 100][rng.below(6) as usize];
        line(out, &format!("plus = \"{plus}ms\""));
    } else {
        line(out, &format!("at = \"{at}ms\""));
    }
    let length = match rng.below(3) {
        0 => rng.range(10, 200),
        1 => rng.range(200, 1_500),
        _ => rng.range(1_500, 5_000),
    };
    if !row.at_once {
        line(out, &format!("for = \"{length}ms\""));
    }
    if rng.below(4) == 0 {
        let every = length + rng.range(200, 2_500);
        let max = rng.range(2, 9);
        line(
            out,
            &format!("repeat = {{ every = \"{every}ms\", jitter = \"500ms\", max = {max} }}"),
        );
    }
}
