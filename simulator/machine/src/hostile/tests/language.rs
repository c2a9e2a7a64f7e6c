//! What a scenario may say, and what it is told if it does not.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use abi_snp::Vmpl;

use crate::gpa::Gpa;
use crate::hostile::error::{ScenarioError, ScenarioProblem};
use crate::hostile::read_rule::{MAX_RULES, read_rules};
use crate::hostile::rule::{Actor, Occurrences};
use crate::hostile::scenario::{Machine, Scenario};

fn parse(text: &str) -> Result<Scenario, ScenarioError> {
    let machine = Machine { processors: 2, has_memory: &|gpa: Gpa| gpa.0 < 0x10_0000 };
    Scenario::parse(text, &machine)
}

fn refusal(line: &str) -> String {
    match parse(line) {
        Ok(_) => panic!("`{line}` is accepted"),
        Err(error) => error.problem.to_string(),
    }
}

#[test]
fn every_form_of_the_documentation_is_understood() {
    let triggers = [
        "time 500ms",
        "exit any",
        "exit cpuid",
        "exit 0x400",
        "enter",
        "msr-request any",
        "msr-request termination",
        "msr-request 0x14",
        "page-request snp-ap-creation",
        "page-request 0x80000018",
        "cpuid any",
        "cpuid 0x8000_001f subleaf 0",
        "read-msr any",
        "write-msr 0x830",
        "read-port 0x3fd",
        "write-port 0x80 value 0x41",
        "page-state any",
        "page-state private 0x1000",
        "page-state split 0x1000 to 0x2000",
        "page-state join every",
        "guest-request",
    ];
    for trigger in triggers {
        parse(&format!("when {trigger} do inject nmi")).unwrap();
    }
    let deeds = [
        "inject interrupt 0x80",
        "inject nmi into processor 1",
        "inject exception 14 code 2 into processor 0",
        "remap 0x1000",
        "map-back it",
        "take it+0x1000",
        "give 0xff_fff",
        "swap it 0x2000",
        "write it+8 00ff",
        "start processor 1 vmpl 2 save-area 0x3000",
        "run processor 0 vmpl 1",
    ];
    for deed in deeds {
        parse(&format!("when page-state any do {deed}")).unwrap();
        parse(&format!("when page-state any do {deed} after 3 exits # why")).unwrap();
    }
    for (trigger, tampering) in [
        ("cpuid 7", "set ebx 0"),
        ("read-port 0x60", "xor value 0xff"),
        ("guest-request", "set status 0x16"),
        ("guest-request", "corrupt 0xfff 01"),
        ("enter", "set ghcb-msr 0"),
        ("msr-request any", "ask ghcb-msr 0x4"),
        ("page-request msr", "xor rdx 1"),
        ("page-request snp-run-vmpl", "ask exit-info-1 1"),
        ("page-request any", "replay"),
        ("read-msr 0x10", "deny"),
        ("write-port 0x80", "ignore"),
        ("page-state shared", "delay 1 exit"),
    ] {
        parse(&format!("when {trigger} do {tampering}")).unwrap();
    }
}

#[test]
fn who_and_how_often() {
    let rule = |which: &str| {
        let text = format!("when cpuid 1 {which} do set eax 0");
        read_rules(&text).unwrap().remove(0)
    };
    assert_eq!(rule("").which, Occurrences::ALL);
    assert_eq!(rule("every").which, Occurrences::ALL);
    assert_eq!(rule("occurrence 3").which, Occurrences { first: 3, last: 3 });
    assert_eq!(rule("from 2").which, Occurrences { first: 2, last: u64::MAX });
    assert_eq!(rule("from 2 to 4").which, Occurrences { first: 2, last: 4 });
    assert_eq!(rule("from 2").actor, Actor::default());
    let actor = Actor { processor: Some(1), vmpl: Some(Vmpl::Vmpl2) };
    assert_eq!(rule("on processor 1 at vmpl 2 every").actor, actor);
}

