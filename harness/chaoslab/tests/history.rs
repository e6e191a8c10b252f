//! `chaoslab history` as a user meets it: verdicts, exit statuses, pictures, and what is said about
//! files that are wrong.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use support::{stderr, stdout};

fn folder(name: &str) -> PathBuf {
    support::folder("history", name)
}

fn judge(folder: &Path, file: &Path, args: &[&str]) -> Output {
    let file = file.to_str().expect("a path of text");
    support::chaoslab(folder, &[&["history", file], args].concat())
}

/// Status, standard output, standard error.
fn told(folder: &Path, text: &str, args: &[&str]) -> (i32, String, String) {
    let file = folder.join("file");
    fs::write(&file, text).expect("a writable folder");
    let output = judge(folder, &file, args);
    (output.status.code().expect("it ended by itself"), stdout(&output), stderr(&output))
}

const STALE: &str = "[{:process 0, :type :invoke, :f :write, :value 1}
 {:process 0, :type :ok, :f :write, :value 1}
 {:process 1, :type :invoke, :f :read, :value nil}
 {:process 1, :type :ok, :f :read, :value 0}]";

#[test]
fn verdicts_are_printed_first_and_set_the_exit_status() {
    let folder = folder("verdicts");
    let (status, out, err) =
        told(&folder, &STALE.replace(":read, :value 0", ":read, :value 1"), &[]);
    assert_eq!(status, 0, "{err}");
    assert!(out.starts_with("linearizable\n"), "{out}");
    assert!(err.starts_with("judged in "), "{err}");

    let (status, out, _) = told(&folder, STALE, &[]);
    assert_eq!(status, 1);
    assert!(out.starts_with("not linearizable\n2 operations on 1 keys;"), "{out}");
    assert!(out.contains("process 1's get (op 1, event 3 to event 4) saw 0"), "{out}");

    // Two writes of one value are out of the class of tier one, and no step is allowed.
    let twice = "[{:process 0 :type :invoke :f :write :value 1}
        {:process 1 :type :invoke :f :write :value 1} {:process 2 :type :invoke :f :write :value 2}
        {:process 0 :type :ok :f :write :value 1} {:process 1 :type :ok :f :write :value 1}
        {:process 2 :type :ok :f :write :value 2} {:process 3 :type :invoke :f :read :value nil}
        {:process 3 :type :ok :f :read :value 1}]";
    let (status, out, _) = told(&folder, twice, &["--search-steps", "0"]);
    assert_eq!(status, 3, "{out}");
    assert!(out.starts_with("undecided: the step budget is spent\n"), "{out}");
    assert_eq!(told(&folder, twice, &[]).0, 0);
}

#[test]
fn a_picture_is_drawn_of_what_was_found() {
    let folder = folder("picture");
    let svg = folder.join("out.svg");
    let args = ["--svg", svg.to_str().expect("a path in UTF-8")];
    let (status, _, err) = told(&folder, STALE, &args);
    assert_eq!(status, 1, "{err}");
    let drawn = fs::read_to_string(&svg).expect("it was written");
    assert!(drawn.starts_with("<svg") && drawn.contains("class=\"wrong\""), "{drawn}");

    let (status, _, _) = told(&folder, &STALE.replace(":read, :value 0", ":read, :value 1"), &args);
    assert_eq!(status, 0);
    let drawn = fs::read_to_string(&svg).expect("it was written");
    assert!(!drawn.contains("class=\"wrong\""), "nothing is wrong with it");
    assert_eq!(drawn.matches("class=\"dot\"").count(), 2, "both operations have their place");

    let locks = "({:process 1 :type :invoke :f :acquire} {:process 1 :type :ok :f :acquire}
        {:process 2 :type :invoke :f :acquire} {:process 2 :type :ok :f :acquire})";
    let (status, _, err) = told(&folder, locks, &args);
    assert_eq!(status, 1, "{err}");
    let drawn = fs::read_to_string(&svg).expect("it was written");
    assert!(drawn.contains("class=\"wrong\"") && drawn.contains("acquire"), "{drawn}");

    let nowhere = svg.join("inside-a-file.svg");
    let nowhere = ["--svg", nowhere.to_str().expect("a path in UTF-8")];
    let (status, _, err) = told(&folder, STALE, &nowhere);
    assert_eq!(status, 2);
    assert!(err.contains("could not write") && err.contains("inside-a-file.svg"), "{err}");
}

/// A line of JSON: a put, or a read that found something.
fn line(id: u64, process: u64, call: &str, answer: &str, from: u64) -> String {
    format!(
        "{{\"id\":{id},\"client\":{process},\"process\":{process},\"call\":{call},\"outcome\":\
         {{\"ok\":{answer}}},\"arrived_ns\":{from},\"call_ns\":{from},\"ret_ns\":{}}}\n",
        from + 500_000_000
    )
}

