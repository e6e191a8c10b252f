//! The suites on a few cases of our own, and on the other project's files where they are at hand.

extern crate std;

use super::{ConfChange, Interaction, Quorum};
use alloc::string::String;
use alloc::vec::Vec;
use catalog::conformance::{Agreement, Judged, Suite};

const OWN: [(&dyn Suite, &str); 3] = [
    (&Quorum, include_str!("testdata/quorum.json")),
    (&ConfChange, include_str!("testdata/confchange.json")),
    (&Interaction, include_str!("testdata/interaction.json")),
];

fn disagreeing(judged: &[Judged]) -> Vec<&Judged> {
    let wrong = |case: &&Judged| matches!(case.agreement, Agreement::Disagrees { .. });
    judged.iter().filter(wrong).collect()
}

fn agreeing(judged: &[Judged]) -> usize {
    judged.iter().filter(|case| case.agreement == Agreement::Agrees).count()
}

#[test]
fn our_own_cases_agree() {
    for (suite, text) in OWN {
        let judged = suite.judge(text).unwrap();
        assert_eq!(disagreeing(&judged), Vec::<&Judged>::new(), "{}", suite.name());
        assert!(agreeing(&judged) >= 4, "{} compares too little", suite.name());
    }
}

/// A comparison that cannot fail proves nothing: each expected figure, changed, is noticed.
#[test]
fn a_wrong_expectation_is_noticed() {
    let check = |suite: &dyn Suite, text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from} stands in the cases");
        let judged = suite.judge(&text.replacen(from, to, 1)).unwrap();
        assert_eq!(disagreeing(&judged).len(), 1, "{}: {from} as {to}", suite.name());
    };
    let [(quorum, votes), (changes, steps), (group, play)] = OWN;
    check(quorum, votes, "\"7\"]}", "\"8\"]}");
    check(quorum, votes, "VotePending", "VoteWon");
    check(changes, steps, "learners_next=(2)", "learners=(2)");
    check(changes, steps, "next=2", "next=3");
    check(group, play, "Term:1 Lead:1", "Term:2 Lead:1");
    check(group, play, "match=4 next=5", "match=3 next=5");
    check(group, play, "first index=3", "first index=2");
    let vote = "1->3 MsgVote Term:1 Log:1/2";
    check(group, play, vote, "1->3 MsgVote Term:1 Log:1/3");
    let answer = "3->1 MsgVoteResp Term:1 Log:0/0";
    check(group, play, answer, "3->1 MsgVoteResp Term:1 Log:0/0 Rejected (Hint: 0)");
    check(group, play, "Entries:[1/3 EntryNormal", "Entries:[1/4 EntryNormal");
    check(group, play, "2->1 MsgAppResp Term:1 Log:0/3", "2->1 MsgAppResp Term:1 Log:0/2");
}

#[test]
fn a_file_that_is_none_is_told_by_line() {
    let check = |text: &str, line: u64, expect: &str| {
        let wrong = Quorum.judge(text).unwrap_err();
        assert_eq!(wrong.line, line, "{}", wrong.expected);
        assert!(wrong.expected.contains(expect), "{}", wrong.expected);
    };
    check("", 1, "a list of");
    check("[]", 1, "empty");
    check("[\n {\"file\": 3}\n]", 2, "string");
    let strange = r#"[{"file":"a","line":1,"args":[],"expected":[],
        "cmd":"campaign"}]"#;
    check(strange, 2, "committed, vote");
}

#[test]
fn cases_with_odd_arguments_are_left_out_aloud() {
    let text = r#"[{"file":"a","line":1,"cmd":"vote","args":[["cfg",["x"]]],"expected":["y"]}]"#;
    let judged = Quorum.judge(text).unwrap();
    assert!(matches!(judged[0].agreement, Agreement::DoesNotApply(_)));
}

/// The files of the other project. They are not part of this one: `CHAOSLAB_PEER_DATA` names the
/// folder that holds them, and without it the cases of our own above are what is judged.
#[test]
fn the_peers_files_agree() {
    let Some(folder) = std::env::var_os("CHAOSLAB_PEER_DATA") else {
        std::eprintln!("CHAOSLAB_PEER_DATA is not set: only cases of our own were judged");
        return;
    };
    let folder = std::path::PathBuf::from(folder).join("etcd-raft");
    let table =
        [("quorum", &OWN[0], 80), ("confchange", &OWN[1], 30), ("interaction", &OWN[2], 12)];
    for (name, (suite, _), agree_min) in table {
        let path = folder.join(std::format!("{name}.vectors.json"));
        let text: String = std::fs::read_to_string(&path).expect("the folder holds the suite");
        let judged = suite.judge(&text).unwrap();
        assert_eq!(disagreeing(&judged), Vec::<&Judged>::new(), "{name}");
        let agree = agreeing(&judged);
        assert!(agree >= agree_min, "{name}: only {agree} of {} agree", judged.len());
    }
}
