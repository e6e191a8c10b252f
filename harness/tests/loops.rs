//! A node that never comes back from an input: nobody in the lab can look at anything then, and an
//! interrupt still ends the command within a second.
//!
//! The test starts itself as the command of a lab that has such a node, so it has a main of its own.

use catalog::{Role, Seat, System};
use contract::{Fx, Input, Node, Now, Outcome, Refused, Ret};
use harness::cli::Lab;
use std::process::{Command, ExitCode, Stdio};

/// The variable that makes the test the command.
const AS_LAB: &str = "CHAOSLAB_TEST_AS_LAB";

/// Answers nine operations, and never comes back from the tenth.
#[derive(Clone)]
struct Looping(u32);

impl Node for Looping {
    fn on_input(&mut self, _: Now, input: Input<'_>, fx: &mut Fx<'_>) {
        if let Input::Invoke { op, .. } = input {
            self.0 += 1;
            while self.0 == 10 {
                std::hint::black_box(&mut self.0);
            }
            fx.complete(op, Outcome::Ok(Ret::Missing));
        }
    }
    fn fork(&self) -> Option<Box<dyn Node>> {
        Some(Box::new(self.clone()))
    }
}

struct Loops;

impl System for Loops {
    fn name(&self) -> &'static str {
        "loops"
    }
    fn roles(&self) -> &'static [Role] {
        const { &[Role::plain("server", "does nothing"), Role::plain("client", "counts to nine")] }
    }
    fn boot(&self, _: &Seat<'_>, _: Now, _: &mut Fx<'_>) -> Result<Box<dyn Node>, Refused> {
        Ok(Box::new(Looping(0)))
    }
}

const SCENARIO: &str = r#"
format = 1
name   = "loops"
system = "loops"
seed   = 3

[budget]
sim_time = "5s"

[nodes.s]

[clients.c]
target = "s/1"
rate   = "10/s"
ops    = { get = 1 }
keys   = { count = 1 }

[[check]]
id    = "lin"
kind  = "linearizable"
model = "register-cas"
over  = "clients.c"
"#;

/// Interrupts a command that loops, and returns the status of `timeout`. It sends the
/// signal after a second, and kills the command when it has not ended two seconds later: one is what
/// the lab promises, one more is for a machine that is busy with other tests.
fn interrupted(command: &str, signal: &str, folder: &std::path::Path) -> Option<i32> {
    let here = std::env::current_exe().expect("the test has a path");
    let mut timeout = Command::new("timeout");
    timeout.args(["-s", signal, "-k", "2", "1"]).arg(here).args([command, "loops.toml"]);
    timeout.env(AS_LAB, "1").current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    timeout.status().expect("`timeout` is there").code()
}

fn main() -> ExitCode {
    if std::env::var_os(AS_LAB).is_some() {
        return harness::cli::main(Lab::of(&[&Loops]));
    }
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("loops");
    std::fs::create_dir_all(&folder).expect("a writable folder");
    std::fs::write(folder.join("loops.toml"), SCENARIO).expect("a writable folder");
    for command in ["run", "verify", "sweep"] {
        for signal in ["INT", "TERM"] {
            let status = interrupted(command, signal, &folder);
            // 124: `timeout` sent the signal, and had to send no other.
            assert_eq!(status, Some(124), "{command} after {signal}");
        }
    }
    assert!(!folder.join("out/loops/3").exists(), "a half run is not kept");
    println!("ok");
    ExitCode::SUCCESS
}
