//! Starting and stopping a processor with a save area of the guest's own.

use crate::vmpl::Vmpl;

/// What `SW_EXITINFO1` of `ExitCode::SNP_AP_CREATION` says [GHCB 56421 2.04
/// §4.1, "SNP AP Creation"]: APIC ID in bits 63:32, privilege level in 19:16,
/// action in the rest of 31:0.
///
/// The save area's guest physical address is in `SW_EXITINFO2`. KVM refuses
/// multiples of 2 MiB, because processors mishandle save areas there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApCreation {
    /// What to do.
    pub action: ApCreationAction,
    /// The level that the save area is for.
    pub vmpl: Vmpl,
    /// The processor.
    pub apic_id: u32,
}

/// What to do with the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ApCreationAction {
    /// Run the save area from the next INIT on.
    CreateOnInit = 0,
    /// Run the save area now.
    Create = 1,
    /// Run it no longer.
    Destroy = 2,
}

/// What can be wrong with `SW_EXITINFO1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApCreationError {
    /// No such action: bits 31:0 without the level's.
    #[error("AP creation has action {0:#x}, possible are 0 to 2")]
    Action(u32),
    /// No such level.
    #[error("AP creation has VMPL {0}, possible are 0 to 3")]
    Vmpl(u8),
}

const VMPL_SHIFT: u32 = 16;
const VMPL_MASK: u32 = 0xf << VMPL_SHIFT;

impl ApCreation {
    /// `SW_EXITINFO1`.
    #[must_use]
    pub const fn encode(self) -> u64 {
        (self.apic_id as u64) << 32 | (self.vmpl.number() as u64) << VMPL_SHIFT | self.action as u64
    }

    /// What `exit_info_1` says.
    ///
    /// # Errors
    ///
    /// The field that is wrong.
    pub fn decode(exit_info_1: u64) -> Result<Self, ApCreationError> {
        let low = exit_info_1 as u32;
        let action = match low & !VMPL_MASK {
            0 => ApCreationAction::CreateOnInit,
            1 => ApCreationAction::Create,
            2 => ApCreationAction::Destroy,
            other => return Err(ApCreationError::Action(other)),
        };
        let number = ((low & VMPL_MASK) >> VMPL_SHIFT) as u8;
        let vmpl = Vmpl::from_number(number).ok_or(ApCreationError::Vmpl(number))?;
        Ok(Self { action, vmpl, apic_id: (exit_info_1 >> 32) as u32 })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_linux_starts_a_processor() {
        let creation =
            ApCreation { action: ApCreationAction::Create, vmpl: Vmpl::Vmpl2, apic_id: 5 };
        assert_eq!(creation.encode(), 0x5_0002_0001);
    }

    #[test]
    fn impossible_values_are_refused() {
        assert_eq!(ApCreation::decode(3), Err(ApCreationError::Action(3)));
        assert_eq!(ApCreation::decode(0x0010_0001), Err(ApCreationError::Action(0x0010_0001)));
        assert_eq!(ApCreation::decode(0x0004_0000), Err(ApCreationError::Vmpl(4)));
    }

    proptest! {
        #[test]
        fn whatever_decodes_is_its_encoding(high in any::<u32>(), low in 0..0x20_0000_u64) {
            let info = u64::from(high) << 32 | low & 0xf_000f;
            if let Ok(creation) = ApCreation::decode(info) {
                prop_assert_eq!(creation.encode(), info);
            }
        }

        #[test]
        fn any_value_is_judged(info in any::<u64>()) {
            prop_assert_eq!(
                ApCreation::decode(info).is_ok(),
                info as u32 & 0xfff0_ffff <= 2 && info as u32 >> 16 & 0xf <= 3
            );
        }
    }
}
