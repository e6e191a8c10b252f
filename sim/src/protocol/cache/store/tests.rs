//! The store against a naive one: a list that is searched from end to end.

use super::*;
use alloc::vec;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

const LIMITS: Limits = Limits { store_bytes_max: 4_000, value_bytes_max: 3_000 };

/// A store with these limits, for tests.
pub fn store(limits: Limits, policy: Policy, defects: StoreDefects) -> Store {
    let codec = ValueCodec::new(b"secret", true);
    Store::new(Arc::new(StoreConfig { limits, codec, policy }), defects)
}

fn plain() -> Store {
    store(LIMITS, Policy::Lru, StoreDefects::default())
}

fn new<'a>(key: &'a [u8], value: &'a [u8], version: u64) -> NewEntry<'a> {
    NewEntry { key, value, version, ttl: None, created_at: 0 }
}

#[test]
fn limits_are_refused_with_their_figures() {
    let mut store = plain();
    assert_eq!(
        store.set(new(&[0; 1025], b"", 1)),
        Err(StoreError::KeyTooLarge { size: 1025, max: 1024 })
    );
    // What it is compressed to does not matter.
    assert_eq!(
        store.set(new(b"k", &[0; 3001], 1)),
        Err(StoreError::ValueTooLarge { size: 3001, max: 3000 })
    );
    assert!(store.is_empty());
    assert_eq!(store.size_bytes(), 0);
}

#[test]
fn a_full_store_still_takes_a_smaller_value_for_a_key_it_holds() {
    let limits = Limits { store_bytes_max: 100, value_bytes_max: 100 };
    let mut store = store(limits, Policy::Lru, StoreDefects::default());
    assert_eq!(store.set(new(b"k", &[7; 67], 1)), Ok(()));
    assert_eq!(store.size_bytes(), 100);
    let full = Err(StoreError::StoreFull { current: 133, max: 100 });
    assert_eq!(store.set(new(b"l", b"", 2)), full);
    assert_eq!(store.set(new(b"k", &[7; 34], 2)), Ok(()));
    assert_eq!(store.set(new(b"l", b"", 3)), Ok(()));
    assert_eq!(store.size_bytes(), 100);
}

#[test]
fn endings_follow_their_entries() {
    let mut store = plain();
    let lasting = |key, version, ttl, created_at| NewEntry {
        ttl: Some(Duration(ttl)),
        created_at,
        ..new(key, b"", version)
    };
    store.set(lasting(b"a", 1, 50, 0)).unwrap();
    store.set(lasting(b"b", 2, 20, 10)).unwrap();
    store.set(new(b"c", b"", 3)).unwrap();
    let expired = |store: &Store, time| -> Vec<u64> {
        store.expired(time).map(|(_, version)| version).collect()
    };
    assert_eq!(store.first_ending(), Some(30));
    assert_eq!(expired(&store, 30), Vec::<u64>::new());
    assert_eq!(expired(&store, 31), [2]);
    assert_eq!(expired(&store, 51), [2, 1]);
    store.set(lasting(b"b", 4, 100, 10)).unwrap();
    store.set(new(b"a", b"", 5)).unwrap();
    assert_eq!(store.first_ending(), Some(110));
    assert!(store.delete(&Key::new(b"b")));
    assert_eq!(store.endings(), 0);
}

#[test]
fn the_defects_show() {
    let with = |defects| {
        let mut store = store(LIMITS, Policy::Lru, defects);
        let mortal = NewEntry { ttl: Some(Duration(9)), ..new(b"k", &[0; 10], 1) };
        store.set(mortal).unwrap();
        store.set(new(b"l", &[0; 10], 2)).unwrap();
        store.set(new(b"k", &[0; 10], 3)).unwrap();
        store
    };
    assert_eq!(with(StoreDefects::default()).victims().next().unwrap().key, Key::new(b"l"));
    let drifts = with(StoreDefects { size_drifts: true, ..StoreDefects::default() });
    assert_eq!(drifts.size_bytes(), 3 * 43);
    let forgets = with(StoreDefects { uses_forgotten: true, ..StoreDefects::default() });
    assert_eq!(forgets.victims().next().unwrap().key, Key::new(b"k"));
    let leaks = with(StoreDefects { endings_leak: true, ..StoreDefects::default() });
    assert_eq!(leaks.endings(), 1);
}

#[test]
fn a_handle_that_is_held_survives_an_overwrite() {
    let mut store = plain();
    store.set(new(b"k", b"first", 1)).unwrap();
    let handle = store.get(&Key::new(b"k")).unwrap().value.clone();
    let copy = store.clone();
    store.set(new(b"k", b"again", 2)).unwrap();
    assert_eq!(&**handle, b"first");
    let held = |store: &Store| store.open(store.get(&Key::new(b"k")).unwrap()).unwrap().to_vec();
    assert_eq!(held(&copy), b"first");
    assert_eq!(held(&store), b"again");
}

#[derive(Clone, Debug)]
enum Step {
    Set {
        key: u8,
        value: Vec<u8>,
        ttl: Option<u64>,
    },
    Touch(u8),
    Delete(u8),
    Evict(u64),
    /// From here on a copy is compared as well, which must stay as it is.
    Fork,
}

/// One entry of the naive store.
#[derive(Clone, Debug, PartialEq)]
struct Naive {
    key: u8,
    value: Vec<u8>,
    ends_at: Option<u64>,
    /// The times of all of its uses.
    uses: Vec<u64>,
}

/// A list of entries, and a clock that counts uses.
#[derive(Clone, Debug)]
struct NaiveStore {
    policy: Policy,
    entries: Vec<Naive>,
    clock: u64,
    version: u64,
}

