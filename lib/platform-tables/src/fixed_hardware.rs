//! FADT: registers that are always there [ACPI 6.5 §5.2.9, §4.8.3].

use acpi_tables::fadt::{FADT, FADTBuilder, Flags};
use acpi_tables::gas::{AccessSize, AddressSpace, GAS};

use crate::identity::{OEM_ID, OEM_REVISION, OEM_TABLE_ID};

/// Interrupt of the power-management registers, on the IOAPIC's pin of the
/// same number.
pub(crate) const SYSTEM_CONTROL_INTERRUPT: u8 = 9;

/// Ports of the power-management registers, and their bytes.
const EVENTS: (u16, u8) = (0x600, 4);
const CONTROL: (u16, u8) = (0x604, 2);
const TIMER: (u16, u8) = (0x608, 4);

/// Resets the whole machine when [`RESET_VALUE`] is written to it.
const RESET_PORT: u16 = 0xcf9;
/// Reset the processors, and the system with them.
const RESET_VALUE: u8 = 6;

/// Where the clock's memory holds the century.
const CENTURY_INDEX: u8 = 0x32;

/// Latencies in microseconds that say: there are no such states of idleness.
const NO_C2: u16 = 0xfff;
const NO_C3: u16 = 0xfff;

/// IAPC_BOOT_ARCH: devices at their places since the first PCs; no VGA; no
/// message-signalled interrupts. Bit 1 stays clear: no keyboard controller.
const BOOT_ARCHITECTURE: u16 = 1 << 0 | 1 << 2 | 1 << 3;

const FLAGS: [Flags; 6] = [
    Flags::Wbinvd,
    Flags::ProcC1,
    // No fixed power button, no fixed sleep button, no fixed clock alarm.
    Flags::PwrButton,
    Flags::SlpButton,
    Flags::FixRtc,
    Flags::ResetRegSup,
];

/// The table that leads to the DSDT and FACS at these addresses.
///
/// There is no port for switching to ACPI: the machine never is without.
pub(crate) fn fadt(dsdt: u64, facs: u64) -> FADT {
    let mut table =
        FADTBuilder::new(OEM_ID, OEM_TABLE_ID, OEM_REVISION).dsdt_64(dsdt).firmware_ctrl_64(facs);
    for flag in FLAGS {
        table = table.flag(flag);
    }
    table.sci_int = u16::from(SYSTEM_CONTROL_INTERRUPT).into();

    table.pm1a_evt_blk = u32::from(EVENTS.0).into();
    table.pm1_evt_len = EVENTS.1;
    table.x_pm1a_evt_blk = ports(EVENTS, AccessSize::WordAccess);
    table.pm1a_cnt_blk = u32::from(CONTROL.0).into();
    table.pm1_cnt_len = CONTROL.1;
    table.x_pm1a_cnt_blk = ports(CONTROL, AccessSize::WordAccess);
    table.pm_tmr_blk = u32::from(TIMER.0).into();
    table.pm_tmr_len = TIMER.1;
    table.x_pm_tmr_blk = ports(TIMER, AccessSize::DwordAccess);

    table.p_lvl2_lat = NO_C2.into();
    table.p_lvl3_lat = NO_C3.into();
    table.century = CENTURY_INDEX;
    table.iapc_boot_arch = BOOT_ARCHITECTURE.into();
    table.reset_reg = ports((RESET_PORT, 1), AccessSize::ByteAccess);
    table.reset_value = RESET_VALUE;
    table.finalize()
}

/// Ports as a generic address.
fn ports((first, count): (u16, u8), access: AccessSize) -> GAS {
    GAS::new(AddressSpace::SystemIo, count * 8, 0, access, first.into())
}
