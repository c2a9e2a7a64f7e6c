//! The security processor's part: are the values this processor's?
//!
//! A host may hide a feature, and must not promise one that there is not: a
//! guest would trust it. Each register of each leaf has a [`Rule`], taken from
//! the published firmware for Genoa. Leaves outside of the basic and the
//! extended range, a hypervisor's above all, are not looked at; those inside
//! that have no rule must be zero.

use abi_snp::{CpuidEntry, CpuidPage};

use crate::cpuid::answers::{Cpuid, CpuidQuery};
use crate::cpuid::encryption::REDUCTION_MASK;
use crate::cpuid::features::{Leaf1Ecx, Leaf7Ecx};
use crate::cpuid::physical::CpuidResult;
use crate::cpuid::refusal::CpuidRefusal;

/// What a value may be, compared with that of the processor.
#[derive(Clone, Copy)]
enum Rule {
    /// Anything.
    Unchecked,
    /// The same in these bits, anything in the others.
    Same(u32),
    /// No bit that the processor lacks among these, anything in the others.
    Subset(u32),
    /// Not greater. Signatures of families from 0xf on can be compared so.
    AtMost,
    /// No byte greater.
    BytesAtMost,
    /// Zero: firmware has no rule for the leaf.
    Zero,
}

use Rule::{AtMost, BytesAtMost, Same, Subset, Unchecked, Zero};

const EXACT: Rule = Same(u32::MAX);
const MASK: Rule = Subset(u32::MAX);

/// Leaf 1, EBX: the size of a line; the rest is about the topology.
const LINE_SIZE: u32 = 0xff00;
/// Leaf 1, ECX: bits that are not the processor's.
const SOFTWARE: u32 = Leaf1Ecx::OSXSAVE | Leaf1Ecx::HYPERVISOR.bits();

/// The rules for EAX, EBX, ECX and EDX of a leaf.
const fn rules(leaf: u32, subleaf: u32) -> [Rule; 4] {
    match (leaf, subleaf) {
        (0 | 0x8000_0000, 0) => [AtMost, Unchecked, Unchecked, Unchecked],
        (1, 0) => [AtMost, Same(LINE_SIZE), Subset(!SOFTWARE), MASK],
        (2 | 4 | 5, 0) | (0xb, 0..=2) | (0x8000_0002..=0x8000_0006, 0) => [Unchecked; 4],
        (0x8000_001d, 0..=3) | (0x8000_001e, 0) => [Unchecked; 4],
        (6, 0) => [MASK, EXACT, MASK, EXACT],
        (7, 0) => [AtMost, MASK, Subset(!Leaf7Ecx::OSPKE), MASK],
        (7, 1) => [MASK, EXACT, EXACT, EXACT],
        (0xd, 0) => [MASK, EXACT, Unchecked, EXACT],
        (0xd, 1) => [MASK, EXACT, MASK, MASK],
        (0x8000_0001, 0) => [AtMost, Unchecked, MASK, MASK],
        (0x8000_0007, 0) => [EXACT, MASK, Unchecked, MASK],
        (0x8000_0008, 0) => [BytesAtMost, MASK, Unchecked, AtMost],
        (0x8000_001f, 0) => [MASK, Same(!REDUCTION_MASK), Unchecked, Unchecked],
        (0x8000_0021, 0) => [MASK, Unchecked, EXACT, EXACT],
        (0xd, 2..) => [EXACT; 4],
        _ => [Zero; 4],
    }
}

impl Rule {
    /// The value nearest to `claimed` that the rule allows on a processor that
    /// says `actual`.
    fn corrected(self, claimed: u32, actual: u32) -> u32 {
        match self {
            Unchecked => claimed,
            Zero => 0,
            Same(bits) => claimed & !bits | actual & bits,
            Subset(bits) => claimed & (actual | !bits),
            AtMost => claimed.min(actual),
            BytesAtMost => {
                let (mut bytes, actual) = (claimed.to_le_bytes(), actual.to_le_bytes());
                for (byte, actual) in bytes.iter_mut().zip(actual) {
                    *byte = actual.min(*byte);
                }
                u32::from_le_bytes(bytes)
            }
        }
    }
}

impl Cpuid {
    /// Checks the CPUID page of a launch as the security processor does, and
    /// corrects the values that are wrong [SNP ABI 56860 §8.17, `PAGE_TYPE_CPUID`].
    ///
    /// # Errors
    ///
    /// See [`CpuidRefusal`]. The launch then refuses the page, and the host
    /// gets it back corrected, except for reserved bytes.
    pub fn check(&self, page: &mut CpuidPage) -> Result<(), CpuidRefusal> {
        if !page.is_well_formed() {
            return Err(CpuidRefusal::Reserved);
        }
        let entries = page.entries_mut().ok_or(CpuidRefusal::TooMany)?;
        self.check_entries(entries).1
    }

    /// The same for entries that are not in a page [SNP ABI 56860 §7.1]: how
    /// many of them were looked at, and whether those are right.
    ///
    /// # Errors
    ///
    /// [`CpuidRefusal::Incorrect`] names the first that is wrong; all are
    /// corrected.
    pub fn check_entries(&self, entries: &mut [CpuidEntry]) -> (u32, Result<(), CpuidRefusal>) {
        let mut checked: u32 = 0;
        let mut result = Ok(());
        for entry in entries.iter_mut().filter(|entry| is_architectural(entry.eax_in)) {
            checked = checked.saturating_add(1);
            let (leaf, subleaf) = (entry.eax_in, entry.ecx_in);
            if !self.correct(entry) {
                result = result.and(Err(CpuidRefusal::Incorrect { leaf, subleaf }));
            }
        }
        (checked, result)
    }

    /// Corrects an entry; whether it was right.
    fn correct(&self, entry: &mut CpuidEntry) -> bool {
        let query = CpuidQuery {
            leaf: entry.eax_in,
            subleaf: entry.ecx_in,
            xcr0: entry.xcr0_in,
            xss: entry.xss_in,
        };
        let CpuidResult { eax, ebx, ecx, edx } = self.answer(query, 0);
        let actual = [eax, ebx, ecx, edx];
        let mut right = entry.is_well_formed();
        let claims = [&mut entry.eax, &mut entry.ebx, &mut entry.ecx, &mut entry.edx];
        for ((claim, actual), rule) in
            claims.into_iter().zip(actual).zip(rules(query.leaf, query.subleaf))
        {
            let corrected = rule.corrected(*claim, actual);
            right &= corrected == *claim;
            *claim = corrected;
        }
        right
    }
}

/// Whether the security processor vouches for `leaf`.
const fn is_architectural(leaf: u32) -> bool {
    matches!(leaf, 0..=0xffff | 0x8000_0000..=0x8000_ffff)
}

#[cfg(test)]
mod tests;
