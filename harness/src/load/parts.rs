//! Making a call out of a row of the system's operations: what it consists of is drawn, or listed.

use super::{Client, Listed, Seen};
use catalog::Form;
use contract::op::OWN_ARGS_MAX;
use contract::{Call, Dist, Duration, NodeId, OwnCall, ReadLevel, Rng, Value};
use scenario::plan::{Ask, Does, Expected, OpPlan};
use std::collections::BTreeSet;

/// What a call is made of.
pub(super) trait Parts {
    fn key(&self) -> Option<u64>;
    /// The keys of a batch.
    fn keys(&mut self) -> Vec<u64>;
    fn value(&mut self) -> Value;
    fn ttl(&mut self) -> Option<Duration>;
    fn expect(&self) -> Option<Value>;
    fn read(&self) -> ReadLevel;
    fn rng(&mut self) -> &mut Rng;
}

/// The call that `ask` stands for.
pub(super) fn make(ask: &Ask, parts: &mut impl Parts) -> Call {
    let (row, form, args) = match &ask.does {
        Does::Verb { arg } => return Call::Admin { verb: ask.name, arg: *arg },
        Does::Operation { row, form, args } => (*row, *form, args),
    };
    if let Form::Own { keyed, .. } = form {
        let key = parts.key().filter(|_| keyed);
        let args = drawn(args, parts.rng());
        return Call::Own(Box::new(OwnCall { row, name: ask.name, key, args }));
    }
    if form == Form::BatchGet {
        return Call::BatchGet { keys: parts.keys(), read: parts.read() };
    }
    let key = parts.key().expect("the compiler asks for a key");
    match form {
        Form::Get => Call::Get { key, read: parts.read() },
        Form::Put => {
            let ttl = parts.ttl();
            Call::Put { key, value: parts.value(), ttl }
        }
        Form::Delete => Call::Delete { key },
        Form::Cas => Call::Cas { key, expect: parts.expect(), value: parts.value() },
        Form::Add => Call::Add { key, delta: 1 },
        Form::Append => Call::Append { key, value: parts.value() },
        Form::Acquire => Call::Acquire { key },
        Form::Release => Call::Release { key },
        Form::BatchGet | Form::Own { .. } => unreachable!("made above"),
    }
}

fn drawn(dists: &[Dist], rng: &mut Rng) -> [u64; OWN_ARGS_MAX] {
    assert!(dists.len() <= OWN_ARGS_MAX, "rows of operations are held to it");
    let mut args = [0; OWN_ARGS_MAX];
    for (arg, dist) in args.iter_mut().zip(dists) {
        *arg = dist.sample(rng);
    }
    args
}

/// Parts that a client draws.
pub(super) struct Drawn<'a> {
    pub client: &'a mut Client,
    pub node: NodeId,
    pub seen: &'a Seen,
    pub key: Option<u64>,
}

impl Parts for Drawn<'_> {
    fn key(&self) -> Option<u64> {
        self.key
    }
    fn keys(&mut self) -> Vec<u64> {
        let law = std::rc::Rc::clone(&self.client.law);
        let rng = &mut self.client.rng;
        let others = (1..law.load.batch).map(|_| law.key(rng));
        let keys: BTreeSet<u64> = self.key.into_iter().chain(others).collect();
        keys.into_iter().collect()
    }
    fn value(&mut self) -> Value {
        self.client.value()
    }
    fn ttl(&mut self) -> Option<Duration> {
        let client = &mut *self.client;
        client.law.load.ttl.as_ref().map(|ttl| Duration(ttl.sample(&mut client.rng)))
    }
    fn expect(&self) -> Option<Value> {
        self.seen.by(self.node, self.key?)
    }
    fn read(&self) -> ReadLevel {
        self.client.law.load.read
    }
    fn rng(&mut self) -> &mut Rng {
        &mut self.client.rng
    }
}

/// Parts of a listed operation.
pub(super) struct FromList<'a> {
    pub listed: &'a Listed,
    pub op: &'a OpPlan,
    pub client: NodeId,
    pub read: ReadLevel,
    pub seen: &'a Seen,
    pub rng: &'a mut Rng,
}

impl Parts for FromList<'_> {
    fn key(&self) -> Option<u64> {
        self.op.key
    }
    fn keys(&mut self) -> Vec<u64> {
        unreachable!("the compiler lists no batches")
    }
    fn value(&mut self) -> Value {
        self.listed.values[&self.op.value.expect("the compiler asks writes for a value")]
    }
    fn ttl(&mut self) -> Option<Duration> {
        self.op.ttl
    }
    fn expect(&self) -> Option<Value> {
        match self.op.expect {
            Expected::LastSeen => self.seen.by(self.client, self.op.key?),
            Expected::Nothing => None,
            Expected::Value(number) => Some(self.listed.expected(number)),
        }
    }
    fn read(&self) -> ReadLevel {
        self.read
    }
    fn rng(&mut self) -> &mut Rng {
        self.rng
    }
}
