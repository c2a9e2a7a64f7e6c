//! INVLPGB and TLBSYNC: one processor has all others forget translations.
//!
//! INVLPGB says which translations and goes on; TLBSYNC waits until all
//! processors have forgotten what this one has asked for [APM 24593 §5.5.3;
//! APM 24594 INVLPGB, TLBSYNC]. The layout of the operands is that which Linux
//! uses (`arch/x86/include/asm/tlb.h`); which bits are reserved, and in what
//! order the checks are made, is from memory.
//!
//! A guest reaches nobody's translations but its own: whatever address space
//! identifier it names, and if it names none, the processor takes the guest's
//! [Linux commit 0896acd80782]. So a guest that names another is not refused,
//! and gets what it gets with its own.

use abi_snp::Vmpl;
use abi_x86::ExceptionVector;

use crate::execution::{Cpl, Execution};

/// How many pages INVLPGB takes besides the first: what EDX of CPUID leaf
/// 0x8000_0008 says here.
pub const MOST_FURTHER_PAGES: u16 = 7;

/// RAX: an address is given.
const BY_ADDRESS: u64 = 1 << 0;
/// RAX: a process-context identifier is given.
const BY_PCID: u64 = 1 << 1;
/// RAX: global translations, too.
const GLOBALS: u64 = 1 << 3;
/// RAX: translations of the nested page tables, too: the hypervisor's.
const NESTED: u64 = 1 << 5;
/// RAX: bits between the flags and the address.
const RAX_RESERVED: u64 = 0x3f << 6;
/// ECX: steps are of 2 MiB.
const LARGE_STEPS: u32 = 1 << 31;
/// ECX: bits between the count and the step.
const ECX_RESERVED: u32 = 0x7fff << 16;
/// EDX: bits above the process-context identifier.
const EDX_RESERVED: u32 = 0xf << 28;

/// The registers that INVLPGB reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidationOperands {
    /// An address, and what is given. Cut to the address size.
    pub rax: u64,
    /// How many pages besides the first, and the step from one to the next.
    pub ecx: u32,
    /// Identifiers: of the address space, of the process context.
    pub edx: u32,
}

/// What processors are to forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalidation {
    /// The pages; `None` for all of them.
    pub pages: Option<InvalidatedPages>,
    /// Translations of one process context alone.
    pub pcid: Option<u16>,
    /// Whether global translations go as well.
    pub globals: Globals,
}

/// Pages at equal distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidatedPages {
    /// Linear address of the first.
    pub first: u64,
    /// How many there are.
    pub count: u32,
    /// Bytes from one to the next.
    pub step: u64,
}

/// What becomes of global translations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Globals {
    /// They stay.
    Kept,
    /// They are forgotten as well.
    Forgotten,
}

/// The exception in place of the instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the instruction is {0}")]
pub struct BroadcastRefused(pub ExceptionVector);

/// #GP(0).
const PROTECTED: BroadcastRefused = BroadcastRefused(ExceptionVector::GENERAL_PROTECTION);

impl InvalidationOperands {
    /// What these registers ask for.
    ///
    /// # Errors
    ///
    /// They ask for what there is not: #GP(0).
    fn invalidation(self) -> Result<Invalidation, BroadcastRefused> {
        let Self { rax, ecx, edx } = self;
        let further = ecx as u16;
        let reserved = rax & (RAX_RESERVED | NESTED) != 0
            || ecx & ECX_RESERVED != 0
            || edx & EDX_RESERVED != 0;
        if reserved || further > MOST_FURTHER_PAGES {
            return Err(PROTECTED);
        }
        let pages = InvalidatedPages {
            first: rax & !0xfff,
            count: u32::from(further) + 1,
            step: if ecx & LARGE_STEPS == 0 { abi_x86::SIZE_4K } else { abi_x86::SIZE_2M },
        };
        Ok(Invalidation {
            pages: (rax & BY_ADDRESS != 0).then_some(pages),
            pcid: (rax & BY_PCID != 0).then_some((edx >> 16) as u16),
            globals: if rax & GLOBALS == 0 { Globals::Kept } else { Globals::Forgotten },
        })
    }
}

/// How often the instructions were executed, by privilege level of the guest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Broadcasts {
    invalidations: [u64; 4],
    waits: [u64; 4],
}

impl Broadcasts {
    /// INVLPGB.
    ///
    /// # Errors
    ///
    /// #GP(0): beyond CPL 0, or the operands are not possible.
    pub fn invlpgb(
        &mut self,
        operands: InvalidationOperands,
        execution: &Execution,
    ) -> Result<Invalidation, BroadcastRefused> {
        check_execution(execution)?;
        let invalidation = operands.invalidation()?;
        self.invalidations[usize::from(execution.vmpl.number())] += 1;
        Ok(invalidation)
    }

