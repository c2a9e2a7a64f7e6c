//! The answer to any question.

use abi_snp::ProcessorModel;

use crate::cpuid::encryption::leaf_8000_001f;
use crate::cpuid::extended_state::ExtendedState;
use crate::cpuid::facts::{CpuidFacts, CpuidPolicy, TranslationBroadcast};
use crate::cpuid::features::{
    ARAT, AddressesEbx, Extended2Eax, ExtendedEcx, ExtendedEdx, INVARIANT_TSC, Leaf1Ecx, Leaf1Edx,
    Leaf7Ebx, Leaf7Ecx, Leaf7Edx, Leaf71Eax,
};
use crate::cpuid::physical::{CpuidResult, Physical};
use crate::cpuid::topology::Topology;
use crate::processor::MOST_FURTHER_PAGES;

/// What somebody asks: the registers that CPUID looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CpuidQuery {
    /// EAX.
    pub leaf: u32,
    /// ECX; leaves without subleaves do not look at it.
    pub subleaf: u32,
    /// XCR0; only leaf 0xd looks at it.
    pub xcr0: u64,
    /// XSS; only leaf 0xd looks at it.
    pub xss: u64,
}

impl CpuidQuery {
    /// The question about `leaf` and `subleaf` of a processor that has just
    /// started: XCR0 is 1 and XSS is 0.
    #[must_use]
    pub const fn new(leaf: u32, subleaf: u32) -> Self {
        Self { leaf, subleaf, xcr0: abi_x86::reset::XCR0, xss: 0 }
    }
}

/// Greatest basic leaf without leaf 0xd.
const GREATEST_REDUCED: u32 = 0xb;
const GREATEST_FULL: u32 = 0xd;
const GREATEST_EXTENDED: u32 = 0x8000_0021;
const GREATEST_HYPERVISOR: u32 = 0x4000_0001;
/// KVM's clock, by its newer registers, and stable on all processors
/// [Linux `Documentation/virt/kvm/x86/cpuid.rst`].
const KVM_CLOCK: u32 = 1 << 3 | 1 << 24;

/// Registers EBX, ECX and EDX that spell `AuthenticAMD` (in that order, EDX
/// before ECX).
const fn vendor(eax: u32) -> CpuidResult {
    CpuidResult {
        eax,
        ebx: u32::from_le_bytes(*b"Auth"),
        ecx: u32::from_le_bytes(*b"cAMD"),
        edx: u32::from_le_bytes(*b"enti"),
    }
}

/// CPUID of a platform: what each of its virtual processors answers.
#[derive(Clone, Debug)]
pub struct Cpuid {
    facts: CpuidFacts,
    physical: Physical,
    topology: Topology,
    /// `None` without XSAVE: by policy, or because the physical processor has
    /// none.
    extended_state: Option<ExtendedState>,
}

impl Cpuid {
    /// The CPUID of a machine with these `facts` on a processor for which
    /// `physical` executes CPUID with a leaf and a subleaf.
    #[must_use]
    pub fn new(facts: CpuidFacts, physical: impl FnMut(u32, u32) -> CpuidResult) -> Self {
        let physical = Physical::read(physical);
        let has_xsave = physical.version.ecx & Leaf1Ecx::XSAVE.bits() != 0;
        let shown = facts.policy != CpuidPolicy::Reduced && has_xsave;
        Self {
            facts,
            topology: Topology { processors: facts.processors },
            extended_state: shown.then(|| ExtendedState::new(&physical, facts.policy)),
            physical,
        }
    }

    /// What the machine decided.
    #[must_use]
    pub const fn facts(&self) -> &CpuidFacts {
        &self.facts
    }

    /// EAX of leaf 1: family, model and stepping of the processor.
    #[must_use]
    pub const fn signature(&self) -> u32 {
        let ProcessorModel { family, model, stepping } = self.facts.processor;
        let (base_family, extended_family) =
            if family < 0xf { (family, 0) } else { (0xf, family - 0xf) };
        (stepping & 0xf) as u32
            | ((model & 0xf) as u32) << 4
            | (base_family as u32) << 8
            | ((model >> 4) as u32) << 16
            | (extended_family as u32) << 20
    }

