//! Memory of QEMU's PCI devices, at the addresses that the guest uses.

use core::ptr;

use machine::pci::{DeviceRegister, RegisterWidth};

/// Reads a register. Bits beyond its width are 0.
pub(crate) fn read(register: DeviceRegister) -> u64 {
    let address = register.address() as usize;
    // SAFETY: INV-HV-MMIO-1: it is a device's, mapped, aligned, and no memory of
    // Rust's.
    unsafe {
        match register.width() {
            RegisterWidth::One => {
                ptr::with_exposed_provenance::<u8>(address).read_volatile().into()
            }
            RegisterWidth::Two => {
                ptr::with_exposed_provenance::<u16>(address).read_volatile().into()
            }
            RegisterWidth::Four => {
                ptr::with_exposed_provenance::<u32>(address).read_volatile().into()
            }
            RegisterWidth::Eight => ptr::with_exposed_provenance::<u64>(address).read_volatile(),
        }
    }
}

/// Writes a register. Bits of `value` beyond its width do not count.
pub(crate) fn write(register: DeviceRegister, value: u64) {
    let address = register.address() as usize;
    // SAFETY: INV-HV-MMIO-1 as in `read`. What the device then does to memory
    // is INV-HV-DMA-1.
    unsafe {
        match register.width() {
            RegisterWidth::One => {
                ptr::with_exposed_provenance_mut::<u8>(address).write_volatile(value as u8);
            }
            RegisterWidth::Two => {
                ptr::with_exposed_provenance_mut::<u16>(address).write_volatile(value as u16);
            }
            RegisterWidth::Four => {
                ptr::with_exposed_provenance_mut::<u32>(address).write_volatile(value as u32);
            }
            RegisterWidth::Eight => {
                ptr::with_exposed_provenance_mut::<u64>(address).write_volatile(value)
            }
        }
    }
}
