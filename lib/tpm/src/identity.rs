//! Who made the device, and what it follows: the same for all devices of this
//! code.

/// TPM_PT_MANUFACTURER: four characters. It is no entry of the TCG's vendor
/// list.
pub const MANUFACTURER: [u8; 4] = *b"SVSM";
/// TPM_PT_VENDOR_STRING_1 to 4.
pub const MODEL: [u8; 16] = *b"SVSM TPM\0\0\0\0\0\0\0\0";
/// TPM_PT_FIRMWARE_VERSION_1 and 2.
pub const FIRMWARE_VERSION: [u32; 2] = [1, 0];
/// TPM_PT_LEVEL of the specification.
pub const SPECIFICATION_LEVEL: u32 = 0;
/// TPM_PT_REVISION of the specification, times 100.
pub const SPECIFICATION_REVISION: u32 = 159;
