//! The virtual machine control block: one page per virtual processor.

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use crate::control_area::ControlArea;
use crate::save_area::SaveArea;

/// The page whose physical address VMRUN takes in RAX [APM 24593 §15.5.1].
#[derive(Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(4096))]
pub struct Vmcb {
    /// What the hypervisor asks for, and what it learns at an exit.
    pub control: ControlArea,
    /// The guest's registers, as far as VMRUN, VMLOAD and VMSAVE move them.
    pub save: SaveArea,
}

const _: () = assert!(size_of::<Vmcb>() == 0x1000);
const _: () = assert!(core::mem::offset_of!(Vmcb, save) == 0x400);

impl Vmcb {
    /// A block of zeros, which VMRUN refuses: the caller sets what the start
    /// state needs.
    #[must_use]
    pub fn zeroed() -> Self {
        Self::new_zeroed()
    }
}
