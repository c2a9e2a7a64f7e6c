//! The check of a page, and the answers from it.

use abi_snp::{CpuidEntry, CpuidPage};
use abi_x86::Cr4;

use crate::answer::Answer;
use crate::asker::Asker;
use crate::dependency::{DEPENDENCIES, OSPKE, OSXSAVE, PKU, XSAVE, clear_unsupported};
use crate::entries::{BASIC, EXTENDED, EXTENDED_STATE, Entries, has_subleaves};
use crate::extended_state::ExtendedState;
use crate::finding::Finding;
use crate::refusal::Refusal;

const FEATURES: u32 = 1;
const STRUCTURED_FEATURES: u32 = 7;
const TOPOLOGY: u32 = 0xb;
const EXTENDED_FEATURES: u32 = 0x8000_0001;
const ADDRESS_SIZES: u32 = 0x8000_0008;
const EXTENDED_TOPOLOGY: u32 = 0x8000_001e;
const ENCRYPTION: u32 = 0x8000_001f;

/// Leaves without which nothing can be decided.
const REQUIRED: [u32; 6] =
    [BASIC, FEATURES, EXTENDED, EXTENDED_FEATURES, ADDRESS_SIZES, ENCRYPTION];

/// Leaf 0x8000_001f, EAX: SEV, SEV-ES, SEV-SNP.
const SNP: u32 = 1 << 1 | 1 << 3 | 1 << 4;
/// Bits of a page-table entry where a C-bit can be: above 4 GiB, and part of
/// the address.
const C_BITS: core::ops::RangeInclusive<u32> = 32..=51;
/// Bits of physical address that 64-bit processors have [APM 24593 §5.1].
const PHYSICAL_ADDRESS_BITS: core::ops::RangeInclusive<u32> = 32..=52;

/// A checked CPUID page.
#[derive(Clone, Copy, Debug)]
pub struct CpuidTable<'a> {
    entries: Entries<'a>,
    extended_state: ExtendedState,
    c_bit_position: u32,
    physical_address_bits: u32,
}

impl<'a> CpuidTable<'a> {
    /// Checks `page`, which must be memory that the host cannot change any
    /// more. `report` gets what is wrong but can be done without.
    ///
    /// # Errors
    ///
    /// See [`Refusal`]: there is no running with such a page.
    pub fn check(page: &'a CpuidPage, report: &mut dyn FnMut(Finding)) -> Result<Self, Refusal> {
        let all = page.entries().ok_or(Refusal::TooManyEntries)?;
        if !page.is_well_formed() || !all.iter().all(CpuidEntry::is_well_formed) {
            return Err(Refusal::Reserved);
        }
        let entries = Entries::check(all, report)?;
        if let Some(leaf) = REQUIRED.into_iter().find(|leaf| !entries.has(*leaf, 0)) {
            return Err(Refusal::MissingLeaf(leaf));
        }
        let c_bit_position = c_bit_position(entries.answer(ENCRYPTION, 0))?;
        let physical_address_bits = physical_address_bits(entries.answer(ADDRESS_SIZES, 0))?;
        let extended_state = ExtendedState::check(entries, report);
        let table = Self {
            entries,
            extended_state,
            c_bit_position,
            physical_address_bits: physical_address_bits.min(c_bit_position),
        };
        table.report_features(report);
        Ok(table)
    }

    /// Reports the features that the table does not pass on.
    fn report_features(&self, report: &mut dyn FnMut(Finding)) {
        let mut last = None;
        for row in &DEPENDENCIES {
            let (leaf, subleaf) = (row.leaf, row.subleaf);
            if last.replace((leaf, subleaf)) == Some((leaf, subleaf)) {
                continue;
            }
            let mut answer = self.entries.answer(leaf, subleaf);
            let available = self.extended_state.user;
            clear_unsupported(leaf, subleaf, &mut answer, available, |register, bits| {
                report(Finding::Features { leaf, subleaf, register, bits });
            });
        }
    }

    /// What CPUID says for `leaf` in EAX and `subleaf` in ECX. Leaves and
    /// subleaves that are not in the page or beyond its maxima have zeros, as
    /// on AMD processors; `subleaf` counts only for leaves that have some.
    #[must_use]
    pub fn query(&self, leaf: u32, subleaf: u32, asker: &Asker) -> Answer {
        let subleaf = if has_subleaves(leaf) { subleaf } else { 0 };
        if leaf == EXTENDED_STATE {
            return self.extended_state.answer(self.entries, subleaf, asker.xcr0, asker.xss);
        }
        let mut answer = self.entries.answer(leaf, subleaf);
        clear_unsupported(leaf, subleaf, &mut answer, self.extended_state.user, |_, _| ());
        match (leaf, subleaf) {
            (FEATURES, _) => {
                answer.ebx = answer.ebx & 0x00ff_ffff | asker.apic_id << 24;
                let enabled = answer.ecx & XSAVE != 0 && asker.cr4.contains(Cr4::OSXSAVE);
                answer.ecx = with(answer.ecx, OSXSAVE, enabled);
            }
            (STRUCTURED_FEATURES, 0) => {
                let enabled = answer.ecx & PKU != 0 && asker.cr4.contains(Cr4::PKE);
                answer.ecx = with(answer.ecx, OSPKE, enabled);
            }
            (TOPOLOGY, _) if self.entries.has(TOPOLOGY, 0) => {
                // True of subleaves that there are not, too.
                answer.ecx = answer.ecx & !0xff | subleaf & 0xff;
                answer.edx = asker.apic_id;
            }
            (EXTENDED_TOPOLOGY, _) if self.entries.has(EXTENDED_TOPOLOGY, 0) => {
                let thread_bits = self.entries.answer(TOPOLOGY, 0).eax & 0x1f;
                answer.eax = asker.apic_id;
                answer.ebx = answer.ebx & !0xff | (asker.apic_id >> thread_bits) & 0xff;
            }
            _ => {}
        }
        answer
    }

    /// The bit of a page-table entry that marks a private page, 32 to 51.
    #[must_use]
    pub const fn c_bit_position(&self) -> u32 {
        self.c_bit_position
    }

    /// Bits of a guest physical address: all are below the C-bit.
    #[must_use]
    pub const fn physical_address_bits(&self) -> u32 {
        self.physical_address_bits
    }

    /// What XCR0 can hold; 0 without XSAVE.
    #[must_use]
    pub const fn supported_xcr0(&self) -> u64 {
        self.extended_state.user
    }

    /// What `IA32_XSS` can hold.
    #[must_use]
    pub const fn supported_xss(&self) -> u64 {
        self.extended_state.supervisor
    }
}

const fn with(register: u32, bit: u32, value: bool) -> u32 {
    if value { register | bit } else { register & !bit }
}

/// [APM 24594 appendix E, function 8000_001Fh].
fn c_bit_position(leaf: Answer) -> Result<u32, Refusal> {
    if leaf.eax & SNP != SNP {
        return Err(Refusal::NoSnp(leaf.eax));
    }
    let position = leaf.ebx & 0x3f;
    C_BITS.contains(&position).then_some(position).ok_or(Refusal::CBitPosition(position))
}

/// [APM 24594 appendix E, function 8000_0008h].
fn physical_address_bits(leaf: Answer) -> Result<u32, Refusal> {
    let bits = leaf.eax & 0xff;
    PHYSICAL_ADDRESS_BITS.contains(&bits).then_some(bits).ok_or(Refusal::PhysicalAddressBits(bits))
}

#[cfg(test)]
mod tests;