    /// TLBSYNC.
    ///
    /// # Errors
    ///
    /// #GP(0): beyond CPL 0.
    pub fn tlbsync(&mut self, execution: &Execution) -> Result<(), BroadcastRefused> {
        check_execution(execution)?;
        self.waits[usize::from(execution.vmpl.number())] += 1;
        Ok(())
    }

    /// Level, number of INVLPGB and number of TLBSYNC: of levels that have
    /// executed any.
    pub fn counts(&self) -> impl Iterator<Item = (Vmpl, u64, u64)> {
        let counts = Vmpl::ALL.into_iter().zip(self.invalidations).zip(self.waits);
        counts
            .map(|((vmpl, invalidations), waits)| (vmpl, invalidations, waits))
            .filter(|(_, invalidations, waits)| invalidations + waits != 0)
    }
}

fn check_execution(execution: &Execution) -> Result<(), BroadcastRefused> {
    if execution.cpl == Cpl::Cpl0 { Ok(()) } else { Err(PROTECTED) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERNEL: Execution = Execution::kernel(Vmpl::Vmpl0);

    fn asked(rax: u64, ecx: u32, edx: u32) -> Result<Invalidation, BroadcastRefused> {
        Broadcasts::default().invlpgb(InvalidationOperands { rax, ecx, edx }, &KERNEL)
    }

    #[test]
    fn everything() {
        let everything = |globals| Invalidation { pages: None, pcid: None, globals };
        assert_eq!(asked(0, 0, 0), Ok(everything(Globals::Kept)));
        // An address that is not given does not count, nor does an identifier.
        let all = asked(0x1234_5000 | 1 << 2 | GLOBALS, 0, 7 << 16);
        assert_eq!(all, Ok(everything(Globals::Forgotten)));
        // Whose address space it is decides the processor.
        assert_eq!(asked(1 << 2 | GLOBALS, 0, 99), all);
        assert_eq!(asked(GLOBALS | 1 << 4, 0, 0), all);
    }

    #[test]
    fn pages() {
        let address = 0xffff_8000_0020_0000;
        let pages = |count, step| Some(InvalidatedPages { first: address, count, step });
        let one = asked(address | BY_ADDRESS, 0, 0).unwrap();
        assert_eq!(one.pages, pages(1, 0x1000));
        let most = MOST_FURTHER_PAGES.into();
        assert_eq!(asked(address | BY_ADDRESS, most, 0).unwrap().pages, pages(8, 0x1000));
        let large = asked(address | BY_ADDRESS | BY_PCID, LARGE_STEPS | 1, 0xfff << 16).unwrap();
        assert_eq!((large.pages, large.pcid), (pages(2, 0x20_0000), Some(0xfff)));
    }

    #[test]
    fn what_there_is_not() {
        let too_many = u32::from(MOST_FURTHER_PAGES) + 1;
        assert_eq!(asked(BY_ADDRESS, too_many, 0), Err(PROTECTED));
        assert_eq!(asked(NESTED, 0, 0), Err(PROTECTED));
        for bit in 6..12 {
            assert_eq!(asked(1 << bit, 0, 0), Err(PROTECTED), "RAX bit {bit}");
        }
        for bit in 16..31 {
            assert_eq!(asked(0, 1 << bit, 0), Err(PROTECTED), "ECX bit {bit}");
        }
        for bit in 28..32 {
            assert_eq!(asked(0, 0, 1 << bit), Err(PROTECTED), "EDX bit {bit}");
        }
    }

    #[test]
    fn user_programs_have_no_say() {
        let user = Execution::user(Vmpl::Vmpl0);
        let nothing = InvalidationOperands { rax: 0, ecx: 0, edx: 0 };
        let mut broadcasts = Broadcasts::default();
        assert_eq!(broadcasts.invlpgb(nothing, &user), Err(PROTECTED));
        assert_eq!(broadcasts.tlbsync(&user), Err(PROTECTED));
        assert_eq!(broadcasts.counts().count(), 0);
    }

    #[test]
    fn only_what_was_done_is_counted() {
        let nothing = InvalidationOperands { rax: 0, ecx: 0, edx: 0 };
        let mut broadcasts = Broadcasts::default();
        let guest = Execution::kernel(Vmpl::Vmpl2);
        for execution in [&KERNEL, &guest, &guest] {
            broadcasts.invlpgb(nothing, execution).unwrap();
        }
        let refused = InvalidationOperands { rax: NESTED, ..nothing };
        broadcasts.invlpgb(refused, &KERNEL).unwrap_err();
        broadcasts.tlbsync(&KERNEL).unwrap();
        assert!(broadcasts.counts().eq([(Vmpl::Vmpl0, 1, 1), (Vmpl::Vmpl2, 2, 0)]));
    }
}