    /// The answer that the virtual processor with x2APIC identifier `apic_id`
    /// gives to `query`. Leaves that there are not have zeros.
    #[must_use]
    pub fn answer(&self, query: CpuidQuery, apic_id: u32) -> CpuidResult {
        let CpuidQuery { leaf, subleaf, xcr0, xss } = query;
        let physical = &self.physical;
        match leaf {
            0 => vendor(match self.extended_state {
                Some(_) => GREATEST_FULL,
                None => GREATEST_REDUCED,
            }),
            1 => self.leaf_1(apic_id),
            6 => CpuidResult { eax: ARAT, ..CpuidResult::ZERO },
            7 => self.leaf_7(subleaf),
            0xb => self.topology.leaf_b(subleaf, apic_id),
            0xd => self
                .extended_state
                .as_ref()
                .map_or(CpuidResult::ZERO, |state| state.leaf_d(subleaf, xcr0, xss)),
            // KVM's signature. Linux uses x2APIC without an interrupt remapper on
            // hypervisors that it knows, KVM among them, and each paravirtual
            // interface only with its feature's bit.
            0x4000_0000 => CpuidResult {
                eax: GREATEST_HYPERVISOR,
                ebx: u32::from_le_bytes(*b"KVMK"),
                ecx: u32::from_le_bytes(*b"VMKV"),
                edx: u32::from_le_bytes(*b"M\0\0\0"),
            },
            0x4000_0001 => CpuidResult { eax: KVM_CLOCK, ..CpuidResult::ZERO },
            0x8000_0000 => vendor(GREATEST_EXTENDED),
            0x8000_0001 => self.leaf_8000_0001(),
            0x8000_0002 => physical.name[0],
            0x8000_0003 => physical.name[1],
            0x8000_0004 => physical.name[2],
            0x8000_0005 => physical.caches[0],
            0x8000_0006 => physical.caches[1],
            0x8000_0007 => CpuidResult { edx: INVARIANT_TSC, ..CpuidResult::ZERO },
            0x8000_0008 => self.leaf_8000_0008(),
            0x8000_001e => self.topology.leaf_8000_001e(apic_id),
            0x8000_001f => leaf_8000_001f(&self.facts),
            0x8000_0021 => CpuidResult { eax: Extended2Eax::all().bits(), ..CpuidResult::ZERO },
            _ => CpuidResult::ZERO,
        }
    }

    fn leaf_1(&self, apic_id: u32) -> CpuidResult {
        let physical = self.physical.version;
        let mut ecx = Leaf1Ecx::from_bits_truncate(physical.ecx);
        if self.extended_state.is_none() {
            ecx.remove(Leaf1Ecx::NEEDS_XSAVE);
        }
        let mut edx = Leaf1Edx::from_bits_truncate(physical.edx);
        edx.set(Leaf1Edx::HTT, self.topology.has_many());
        CpuidResult {
            eax: self.signature(),
            // The size of a line, as CLFLUSH counts.
            ebx: physical.ebx & 0xff00 | self.topology.leaf_1_ebx(apic_id),
            ecx: (ecx | Leaf1Ecx::ALWAYS).bits(),
            edx: edx.bits(),
        }
    }

    fn leaf_7(&self, subleaf: u32) -> CpuidResult {
        match subleaf {
            0 => {
                let physical = self.physical.features_7;
                let mut ebx = Leaf7Ebx::from_bits_truncate(physical.ebx);
                let mut ecx = Leaf7Ecx::from_bits_truncate(physical.ecx);
                if self.extended_state.is_none() {
                    ebx.remove(Leaf7Ebx::NEEDS_XSAVE);
                    ecx.remove(Leaf7Ecx::NEEDS_XSAVE);
                }
                if self.facts.policy == CpuidPolicy::Xsave {
                    ecx.remove(Leaf7Ecx::PKU);
                }
                CpuidResult {
                    eax: physical.eax.min(1),
                    ebx: ebx.bits(),
                    ecx: ecx.bits(),
                    edx: Leaf7Edx::from_bits_truncate(physical.edx).bits(),
                }
            }
            1 => CpuidResult {
                eax: Leaf71Eax::from_bits_truncate(self.physical.features_7_1.eax).bits(),
                ..CpuidResult::ZERO
            },
            _ => CpuidResult::ZERO,
        }
    }

    fn leaf_8000_0001(&self) -> CpuidResult {
        let physical = self.physical.extended_features;
        let mut ecx = ExtendedEcx::from_bits_truncate(physical.ecx);
        ecx.insert(ExtendedEcx::TOPOLOGY_EXTENSIONS);
        ecx.set(ExtendedEcx::CMP_LEGACY, self.topology.has_many());
        let edx = Leaf1Edx::from_bits_truncate(physical.edx & self.physical.version.edx)
            .intersection(Leaf1Edx::REPEATED)
            .bits()
            | ExtendedEdx::from_bits_truncate(physical.edx).bits();
        CpuidResult { eax: self.signature(), ebx: 0, ecx: ecx.bits(), edx }
    }

    fn leaf_8000_0008(&self) -> CpuidResult {
        let physical = self.physical.addresses;
        let mut ebx = AddressesEbx::from_bits_truncate(physical.ebx);
        if self.extended_state.is_none() {
            ebx.remove(AddressesEbx::NEEDS_XSAVE);
        }
        let has_broadcast = self.facts.broadcast == TranslationBroadcast::Present;
        ebx.set(AddressesEbx::INVLPGB, has_broadcast);
        CpuidResult {
            // Sizes of physical and of linear addresses, in bits.
            eax: physical.eax & 0xffff,
            ebx: ebx.bits(),
            ecx: self.topology.leaf_8000_0008_ecx(),
            // From memory: how many pages INVLPGB takes, without the first.
            edx: if has_broadcast { MOST_FURTHER_PAGES.into() } else { 0 },
        }
    }
}

#[cfg(test)]
mod tests;
