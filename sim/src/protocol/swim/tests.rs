//! Transcripts: what one member does with what it hears, step by step, in `testdata`.
//!
//! A line that begins with `>` is a command, the lines under it are what came of it; `UPDATE=1`
//! rewrites them. Member 0 is played, in a cluster of so many that know each other.
//!
//! | command | what it does |
//! |---|---|
//! | `> members N` | boots member 0 among N, with memberlist's values for a local network |
//! | `> alive M inc=I [at=A] [says=S]`, `> suspect M inc=I from=F`, `> dead M inc=I from=F` | it hears that |
//! | `> ping seq=S`, `> indirect M seq=S`, `> ack`, `> nack` | it is asked; its last ping is answered |
//! | `> probe` | its next probe begins |
//! | `> wait MS` | time passes, and timers fire |
//! | `> leave` | it leaves |

extern crate std;

use super::machine::{GOSSIP, PROBE, PUSH_PULL};
use super::wire::{
    Ack, Alive, Dead, IndirectPing, Message, Nack, Part, Ping, Suspect, packet, parts,
};
use super::{Address, Config, Context, EVENTS, Name, NoDelegate, Ready, Swim, SwimSettings, kinds};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use contract::rng::Domain;
use contract::{Duration, Effect, Fx, Instant, NoDisk, NodeId, Now, Outbox, Rng, TimerKey};

struct Play {
    swim: Swim,
    now: Instant,
    outbox: Outbox,
    timers: BTreeMap<TimerKey, Instant>,
    rng: Rng,
    conns: u32,
    last_ping: u32,
    out: String,
}

/// The words of a command: the second, and those with a value.
struct Words<'t>(Vec<&'t str>);

impl<'t> Words<'t> {
    fn number(&self) -> u32 {
        self.0.get(1).and_then(|word| word.parse().ok()).expect("a number is the second word")
    }

    fn text(&self, name: &str) -> Option<&'t str> {
        self.0.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    fn value(&self, name: &str) -> Option<u32> {
        self.text(name).map(|value| value.parse().expect("a value is a number"))
    }
}

impl Play {
    fn new(members: u32) -> Self {
        let (mut outbox, mut conns) = (Outbox::default(), 0);
        let mut rng = Rng::new(1, Domain::Node, "m/0");
        let addresses: Vec<NodeId> = (0..members + 8).map(NodeId).collect();
        let timing = SwimSettings::lan();
        let config = Config { timing, ..Config::new(0, Arc::from(addresses)) };
        let mut disk = NoDisk;
        let mut fx = Fx::new(&mut outbox, NodeId(0), &mut conns, &mut disk, &mut rng);
        let mut swim = Swim::boot(config, Now::default(), &mut fx).expect("the settings are good");
        let founder = |of| (Name(of), Address(of), Vec::new());
        swim.found(Now::default(), (0..members).map(founder), &mut fx);
        outbox.clear();
        // Nothing happens by itself: the ticks of probes and gossip are not set.
        let (now, timers) = (Instant::ZERO, BTreeMap::new());
        Self { swim, now, outbox, timers, rng, conns, last_ping: 0, out: String::new() }
    }

    fn input(&mut self, input: impl FnOnce(&mut Swim, &mut Context<'_, '_>)) {
        let now = Now { mono: self.now, ..Now::default() };
        let mut disk = NoDisk;
        let fx =
            &mut Fx::new(&mut self.outbox, NodeId(0), &mut self.conns, &mut disk, &mut self.rng);
        input(&mut self.swim, &mut Context { now, fx, delegate: &mut NoDelegate });
        self.tell();
    }

    fn hear(&mut self, message: &Message<'_>) {
        let mut bytes = Vec::new();
        packet(&mut bytes, [Part::Core(&message.shared())].into_iter());
        self.input(|swim, cx| swim.on_datagram(cx, &bytes));
    }

    /// Tells what came of an input.
    fn tell(&mut self) {
        let mut outbox = core::mem::take(&mut self.outbox);
        for effect in &outbox.effects {
            let line = match *effect {
                Effect::Datagram { to, bytes } => {
                    let bytes = bytes.of(&outbox.bytes);
                    self.remember_ping(bytes);
                    format!("to {}: {}", to.0, kinds(bytes).expect("a packet").join(", "))
                }
                Effect::Open { to, .. } => format!("opens a stream to {}", to.0),
                Effect::Mark(mark) => {
                    let row = &EVENTS[usize::from(mark.event)];
                    let labels = row.labels.iter().zip(mark.labels);
                    let labels: String = labels.map(|(name, is)| format!(" {name}={is}")).collect();
                    format!("{}{labels}", row.name)
                }
                Effect::SetTimer { key, after } => {
                    // Ticks are the script's: they would come at times that are drawn.
                    if ![PROBE, GOSSIP, PUSH_PULL].contains(&key) {
                        self.timers.insert(key, self.now + after);
                    }
                    continue;
                }
                Effect::CancelTimer { key } => {
                    self.timers.remove(&key);
                    continue;
                }
                _ => continue,
            };
            self.out.push_str(&format!("  {line}\n"));
        }
        outbox.clear();
        self.outbox = outbox;
        let mut ready = Vec::new();
        self.swim.drain(&mut ready);
        let told = ready.iter().filter(|one| **one == Ready::LeaveDone);
        told.for_each(|_| self.out.push_str("  the leaving is told\n"));
    }

