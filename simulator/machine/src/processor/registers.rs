//! The registers that a VMCB does not hold.
//!
//! VMRUN, VMLOAD and VMSAVE move what is in [`SaveArea`]; for a guest whose
//! registers are encrypted the processor moves all the others as well
//! [APM 24593 §15.35.2, appendix B, table B-4]. An emulator that knows SVM only
//! leaves these to the hypervisor, which keeps them here.

use abi_snp::{SevFeatures, Vmpl};
use abi_svm::SaveArea;

use crate::execution::{Cpl, Execution};
use crate::guest_tsc::GuestTsc;
use crate::processor::saved_events::SavedEvents;
use crate::processor::xsave_image::XsaveImage;

/// The general-purpose registers but RAX and RSP, which the VMCB holds.
#[derive(Clone, Default, PartialEq, Eq)]
#[repr(C)]
pub struct GeneralRegisters {
    /// RBX.
    pub rbx: u64,
    /// RCX.
    pub rcx: u64,
    /// RDX.
    pub rdx: u64,
    /// RSI.
    pub rsi: u64,
    /// RDI.
    pub rdi: u64,
    /// RBP.
    pub rbp: u64,
    /// R8.
    pub r8: u64,
    /// R9.
    pub r9: u64,
    /// R10.
    pub r10: u64,
    /// R11.
    pub r11: u64,
    /// R12.
    pub r12: u64,
    /// R13.
    pub r13: u64,
    /// R14.
    pub r14: u64,
    /// R15.
    pub r15: u64,
}

/// What a VMSA holds beside the registers of [`SaveArea`]. Secrets of the
/// guest, so there is no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct RegisterFile {
    /// The level that the VMSA runs at.
    pub vmpl: Vmpl,
    /// What protection it runs with.
    pub features: SevFeatures,
    /// General-purpose registers.
    pub general: GeneralRegisters,
    /// x87, SSE and AVX registers, as XSAVE stores them.
    pub extended: XsaveImage,
    /// XCR0: which extended registers are enabled.
    pub xcr0: u64,
    /// XSS: which ones are enabled for supervisor mode.
    pub xss: u64,
    /// PKRU.
    pub pkru: u32,
    /// `TSC_AUX`.
    pub tsc_aux: u32,
    /// `SPEC_CTRL`.
    pub spec_ctrl: u64,
    /// The time stamp counter.
    pub tsc: GuestTsc,
    /// Events of the VMSA, with alternate injection.
    pub events: Option<SavedEvents>,
    /// DR0 to DR3; zero without [`SevFeatures::DEBUG_SWAP`].
    pub dr: [u64; 4],
    /// Address masks of DR0 to DR3; zero without [`SevFeatures::DEBUG_SWAP`].
    pub dr_address_mask: [u64; 4],
}

impl RegisterFile {
    /// Registers of a virtual processor that has no VMSA yet: all zero but for
    /// the extended ones, which are as after a reset.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            vmpl: Vmpl::Vmpl0,
            features: SevFeatures::SNP_ACTIVE,
            general: GeneralRegisters::default(),
            extended: XsaveImage::reset(),
            xcr0: abi_x86::reset::XCR0,
            xss: 0,
            pkru: 0,
            tsc_aux: 0,
            spec_ctrl: 0,
            tsc: GuestTsc::PROCESSOR,
            events: None,
            dr: [0; 4],
            dr_address_mask: [0; 4],
        }
    }

    /// What runs with these registers and those of the VMCB.
    #[must_use]
    pub const fn execution(&self, save: &SaveArea) -> Execution {
        Execution { vmpl: self.vmpl, cpl: Cpl::from_low_bits(save.cpl), features: self.features }
    }
}

/// Defines the registers in the order of their numbers in instructions, and
/// where each of them lies.
macro_rules! general_registers {
    ($($register:ident = $number:literal, $place:ident . $field:ident;)*) => {
        /// A general-purpose register, by its number in instructions
        /// [APM 24594 §1.4.4].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[expect(missing_docs, reason = "the names are all there is to say")]
        pub enum GeneralRegister {
            $($register = $number,)*
        }

        impl GeneralRegister {
            /// All registers, by number.
            pub const ALL: [Self; 16] = [$(Self::$register),*];

            /// What the register holds.
            #[must_use]
            pub const fn get(self, save: &SaveArea, general: &GeneralRegisters) -> u64 {
                match self {
                    $(Self::$register => $place!(save, general).$field,)*
                }
            }

            /// Makes it hold `value`.
            pub const fn set(
                self,
                save: &mut SaveArea,
                general: &mut GeneralRegisters,
                value: u64,
            ) {
                match self {
                    $(Self::$register => $place!(save, general).$field = value,)*
                }
            }
        }
    };
}

/// A register that lies in the VMCB.
macro_rules! in_save_area {
    ($save:ident, $general:ident) => {
        $save
    };
}

/// A register that lies in [`GeneralRegisters`].
macro_rules! in_file {
    ($save:ident, $general:ident) => {
        $general
    };
}

general_registers! {
    Rax = 0, in_save_area.rax;
    Rcx = 1, in_file.rcx;
    Rdx = 2, in_file.rdx;
    Rbx = 3, in_file.rbx;
    Rsp = 4, in_save_area.rsp;
    Rbp = 5, in_file.rbp;
    Rsi = 6, in_file.rsi;
    Rdi = 7, in_file.rdi;
    R8 = 8, in_file.r8;
    R9 = 9, in_file.r9;
    R10 = 10, in_file.r10;
    R11 = 11, in_file.r11;
    R12 = 12, in_file.r12;
    R13 = 13, in_file.r13;
    R14 = 14, in_file.r14;
    R15 = 15, in_file.r15;
}

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros;

    use super::*;

    #[test]
    fn what_runs() {
        let mut save = SaveArea::new_zeroed();
        let mut file = RegisterFile::empty();
        file.vmpl = Vmpl::Vmpl2;
        assert_eq!(file.execution(&save), Execution::kernel(Vmpl::Vmpl2));
        save.cpl = 3;
        assert_eq!(file.execution(&save), Execution::user(Vmpl::Vmpl2));
    }

    #[test]
    fn each_register_has_a_place_of_its_own() {
        let mut save = SaveArea::new_zeroed();
        let mut general = GeneralRegisters::default();
        for register in GeneralRegister::ALL {
            register.set(&mut save, &mut general, 0x100 + register as u64);
        }
        for (number, register) in (0_u64..).zip(GeneralRegister::ALL) {
            assert_eq!(register.get(&save, &general), 0x100 + number);
        }
        assert_eq!((save.rax, save.rsp), (0x100, 0x104));
        assert_eq!((general.rbx, general.rbp, general.rsi), (0x103, 0x105, 0x106));
    }
}
