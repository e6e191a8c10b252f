//! Any bytes as packets, frames and messages of the gossip protocols, and as MessagePack: refused or
//! understood, never a panic, and never more memory than the bytes are worth.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sim::protocol::swim::msgpack::Reader;
use sim::protocol::{serf, swim};

fuzz_target!(|bytes: &[u8]| {
    let _ = swim::kinds(bytes);
    let _ = swim::kind_of_frame(bytes);
    let _ = serf::kind(bytes);
    let _ = Reader::whole::<Vec<u64>>(bytes);
    let mut reader = Reader::new(bytes);
    while reader.skip().is_ok() {}
    // Past the checksum, which random bytes do not have.
    if let Ok(kinds) = swim::kinds(&swim::sealed(bytes)) {
        assert!(!kinds.is_empty() || bytes.len() >= 2, "a packet of one message has one");
    }
});