#[test]
fn comments_and_empty_lines_are_skipped() {
    let text = "# all of it\n\n  when time 0s do inject nmi # now\r\n#when\n";
    let rules = read_rules(text).unwrap();
    let found: Vec<_> = rules.iter().map(|rule| (rule.line, rule.text.as_str())).collect();
    assert_eq!(found, [(3, "when time 0s do inject nmi")]);
    assert!(parse("").unwrap().counts().next().is_none());
}

#[test]
fn refusals_name_line_and_word() {
    let error = parse("# one\nwhen exit anything do inject nmi").unwrap_err();
    assert_eq!(
        error.to_string(),
        "scenario of the hostile host, line 2: `anything` stands where an exit code by name or \
         number, or `any` should be"
    );
    let ends = "when cpuid 7 do set eax";
    assert_eq!(refusal(ends), "the line ends where value should follow");
    assert_eq!(
        refusal("when cpuid 7 do set eax 0x1_0000_0000"),
        "`0x1_0000_0000` is more than 0xffffffff, the greatest possible value"
    );
    assert_eq!(
        refusal("when cpuid 7 do set rax 1"),
        "`set rax` is not possible when `cpuid`; the guide lists what is"
    );
    assert_eq!(
        refusal("when exit any do take it"),
        "`it` is the page that the guest named, and when `exit` it names none"
    );
}

#[test]
fn what_makes_no_sense_is_refused() {
    for line in [
        "if cpuid 7 do set eax 0",
        "when",
        "when nothing do deny",
        "when cpuid 7",
        "when cpuid 7 set eax 0",
        "when cpuid 7 do set eax 0 0",
        "when cpuid 7 do set eax 0 after 1 exits",
        "when cpuid 7 do deny",
        "when cpuid 7 do delay 3 exits",
        "when cpuid 7 at vmpl 4 do set eax 0",
        "when cpuid 7 occurrence 0 do set eax 0",
        "when cpuid 7 from 3 to 2 do set eax 0",
        "when time 1s every do inject nmi",
        "when time 1 do inject nmi",
        "when page-state any 0x2000 to 0x1000 do deny",
        "when page-state any do delay 3",
        "when enter do replay",
        "when read-port 0x10000 do set value 0",
        "when guest-request do corrupt 0x1000 00",
        "when guest-request do corrupt 0xfff 0000",
        "when msr-request any do ask exit-info-1 0",
        "when page-request any do ask ghcb-msr 0",
        "when page-request any do set status 0",
        "when msr-request 0x1_0000 do ignore",
        "when exit any do inject exception 2",
        "when exit any do inject exception 30",
        "when exit any do inject exception 32",
        "when exit any do inject interrupt 256",
        "when exit any do start processor 0 save-area 0x1000",
        "when page-state any do take it-1",
        "when page-state any do take it+",
        "when page-state any do write it 0",
    ] {
        assert!(parse(line).is_err(), "{line}");
    }
}

#[test]
fn rules_stay_within_the_machine() {
    let processor = |number| ScenarioProblem::NoProcessor { number, count: 2 };
    for (line, problem) in [
        ("when exit any on processor 2 do inject nmi", processor(2)),
        ("when exit any do inject nmi into processor 3", processor(3)),
        ("when exit any do run processor 4 vmpl 0", processor(4)),
        ("when exit any do remap 0x100000", ScenarioProblem::NoMemory(Gpa(0x10_0000))),
        ("when exit any do swap 0 0x200000", ScenarioProblem::NoMemory(Gpa(0x20_0000))),
    ] {
        assert_eq!(parse(line).unwrap_err(), ScenarioError { line: 1, problem }, "{line}");
    }
}

#[test]
fn there_are_not_too_many_rules() {
    let text = "when time 0s do inject nmi\n".repeat(MAX_RULES);
    parse(&text).unwrap();
    let problem = ScenarioProblem::TooManyRules(MAX_RULES);
    let line = MAX_RULES + 1;
    let error = parse(&format!("{text}when time 0s do inject nmi")).unwrap_err();
    assert_eq!(error, ScenarioError { line, problem });
}
