//! Every report survives its line, and its end reads well.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{Report, Row, Section};
use crate::report::End;

fn ends() -> Vec<(End, &'static str)> {
    let text = || String::from("more");
    vec![
        (End::PoweredOff, "guest switched itself off"),
        (End::Reset, "guest asked for a restart, which takes a new launch"),
        (
            End::Terminated { vcpu: 1, vmpl: 2, reason_set: 1, reason_code: 3, text: "".into() },
            "guest terminated itself on processor 1 at VMPL2: \
             reason set 1, code 0x03: not at VMPL0",
        ),
        (
            End::Terminated { vcpu: 0, vmpl: 0, reason_set: 2, reason_code: 7, text: text() },
            "guest terminated itself on processor 0 at VMPL0: reason set 2, code 0x07: more",
        ),
        (
            End::Terminated { vcpu: 0, vmpl: 0, reason_set: 16, reason_code: 7, text: text() },
            "guest terminated itself on processor 0 at VMPL0: reason set 16, code 0x07: more",
        ),
        (
            End::TripleFault { vcpu: 3, vmpl: 1, rip: u64::MAX },
            "triple fault on processor 3 at VMPL1, RIP 0xffffffffffffffff",
        ),
        (
            End::NestedFault {
                vcpu: 0,
                vmpl: 0,
                rip: 0x1000,
                gpa: 0x2000,
                rule: "the page is not the guest's".into(),
                text: text(),
            },
            "forbidden access to 0x2000 on processor 0 at VMPL0, RIP 0x1000: \
             the page is not the guest's: more",
        ),
        (
            End::InvalidSaveArea { vcpu: 0, vmpl: 3, text: text() },
            "invalid save area for processor 0 at VMPL3: more",
        ),
        (
            End::ProtocolError { vcpu: 2, vmpl: 0, text: text() },
            "GHCB protocol error on processor 2 at VMPL0: more",
        ),
        (End::Stalled, "all processors wait, and nothing can wake one"),
        (End::Refused { text: text() }, "launch refused: more"),
        (End::Fault { text: text() }, "the simulator failed: more"),
    ]
}

fn check(report: &Report) {
    let line = report.to_line();
    assert_eq!(line.find('\n'), Some(line.len() - 1), "{line:?}");
    assert_eq!(&Report::from_line(&line).unwrap(), report);
    assert_eq!(&Report::from_line(line.trim_end()).unwrap(), report);
}

#[test]
fn ends_survive_and_read_well() {
    for (end, expected) in ends() {
        assert_eq!(end.to_string(), expected);
        check(&Report::Ended { end });
    }
}

#[test]
fn lines_are_what_other_programs_expect() {
    let line = Report::Ended { end: End::TripleFault { vcpu: 0, vmpl: 1, rip: 16 } }.to_line();
    let expected = r#"{"report":"ended","end":{"kind":"triple_fault","vcpu":0,"vmpl":1,"rip":16}}"#;
    assert_eq!(line.trim_end(), expected);
    let started =
        Report::Started { simulator: "0.1.0".into(), launch_digest: "ab".into(), vcpus: 2 };
    let expected = r#"{"report":"started","simulator":"0.1.0","launch_digest":"ab","vcpus":2}"#;
    assert_eq!(started.to_line().trim_end(), expected);
}

#[test]
fn other_lines_are_refused_with_a_reason() {
    for line in [
        "",
        "SeaBIOS (version rel-1.16)",
        "{}",
        r#"{"report":"other"}"#,
        r#"{"report":"note"}"#,
        r#"{"report":"note","text":3}"#,
        r#"{"report":"note","text":"a"} {"report":"note","text":"b"}"#,
        r#"{"report":"ended","end":{"kind":"triple_fault","vcpu":-1,"vmpl":1,"rip":16}}"#,
    ] {
        let error = Report::from_line(line).unwrap_err();
        assert!(error.to_string().starts_with("not a report of the simulator: "), "{error}");
    }
}

proptest! {
    #[test]
    fn any_text_stays_on_its_line(text in any::<String>(), count in any::<u64>()) {
        check(&Report::Note { text: text.clone() });
        check(&Report::Trace { text: text.clone() });
        let rows = vec![Row { name: text.clone(), count }];
        check(&Report::Statistics { sections: vec![Section { name: text, rows }] });
    }

    #[test]
    fn any_line_is_read_or_refused(line in any::<String>()) {
        let _ = Report::from_line(&line);
    }
}