    fn remember_ping(&mut self, bytes: &[u8]) {
        let mut last = self.last_ping;
        parts(bytes, |part| {
            if let Message::Ping(ping) = Message::decode(part)? {
                last = ping.seq;
            }
            Ok(())
        })
        .expect("a packet");
        self.last_ping = last;
    }

    fn wait(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while let Some((&key, &due)) = self.timers.iter().min_by_key(|(key, due)| (**due, **key)) {
            if due > until {
                break;
            }
            self.timers.remove(&key);
            self.now = due;
            self.out.push_str(&format!("  at {}\n", Duration(due.0)));
            self.input(|swim, cx| swim.on_timer(cx, key));
        }
        self.now = until;
    }

    fn command(&mut self, line: &str) {
        let words = Words(line.split_whitespace().collect());
        let seq = words.value("seq").unwrap_or(self.last_ping);
        let incarnation = words.value("inc").unwrap_or(1);
        let from = words.value("from").unwrap_or(0);
        let (source_address, source) = (1, 1);
        match words.0[0] {
            "alive" => {
                let node = words.number();
                let address = words.value("at").unwrap_or(node);
                let meta = words.text("says").unwrap_or("").as_bytes();
                self.hear(&Message::Alive(Alive { incarnation, node, address, meta }));
            }
            "suspect" => {
                let node = words.number();
                self.hear(&Message::Suspect(Suspect { incarnation, node, from }));
            }
            "dead" => self.hear(&Message::Dead(Dead { incarnation, node: words.number(), from })),
            "ping" => self.hear(&Message::Ping(Ping { seq, node: 0, source_address, source })),
            "indirect" => {
                let node = words.number();
                let ask =
                    IndirectPing { seq, target: node, node, nack: true, source_address, source };
                self.hear(&Message::IndirectPing(ask));
            }
            "ack" => self.hear(&Message::Ack(Ack { seq })),
            "nack" => self.hear(&Message::Nack(Nack { seq })),
            "wait" => self.wait(u64::from(words.number())),
            "probe" => self.input(|swim, cx| swim.on_timer(cx, PROBE)),
            "leave" => self.input(Swim::leave),
            other => panic!("no such command: {other}"),
        }
        self.state();
    }

    /// Who is what now.
    fn state(&mut self) {
        let mut members: Vec<_> = self.swim.members().iter().collect();
        members.sort_by_key(|member| member.name);
        let shown = members.iter().map(|member| {
            format!("{}:{}/{}", member.name.0, member.state.name(), member.incarnation)
        });
        let shown: Vec<String> = shown.collect();
        let (queued, health) = (self.swim.queue().len(), self.swim.awareness());
        let line = format!("  = {}, {queued} waiting, health {health}\n", shown.join(" "));
        self.out.push_str(&line);
    }
}

/// Plays a script, and returns it with what came of it.
fn play(text: &str) -> String {
    let mut played: Option<Play> = None;
    let mut out = String::new();
    for line in text.lines() {
        let Some(command) = line.strip_prefix("> ") else {
            if !line.starts_with("  ") {
                out.push_str(&format!("{line}\n"));
            }
            continue;
        };
        out.push_str(&format!("{line}\n"));
        match (command.strip_prefix("members "), &mut played) {
            (Some(count), _) => {
                played = Some(Play::new(count.parse().expect("a count")));
            }
            (None, Some(play)) => {
                play.command(command);
                out.push_str(&core::mem::take(&mut play.out));
            }
            (None, None) => panic!("a script begins with its members"),
        }
    }
    out
}

#[test]
fn transcripts_explain_the_protocol() {
    let folder = format!("{}/src/protocol/swim/testdata", env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 4, "the transcripts were not found");
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let played = play(&text);
        if played != text && std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &played).expect("a folder that may be written");
        } else {
            let path = path.display().to_string();
            assert!(played == text, "{path} differs; review it after UPDATE=1:\n{played}");
        }
    }
}
