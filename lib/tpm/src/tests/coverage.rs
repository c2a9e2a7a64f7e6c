//! Which tests send which command, and that each one is accepted somewhere and
//! refused somewhere.
//!
//! The list `tested_by.txt`, from which the book's table of commands comes, is not
//! written by hand: the tests note what they send and what they are answered.

extern crate std;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use std::io::Write;
use std::process::{Command as Program, Stdio};

use crate::table::{COMMANDS, Command};

/// The file to note in. Without it nothing is noted.
pub(super) const NOTES: &str = "TPM_TEST_NOTES";

/// Tests that send something else each time, or what others send.
const PASSED_OVER: [&str; 3] = ["mutations", "properties", "resumption"];

/// Notes that the running test sent this command.
pub(super) fn record(code: u32, accepted: bool) {
    let Some(path) = std::env::var_os(NOTES) else { return };
    // Threads of tests have the tests' names.
    let thread = std::thread::current();
    let module = thread.name().and_then(|name| name.split("::").nth(1)).expect("a test's name");
    if PASSED_OVER.contains(&module) || Command::find(code).is_none() {
        return;
    }
    let answer = if accepted { "accepted" } else { "refused" };
    let mut notes =
        std::fs::OpenOptions::new().append(true).create(true).open(path).expect("a file for notes");
    // In one write, so that notes of several threads do not mix.
    notes.write_all(format!("{code:03X} {answer} {module}\n").as_bytes()).expect("a note");
}

#[test]
fn the_list_of_tests_is_what_they_do() {
    if std::env::var_os(NOTES).is_some() {
        return;
    }
    let notes = std::env::temp_dir().join(format!("tpm-test-notes-{}", std::process::id()));
    let status = Program::new(std::env::current_exe().expect("this program"))
        .args(["tests::", "--test-threads", "2", "--skip", "documentation::"])
        .env(NOTES, &notes)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("it runs once more");
    let noted = std::fs::read_to_string(&notes).expect("notes");
    std::fs::remove_file(&notes).expect("they are there");
    assert!(status.success(), "tests fail: see the others");
    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in noted.lines() {
        let (what, module) = line.rsplit_once(' ').expect("a note has a module");
        all.entry(what).or_default().insert(module);
    }
    let listed: String = all
        .iter()
        .map(|(what, modules)| {
            let modules: Vec<&str> = modules.iter().copied().collect();
            format!("{what}: {}\n", modules.join(" "))
        })
        .collect();
    let missing: Vec<String> = COMMANDS
        .iter()
        .flat_map(|command| ["accepted", "refused"].map(|answer| (command, answer)))
        .filter(|(command, answer)| !all.contains_key(&*format!("{:03X} {answer}", command.code)))
        .map(|(command, answer)| format!("{} {answer}", command.name))
        .collect();
    assert!(missing.is_empty(), "no test has {missing:?}");
    assert!(
        listed == include_str!("tested_by.txt"),
        "lib/tpm/src/tests/tested_by.txt has to be:\n{}",
        listed
    );
}
