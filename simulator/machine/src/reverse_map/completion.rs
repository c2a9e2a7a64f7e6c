//! How an instruction of the guest ends.

use abi_x86::Rflags;

use crate::reverse_map::fault::Fault;
use crate::reverse_map::rule::RefusalRule;
use abi_snp::ReturnCode;

/// What the processor does after PVALIDATE, RMPADJUST or RMPQUERY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It writes these registers and goes on behind the instruction.
    Complete(Completion),
    /// It delivers this and stays at the instruction.
    Fault(Fault),
}

/// The registers that an instruction writes when it completes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The return code.
    pub code: ReturnCode,
    /// The rule that the code is about; `None` after success.
    pub refusal: Option<RefusalRule>,
    /// PVALIDATE succeeded without changing anything: the carry flag.
    pub unchanged: bool,
    /// The new value of RCX, if the instruction writes it.
    pub rcx: Option<u64>,
    /// The new value of RDX, if the instruction writes it.
    pub rdx: Option<u64>,
}

impl Completion {
    /// Success that changed what was asked to change.
    pub(crate) const SUCCESS: Self =
        Self { code: ReturnCode::Success, refusal: None, unchanged: false, rcx: None, rdx: None };

    /// A refusal; nothing but EAX and flags is written.
    pub(crate) const fn refused(rule: RefusalRule) -> Self {
        Self { code: rule.return_code(), refusal: Some(rule), ..Self::SUCCESS }
    }

    /// The new value of RAX: the code, zero-extended.
    #[must_use]
    pub const fn rax(&self) -> u64 {
        self.code.number() as u64
    }

    /// The new value of RFLAGS, which was `before`.
    ///
    /// The carry flag says after success whether PVALIDATE changed nothing;
    /// after a failure it is clear, otherwise the fallback from 2 MiB to 4 KiB
    /// of Linux and OVMF, which look at the carry flag before the code, could
    /// not work. From memory: OF, SF, ZF, AF and PF are those of the code, as
    /// if it had been computed, and carry is clear after RMPADJUST and
    /// RMPQUERY.
    #[must_use]
    pub const fn rflags(&self, before: Rflags) -> Rflags {
        let arithmetic = Rflags::CF
            .union(Rflags::PF)
            .union(Rflags::AF)
            .union(Rflags::ZF)
            .union(Rflags::SF)
            .union(Rflags::OF);
        let mut flags = before.difference(arithmetic);
        if self.unchanged {
            flags = flags.union(Rflags::CF);
        }
        if self.code.number().count_ones().is_multiple_of(2) {
            flags = flags.union(Rflags::PF);
        }
        if self.code.number() == 0 {
            flags = flags.union(Rflags::ZF);
        }
        flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: Rflags = Rflags::from_bits_retain(0x0000_0ad7);

    #[test]
    fn success_says_whether_it_changed_something() {
        let changed = Completion::SUCCESS;
        assert_eq!(changed.rax(), 0);
        let kept = Rflags::FIXED | Rflags::IF;
        assert_eq!(changed.rflags(BEFORE), kept | Rflags::ZF | Rflags::PF);
        let unchanged = Completion { unchanged: true, ..Completion::SUCCESS };
        assert_eq!(unchanged.rflags(BEFORE), kept | Rflags::ZF | Rflags::PF | Rflags::CF);
    }

    #[test]
    fn a_refusal_clears_carry_and_gives_its_code() {
        let refusal = Completion::refused(RefusalRule::LargeInSmall);
        assert_eq!((refusal.rax(), refusal.code), (6, ReturnCode::FailSizeMismatch));
        assert_eq!(refusal.rflags(BEFORE), Rflags::FIXED | Rflags::IF | Rflags::PF);
        let refusal = Completion::refused(RefusalRule::TargetBelow);
        assert_eq!(refusal.rax(), 2);
        assert_eq!(refusal.rflags(BEFORE), Rflags::FIXED | Rflags::IF);
    }

    #[test]
    fn each_refusal_has_the_manuals_code() {
        let expected = [
            (RefusalRule::ReservedBits, 1),
            (RefusalRule::LargeAligned, 1),
            (RefusalRule::TargetExists, 1),
            (RefusalRule::TargetBelow, 2),
            (RefusalRule::WithinOwn, 2),
            (RefusalRule::LargeInSmall, 6),
            (RefusalRule::HostTarget, 1),
            (RefusalRule::HostMutable, 2),
            (RefusalRule::HostNotInUse, 3),
            (RefusalRule::HostOverlap, 4),
            (RefusalRule::Smashable, 7),
        ];
        for (rule, code) in expected {
            assert_eq!(rule.return_code().number(), code, "{rule}");
        }
    }
}
