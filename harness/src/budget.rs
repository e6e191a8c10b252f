//! The fault budget: what a plan may do to a group of nodes before a correct system may break.
//!
//! Judged on the plan, before it runs, so the class of a run never depends on how it ended. A plan
//! that stays inside is *survivable*, and no check may fire. A plan that goes beyond may make a
//! correct system break its promises; then the report names the line that was exceeded, since an
//! alarm of such a run proves nothing against the system. The lines are those of a protocol that
//! rests on majorities and durable promises (Raft §5.1, §5.4; Alagappan et al., FAST 2018, for
//! disks); a minority counts as damaged here even where checksums would notice.

use scenario::kinds::Damage;
use scenario::plan::{FaultPlan, GroupPlan, Plan};
use std::collections::BTreeSet;

/// A line of the budget that a plan exceeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// The line, by name: one of [`LINES`].
    pub line: &'static str,
    /// What the plan does and what the line allows, in one sentence.
    pub why: String,
}

/// Every line of the budget: its name, and what it allows.
pub const LINES: &[(&str, &str)] = &[
    ("wiped-disk", "no disk is wiped: a node that forgot its vote may give it twice"),
    ("lying-sync", "no node loses power after a sync that lied: what it acknowledged is gone"),
    ("damaged-disks", "at most a minority of a group has a disk that returns what was not written"),
    ("clock-drift", "clocks drift within `clock.G.drift_max`, on which leases rest"),
];

/// The lines that a plan exceeds, each group by itself; nothing for a survivable plan.
#[must_use]
pub fn exceeded(plan: &Plan) -> Vec<Exceeded> {
    let groups = plan.groups.iter().filter(|group| group.load.is_none());
    groups.flat_map(|group| of_group(group, &plan.faults)).collect()
}

fn of_group(group: &GroupPlan, faults: &[FaultPlan]) -> Vec<Exceeded> {
    let damaging = faults.iter().filter(|fault| !fault.damage.is_none());
    let mine: Vec<(&FaultPlan, BTreeSet<u32>)> = damaging
        .map(|fault| (fault, struck(group, fault)))
        .filter(|(_, nodes)| !nodes.is_empty())
        .collect();
    let nodes_of = |does: fn(Damage) -> bool| -> BTreeSet<u32> {
        let doing = mine.iter().filter(|(fault, _)| does(fault.damage));
        doing.flat_map(|(_, nodes)| nodes.iter().copied()).collect()
    };
    let role = group.system.roles().iter().find(|role| role.name == group.role);
    if group.on.is_some() && !role.is_some_and(|role| role.durable) {
        // Their files go with them in any case.
        return drift(group, &mine).into_iter().collect();
    }
    let mut found = Vec::new();
    let mut exceed = |line, why: String| found.push(Exceeded { line, why });
    for (fault, _) in mine.iter().filter(|(fault, _)| fault.damage.wipes) {
        exceed("wiped-disk", format!("the fault {} wipes a disk of {}", fault.id, group.name));
    }
    let unpowered = nodes_of(|damage| damage.loses_power);
    let mut lied = nodes_of(|damage| damage.syncs_lie);
    if !group.disk.sync_lie.is_zero() {
        lied.extend(0..group.count);
    }
    if let Some(node) = lied.intersection(&unpowered).next() {
        let name = format!("{}/{}", group.name, node + 1);
        exceed("lying-sync", format!("syncs of {name} lie, and it may lose power"));
    }
    let mut damaged = nodes_of(|damage| damage.rots);
    let disk = &group.disk;
    if [disk.read_corrupt, disk.write_corrupt, disk.misdirect].iter().any(|ratio| !ratio.is_zero())
    {
        damaged.extend(0..group.count);
    }
    let minority = group.count.saturating_sub(1) / 2;
    if damaged.len() as u64 > u64::from(minority) {
        let all = group.count;
        let why = format!(
            "{} of the {all} disks of {} are damaged, and {minority} may be",
            damaged.len(),
            group.name
        );
        exceed("damaged-disks", why);
    }
    found.extend(drift(group, &mine));
    found
}

/// The line of the clocks: how far any may drift, its own drift and that of faults together.
fn drift(group: &GroupPlan, faults: &[(&FaultPlan, BTreeSet<u32>)]) -> Option<Exceeded> {
    let own = |node: u32| {
        let spec = group.clock.nodes.get(node as usize);
        spec.map_or(0, |spec| u64::from(spec.drift_ppm.unsigned_abs()))
    };
    let mut worst: Vec<u64> = (0..group.count).map(own).collect();
    for (fault, nodes) in faults {
        for node in nodes {
            worst[*node as usize] += fault.damage.drift_ppm;
        }
    }
    let allowed = group.clock.drift_max.ppm();
    let most = worst.into_iter().max().unwrap_or(0);
    assert!(allowed <= 1_000_000, "a share is at most one");
    (most > u64::from(allowed)).then(|| Exceeded {
        line: "clock-drift",
        why: format!(
            "clocks of {} drift by up to {most} ppm, and {allowed} ppm are allowed",
            group.name
        ),
    })
}

/// The nodes of `group` that a fault may strike, by index. A selector that only the run can resolve
/// may mean any of them.
fn struck(group: &GroupPlan, fault: &FaultPlan) -> BTreeSet<u32> {
    if !fault.fields.has("node") {
        return BTreeSet::new();
    }
    let selector = fault.fields.text("node");
    let machine = selector.strip_prefix("machine:");
    let selector = machine.unwrap_or(&selector);
    let (name, which) = selector.split_once('/').unwrap_or((selector, "*"));
    if name.starts_with("zone:") {
        return (0..group.count).collect();
    }
    if group.on.as_deref() == Some(name) {
        // Who runs on a machine is known in the run alone, and its hardware is theirs.
        return (0..group.count).collect();
    }
    if name != group.name {
        return BTreeSet::new();
    }
    match which.parse::<u32>() {
        Ok(number) => BTreeSet::from([number - 1]),
        Err(_) => (0..group.count).collect(),
    }
}
