//! Secure virtual machine: what the processor can do, and switching it on.

use abi_svm::{SvmFeatures, VmCr};
use abi_x86::{Efer, Msr};
use nested_paging::CBit;

use crate::instruction::{cpuid, read_msr, write_msr};
use crate::memory::Memory;
use crate::permission_maps::PermissionMaps;

/// The bit that makes a guest physical address private, as on all processors
/// with SEV-SNP.
const C_BIT: u8 = 51;

/// SVM is on. Proof for whoever executes its instructions.
pub(crate) struct Svm {
    features: SvmFeatures,
    c_bit: CBit,
    maps: PermissionMaps,
}

/// Why guests cannot run here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SvmError {
    /// The processor has no SVM.
    #[error("this processor has no SVM: start QEMU with -accel tcg -cpu max,phys-bits=52")]
    Missing,
    /// SVM is disabled by `VM_CR`.
    #[error("SVM is disabled (VM_CR.SVMDIS): firmware has locked it")]
    Disabled,
    /// There are no nested page tables.
    #[error("this processor's SVM has no nested paging")]
    NoNestedPaging,
    /// Physical addresses are too short for the C-bit.
    #[error("physical addresses have {0} bits, 52 are needed: use -cpu max,phys-bits=52")]
    AddressBits(u32),
    /// Not enough memory.
    #[error("there is not enough memory: start QEMU with -m 2G or more")]
    OutOfMemory,
}

impl Svm {
    /// Checks the processor and switches SVM on.
    ///
    /// # Errors
    ///
    /// See [`SvmError`].
    pub(crate) fn enable(memory: &mut Memory) -> Result<Self, SvmError> {
        let (features, c_bit) = check_processor()?;
        // SAFETY: a processor with SVM has this register; reading changes
        // nothing.
        let vm_cr = unsafe { read_msr(Msr::VM_CR) };
        if VmCr::from_bits_retain(vm_cr).contains(VmCr::SVM_DISABLED) {
            return Err(SvmError::Disabled);
        }
        let maps = PermissionMaps::new(memory).ok_or(SvmError::OutOfMemory)?;
        let host_state = memory.take_page().ok_or(SvmError::OutOfMemory)?;
        // SAFETY: a processor with SVM has these registers. EFER keeps its other
        // bits. VMRUN writes the page, which belongs to the processor from now
        // on: the reference is dropped (INV-HV-RUN-1).
        unsafe {
            let efer = Efer::from_bits_retain(read_msr(Msr::EFER)) | Efer::SVME;
            write_msr(Msr::EFER, efer.bits());
            write_msr(Msr::VM_HSAVE_PA, host_state.address());
        }
        Ok(Self { features, c_bit, maps })
    }

    /// What the processor's SVM can do.
    pub(crate) fn features(&self) -> SvmFeatures {
        self.features
    }

    /// The bit that makes a guest physical address private.
    pub(crate) fn c_bit(&self) -> CBit {
        self.c_bit
    }

    /// What guests reach by themselves.
    pub(crate) fn permission_maps(&self) -> &PermissionMaps {
        &self.maps
    }
}

fn check_processor() -> Result<(SvmFeatures, CBit), SvmError> {
    const EXTENDED_FEATURES: u32 = 0x8000_0001;
    const SVM: u32 = 1 << 2;
    const ADDRESS_SIZES: u32 = 0x8000_0008;
    const SVM_FEATURES: u32 = 0x8000_000a;

    let last_leaf = cpuid(0x8000_0000, 0).eax;
    if last_leaf < SVM_FEATURES || cpuid(EXTENDED_FEATURES, 0).ecx & SVM == 0 {
        return Err(SvmError::Missing);
    }
    let features = SvmFeatures::from_bits_retain(cpuid(SVM_FEATURES, 0).edx);
    if !features.contains(SvmFeatures::NESTED_PAGING) {
        return Err(SvmError::NoNestedPaging);
    }
    let address_bits = cpuid(ADDRESS_SIZES, 0).eax & 0xff;
    if address_bits <= u32::from(C_BIT) {
        return Err(SvmError::AddressBits(address_bits));
    }
    let c_bit = CBit::new(C_BIT).ok_or(SvmError::AddressBits(address_bits))?;
    Ok((features, c_bit))
}
