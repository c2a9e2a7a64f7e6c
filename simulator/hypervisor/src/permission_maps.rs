//! Which ports and model-specific registers a guest reaches by itself.
//!
//! No port, and only registers that VMLOAD, VMSAVE, VMRUN and exits switch
//! between guest and host: whatever the guest writes to those, the host does
//! not see.

use abi_svm::permission_map::{IO_MAP_SIZE, MSR_MAP_SIZE, msr_bits};
use abi_x86::Msr;

use crate::memory::Memory;
use crate::page::{PAGE_SIZE, Page};

/// Registers that the guest may read and write [APM 24593 §15.5.2].
const SWITCHED: [Msr; 11] = [
    Msr::EFER,
    Msr::FS_BASE,
    Msr::GS_BASE,
    Msr::KERNEL_GS_BASE,
    Msr::STAR,
    Msr::LSTAR,
    Msr::CSTAR,
    Msr::SFMASK,
    Msr::SYSENTER_CS,
    Msr::SYSENTER_ESP,
    Msr::SYSENTER_EIP,
];

/// The maps that all guests share.
pub(crate) struct PermissionMaps {
    ports: &'static [Page],
    registers: &'static [Page],
}

impl PermissionMaps {
    /// Makes the maps; `None` if there is no memory.
    pub(crate) fn new(memory: &mut Memory) -> Option<Self> {
        let ports = memory.take_pages(IO_MAP_SIZE / PAGE_SIZE)?;
        let registers = memory.take_pages(MSR_MAP_SIZE / PAGE_SIZE)?;
        ports.iter().chain(registers).for_each(|page| page.fill(0xff));
        for bits in SWITCHED.into_iter().filter_map(msr_bits) {
            let page = &registers[bits.byte / PAGE_SIZE];
            let offset = bits.byte % PAGE_SIZE;
            page.write(offset, &[page.byte(offset) & !(bits.read | bits.write)]);
        }
        Some(Self { ports, registers })
    }

    /// Physical address of the map of ports.
    pub(crate) fn ports(&self) -> u64 {
        self.ports[0].address()
    }

    /// Physical address of the map of registers.
    pub(crate) fn registers(&self) -> u64 {
        self.registers[0].address()
    }
}
