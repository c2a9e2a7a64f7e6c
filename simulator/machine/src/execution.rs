//! The state of a virtual processor that decides what it may do.

use abi_snp::SevFeatures;

use abi_snp::Vmpl;

/// Current privilege level, of the segment that is executing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Cpl {
    /// The kernel.
    Cpl0 = 0,
    /// Supervisor to paging, without the kernel's instructions.
    Cpl1 = 1,
    /// As level 1.
    Cpl2 = 2,
    /// User mode.
    Cpl3 = 3,
}

impl Cpl {
    /// All levels, the most privileged first.
    pub const ALL: [Self; 4] = [Self::Cpl0, Self::Cpl1, Self::Cpl2, Self::Cpl3];

    /// The level that the two lowest bits name, as in a selector; the others
    /// are not looked at.
    #[must_use]
    pub const fn from_low_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::Cpl0,
            1 => Self::Cpl1,
            2 => Self::Cpl2,
            _ => Self::Cpl3,
        }
    }
}

/// What runs: the part of a virtual processor's state that the rules look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Privilege level of the VMSA that is running.
    pub vmpl: Vmpl,
    /// Current privilege level.
    pub cpl: Cpl,
    /// `SEV_FEATURES` of the VMSA that is running.
    pub features: SevFeatures,
}

impl Execution {
    /// A kernel at `vmpl` in an SNP guest without optional features.
    #[must_use]
    pub const fn kernel(vmpl: Vmpl) -> Self {
        Self { vmpl, cpl: Cpl::Cpl0, features: SevFeatures::SNP_ACTIVE }
    }

    /// A user program at `vmpl` in an SNP guest without optional features.
    #[must_use]
    pub const fn user(vmpl: Vmpl) -> Self {
        Self { vmpl, cpl: Cpl::Cpl3, features: SevFeatures::SNP_ACTIVE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_bits_make_a_level() {
        for (bits, cpl) in (0_u8..).zip(Cpl::ALL) {
            assert_eq!(cpl as u8, bits);
            assert_eq!(Cpl::from_low_bits(bits), cpl);
            assert_eq!(Cpl::from_low_bits(bits | 0x10), cpl);
        }
    }

    #[test]
    fn kernel_and_user_are_snp_guests() {
        let kernel = Execution::kernel(Vmpl::Vmpl2);
        assert_eq!((kernel.vmpl, kernel.cpl), (Vmpl::Vmpl2, Cpl::Cpl0));
        assert_eq!(kernel.features, SevFeatures::SNP_ACTIVE);
        assert_eq!(Execution::user(Vmpl::Vmpl2), Execution { cpl: Cpl::Cpl3, ..kernel });
    }
}