fn put(id: u64, process: u64, value: u64, from: u64) -> String {
    let call = format!("{{\"put\":{{\"key\":0,\"value\":{{\"id\":{value},\"size_bytes\":8}}}}}}");
    line(id, process, &call, "{\"done\":{\"version\":0}}", from)
}

fn get(id: u64, process: u64, value: u64, level: &str, from: u64) -> String {
    let call = format!("{{\"get\":{{\"key\":0,\"read\":\"{level}\"}}}}");
    let found = format!(
        "{{\"found\":{{\"value\":{{\"id\":{value},\"size_bytes\":8}},\"version\":0,\"stale\":false}}}}"
    );
    line(id, process, &call, &found, from)
}

#[test]
fn weaker_promises_are_asked_for_by_name() {
    let folder = folder("weaker");
    let second = 1_000_000_000;
    let text = put(0, 1, 1, 0) + &put(1, 2, 2, second) + &get(2, 1, 1, "stale", 4 * second);
    let (status, out, _) = told(&folder, &text, &[]);
    assert_eq!((status, out.lines().next()), (0, Some("linearizable")), "stale reads may be stale");
    let (status, out, _) = told(&folder, &text, &["--staleness", "2500ms"]);
    assert_eq!(status, 0, "{out}");
    assert!(out.starts_with("fresh enough: 0 of 1 reads"), "{out}");
    let (status, out, _) = told(&folder, &text, &["--staleness", "2499ms"]);
    assert_eq!(status, 1, "{out}");
    assert!(out.starts_with("too stale: 1 of 1 reads"), "{out}");
    assert!(out.contains("was over 2.5"), "{out}");
    assert_eq!(told(&folder, &text, &["--model", "sessions"]).0, 0);
    let back = text + &get(3, 2, 1, "stale", 6 * second);
    let (status, out, _) = told(&folder, &back, &["--model", "sessions"]);
    assert_eq!(status, 1, "{out}");
    assert!(out.starts_with("sessions broken: by 1 of 2 reads\n"), "{out}");
    assert!(out.contains("read-your-writes"), "{out}");
}

#[test]
fn what_does_not_fit_is_said() {
    let folder = folder("wrong");
    let (status, _, err) = told(&folder, STALE, &["--model", "lock"]);
    assert_eq!(status, 2);
    assert!(
        err.contains("the operations are about registers: `--model lock` does not fit"),
        "{err}"
    );
    let (status, _, err) = told(&folder, STALE, &["--model", "stack"]);
    assert_eq!(status, 2);
    assert!(err.contains("register-cas, counter, set"), "{err}");
    let (status, _, err) = told(&folder, &put(0, 1, 1, 0), &["--model", "lock"]);
    assert_eq!(status, 3);
    assert!(err.contains("lock knows none of these operations"), "{err}");
    let (status, _, err) = told(&folder, &STALE[..60], &[]);
    assert_eq!(status, 2);
    assert!(err.contains("line 2, column") && err.contains("expected"), "{err}");
    let (status, _, err) = told(&folder, &(put(0, 1, 1, 0) + "{\"id\":7\n"), &[]);
    assert_eq!(status, 2);
    assert!(err.contains("line 2, column 7: expected"), "{err}");
    for nothing in ["", "[]"] {
        let (status, _, err) = told(&folder, nothing, &[]);
        assert_eq!(status, 3, "{err}");
        assert!(err.contains("nothing to judge"), "{err}");
    }
    let nemesis = "[{:process :nemesis, :type :info, :f :kill, :value nil}]";
    let (status, out, err) = told(&folder, nemesis, &[]);
    assert_eq!((status, out.lines().next()), (0, Some("linearizable")));
    assert!(err.contains("nothing was answered"), "{err}");
    let output = judge(&folder, Path::new("missing"), &[]);
    assert_eq!(output.status.code(), Some(2));
    let output = judge(&folder, &folder, &[]);
    assert_eq!(output.status.code(), Some(2), "a folder is no file");
}

/// What nobody answered, any register could have left, whether the model is guessed or named.
#[test]
fn an_open_history_is_linearizable_by_every_name() {
    let folder = folder("open");
    let edn = "[{:process 0, :type :invoke, :f :write, :value 1}
        {:process 0, :type :info, :f :write, :value :timed-out}
        {:process 1, :type :invoke, :f :read, :value nil}
        {:process 1, :type :info, :f :read, :value nil}]";
    let put = put(0, 1, 1, 0);
    let answer = put.find("{\"ok\"").expect("it was answered");
    let json = format!("{}\"unknown\",\"arrived_ns\":0,\"call_ns\":0}}\n", &put[..answer]);
    for text in [edn, json.as_str()] {
        for args in [&[][..], &["--model", "register-cas"]] {
            let (status, out, err) = told(&folder, text, args);
            assert_eq!((status, out.lines().next()), (0, Some("linearizable")), "{err}");
        }
    }
    let (status, _, err) = told(&folder, &json.replace("put", "append"), &[]);
    assert_eq!(status, 3);
    assert!(err.contains("no operation is about a register"), "{err}");
}

