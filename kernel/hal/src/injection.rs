//! Whose exception it is, where the host can inject any.
//!
//! The processor takes an injected exception for its own. But the host sees no
//! register and no code, so what it injects does not fit what the kernel does:
//!
//! | exception | the kernel's own if |
//! |---|---|
//! | \#PF | CR2 has an address: the processor writes it, the host cannot |
//! | \#DF | a \#PF came before it, or the stack pointer is no address |
//! | \#UD | the instruction is UD2, which the compiler puts where nothing must come |
//! | those of [`NEVER`] | never: nothing that it executes, and no flag that it sets, raises them |
//!
//! \#GP, \#SS, \#DE and \#BP cannot be told apart.
//!
//! A \#DF that is not the kernel's need not be injected: if the host takes away a
//! page of the stack, \#VC cannot be delivered, which leads there as well.

use abi_x86::ExceptionVector;

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
    /// The code at RIP.
    pub(crate) code: &'a [u8],
    pub(crate) rsp: u64,
    /// What the processor has left in CR2.
    pub(crate) fault_address: Option<u64>,
}

/// What the host has done, if the exception must be its doing.
pub(crate) fn by_host(raised: Raised<'_>) -> Option<StopReason> {
    let Raised { vector, code, rsp, fault_address } = raised;
    let is_injected = match vector {
        ExceptionVector::PAGE_FAULT => fault_address.is_none(),
        ExceptionVector::INVALID_OPCODE => !code.starts_with(&UD2),
        ExceptionVector::DOUBLE_FAULT => {
            let is_own = fault_address.is_some() || !is_canonical(rsp);
            return (!is_own).then_some(StopReason::HostDoubleFault);
        }
        other => NEVER.contains(&other),
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

    const RAISED: Raised<'static> = Raised {
        vector: ExceptionVector::PAGE_FAULT,
        code: &[0x90, 0x0f, 0x0b],
        rsp: 0xffff_ffff_c000_4000,
        fault_address: None,
    };

    #[test]
    fn page_faults_leave_their_address() {
        assert_eq!(by_host(RAISED), Some(StopReason::HostInjection));
        assert_eq!(by_host(Raised { fault_address: Some(0), ..RAISED }), None);
    }

    #[test]
    fn double_faults_have_a_cause() {
        let raised = Raised { vector: ExceptionVector::DOUBLE_FAULT, ..RAISED };
        assert_eq!(by_host(raised), Some(StopReason::HostDoubleFault));
        assert_eq!(by_host(Raised { fault_address: Some(0x1000), ..raised }), None);
        assert_eq!(by_host(Raised { rsp: 1 << 47, ..raised }), None);
    }

    #[test]
    fn opcodes_are_defined_but_one() {
        let raised = Raised { vector: ExceptionVector::INVALID_OPCODE, ..RAISED };
        assert_eq!(by_host(raised), Some(StopReason::HostInjection));
        assert_eq!(by_host(Raised { code: &[], ..raised }), Some(StopReason::HostInjection));
        assert_eq!(by_host(Raised { code: &[0x0f, 0x0b, 0x90], ..raised }), None);
    }

    #[test]
    fn what_cannot_be_told_is_the_kernels() {
        for vector in [
            ExceptionVector::DIVIDE_ERROR,
            ExceptionVector::BREAKPOINT,
            ExceptionVector::STACK,
            ExceptionVector::GENERAL_PROTECTION,
            ExceptionVector::VMM_COMMUNICATION,
        ] {
            assert_eq!(by_host(Raised { vector, ..RAISED }), None, "{vector}");
        }
        let raised = Raised { vector: ExceptionVector::ALIGNMENT_CHECK, ..RAISED };
        assert_eq!(by_host(raised), Some(StopReason::HostInjection));
    }
}
