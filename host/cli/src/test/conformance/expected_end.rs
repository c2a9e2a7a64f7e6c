//! How the guest says that it is about to end, and whether it ends so.

use abi_simulator::report::End;

/// The reason set of the guest's own reasons; see
/// `tests/conformance/src/ending.rs`.
const REASON_SET: u8 = 3;

/// An end that the guest has announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExpectedEnd {
    /// An access to this guest physical address that the reverse map forbids.
    NestedFault(u64),
    /// A triple fault.
    TripleFault,
    /// All processors wait.
    Stalled,
    /// The guest terminates itself for this reason.
    Terminated(u8),
    /// A save area cannot be entered.
    InvalidSaveArea,
    /// A restart.
    Reset,
    /// The hypervisor can make nothing of what the guest asks for.
    ProtocolError,
}

impl ExpectedEnd {
    /// The end in the line `expect …` of the console. None if the guest has
    /// survived that, and says so afterwards.
    pub(super) fn find(console: &str) -> Option<Self> {
        let mut lines = console.lines();
        let mut words = lines.find_map(|line| line.strip_prefix("expect "))?.split(' ');
        if lines.any(|line| line.starts_with("FAIL ") || line.starts_with("skip ")) {
            return None;
        }
        let (kind, detail) = (words.next()?, words.next());
        let number = || u64::from_str_radix(detail?.strip_prefix("0x")?, 16).ok();
        Some(match kind {
            "nested_fault" => Self::NestedFault(number()?),
            "triple_fault" => Self::TripleFault,
            "stalled" => Self::Stalled,
            "terminated" => Self::Terminated(number()?.try_into().ok()?),
            "invalid_save_area" => Self::InvalidSaveArea,
            "reset" => Self::Reset,
            "protocol_error" => Self::ProtocolError,
            _ => return None,
        })
    }

    /// Whether `end` is this one.
    pub(super) fn is_met_by(self, end: &End) -> bool {
        match (self, end) {
            (Self::NestedFault(expected), End::NestedFault { gpa, .. }) => expected == *gpa,
            (Self::Terminated(expected), End::Terminated { reason_set, reason_code, .. }) => {
                (REASON_SET, expected) == (*reason_set, *reason_code)
            }
            (Self::TripleFault, End::TripleFault { .. })
            | (Self::Stalled, End::Stalled)
            | (Self::InvalidSaveArea, End::InvalidSaveArea { .. })
            | (Self::Reset, End::Reset)
            | (Self::ProtocolError, End::ProtocolError { .. }) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use abi_simulator::report::End;

    use super::ExpectedEnd;

    #[test]
    fn a_line_tells() {
        let of = |line: &str| ExpectedEnd::find(&format!("SEV-SNP conformance\n{line}\n"));
        assert_eq!(of("expect nested_fault 0x8203008"), Some(ExpectedEnd::NestedFault(0x820_3008)));
        assert_eq!(of("expect terminated 0x2a"), Some(ExpectedEnd::Terminated(0x2a)));
        assert_eq!(of("expect stalled"), Some(ExpectedEnd::Stalled));
        for wrong in ["", "expect", "expect nested_fault", "expect terminated 0x100", "expect x"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
        assert_eq!(of("expect stalled\nFAIL halt: expected the end, got on"), None);
        assert_eq!(of("expect stalled\nskip level: no such level"), None);
        // The simulator's own last words.
        assert_eq!(of("expect stalled\nhalted"), Some(ExpectedEnd::Stalled));
        assert_eq!(ExpectedEnd::find(""), None);
    }

    #[test]
    fn details_count() {
        let terminated = |reason_set, reason_code| End::Terminated {
            vcpu: 0,
            vmpl: 0,
            reason_set,
            reason_code,
            text: String::new(),
        };
        let expected = ExpectedEnd::Terminated(0x2a);
        assert!(expected.is_met_by(&terminated(3, 0x2a)));
        assert!(!expected.is_met_by(&terminated(3, 1)));
        assert!(!expected.is_met_by(&terminated(1, 0x2a)));
        assert!(!expected.is_met_by(&End::Stalled));
        let fault = |gpa| End::NestedFault {
            vcpu: 0,
            vmpl: 1,
            rip: 0,
            gpa,
            rule: String::new(),
            text: String::new(),
        };
        assert!(ExpectedEnd::NestedFault(0x1000).is_met_by(&fault(0x1000)));
        assert!(!ExpectedEnd::NestedFault(0x1000).is_met_by(&fault(0x1008)));
        assert!(!ExpectedEnd::TripleFault.is_met_by(&End::PoweredOff));
        // A fault of the simulator is nobody's expectation.
        let fault = End::Fault { text: String::new() };
        assert!(!ExpectedEnd::ProtocolError.is_met_by(&fault));
        assert_eq!(ExpectedEnd::find("expect fault"), None);
    }
}