#[test]
fn what_a_file_does_not_say_can_be_told() {
    let folder = folder("told");
    let absent = STALE.replace(":read, :value 0", ":read, :value nil");
    assert_eq!(told(&folder, &absent, &[]).0, 0, "nil says nothing");
    let (status, out, _) = told(&folder, &absent, &["--nil-is-absent"]);
    assert_eq!(status, 1);
    assert!(out.contains("saw nothing"), "{out}");
    let (status, _, err) = told(&folder, &put(0, 1, 1, 0), &["--nil-is-absent"]);
    assert_eq!(status, 2);
    assert!(err.contains("`--nil-is-absent` is for EDN"), "{err}");
    let named = absent.replace(":value", ":key \"left\", :value");
    let (_, out, _) = told(&folder, &named, &["--nil-is-absent"]);
    assert!(out.contains("\nkey left, "), "{out}");
    let text = "0\t:invoke\t:write\t1\n0\t:ok\t:write\t1\n1\t:invoke\t:read\tnil\n\
                1\t:ok\t:read\t0\n";
    for args in [&[][..], &["--format", "text"]] {
        assert_eq!(told(&folder, text, args).0, 1);
    }
}

/// JSON lines are judged while they are read; what is refuted is explained all the same, and
/// disorder is sorted.
#[test]
fn long_files_are_judged_while_they_are_read() {
    let folder = folder("long");
    let second = 1_000_000_000;
    let mut text = String::new();
    for id in 0..2_000 {
        text += &put(id, 1, id + 1, id * second);
    }
    let (status, out, _) = told(&folder, &text, &[]);
    assert_eq!(status, 0);
    assert!(out.contains("at most 16 operations held at once"), "{out}");
    let stale = get(2_000, 2, 1_999, "linearizable", 2_000 * second);
    let svg = folder.join("out.svg");
    let args = ["--svg", svg.to_str().expect("a path in UTF-8")];
    let (status, out, _) = told(&folder, &(text.clone() + &stale), &args);
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("operations 1998, 1999, 2000; the 2000 that ended before"), "{out}");
    assert!(fs::read_to_string(&svg).expect("it was drawn").contains("class=\"wrong\""));
    let (status, out, err) = told(&folder, &(stale + &text), &[]);
    assert_eq!(status, 1, "{out}");
    assert!(err.contains("not in the order of their calls"), "{err}");
}

/// Every recording of the peers gets its verdict by the binary. They are not part of this project:
/// `CHAOSLAB_PEER_DATA` names the folder that holds them.
#[test]
fn every_recorded_history_gets_its_verdict() {
    let Some(data) = std::env::var_os("CHAOSLAB_PEER_DATA") else {
        eprintln!("CHAOSLAB_PEER_DATA is not set: no recorded history was judged");
        return;
    };
    let here = folder("peers");
    let data = PathBuf::from(data).join("histories");
    let table = fs::read_to_string(data.join("expected.tsv")).expect("the table of verdicts");
    let mut judged = 0;
    for row in table.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let output = judge(&here, &data.join(columns[0]), &["--svg", "out.svg"]);
        let status = if columns[2] == "linearizable" { 0 } else { 1 };
        assert_eq!(output.status.code(), Some(status), "{}", columns[0]);
        let out = stdout(&output);
        assert_eq!(out.lines().next(), Some(columns[2]), "{}", columns[0]);
        judged += 1;
    }
    assert!(judged > 100, "{judged} histories");
}

/// Histories that strangers tried, too large for this tree: each with its verdict.
#[test]
fn every_large_case_gets_its_verdict() {
    let Some(data) = std::env::var_os("CHAOSLAB_PEER_DATA") else {
        eprintln!("skipped: CHAOSLAB_PEER_DATA is not set, so no large case was judged");
        return;
    };
    let here = folder("cases");
    let cases = PathBuf::from(data).join("cases/histories");
    let check = |name: &str, args: &[&str], status: i32, first: &str| {
        let output = judge(&here, &cases.join(name), args);
        let out = stdout(&output);
        assert_eq!(output.status.code(), Some(status), "{name}: {out}{}", stderr(&output));
        assert_eq!(out.lines().next(), Some(first), "{name}");
        out
    };
    check("09-jepsen-195-last-read.edn", &[], 0, "linearizable");
    // One key of two is hard; the other is refuted wherever it stands, with a small budget too.
    for name in ["13-c50-two-keys-0-first.txt", "13-c50-two-keys-3-first.txt"] {
        let out = check(name, &["--search-steps", "400000"], 1, "not linearizable");
        assert!(out.contains("\nkey 3, no-order") || out.contains("\nkey 0, no-order"), "{out}");
    }
}
