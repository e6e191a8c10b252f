//! The histories that other projects are tested with, each with the verdict it must get.
//!
//! They are not part of this project: `CHAOSLAB_PEER_DATA` names the folder that holds them, and
//! without it these tests say that they saw nothing.

use super::{Recorded, Subject, read};
use crate::linearizable::{Verdict, check_recorded};
use std::path::PathBuf;

/// One line of `expected.tsv`.
struct Peer {
    path: PathBuf,
    model: String,
    verdict: Verdict,
}

fn peers() -> Vec<Peer> {
    let Some(folder) = std::env::var_os("CHAOSLAB_PEER_DATA") else {
        eprintln!("CHAOSLAB_PEER_DATA is not set: no recorded history was judged");
        return Vec::new();
    };
    let folder = PathBuf::from(folder).join("histories");
    let table =
        std::fs::read_to_string(folder.join("expected.tsv")).expect("the table of verdicts");
    let rows = table.lines().skip(1).map(|line| {
        let [file, model, verdict] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns in {line}");
        };
        let verdict = match verdict {
            "linearizable" => Verdict::Linearizable,
            "not linearizable" => Verdict::NotLinearizable,
            other => panic!("a verdict, not {other}"),
        };
        Peer { path: folder.join(file), model: model.to_owned(), verdict }
    });
    let peers: Vec<Peer> = rows.collect();
    assert!(peers.len() > 100, "the table is not empty");
    peers
}

fn load(peer: &Peer) -> Recorded {
    let bytes = std::fs::read(&peer.path).expect("a file of the table");
    let recorded = read(&bytes, None).expect("peers write well-formed histories");
    let expect = match &recorded.subject {
        Subject::Register(model) if model.initial_rest.is_none() => "register-cas, initially nil",
        Subject::Register(_) => "register-cas, initially 0",
        Subject::Strings(_) => "key-value get/put/append, initially empty",
        other => panic!("{other:?} in {}", peer.path.display()),
    };
    assert_eq!(expect, peer.model);
    recorded
}

#[test]
fn every_recorded_history_gets_its_verdict() {
    let (mut cores, mut irreducible) = (0, 0);
    for peer in peers() {
        let recorded = load(&peer);
        let report = check_recorded(&recorded, 1_000_000);
        assert_eq!(report.verdict, peer.verdict, "{}", peer.path.display());
        assert_eq!(report.certificates_refused, 0);
        for example in &report.counterexamples {
            cores += 1;
            irreducible += usize::from(example.irreducible);
            assert!(example.ops.len() < 40, "{example:#?} of {}", peer.path.display());
        }
    }
    assert!(irreducible * 20 >= cores * 19, "{irreducible} of {cores} are irreducible");
}

/// A malformed file is refused, never worse: cut anywhere, or with one byte changed.
#[test]
fn damaged_recordings_are_refused_or_read() {
    for peer in peers().iter().step_by(9) {
        let bytes = std::fs::read(&peer.path).expect("a file of the table");
        for cut in (0..bytes.len()).step_by(bytes.len() / 50 + 1) {
            let _ = read(&bytes[..cut], None);
            let mut changed = bytes.clone();
            for byte in [b'"', b'{', b'[', b'\n', b'\\', 0xff] {
                changed[cut] = byte;
                let _ = read(&changed, None);
            }
        }
    }
}