impl NaiveStore {
    fn find(&self, key: u8) -> Option<usize> {
        self.entries.iter().position(|entry| entry.key == key)
    }

    fn size_bytes(&self) -> u64 {
        let kept = |entry: &Naive| match entry.value.len() {
            0..=1024 => entry.value.len(),
            _ => ValueCodec::new(b"", true).encode(&[entry.key], &entry.value).1.len(),
        };
        self.entries.iter().map(|entry| (1 + kept(entry) + 32) as u64).sum()
    }

    /// The keys in the order of eviction, straight from the definitions.
    fn victims(&self) -> Vec<u8> {
        let mut entries: Vec<&Naive> = self.entries.iter().collect();
        entries.sort_by_key(|entry| {
            let mut uses = entry.uses.iter().rev();
            let last = uses.next().copied();
            match self.policy {
                Policy::Lru => (last, None),
                Policy::Lru2 => (uses.next().copied(), last),
            }
        });
        entries.iter().map(|entry| entry.key).collect()
    }

    fn apply(&mut self, step: &Step) {
        self.version += 1;
        match step {
            Step::Set { key, value, ttl } => {
                let mut after = self.clone();
                after.clock += 1;
                let mut uses = vec![];
                if let Some(at) = after.find(*key) {
                    uses = after.entries.remove(at).uses;
                }
                uses.push(after.clock);
                let value = value.clone();
                after.entries.push(Naive { key: *key, value, ends_at: *ttl, uses });
                if after.size_bytes() <= LIMITS.store_bytes_max {
                    *self = after;
                }
            }
            Step::Touch(key) => {
                if let Some(at) = self.find(*key) {
                    self.clock += 1;
                    self.entries[at].uses.push(self.clock);
                }
            }
            Step::Delete(key) => self.entries.retain(|entry| entry.key != *key),
            Step::Evict(count) => {
                let victims: Vec<u8> = self.victims().into_iter().take(*count as usize).collect();
                self.entries.retain(|entry| !victims.contains(&entry.key));
            }
            Step::Fork => {}
        }
    }
}

impl ReferenceStateMachine for NaiveStore {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        let policies = prop_oneof![Just(Policy::Lru), Just(Policy::Lru2)];
        let empty = |policy| Self { policy, entries: vec![], clock: 0, version: 0 };
        policies.prop_map(empty).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        let key = 0_u8..12;
        let short = prop::collection::vec(any::<u8>(), 0..900);
        // Long ones repeat themselves, and are kept compressed.
        let long = (any::<u8>(), 1_000_usize..3_000).prop_map(|(byte, len)| vec![byte; len]);
        let value = prop_oneof![4 => short, 1 => long];
        let ttl = prop::option::of(0_u64..100);
        let set = (key.clone(), value, ttl);
        prop_oneof![
            5 => set.prop_map(|(key, value, ttl)| Step::Set { key, value, ttl }),
            4 => key.clone().prop_map(Step::Touch),
            1 => key.prop_map(Step::Delete),
            1 => (0_u64..4).prop_map(Step::Evict),
            1 => Just(Step::Fork),
        ]
        .boxed()
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        NaiveStore::apply(&mut state, step);
        state
    }
}

/// The store, and the copies that were taken with what they must hold for ever.
struct Subject {
    store: Store,
    forks: Vec<(Store, NaiveStore)>,
}

impl StateMachineTest for Subject {
    type SystemUnderTest = Self;
    type Reference = NaiveStore;

    fn init_test(reference: &NaiveStore) -> Self {
        let store = store(LIMITS, reference.policy, StoreDefects::default());
        Self { store, forks: vec![] }
    }

    fn apply(mut subject: Self, reference: &NaiveStore, step: Step) -> Self {
        let store = &mut subject.store;
        match step {
            Step::Set { key, value, ttl } => {
                let ttl = ttl.map(Duration);
                let bytes = [key];
                let entry = NewEntry { ttl, ..new(&bytes, &value, reference.version) };
                let stored = store.set(entry).is_ok();
                let holds =
                    reference.find(key).is_some_and(|at| reference.entries[at].value == value);
                assert!(!stored || holds, "what was stored is held");
            }
            Step::Touch(key) => store.touch(&Key::new(&[key])),
            Step::Delete(key) => {
                store.delete(&Key::new(&[key]));
            }
            Step::Evict(count) => {
                let held = store.len();
                assert_eq!(store.evict(count), count.min(held));
            }
            Step::Fork => subject.forks.push((store.clone(), reference.clone())),
        }
        subject
    }

    fn check_invariants(subject: &Self, reference: &NaiveStore) {
        assert_same(&subject.store, reference);
        for (store, reference) in &subject.forks {
            assert_same(store, reference);
        }
    }
}

fn assert_same(store: &Store, reference: &NaiveStore) {
    assert_eq!(store.len(), reference.entries.len() as u64);
    assert_eq!(store.ordered(), store.len());
    assert_eq!(store.size_bytes(), reference.size_bytes());
    let victims: Vec<u8> = store.victims().map(|entry| entry.key.as_bytes()[0]).collect();
    assert_eq!(victims, reference.victims());
    for entry in &reference.entries {
        let held = store.get(&Key::new(&[entry.key])).expect("it is held");
        assert_eq!(&*store.open(held).unwrap(), &entry.value[..]);
        assert_eq!(held.ends_at(), entry.ends_at);
    }
    let mut endings: Vec<u64> = reference.entries.iter().filter_map(|e| e.ends_at).collect();
    endings.sort_unstable();
    assert_eq!(store.endings(), endings.len() as u64);
    assert_eq!(store.first_ending(), endings.first().copied());
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_a_naive_store(sequential 1..60 => Subject);
}
