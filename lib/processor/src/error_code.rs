//! Exception error codes in words [APM 24593 §8.4].

use core::fmt;

use abi_x86::{ExceptionVector, PageFaultError};

/// An error code and the exception that pushed it; formats as number and words.
pub(crate) struct ErrorCode {
    pub(crate) vector: ExceptionVector,
    pub(crate) code: u64,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error code {:#x}", self.code)?;
        match self.vector {
            ExceptionVector::PAGE_FAULT => page_fault(f, self.code),
            ExceptionVector::INVALID_TSS
            | ExceptionVector::SEGMENT_NOT_PRESENT
            | ExceptionVector::STACK
            | ExceptionVector::GENERAL_PROTECTION => selector(f, self.code),
            _ => Ok(()),
        }
    }
}

/// Page fault [APM 24593 §8.4.2].
fn page_fault(f: &mut fmt::Formatter<'_>, code: u64) -> fmt::Result {
    let error = PageFaultError::from_bits_retain(code);
    let choose = |bit, set, clear| if error.contains(bit) { set } else { clear };
    let access = choose(PageFaultError::WRITE, "write", "read");
    let access = choose(PageFaultError::INSTRUCTION, "instruction fetch", access);
    let mode = choose(PageFaultError::USER, "user", "kernel");
    let cause = choose(PageFaultError::PRESENT, "not permitted", "page not present");
    write!(f, ": {access} in {mode} mode, {cause}")?;
    for (bit, text) in [
        (PageFaultError::RESERVED_BIT, ", reserved bit set"),
        (PageFaultError::PROTECTION_KEY, ", protection key"),
        (PageFaultError::SHADOW_STACK, ", shadow stack"),
        (PageFaultError::REVERSE_MAP, ", RMP violation"),
    ] {
        f.write_str(choose(bit, text, ""))?;
    }
    Ok(())
}

/// Selector error code [APM 24593 §8.4.1]; 0 means that no descriptor was
/// involved.
fn selector(f: &mut fmt::Formatter<'_>, code: u64) -> fmt::Result {
    const EXTERNAL: u64 = 1 << 0;
    if code == 0 {
        return Ok(());
    }
    let table = match code >> 1 & 0b11 {
        0b00 => "GDT",
        0b10 => "LDT",
        _ => "IDT",
    };
    write!(f, ": {table} entry {}", code >> 3 & 0x1fff)?;
    f.write_str(if code & EXTERNAL == 0 { "" } else { ", external event" })
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::{String, ToString};

    use super::*;

    fn words(vector: ExceptionVector, code: u64) -> String {
        ErrorCode { vector, code }.to_string()
    }

    #[test]
    fn page_faults() {
        for (code, text) in [
            (0x00, "error code 0x0: read in kernel mode, page not present"),
            (0x03, "error code 0x3: write in kernel mode, not permitted"),
            (0x15, "error code 0x15: instruction fetch in user mode, not permitted"),
            (0x09, "error code 0x9: read in kernel mode, not permitted, reserved bit set"),
            (
                0x8000_0007,
                "error code 0x80000007: write in user mode, not permitted, RMP violation",
            ),
        ] {
            assert_eq!(words(ExceptionVector::PAGE_FAULT, code), text);
        }
    }

    #[test]
    fn selectors() {
        for (code, text) in [
            (0x00, "error code 0x0"),
            (0x18, "error code 0x18: GDT entry 3"),
            (0x1c, "error code 0x1c: LDT entry 3"),
            (0x103, "error code 0x103: IDT entry 32, external event"),
            (0xffff_fff8, "error code 0xfffffff8: GDT entry 8191"),
        ] {
            assert_eq!(words(ExceptionVector::GENERAL_PROTECTION, code), text);
        }
    }

    #[test]
    fn other_exceptions_have_a_number_only() {
        assert_eq!(words(ExceptionVector::DOUBLE_FAULT, 0), "error code 0x0");
    }
}
