//! What registers hold after a reset.
//!
//! For whoever fills in a processor state that did not come from a processor,
//! such as a VMSA. Registers that are zero then, or that every start state
//! sets anyway, have no constant. Source: [APM 24593 §14.1.3, table 14-1]; a
//! processor state can be refused for reserved bits that differ [APM 24593
//! §15.5.1].

/// DR6: no debug condition, reserved bits one.
pub const DR6: u64 = 0xffff_0ff0;

/// DR7: no breakpoint enabled, reserved bit 10 one.
pub const DR7: u64 = 0x400;

/// PAT: WB, WT, UC-, UC and the same again [APM 24593 §7.8.1].
pub const PAT: u64 = 0x0007_0406_0007_0406;

/// XCR0: x87 state only.
pub const XCR0: u64 = 1;

/// MXCSR: all SIMD exceptions masked.
pub const MXCSR: u32 = 0x1f80;

/// The x87 control word that FNINIT sets: extended precision, all exceptions
/// masked. (A reset leaves 0x40; every program starts with this one.)
pub const X87_CONTROL_WORD: u16 = 0x37f;

/// Limit of descriptor tables and system segments.
pub const TABLE_LIMIT: u32 = 0xffff;
