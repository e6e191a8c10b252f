//! A system of your own: a server that keeps registers in memory, and its client. Run it with
//! `cargo run -p chaoslab-harness --example own-system -- run harness/examples/own-system.toml`.

use catalog::*;
use contract::*;
use std::collections::BTreeMap;

#[derive(Clone)]
enum Own {
    Server(BTreeMap<u64, u64>),
    Client(NodeId, Option<(OpId, Call)>),
}

impl Node for Own {
    fn on_input(&mut self, _: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        match (self, input) {
            (Own::Server(held), Input::Datagram { from, bytes }) => {
                let [op, key, value] = decode(bytes);
                let slot = held.entry(key).or_default();
                *slot = if value == 0 { *slot } else { value };
                let words = [op, key, *slot];
                fx.datagram(from, |out| out.extend(words.map(u64::to_be_bytes).concat()));
            }
            (Own::Client(server, busy), Input::Invoke { op, call }) => {
                let value = if let Call::Put { value, .. } = call { value.id } else { 0 };
                let words = [op.0, call.key().unwrap_or(0), value];
                fx.datagram(*server, |out| out.extend(words.map(u64::to_be_bytes).concat()));
                fx.set_timer(TimerKey(op.0), Duration::from_millis(100));
                *busy = Some((op, call.clone()));
            }
            (Own::Client(_, busy), Input::Datagram { bytes, .. }) => {
                let [id, _, held] = decode(bytes);
                let Some((op, call)) = busy.take_if(|(op, _)| op.0 == id) else { return };
                let value = Value { id: held, size_bytes: Value::SIZE_MIN };
                let ret = match call {
                    Call::Put { .. } => Ret::Done { version: 0 },
                    _ if held == 0 => Ret::Missing,
                    _ => Ret::Found { value, version: 0, stale: false },
                };
                fx.complete(op, Outcome::Ok(ret));
            }
            (Own::Client(_, busy), Input::Timer(TimerKey(id))) => {
                if let Some((op, _)) = busy.take_if(|(op, _)| op.0 == id) {
                    fx.complete(op, Outcome::Unknown);
                }
            }
            _ => {}
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

fn decode(bytes: &[u8]) -> [u64; 3] {
    let word = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
    [word(0), word(8), word(16)]
}

struct Registers;

impl System for Registers {
    fn name(&self) -> &'static str {
        "registers"
    }
    fn roles(&self) -> &'static [Role] {
        const ROLES: [Role; 2] = [
            Role::plain("server", "keeps the registers"),
            Role::plain("client", "asks the server"),
        ];
        &ROLES
    }
    fn boot(&self, seat: &Seat<'_>, _: Now, _: &mut Fx<'_>) -> Result<Box<dyn Node>, Refused> {
        let client = seat.uses.get("target").map(|to| Own::Client(to[0], None));
        Ok(Box::new(client.unwrap_or(Own::Server(BTreeMap::new()))))
    }
}

fn main() -> std::process::ExitCode {
    harness::cli::main(harness::cli::Lab::of(&[&Registers]))
}
