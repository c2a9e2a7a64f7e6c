//! Whose exception it is, where the host can inject any.
//!
//! The processor takes an injected exception for its own. But the host sees no
//! register and no code, so what it injects mostly does not fit what the kernel
//! does:
//!
//! | exception | the kernel's own if |
//! |---|---|
//! | \#PF | CR2 has an address: the processor writes it, the host cannot |
//! | \#DF | a \#PF came before it, or the stack pointer is no address |
//! | \#UD | the instruction is UD2, which the compiler puts where nothing must come |
//! | \#GP, \#SS, \#DE, \#BP | the instruction can raise it, with these registers: `lib/exception-cause` |
//! | those of [`NEVER`] | never: nothing that it executes, and no flag that it sets, raises them |
//!
//! An injected \#GP counts as the kernel's where the kernel could have raised it:
//! at a few privileged instructions, returns and jumps by registers.
//!
//! A \#DF that is not the kernel's need not be injected: if the host takes away a
//! page of the stack, \#VC cannot be delivered, which leads there as well.

use abi_x86::ExceptionVector;
use exception_cause::{Code, can_have_raised};
use processor::TrapFrame;

use crate::stop_reason::StopReason;

/// What the kernel's code never raises: it has no debugger, no segments but flat
/// ones, no x87 and vector instructions, and no shadow stacks.
const NEVER: [ExceptionVector; 10] = [
    ExceptionVector::DEBUG,
    ExceptionVector::OVERFLOW,
    ExceptionVector::BOUND_RANGE,
    ExceptionVector::DEVICE_NOT_AVAILABLE,
    ExceptionVector::INVALID_TSS,
    ExceptionVector::SEGMENT_NOT_PRESENT,
    ExceptionVector::X87_FLOATING_POINT,
    ExceptionVector::ALIGNMENT_CHECK,
    ExceptionVector::SIMD_FLOATING_POINT,
    ExceptionVector::CONTROL_PROTECTION,
];

/// UD2.
const UD2: [u8; 2] = [0x0f, 0x0b];

/// An exception in the kernel's own code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raised<'a> {
    pub(crate) vector: ExceptionVector,
    pub(crate) registers: &'a TrapFrame,
    /// The code around RIP.
    pub(crate) code: Code<'a>,
    /// What the processor has left in CR2.
    pub(crate) fault_address: Option<u64>,
}

/// What the host has done, if the exception must be its doing.
pub(crate) fn by_host(raised: Raised<'_>) -> Option<StopReason> {
    let Raised { vector, registers, code, fault_address } = raised;
    let is_injected = match vector {
        ExceptionVector::PAGE_FAULT => fault_address.is_none(),
        ExceptionVector::INVALID_OPCODE => !code.at.starts_with(&UD2),
        ExceptionVector::DOUBLE_FAULT => {
            let is_own = fault_address.is_some() || !is_canonical(registers.rsp);
            return (!is_own).then_some(StopReason::HostDoubleFault);
        }
        other => NEVER.contains(&other) || !can_have_raised(other, code, registers),
    };
    is_injected.then_some(StopReason::HostInjection)
}

/// Whether it can be an address, by page tables of four levels.
const fn is_canonical(address: u64) -> bool {
    matches!(address >> 47, 0 | 0x1_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An exception at a NOP before UD2, with a good stack.
    fn blamed(
        vector: ExceptionVector,
        change: impl FnOnce(&mut TrapFrame, &mut Raised<'_>),
    ) -> Option<StopReason> {
        let mut registers = TrapFrame::default();
        registers.rsp = 0xffff_ffff_c000_4000;
        let code = Code { before: Some(0x90), at: &[0x90, 0x0f, 0x0b] };
        let mut changed = registers.clone();
        let mut raised = Raised { vector, registers: &registers, code, fault_address: None };
        change(&mut changed, &mut raised);
        by_host(Raised { registers: &changed, ..raised })
    }

    #[test]
    fn page_faults_leave_their_address() {
        let fault = ExceptionVector::PAGE_FAULT;
        assert_eq!(blamed(fault, |_, _| ()), Some(StopReason::HostInjection));
        assert_eq!(blamed(fault, |_, raised| raised.fault_address = Some(0)), None);
    }

    #[test]
    fn double_faults_have_a_cause() {
        let fault = ExceptionVector::DOUBLE_FAULT;
        assert_eq!(blamed(fault, |_, _| ()), Some(StopReason::HostDoubleFault));
        assert_eq!(blamed(fault, |_, raised| raised.fault_address = Some(0x1000)), None);
        assert_eq!(blamed(fault, |frame, _| frame.rsp = 1 << 47), None);
    }

    #[test]
    fn opcodes_are_defined_but_one() {
        let fault = ExceptionVector::INVALID_OPCODE;
        assert_eq!(blamed(fault, |_, _| ()), Some(StopReason::HostInjection));
        let nothing = blamed(fault, |_, raised| raised.code.at = &[]);
        assert_eq!(nothing, Some(StopReason::HostInjection));
        assert_eq!(blamed(fault, |_, raised| raised.code.at = &[0x0f, 0x0b, 0x90]), None);
    }

    #[test]
    fn other_exceptions_need_an_instruction_that_raises_them() {
        // A division; INT3 before; a push; a write to a register.
        let division: &[u8] = &[0x48, 0xf7, 0xf1];
        let cause = |vector, at: &'static [u8], before, rsp| {
            blamed(vector, |frame, raised| {
                raised.code = Code { before: Some(before), at };
                frame.rsp = rsp;
            })
        };
        let stack = 0xffff_ffff_c000_4000;
        assert_eq!(cause(ExceptionVector::DIVIDE_ERROR, division, 0x90, stack), None);
        assert_eq!(cause(ExceptionVector::BREAKPOINT, division, 0xcc, stack), None);
        assert_eq!(cause(ExceptionVector::STACK, &[0x50], 0x90, 1 << 47), None);
        assert_eq!(cause(ExceptionVector::GENERAL_PROTECTION, &[0x0f, 0x30], 0x90, stack), None);
        for vector in [
            ExceptionVector::DIVIDE_ERROR,
            ExceptionVector::BREAKPOINT,
            ExceptionVector::STACK,
            ExceptionVector::GENERAL_PROTECTION,
        ] {
            let at_nop = blamed(vector, |_, _| ());
            assert_eq!(at_nop, Some(StopReason::HostInjection), "{vector}");
        }
    }

    #[test]
    fn some_are_never_the_kernels_or_never_told() {
        let never = blamed(ExceptionVector::ALIGNMENT_CHECK, |_, _| ());
        assert_eq!(never, Some(StopReason::HostInjection));
        assert_eq!(blamed(ExceptionVector::VMM_COMMUNICATION, |_, _| ()), None);
    }
}
