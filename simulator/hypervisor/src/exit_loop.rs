//! Runs a guest and sends each exit to who handles it.

use abi_svm::{ExitCode, IoExit, NestedFault};
use abi_x86::ExceptionVector;

use crate::exit_counts::ExitCounts;
use crate::instruction::take_interrupts;
use crate::vcpu::{Exit, Vcpu};

/// How a guest goes on after an exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It runs again.
    Resume,
    /// It stays stopped.
    Stop,
}

/// The platform that a guest runs on: one function for each kind of exit. Each
/// changes the guest's registers as the platform would, RIP included.
pub(crate) trait Platform {
    /// Sees every exit before it is handled.
    fn observe(&mut self, exit: &Exit);
    /// CPUID.
    fn cpuid(&mut self, vcpu: &mut Vcpu) -> Next;
    /// A port access; the next instruction is at `next_rip`.
    fn port(&mut self, vcpu: &mut Vcpu, access: IoExit, next_rip: u64) -> Next;
    /// RDMSR; ECX names the register.
    fn read_register(&mut self, vcpu: &mut Vcpu) -> Next;
    /// WRMSR; ECX names the register.
    fn write_register(&mut self, vcpu: &mut Vcpu) -> Next;
    /// An intercepted exception, an unknown instruction for instance.
    fn exception(&mut self, vcpu: &mut Vcpu, vector: ExceptionVector) -> Next;
    /// An access to guest physical `address` that the nested page tables do not
    /// allow.
    fn nested_fault(&mut self, vcpu: &mut Vcpu, fault: NestedFault, address: u64) -> Next;
    /// HLT.
    fn halt(&mut self, vcpu: &mut Vcpu) -> Next;
}

/// Runs the guest until a handler stops it, or for an exit that has none; gives
/// the last exit.
///
/// Physical interrupts are the machine's: they are taken, and the guest goes
/// on.
pub(crate) fn run(vcpu: &mut Vcpu, platform: &mut dyn Platform, counts: &mut ExitCounts) -> Exit {
    loop {
        let exit = vcpu.run();
        counts.count(exit.code);
        platform.observe(&exit);
        if dispatch(vcpu, platform, &exit) == Next::Stop {
            return exit;
        }
    }
}

fn dispatch(vcpu: &mut Vcpu, platform: &mut dyn Platform, exit: &Exit) -> Next {
    match exit.code {
        ExitCode::INTR => {
            take_interrupts();
            Next::Resume
        }
        ExitCode::CPUID => platform.cpuid(vcpu),
        ExitCode::IO => platform.port(vcpu, IoExit(exit.info_1), exit.info_2),
        ExitCode::MSR if exit.info_1 == 0 => platform.read_register(vcpu),
        ExitCode::MSR => platform.write_register(vcpu),
        ExitCode::HLT => platform.halt(vcpu),
        ExitCode::NESTED_PAGE_FAULT => {
            platform.nested_fault(vcpu, NestedFault::from_bits_retain(exit.info_1), exit.info_2)
        }
        code => match code.exception() {
            Some(vector) => platform.exception(vcpu, vector),
            None => Next::Stop,
        },
    }
}
