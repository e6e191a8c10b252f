//! Ctrl-C and SIGTERM: noticed within a second wherever the lab is, and nothing untrue is said.

use crate::limits::{End, limited, run};
use crate::{GOOD, case, folder, names, prepared};
use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

/// How long a command may take to end once it is asked to, in hundredths of a second: one second, as
/// the lab promises, and as much again for a machine that is busy with other tests.
const SOON: u32 = 200;

/// Interrupted while it works, a command ends by itself within a second, with the status that says so.
fn ends_when_asked(folder: &std::path::Path, args: &[&str], ms: u64) {
    for signal in ["INT", "TERM"] {
        let child = limited(folder, args, End::Itself(30));
        let mut child = in_background(child);
        send(&child.id, signal, ms);
        let script = format!(
            "for n in $(seq {SOON}); do kill -0 {id} 2>/dev/null || exit 0; \
             case $(cut -d' ' -f3 /proc/{id}/stat 2>/dev/null) in Z|'') exit 0;; esac; \
             sleep 0.01; done; exit 1",
            id = child.id
        );
        let in_time = Command::new("sh").arg("-c").arg(script).status().expect("a shell");
        let ended = child.wait();
        assert_eq!(ended.0, 130, "{args:?}, {signal}: {}", ended.1);
        assert!(in_time.success(), "{args:?}, {signal}: it took longer than {SOON} hundredths");
    }
}

struct Background {
    child: std::process::Child,
    id: u32,
}

fn in_background(mut command: Command) -> Background {
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a shell");
    let id = child.id();
    Background { child, id }
}

impl Background {
    fn wait(&mut self) -> (i32, String) {
        let mut err = String::new();
        let pipe = self.child.stderr.as_mut().expect("it was piped");
        pipe.read_to_string(&mut err).expect("text");
        let status = self.child.wait().expect("it ends").code().unwrap_or(-1);
        (status, err)
    }
}

/// Sends a signal to the command below `timeout`, which passes it on.
fn send(id: &u32, signal: &str, after_ms: u64) {
    let script = format!("sleep {}; kill -{signal} {id}", after_ms as f64 / 1e3);
    let sent = Command::new("sh").arg("-c").arg(script).status().expect("a shell");
    assert!(sent.success(), "it was still running");
}

#[test]
fn an_instant_of_a_million_arrivals_can_be_interrupted() {
    let folder = folder("arrivals");
    let text = fs::read_to_string(case("rate_1000000000_s.toml")).expect("a case");
    // A budget that holds the arrivals, or the file would be refused.
    let text = text.replace("events = 2000000", "events = 4_000_000_000");
    fs::write(folder.join("rate.toml"), text).expect("a writable folder");
    ends_when_asked(&folder, &["run", "rate.toml"], 700);
}

/// Before the first event a run spells out what its nodes hold from the start.
#[test]
fn preloads_can_be_interrupted() {
    let folder = folder("preloads");
    let preload = "[[preload]]\ninto = \"h/*\"\nentries = 1_000_000\nvalue = \"8B\"\n\n";
    let text = GOOD.replacen("[[fault]]", &(preload.repeat(3) + "[[fault]]"), 1);
    fs::write(folder.join("preloads.toml"), text).expect("a writable folder");
    ends_when_asked(&folder, &["run", "preloads.toml"], 700);
}

#[test]
fn a_search_can_be_interrupted() {
    let path = case("kv200.edn");
    let args = ["history", path.to_str().expect("text"), "--search-steps", "100000000"];
    ends_when_asked(&folder("search"), &args, 700);
}

/// Nothing of an interrupted run is written, compared or believed.
#[test]
fn an_interrupted_verification_says_nothing_of_differences() {
    let folder = folder("verify");
    let long = GOOD.replace("\"6s\"", "\"9000s\"").replace("300_000", "100_000_000");
    fs::write(folder.join("long.toml"), long).expect("a writable folder");
    for (command, ms) in [("verify", 400), ("run", 600)] {
        let mut child = in_background(limited(&folder, &[command, "long.toml"], End::Itself(60)));
        send(&child.id, "INT", ms);
        let (status, err) = child.wait();
        assert_eq!(status, 130, "{command}: {err}");
        assert!(!err.contains("differ") && !err.contains("error"), "{command}: {err}");
    }
    assert!(names(&folder.join("out/good")).is_empty(), "a half run is not kept");
}

/// An interrupt while a sweep repeats a run to keep it: the directory that was there stays.
#[test]
fn an_interrupted_sweep_writes_no_half_run() {
    let folder = prepared("half-run");
    let args = ["sweep", "good.toml", "--seeds", "4..5", "--set", "check.lin.over=clients.kv"];
    for ms in [150, 250, 350] {
        let mut child = in_background(limited(&folder, &args, End::Itself(60)));
        let sent = Command::new("sh")
            .arg("-c")
            .arg(format!("sleep {}; kill -INT {} 2>/dev/null; true", f64::from(ms) / 1e3, child.id))
            .status();
        assert!(sent.expect("a shell").success());
        let (status, err) = child.wait();
        assert!([0, 3, 130].contains(&status), "{status}: {err}");
    }
    for dir in names(&folder.join("out/good")) {
        let dir = format!("out/good/{dir}");
        assert_eq!(run(&folder, &["replay", &dir], End::Itself(60)).status, 0, "{dir}");
    }
}
