//! Ends that the guest asks for, or that are all that is left.

use abi_snp::ghcb::{ExitCode, MsrRequest, PortIoWidth, ReasonSet, SaveArea, TerminationReason};

use super::ending::{Ending, Expected, announce};
use crate::console::write_port;
use crate::machine::{Probe, exit};

const SOURCE: &str = "GHCB 56421 2.04 §2.3.1, §4.1";

/// A reason that nothing else has, of this program's set.
const REASON: TerminationReason =
    TerminationReason::new(ReasonSet::new(3).expect("3 is below 16"), 0x2a);

pub(super) const ENDINGS: &[Ending] = &[
    Ending {
        name: "termination-by-msr",
        source: SOURCE,
        hardware: "the hypervisor ends the guest and tells set and code",
        processors: 1,
        run: |_| {
            announce(Expected::Terminated(REASON.code));
            exit(MsrRequest::Terminate(REASON).encode());
            Ok(())
        },
    },
    Ending {
        name: "termination-by-page",
        source: SOURCE,
        hardware: "the hypervisor ends the guest and tells set and code",
        processors: 1,
        run: |bench| {
            announce(Expected::Terminated(REASON.code));
            let code = ExitCode::TERMINATION_REQUEST.0;
            bench.ghcb.answer(&SaveArea::request(code, REASON.exit_info_1(), 0));
            Ok(())
        },
    },
    Ending {
        name: "unsupported-event",
        source: SOURCE,
        hardware: "the hypervisor ends the guest, which could not handle an exit",
        processors: 1,
        run: |bench| {
            announce(Expected::ProtocolError);
            bench.ghcb.answer(&SaveArea::request(ExitCode::UNSUPPORTED_EVENT.0, 0x99, 0));
            Ok(())
        },
    },
    Ending {
        name: "undefined-msr-request",
        source: "GHCB 56421 2.04 §2.3.1; Linux/KVM, sev_handle_vmgexit_msr_protocol",
        hardware: "the hypervisor ends a guest whose GHCB MSR holds no request",
        processors: 1,
        run: |_| {
            announce(Expected::ProtocolError);
            exit(0x0ff);
            Ok(())
        },
    },
    Ending {
        name: "private-ghcb",
        source: "GHCB 56421 2.04 §2.3.2",
        hardware: "the hypervisor ends a guest whose GHCB it cannot read",
        processors: 1,
        run: |bench| {
            let page = bench.private_page()?;
            announce(Expected::ProtocolError);
            exit(page.gpa());
            Ok(())
        },
    },
    Ending {
        name: "triple-fault",
        source: "APM 24593 §8.2.9, §15.14.3",
        hardware: "an exception without an interrupt table is a shutdown",
        processors: 1,
        run: |bench| {
            announce(Expected::TripleFault);
            bench.probe(Probe::TripleFault);
            Ok(())
        },
    },
    Ending {
        name: "halt-for-good",
        source: "APM 24594 HLT",
        hardware: "the only processor waits with interrupts off: for ever, on hardware",
        processors: 1,
        run: |bench| {
            announce(Expected::Stalled);
            bench.probe(Probe::HaltForGood);
            Ok(())
        },
    },
    Ending {
        name: "restart",
        source: "Intel ICH9 data sheet §13.7.5",
        hardware: "the machine would start again, which a confidential guest cannot: it ends",
        processors: 1,
        run: |bench| {
            const RESET_CONTROL: u16 = 0xcf9;
            announce(Expected::Reset);
            write_port(bench.ghcb, RESET_CONTROL, PortIoWidth::One, 0b010);
            write_port(bench.ghcb, RESET_CONTROL, PortIoWidth::One, 0b110);
            Ok(())
        },
    },
];
